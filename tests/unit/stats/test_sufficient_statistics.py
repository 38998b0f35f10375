"""Tests from sums: the same numbers as from the data, and a refusal where sums cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from relgate.stats import (
    GAFFKE_UP_TO,
    Moments,
    PairMoments,
    bounded_mean_interval,
    bounded_mean_p,
    fieller_interval,
    fieller_p,
    gaffke_p,
    hall_interval,
    hall_p,
    secured_hall_interval,
    secured_hall_p,
)


def sums(d):
    return d.size, float(d.sum()), float((d**2).sum()), float((d**3).sum())


def pair_moments(b, c):
    """From the means of the powers, as a pass over a million pairs sums them."""
    powers = (b, c, b * b, c * c, b * c, b**3, b * b * c, b * c * c, c**3)
    return PairMoments.from_means(b.size, [float(one.mean()) for one in powers])


@pytest.mark.parametrize("n", [2, 30, 4000])
def test_halls_test_from_sums_is_the_one_from_the_data(n):
    d = np.random.default_rng(1).beta(6, 1.5, n) - 0.8
    moments = Moments.from_sums(*sums(d))
    assert moments is not None
    for side in ("greater", "less"):
        assert moments.hall_p(-0.02, side) == pytest.approx(hall_p(d, -0.02, side), rel=1e-9, abs=1e-12)
    mine, theirs = moments.hall_interval(0.05), hall_interval(d, 0.05)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("d", [np.full(50, 0.1), np.zeros(50), np.array([0.3])], ids=["equal", "zero", "one"])
def test_sums_without_a_spread_are_no_moments(d):
    assert Moments.from_sums(*sums(d)) is None


def test_moments_without_a_spread_refuse_halls_test():
    flat = Moments.of(np.full(50, 0.1))
    with pytest.raises(ValueError, match="variance"):
        flat.hall_p(0.0, "greater")
    with pytest.raises(ValueError, match="variance"):
        flat.hall_interval()


def test_gaffkes_bound_is_left_out_of_large_samples_only():
    rng = np.random.default_rng(2)
    # rare disasters: Gaffke's p is the smaller one by far
    small = np.where(np.arange(GAFFKE_UP_TO) < 20, -0.9, 0.01)
    large = np.append(small, 0.01)
    rng.shuffle(large)
    for side in ("greater", "less"):
        hall = [secured_hall_p(Moments.of(d), -0.02, side, (-1, 1)) for d in (small, large)]
        both = min(gaffke_p(small, -0.02, side, (-1, 1)), hall[0])
        assert bounded_mean_p(small, -0.02, side, (-1, 1), 59) == both
        assert bounded_mean_p(large, -0.02, side, (-1, 1), 59) == hall[1]
    secured = secured_hall_interval(Moments.of(large), 0.05, (-1, 1))
    assert bounded_mean_interval(large, 0.05, (-1, 1), 59) == secured


def test_a_large_sample_without_a_spread_keeps_gaffkes_bound():
    flat = np.zeros(GAFFKE_UP_TO + 1)
    assert bounded_mean_p(flat, -0.05, "greater", (-1, 1), 59) == gaffke_p(flat, -0.05, "greater", (-1, 1))


def test_a_large_sample_outside_its_support_is_refused():
    d = np.linspace(-1.0, 1.5, GAFFKE_UP_TO + 1)
    with pytest.raises(ValueError, match="support"):
        bounded_mean_p(d, 0.0, "greater", (-1, 1), 59)


@pytest.mark.parametrize("n", [20, 5000])
@pytest.mark.parametrize("ratio", [0.9, 1.3, 2.0])
def test_fiellers_test_from_moments_is_the_one_from_the_data(n, ratio):
    rng = np.random.default_rng(3)
    b, c = rng.lognormal(0, 0.8, n), 1.2 * rng.lognormal(0, 0.8, n)
    moments = pair_moments(b, c)
    for side in ("less", "greater"):
        assert moments.p(ratio, side) == pytest.approx(fieller_p(b, c, ratio, side), rel=1e-9, abs=1e-12)
    mine, theirs = moments.interval(0.05), fieller_interval(b, c, 0.05)
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_proportional_costs_have_no_spread_to_test():
    b = np.linspace(1.0, 2.0, 50)
    moments = pair_moments(b, 1.5 * b)
    assert moments.spread(1.5) == 0.0
    assert moments.spread(2.0) > 0.0
    with pytest.raises(ValueError, match="fieller_p"):
        moments.p(1.5, "less")
    with pytest.raises(ValueError, match="fieller_interval"):
        moments.interval()
    with pytest.raises(ValueError, match="fieller_interval"):
        pair_moments(np.zeros(50), b).interval()
