from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import cluster_mean, fieller_interval, fieller_p

RNG = np.random.default_rng(4)
BASE = RNG.lognormal(0.0, 0.8, 60)
CAND = BASE * RNG.lognormal(0.1, 0.4, 60)
CLUSTER = np.repeat(np.arange(12), 5)


@pytest.mark.parametrize("ratio", [0.8, 1.2, 2.0])
def test_fieller_p_is_the_t_test_on_ratio_times_base_minus_candidate(ratio):
    d = ratio * BASE - CAND
    under = scipy_stats.ttest_1samp(d, 0.0, alternative="greater").pvalue
    assert fieller_p(BASE, CAND, ratio, "less") == pytest.approx(under, rel=1e-9)
    assert fieller_p(BASE, CAND, ratio, "greater") == pytest.approx(1 - under, rel=1e-9)


def test_fieller_p_with_clusters_is_cr2_on_the_difference():
    expected = cluster_mean(1.5 * BASE - CAND, CLUSTER).p(0.0, "greater")
    assert fieller_p(BASE, CAND, 1.5, "less", CLUSTER) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cluster", [None, CLUSTER])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
def test_fieller_bounds_are_where_p_equals_alpha(alpha, cluster):
    bounds = fieller_interval(BASE, CAND, alpha, cluster)
    assert fieller_p(BASE, CAND, bounds.low, "greater", cluster) == pytest.approx(alpha, abs=1e-9)
    assert fieller_p(BASE, CAND, bounds.high, "less", cluster) == pytest.approx(alpha, abs=1e-9)
    assert bounds.contains(CAND.mean() / BASE.mean())


def test_a_baseline_close_to_zero_leaves_the_upper_bound_open():
    base, cand = np.array([0.0, 0.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.5, 1.0])
    bounds = fieller_interval(base, cand)
    assert bounds.high == math.inf
    assert fieller_p(base, cand, 1e6, "less") > 0.05
    assert fieller_p(base, cand, bounds.low * 0.99, "greater") < 0.05


def test_a_baseline_of_zero_cost_needs_no_division():
    base, cand = np.zeros(20), np.linspace(0.0, 1.0, 20)
    assert fieller_p(base, cand, 2.0, "less") > 0.99
    assert fieller_p(base, cand, 2.0, "greater") < 0.01
    assert fieller_interval(base, cand).high == math.inf


def test_no_variance_is_compared_exactly_with_the_sign_test_value():
    base, cand = np.full(10, 2.0), np.full(10, 3.0)
    assert fieller_p(base, cand, 2.0, "less") == 2.0**-10
    assert fieller_p(base, cand, 2.0, "greater") == 1.0
    assert fieller_p(base, cand, 1.2, "greater") == 2.0**-10
    assert fieller_p(base, cand, 1.5, "less") == fieller_p(base, cand, 1.5, "greater") == 1.0


def test_rounding_does_not_put_a_cost_beside_the_budget_that_it_meets_exactly():
    assert 3.0 * 0.1 != 0.3
    for side in ("less", "greater"):
        assert fieller_p([0.1] * 10, [0.3] * 10, 3.0, side) == 1.0


def test_two_equal_observations_are_not_enough_to_pass():
    assert fieller_p([2.0, 2.0], [1.0, 1.0], 2.0, "less") == 0.25
    assert fieller_interval([2.0, 2.0], [1.0, 1.0]).high == math.inf


def test_a_fixed_multiple_gets_an_interval_of_real_width_around_it():
    bounds = fieller_interval(BASE, 1.5 * BASE)
    assert bounds.low < 1.5 < bounds.high
    assert bounds.width < 1e-8
    free = fieller_interval(BASE, 0.0 * BASE)
    assert (free.low, free.contains(0.0)) == (0.0, True)
    assert free.width > 0.0


def test_where_nothing_is_spent_on_either_side_nothing_is_known():
    for side in ("less", "greater"):
        assert fieller_p(np.zeros(8), np.zeros(8), 2.0, side) == 1.0
    assert fieller_interval(np.zeros(8), np.zeros(8)).high == math.inf


@pytest.mark.parametrize(
    ("base", "cand", "ratio"),
    [
        ([1.0, 2.0], [1.0], 1.0),
        ([1.0], [1.0], 1.0),
        ([1.0, -2.0], [1.0, 1.0], 1.0),
        ([1.0, 2.0], [1.0, math.nan], 1.0),
        ([1.0, 2.0], [1.0, 1.0], 0.0),
        ([1.0, 2.0], [1.0, 1.0], math.inf),
    ],
)
def test_values_that_have_no_ratio_of_means_are_refused(base, cand, ratio):
    with pytest.raises(ValueError, match=r"paired|at least|NaN|positive|finite"):
        fieller_p(base, cand, ratio, "less")
