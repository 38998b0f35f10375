from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate
from scipy import stats as scipy_stats

from relgate.stats import (
    Moments,
    bounded_mean_interval,
    bounded_mean_p,
    ceiling_p,
    clopper_pearson,
    floor_p,
    gaffke_interval,
    gaffke_p,
    hall_interval,
    hall_p,
    secured_hall_interval,
    secured_hall_p,
    trusted_n,
)

RNG = np.random.default_rng(20)
SKEWED = RNG.beta(6, 1.5, 40) - 0.8
NEARLY_SYMMETRIC = np.array([-0.3, -0.1, 0.0, 0.1, 0.3 + 1e-7])
THIRDS = RNG.choice([-1.0, -1 / 3, 0.0, 1 / 3], 60, p=[0.02, 0.1, 0.78, 0.1])


def direct_hall_p(d: np.ndarray, mu0: float) -> float:
    """Hall's formula, written with scipy's moments."""
    n = len(d)
    t = scipy_stats.ttest_1samp(d, mu0).statistic
    g = scipy_stats.skew(d)
    transformed = t + g / (6 * n**0.5) + g * t**2 / (3 * n**0.5) + g**2 * t**3 / (27 * n)
    return float(scipy_stats.t.sf(transformed, n - 1))


def imhof_p(unit: np.ndarray, mu0: float) -> float:
    """P(Dirichlet-weighted mean <= mu0) by Imhof's inversion: no random draw.

    With exponentials E_i it is P(sum E_i (x_i - mu0) <= 0), a weighted sum of chi-squares with 2 df.
    """
    coefficients = np.concatenate(([0.0], unit)) - mu0

    def integrand(u: float) -> float:
        scaled = coefficients * u
        angle = float(np.sum(np.arctan(scaled)))
        return math.sin(angle) * math.exp(-0.5 * float(np.sum(np.log1p(scaled**2)))) / u

    value, _ = integrate.quad(integrand, 1e-12, 2000.0, limit=2000)
    return 0.5 - value / math.pi


@pytest.mark.parametrize("d", [SKEWED, THIRDS, np.array([0.1, 0.2, 0.9])])
@pytest.mark.parametrize("mu0", [-0.2, 0.0, 0.05])
def test_hall_p_is_the_published_formula(d, mu0):
    assert hall_p(d, mu0, "greater") == pytest.approx(direct_hall_p(d, mu0), rel=1e-9)
    assert hall_p(d, mu0, "less") == pytest.approx(1 - direct_hall_p(d, mu0), abs=1e-12)


def test_hall_p_of_symmetric_data_is_the_t_test():
    d = np.array([-0.3, -0.1, 0.0, 0.1, 0.3]) + 0.05
    expected = scipy_stats.ttest_1samp(d, 0.0, alternative="greater").pvalue
    assert hall_p(d, 0.0, "greater") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("d", [SKEWED, THIRDS, NEARLY_SYMMETRIC, np.array([-0.3, -0.1, 0.0, 0.1, 0.3])])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_hall_bounds_are_where_p_equals_alpha(d, alpha):
    bounds = hall_interval(d, alpha)
    assert hall_p(d, bounds.low, "greater") == pytest.approx(alpha, abs=1e-10)
    assert hall_p(d, bounds.high, "less") == pytest.approx(alpha, abs=1e-10)


def test_hall_protects_against_left_skew_more_than_t_does():
    d = np.array([0.0] * 47 + [-0.9] * 3) + np.linspace(-0.01, 0.01, 50)
    plain = scipy_stats.ttest_1samp(d, -0.15, alternative="greater").pvalue
    assert hall_p(d, -0.15, "greater") > plain


@pytest.mark.parametrize("d", [[0.1], [0.1, 0.1, 0.1], [0.1 + 0.2, 0.3, 0.3]])
def test_hall_refuses_data_without_variance(d):
    with pytest.raises(ValueError, match=r"variance|at least 2"):
        hall_p(d, 0.0, "greater")


