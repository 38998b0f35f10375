from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import group_sequential_bounds, hsd_spent


@pytest.mark.parametrize(
    ("looks", "bounds"),
    [(3, [2.43641, 2.10769, 1.74292]), (5, [2.66504, 2.46029, 2.24299, 2.01949, 1.78693])],
)
def test_bounds_are_the_recorded_ones(looks, bounds):
    assert group_sequential_bounds(looks) == pytest.approx(bounds, abs=3e-5)


def test_one_look_is_the_fixed_test():
    assert group_sequential_bounds(1) == pytest.approx([scipy_stats.norm.ppf(0.95)])


@pytest.mark.parametrize("alpha", [0.001, 0.025, 0.1, 0.4])
@pytest.mark.parametrize("fractions", [[0.5, 1.0], [0.05, 0.9, 1.0], [0.3, 0.31, 0.32, 0.7]])
def test_each_look_spends_its_share_by_the_multivariate_normal(alpha, fractions):
    bounds = group_sequential_bounds(fractions, alpha)
    t = np.asarray(fractions)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    stay = scipy_stats.multivariate_normal.cdf(
        bounds, np.zeros(len(t)), correlation, abseps=1e-8, releps=1e-8, maxpts=1_000_000
    )
    assert 1 - stay == pytest.approx(hsd_spent(fractions[-1], alpha), abs=1e-5)


def test_many_looks_keep_the_size():
    bounds = group_sequential_bounds(200)
    steps = np.random.default_rng(1).normal(size=(20_000, 200)).cumsum(axis=1)
    crossed = (steps / np.sqrt(np.arange(1, 201)) > bounds).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.005)


def test_spending_starts_at_zero_ends_at_alpha_and_is_late_for_negative_gamma():
    assert hsd_spent(0.0) == 0.0
    assert hsd_spent(1.0, 0.03) == pytest.approx(0.03)
    assert hsd_spent(0.5, gamma=-2.0) < hsd_spent(0.5, gamma=0.0) == 0.025 < hsd_spent(0.5, gamma=2.0)
    shares = np.diff([hsd_spent(t) for t in (0.0, 0.4, 0.7, 1.0)])
    assert shares == pytest.approx([0.0096, 0.0143, 0.0261], abs=5e-5)


@pytest.mark.parametrize("looks", [0, [0.5, 0.5], [0.0, 1.0], [0.5, 1.1], [], 2.5])
def test_looks_out_of_order_are_refused(looks):
    with pytest.raises(ValueError, match=r"looks|ascend"):
        group_sequential_bounds(looks)
