from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from scipy.stats.mstats import hdquantiles, hdquantiles_sd

from relgate.stats import harrell_davis, harrell_davis_se, order_stat_upper, quantile_ratio

X = [
    812,
    790,
    1204,
    655,
    930,
    2210,
    701,
    1010,
    888,
    4100,
    760,
    845,
    990,
    1320,
    905,
    1111,
    720,
    835,
    1490,
    960,
]
RNG = np.random.default_rng(9)
BASE = RNG.lognormal(0.0, 0.8, 120)
CAND = BASE**0.6 * RNG.lognormal(0.0, 0.6, 120)


def naive_jackknife(base, cand, base_unit, cand_unit, q, statistic) -> float:
    """Delete each unit's rows with a mask and estimate again."""
    base_unit, cand_unit = np.asarray(base_unit), np.asarray(cand_unit)
    replicates = np.array(
        [
            statistic(harrell_davis(base[base_unit != u], q), harrell_davis(cand[cand_unit != u], q))
            for u in np.unique(base_unit)
        ]
    )
    n = len(replicates)
    return float(np.sqrt((n - 1) / n * np.sum((replicates - replicates.mean()) ** 2)))


@pytest.mark.parametrize(
    ("q", "value", "se"),
    [(0.95, 3276.8869334536294, 1333.6478780322823), (0.9, 2307.274498377874, 797.3781246591994)],
)
def test_harrell_davis_gives_the_recorded_values(q, value, se):
    assert harrell_davis(X, q) == pytest.approx(value, abs=1e-9)
    assert harrell_davis_se(X, q) == pytest.approx(se, abs=1e-9)


@pytest.mark.parametrize("n", [2, 3, 50, 20_000])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_harrell_davis_is_scipys_at_any_length(n, q):
    x = np.random.default_rng(n).lognormal(size=n)
    assert harrell_davis(x, q) == pytest.approx(float(hdquantiles(x, q)[0]), rel=1e-11)
    assert harrell_davis_se(x, q) == pytest.approx(float(hdquantiles_sd(x, q)[0]), rel=1e-7)


def test_harrell_davis_of_equal_values_is_the_value():
    assert harrell_davis([5.0], 0.95) == pytest.approx(5.0)
    assert harrell_davis_se([5.0] * 9, 0.95) == pytest.approx(0.0, abs=1e-12)


def test_p_values_come_from_the_paired_jackknife_of_the_log_ratio():
    result = quantile_ratio(BASE, CAND, 0.95, 1.5)
    rows = np.arange(120)
    se = naive_jackknife(BASE, CAND, rows, rows, 0.95, lambda b, c: math.log(c / (1.5 * b)))
    t = math.log(result.cand / (1.5 * result.base)) / se
    assert result.p_less == pytest.approx(scipy_stats.t.cdf(t, 119), rel=1e-8)
    assert result.p_greater == pytest.approx(scipy_stats.t.sf(t, 119), rel=1e-8)
    assert result.n_units == 120
    assert result.ratio_estimate == pytest.approx(harrell_davis(CAND, 0.95) / harrell_davis(BASE, 0.95))


@pytest.mark.parametrize("slack", [0.0, 0.1, 2.0])
def test_units_are_deleted_with_all_their_rows_on_both_sides(slack):
    rng = np.random.default_rng(3)
    base_unit = np.concatenate((np.arange(15), rng.integers(0, 15, 30)))
    cand_unit = np.concatenate((np.arange(15), rng.integers(0, 15, 17)))
    base, cand = rng.lognormal(size=base_unit.size), rng.lognormal(size=cand_unit.size)
    result = quantile_ratio(base, cand, 0.8, 1.5, slack=slack, unit=base_unit, cand_unit=cand_unit)

    def statistic(b: float, c: float) -> float:
        return math.log(c) - math.log(max(1.5 * b, b + slack))

    se = naive_jackknife(base, cand, base_unit, cand_unit, 0.8, statistic)
    t = statistic(result.base, result.cand) / se
    assert result.n_units == 15
    assert result.p_less == pytest.approx(scipy_stats.t.cdf(t, 14), rel=1e-8)