@pytest.mark.parametrize(("x", "n"), [(0, 10), (10, 10), (57, 60), (1, 1), (3, 7)])
@pytest.mark.parametrize("p0", [0.1, 0.5, 0.9])
def test_gaffke_on_pass_and_fail_is_clopper_pearson(x, n, p0):
    d = np.array([1.0] * x + [0.0] * (n - x))
    assert gaffke_p(d, p0, "greater", (0, 1)) == pytest.approx(floor_p(x, n, p0), rel=1e-12)
    assert gaffke_p(d, p0, "less", (0, 1)) == pytest.approx(ceiling_p(x, n, p0), rel=1e-12)
    exact, bounds = clopper_pearson(x, n), gaffke_interval(d, 0.05, (0, 1))
    assert (bounds.low, bounds.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_gaffke_draws_agree_with_the_exact_form_on_pass_and_fail():
    from relgate.stats import _dirichlet

    drawn = _dirichlet._draws((0.0, 1.0), (4, 57), 3, 40_000)
    exact = _dirichlet.lower_tail(np.array([1.0] * 57 + [0.0] * 3), 3, 100)
    assert isinstance(exact, _dirichlet.TwoValues)
    assert drawn.p(0.9) == pytest.approx(exact.p(0.9), abs=0.006)
    assert drawn.low(0.05) == pytest.approx(exact.low(0.05), abs=0.002)


@pytest.mark.parametrize("d", [SKEWED, THIRDS])
@pytest.mark.parametrize("shift", [-0.08, -0.03, 0.02])
def test_gaffke_p_is_the_inverted_characteristic_function(d, shift):
    mu0 = float(d.mean()) + shift
    unit = (d + 1) / 2
    assert gaffke_p(d, mu0, "greater", (-1, 1)) == pytest.approx(imhof_p(unit, (mu0 + 1) / 2), abs=0.012)
    assert gaffke_p(d, mu0, "less", (-1, 1)) == pytest.approx(imhof_p(1 - unit, (1 - mu0) / 2), abs=0.012)


@pytest.mark.parametrize("mu0", [-0.6, -0.4, -0.2])
def test_gaffke_adds_one_worst_value_to_data_that_hold_it_already(mu0):
    d = np.array([-1.0, -1 / 3, 0.0, 0.0, 1 / 3, 0.5])
    assert gaffke_p(d, mu0, "greater", (-1, 1)) == pytest.approx(
        imhof_p((d + 1) / 2, (mu0 + 1) / 2), abs=0.012
    )


def test_values_that_differ_by_rounding_only_are_one_value():
    split = gaffke_p([0.1 + 0.2, 0.3] * 30, 0.28, "greater", (0, 1))
    assert split == pytest.approx((0.28 / 0.3) ** 60, rel=1e-9)


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_gaffke_bounds_divide_what_p_rejects_from_what_it_does_not(alpha):
    bounds = gaffke_interval(THIRDS, alpha, (-1, 1))
    assert gaffke_p(THIRDS, bounds.low - 1e-9, "greater", (-1, 1)) <= alpha
    assert gaffke_p(THIRDS, bounds.low + 1e-9, "greater", (-1, 1)) > alpha
    assert gaffke_p(THIRDS, bounds.high + 1e-9, "less", (-1, 1)) <= alpha
    assert gaffke_p(THIRDS, bounds.high - 1e-9, "less", (-1, 1)) > alpha


def test_gaffke_p_is_never_zero_and_repeats_with_its_seed():
    assert gaffke_p(SKEWED, -1.0, "greater", (-1, 1), draws=1000) == pytest.approx(1 / 1001)
    first = gaffke_p(SKEWED, -0.05, "greater", (-1, 1), seed=1)
    assert first == gaffke_p(SKEWED, -0.05, "greater", (-1, 1), seed=1)
    assert first != gaffke_p(SKEWED, -0.05, "greater", (-1, 1), seed=2)


def test_gaffke_bound_gives_nothing_away_when_alpha_is_finer_than_the_draws():
    bounds = gaffke_interval(SKEWED, 1e-4, (-1, 1), draws=1000)
    assert (bounds.low, bounds.high) == (-1.0, 1.0)


def test_constant_scores_prove_the_margin_only_from_n_min_on():
    enough, too_few = np.zeros(59), np.zeros(58)
    # zero differences on [-1, 1]: an unseen drop of 1 with probability .05 is the worst case
    assert bounded_mean_p(enough, -0.05, "greater", (-1, 0), 59) <= 0.05
    assert bounded_mean_p(too_few, -0.05, "greater", (-1, 0), 59) > 0.05
    assert bounded_mean_interval(enough, 0.05, (-1, 1), 59).width > 0.05


def test_rounding_noise_of_thirds_is_not_taken_for_variance():
    noisy = np.array([0.1 + 0.2 - 0.3, 0.0, 1 / 3 - (1 - 2 / 3)] * 20)
    assert bounded_mean_p(noisy, -0.04, "greater", (-1, 1), 59) == pytest.approx(
        bounded_mean_p(np.zeros(60), -0.04, "greater", (-1, 1), 59), rel=1e-6
    )


def test_bounded_mean_takes_the_better_of_both_from_the_floor_on():
    moments = Moments.of(np.asarray(SKEWED))
    hall = secured_hall_p(moments, -0.1, "greater", (-1, 1))
    gaffke = gaffke_p(SKEWED, -0.1, "greater", (-1, 1))
    assert bounded_mean_p(SKEWED, -0.1, "greater", (-1, 1), 40) == min(hall, gaffke)
    assert bounded_mean_p(SKEWED, -0.1, "greater", (-1, 1), 41) == gaffke
    assert hall != gaffke


def test_bounded_mean_interval_is_the_better_bound_on_each_side():
    hall = secured_hall_interval(Moments.of(np.asarray(SKEWED)), 0.05, (-1, 1))
    gaffke = gaffke_interval(SKEWED, 0.05, (-1, 1))
    both = bounded_mean_interval(SKEWED, 0.05, (-1, 1), 40)
    assert (both.low, both.high) == (max(hall.low, gaffke.low), min(hall.high, gaffke.high))
    assert bounded_mean_interval(SKEWED, 0.05, (-1, 1), 41) == gaffke


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("n", [1, 5, 100])
def test_constant_data_never_get_a_point_for_an_interval(value, n):
    bounds = bounded_mean_interval(np.full(n, value), 0.05, (-1, 1), 59)
    assert bounds.width > 0.0
    assert bounds.contains(value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaffke_p([0.5, 1.2], 0.1, "greater", (0, 1)),
        lambda: gaffke_p([0.5], 1.2, "greater", (0, 1)),
        lambda: gaffke_p([0.5], 0.2, "greater", (1, 0)),
        lambda: gaffke_p([0.5], 0.2, "greater", (0, math.inf)),
        lambda: gaffke_p([0.5, math.nan], 0.2, "greater", (0, 1)),
        lambda: gaffke_p([], 0.2, "greater", (0, 1)),
        lambda: gaffke_p([0.5], 0.2, "greater", (0, 1), draws=10),
        lambda: gaffke_p([0.5], 0.2, "both", (0, 1)),  # type: ignore[arg-type]
        lambda: gaffke_interval([0.5], 0.7, (0, 1)),
        lambda: hall_p([[0.1, 0.2]], 0.0, "greater"),
        lambda: hall_p([0.1, 0.2], math.inf, "greater"),
    ],
)
def test_unusable_input_is_refused(call):
    with pytest.raises(ValueError, match=r"support|must|NaN|at least|range|needs|alternative"):
        call()


