from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import (
    EXACT_UP_TO,
    PairedCounts,
    binomial_floor_n,
    ceiling_p,
    clopper_pearson,
    discordance_upper,
    exact_unconditional_p,
    floor_p,
    mean_n,
    n_min,
    nam_n,
    paired_t_n,
    tango_p,
    ties_n,
)


@pytest.mark.parametrize(
    ("margin", "discordance", "n"),
    [(0.05, 0.10, 274), (0.05, 0.20, 507), (0.10, 0.20, 134), (0.03, 0.10, 717), (0.02, 0.06, 982)],
)
def test_nam_n_is_the_measured_table(margin, discordance, n):
    assert nam_n(margin, discordance) == n


def test_nam_n_never_falls_below_the_smallest_n_that_can_prove_anything():
    assert nam_n(0.05, 0.0) == n_min(0.05) == 59
    assert nam_n(0.05, 0.04, delta=0.04, power=0.5) == 59
    assert nam_n(0.05, 0.001) > 59


def test_nam_n_falls_with_a_better_candidate_and_grows_with_power():
    assert nam_n(0.05, 0.2, delta=0.02) < nam_n(0.05, 0.2) < nam_n(0.05, 0.2, power=0.9)
    assert nam_n(0.05, 0.2, delta=-0.03) > nam_n(0.05, 0.2)


@pytest.mark.parametrize(
    ("delta", "sd", "alpha", "power", "n"),
    [(0.05, 0.35, 0.05, 0.8, 304.30266343), (-0.05, 0.35, 0.05, 0.8, 304.30266343)],
)
def test_paired_t_n_gives_the_value_of_r(delta, sd, alpha, power, n):
    assert paired_t_n(delta, sd, alpha, power) == pytest.approx(n, abs=1e-5)


@pytest.mark.parametrize("effect", [0.02, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.99])
def test_paired_t_n_has_the_power_it_promises(effect, power):
    n = paired_t_n(effect, 1.0, 0.05, power)
    critical = scipy_stats.t.ppf(0.95, n - 1)
    attained = scipy_stats.nct.sf(critical, n - 1, np.sqrt(n) * effect)
    assert attained >= power - 1e-6
    assert n == 2.0 or attained == pytest.approx(power, abs=1e-6)


def test_mean_n_plans_for_the_distance_to_the_margin():
    assert mean_n(0.05, 0.35) == 305
    assert mean_n(0.05, 0.35, delta=0.05) == int(np.ceil(paired_t_n(0.1, 0.35)))
    assert mean_n(0.05, 0.0) == mean_n(0.05, 0.01) == 59
    assert mean_n(2.0, 1.0) >= 2


def test_discordance_upper_is_the_one_sided_bound_at_eighty_percent():
    assert discordance_upper(3, 40) == clopper_pearson(3, 40, 0.2).high
    assert discordance_upper(0, 40) == pytest.approx(1 - 0.2 ** (1 / 40))
    assert discordance_upper(3, 40, 0.95) > discordance_upper(3, 40)


def floor_power(n: int, p: float, p0: float) -> float:
    passing = [x for x in range(n + 1) if floor_p(x, n, p0) <= 0.05]
    return float(scipy_stats.binom.sf(passing[0] - 1, n, p)) if passing else 0.0


@pytest.mark.parametrize(("p", "p0"), [(0.92, 0.85), (1.0, 0.95), (0.7, 0.5), (0.99, 0.9)])
def test_floor_n_has_the_power_from_there_on_and_not_just_before(p, p0):
    n = binomial_floor_n(p, p0)
    assert n is not None
    assert all(floor_power(m, p, p0) >= 0.8 for m in range(n, n + round(2 / (1 - p0)) + 2))
    assert floor_power(n - 1, p, p0) < 0.8


def test_ceiling_n_mirrors_the_floor():
    n = binomial_floor_n(0.01, 0.05, kind="ceiling")
    assert n == binomial_floor_n(0.99, 0.95)
    assert n is not None
    most = max(x for x in range(n + 1) if ceiling_p(x, n, 0.05) <= 0.05)
    assert scipy_stats.binom.cdf(most, n, 0.01) >= 0.8


@pytest.mark.parametrize("p", [0.8, 0.85])
def test_a_true_rate_not_above_the_floor_has_no_n(p):
    assert binomial_floor_n(p, 0.85) is None
    assert binomial_floor_n(1 - p, 1 - 0.85, kind="ceiling") is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: nam_n(0.05, 0.02, delta=0.04),
        lambda: nam_n(0.05, 0.2, delta=-0.05),
        lambda: nam_n(0.0, 0.2),
        lambda: nam_n(0.05, 1.2),
        lambda: nam_n(0.05, 0.2, power=1.0),
        lambda: paired_t_n(0.0, 1.0),
        lambda: paired_t_n(0.1, 0.0),
        lambda: paired_t_n(1e-9, 1.0),
        lambda: paired_t_n(0.1, 1.0, 0.05, 0.04),
        lambda: mean_n(0.0, 1.0),
        lambda: mean_n(0.1, 1.0, delta=-0.1),
        lambda: discordance_upper(1, 10, 0.4),
        lambda: binomial_floor_n(0.9, 1.0),
        lambda: binomial_floor_n(0.9, 0.8, kind="roof"),  # type: ignore[arg-type]
    ],
)
def test_plans_that_make_no_sense_are_refused(call):
    with pytest.raises(ValueError, match=r"must|cannot|needs|million"):
        call()


@pytest.mark.parametrize(
    ("margin", "alpha", "n"),
    [(0.05, 0.05, 59), (0.15, 0.0125, 31), (0.10, 0.0125, 48), (0.05, 0.0125, 101), (0.05, 0.00625, 123)],
)
def test_ties_n_is_the_n_from_which_on_a_run_without_differences_passes(margin, alpha, n):
    def p(pairs):
        return exact_unconditional_p(PairedCounts(pairs, 0, 0, 0), -margin, "greater")

    assert ties_n(margin, alpha) == n
    assert p(n - 1) > alpha
    assert all(p(more) <= alpha for more in range(n, EXACT_UP_TO + 1))


def test_ties_n_beyond_the_exact_test_is_that_of_tango():
    n = ties_n(0.01, 0.0125)
    assert n > EXACT_UP_TO
    assert tango_p(PairedCounts(n, 0, 0, 0), -0.01, "greater") <= 0.0125