def test_interval_bounds_the_plain_ratio_and_agrees_with_p_without_slack():
    result = quantile_ratio(BASE, CAND, 0.5, 1.1)
    bounds = result.interval(0.05)
    assert bounds.contains(result.ratio_estimate)
    assert quantile_ratio(BASE, CAND, 0.5, bounds.high).p_less == pytest.approx(0.05, abs=1e-9)
    assert quantile_ratio(BASE, CAND, 0.5, bounds.low).p_greater == pytest.approx(0.05, abs=1e-9)


def test_absolute_slack_forgives_a_ratio_over_the_budget_at_small_latencies():
    slow = BASE * 2.0 + RNG.normal(0.0, 0.01, 120) ** 2
    assert quantile_ratio(BASE, slow, 0.5, 1.5).p_greater < 0.001
    assert quantile_ratio(BASE, slow, 0.5, 1.5, slack=50.0).p_less < 0.001


def test_equal_latencies_are_compared_exactly_with_the_sign_test_value():
    base, cand = np.full(10, 100.0), np.full(10, 140.0)
    inside, on, over = (quantile_ratio(base, cand, 0.95, r) for r in (1.5, 1.4, 1.2))
    assert (inside.p_less, inside.p_greater) == (2.0**-10, 1.0)
    assert (on.p_less, on.p_greater) == (1.0, 1.0)
    assert (over.p_less, over.p_greater) == (1.0, 2.0**-10)
    bounds = inside.interval()
    assert bounds.low < 1.4 < bounds.high
    assert quantile_ratio([100.0] * 3, [140.0] * 3, 0.95, 1.5).interval().high == math.inf


@pytest.mark.parametrize(
    ("base", "cand", "p_less", "p_greater", "estimate"),
    [
        (0.0, 0.0, 2.0**-6, 1.0, 1.0),
        (0.0, 1.0, 1.0, 2.0**-6, math.inf),
        (1.0, 0.0, 2.0**-6, 1.0, 0.0),
    ],
)
def test_latencies_of_zero_have_no_log_but_a_verdict(base, cand, p_less, p_greater, estimate):
    result = quantile_ratio([base] * 6, [cand] * 6, 0.5, 1.5)
    assert (result.p_less, result.p_greater) == (p_less, p_greater)
    assert result.ratio_estimate == estimate
    assert result.interval().width > 0.0


def test_a_quantile_that_hangs_on_one_unit_decides_nothing():
    result = quantile_ratio([0.0, 0.0, 9.0], [1.0, 2.0, 3.0], 0.9, 1.5)
    assert (result.p_less, result.p_greater) == (1.0, 1.0)
    assert result.interval().high == math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0, 3.0], 0.5, 1.5),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 1.5, unit=["a", "a"]),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 1.5, unit=["a", "b"], cand_unit=["a", "c"]),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 1.5, unit=["a", "b"], cand_unit=["a", "a"]),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 1.5, cand_unit=["a", "b"]),
        lambda: quantile_ratio([1.0, -2.0], [1.0, 2.0], 0.5, 1.5),
        lambda: quantile_ratio([1.0, math.inf], [1.0, 2.0], 0.5, 1.5),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 1.0, 1.5),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 0.0),
        lambda: quantile_ratio([1.0, 2.0], [1.0, 2.0], 0.5, 1.5, slack=-1.0),
        lambda: harrell_davis([], 0.5),
        lambda: harrell_davis_se([1.0], 0.5),
        lambda: order_stat_upper(0, 0.5),
    ],
)
def test_unusable_latencies_are_refused(call):
    with pytest.raises(ValueError, match=r"units|at least|infinite|must|needs"):
        call()


@pytest.mark.parametrize(
    ("n", "p", "rank"), [(58, 0.95, None), (59, 0.95, 59), (100, 0.95, 99), (200, 0.95, 196), (5, 0.5, 5)]
)
def test_order_statistic_rank_is_the_recorded_one(n, p, rank):
    assert order_stat_upper(n, p) == rank


@pytest.mark.parametrize("n", [1, 7, 60, 501])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.6])
def test_order_statistic_rank_is_the_binomial_quantile_plus_one(n, p, alpha):
    rank = int(scipy_stats.binom.ppf(1 - alpha, n, p)) + 1
    assert order_stat_upper(n, p, alpha) == (rank if rank <= n else None)