@pytest.mark.parametrize("won", [0.0, 0.015, 0.06])
@pytest.mark.parametrize(("n", "margin"), [(35, 0.1), (71, 0.05)])
def test_a_handful_of_full_losses_on_the_boundary_passes_no_more_than_its_share(n, margin, won):
    """Every table of so few losses and gains, with its exact probability."""
    lost = margin + won
    passed = 0.0
    for worse in range(8):
        for better in range(12):
            d = np.zeros(n)
            d[:worse], d[worse : worse + better] = -1.0, 1.0
            floor = trusted_n(margin)
            if bounded_mean_p(d, -margin, "greater", (-1, 1), floor, draws=2000) <= 0.05:
                passed += scipy_stats.binom.pmf(worse, n, lost) * scipy_stats.binom.pmf(
                    better, n - worse, won / (1 - lost)
                )
    assert 0.005 < passed <= 0.05


@pytest.mark.parametrize(
    ("typical", "end", "boundary", "support", "side"),
    [
        (-0.04, -1.0, -0.05, (-1, 1), "greater"),
        (0.87, 0.0, 0.85, (0, 1), "greater"),
        (0.13, 1.0, 0.15, (0, 1), "less"),
        (-0.06, 1.0, -0.05, (-1, 1), "less"),
    ],
    ids=["non-inferiority", "floor", "ceiling", "fail side"],
)
@pytest.mark.parametrize("n", [59, 118, 236])
def test_cases_that_all_lie_a_little_inside_the_boundary_do_not_hide_rare_full_losses(
    typical, end, boundary, support, side, n
):
    """On the boundary: each case a little inside it, and as many at the far end as undo that."""
    rate = (boundary - typical) / (end - typical)
    rng = np.random.default_rng(7)
    passed = 0.0
    for lost in range(8):
        d = typical + 0.005 * rng.standard_normal(n)
        d[:lost] = end
        if bounded_mean_p(d, boundary, side, support, 1, draws=2000) <= 0.05:
            passed += scipy_stats.binom.pmf(lost, n, rate)
    assert passed <= 0.06
