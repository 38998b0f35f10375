"""Gains guarded against the loss that a sample does not hold."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from relgate.stats import (
    GAFFKE_UP_TO,
    Moments,
    bounded_mean_interval,
    bounded_mean_p,
    cluster_bounded_interval,
    cluster_bounded_p,
    gaffke_interval,
    gaffke_p,
    hall_interval,
    hall_p,
    n_min,
    secured_cluster_interval,
    secured_cluster_p,
    secured_hall_interval,
    secured_hall_p,
    unseen_loss_n,
    unseen_loss_p,
)

DIFFERENCES = (-1.0, 1.0)


@pytest.mark.parametrize("gain", [0.9, 0.25, 0.1, 0.018, 1e-4])
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
def test_the_smallest_n_is_the_first_at_which_a_loss_is_seen_often_enough(gain, alpha):
    n = unseen_loss_n(gain, alpha)
    assert n == n_min(gain, alpha)
    assert unseen_loss_p(gain, n) <= alpha
    assert n == 1 or unseen_loss_p(gain, n - 1) > alpha


@pytest.mark.parametrize(
    ("gain", "n", "p"), [(1.0, 1, 0.0), (1.5, 1, 0.0), (0.0, sys.maxsize, 1.0), (-0.2, sys.maxsize, 1.0)]
)
def test_no_gain_is_never_secured_and_a_whole_one_at_once(gain, n, p):
    assert unseen_loss_n(gain) == n
    assert unseen_loss_p(gain, 3) == p


@pytest.mark.parametrize(
    "call",
    [
        lambda: unseen_loss_n(math.nan),
        lambda: unseen_loss_n(0.1, 1.0),
        lambda: unseen_loss_p(math.inf, 3),
        lambda: unseen_loss_p(0.1, 0),
        lambda: bounded_mean_p([0.1, 0.2, 1.5], 0.0, "greater", DIFFERENCES, 1),
        lambda: bounded_mean_p(np.linspace(0.5, 1.5, 3000), 0.0, "greater", DIFFERENCES, 1),
        lambda: bounded_mean_interval(np.linspace(0.5, 1.5, 3000), 0.05, DIFFERENCES, 1),
    ],
)
def test_unusable_input_is_refused(call):
    with pytest.raises(ValueError, match=r"must|support"):
        call()


def small_gains(n):
    return 0.018 + np.tile([-0.01, 0.0, 0.0, 0.01], n // 4)


def test_small_gains_without_a_loss_prove_nothing_in_twenty_cases():
    d = small_gains(20)
    assert hall_p(d, 0.0, "greater") < 1e-6
    p = bounded_mean_p(d, 0.0, "greater", DIFFERENCES, 1)
    assert p >= unseen_loss_p(0.018, 20) > 0.6
    assert bounded_mean_interval(d, 0.05, DIFFERENCES, 1).low < 0.0


def test_the_same_gains_are_proven_where_a_loss_would_have_been_seen():
    d = small_gains(unseen_loss_n(0.018) + 4)
    assert bounded_mean_p(d, 0.0, "greater", DIFFERENCES, 1) == pytest.approx(0.05, abs=0.01)
    assert bounded_mean_interval(d, 0.05, DIFFERENCES, 1).low > 0.0


def test_a_gain_of_some_size_is_left_to_halls_t():
    d = np.round(np.random.default_rng(1).normal(0.15, 0.3, 60).clip(-1, 1), 2)
    assert bounded_mean_p(d, 0.0, "greater", DIFFERENCES, 1) == max(
        hall_p(d, 0.0, "greater"), unseen_loss_p(d.mean(), 60)
    )
    assert bounded_mean_p(d, 0.0, "less", DIFFERENCES, 1) == min(1.0, gaffke_p(d, 0.0, "less", DIFFERENCES))


def test_without_hall_or_without_a_spread_gaffke_stands_alone():
    d = small_gains(400)
    assert bounded_mean_p(d, 0.0, "greater", DIFFERENCES, 401) == gaffke_p(d, 0.0, "greater", DIFFERENCES)
    assert bounded_mean_interval(d, 0.05, DIFFERENCES, 401) == gaffke_interval(d, 0.05, DIFFERENCES)
    flat = np.full(GAFFKE_UP_TO + 1, 0.01)
    assert bounded_mean_p(flat, 0.0, "greater", DIFFERENCES, 1) == gaffke_p(flat, 0.0, "greater", DIFFERENCES)
    assert bounded_mean_interval(flat, 0.05, DIFFERENCES, 1) == gaffke_interval(flat, 0.05, DIFFERENCES)


def test_above_two_thousand_cases_the_secured_t_stands_alone():
    d = np.tile([0.001, 0.0, 0.0005], 700)
    moments = Moments.of(d)
    p, bounds = (
        bounded_mean_p(d, 0.0, "greater", DIFFERENCES, 1),
        bounded_mean_interval(d, 0.05, DIFFERENCES, 1),
    )
    assert p == secured_hall_p(moments, 0.0, "greater", DIFFERENCES) == unseen_loss_p(d.mean(), d.size)
    assert bounds == secured_hall_interval(moments, 0.05, DIFFERENCES)
    assert bounds.low < 0.0 < hall_interval(d, 0.05).low


def clustered(n, each):
    return small_gains(n), np.repeat(np.arange(n // each), each)


@pytest.mark.parametrize("each", [2, 10])
def test_small_gains_prove_nothing_in_few_clusters_either(each):
    d, cluster = clustered(80, each)
    d = d + np.repeat(np.tile([-0.002, 0.002], 40 // each), each)
    assert cluster_bounded_p(d, cluster, 0.0, "greater", DIFFERENCES) < 1e-3
    p = secured_cluster_p(d, cluster, 0.0, "greater", DIFFERENCES)
    assert p >= unseen_loss_p(d.mean(), 80) > 0.2
    bounds = secured_cluster_interval(d, cluster, 0.05, DIFFERENCES)
    assert bounds.low < 0.0 < cluster_bounded_interval(d, cluster, 0.05, DIFFERENCES).low


def test_cases_of_large_clusters_are_worth_fewer():
    values = 0.05 + np.random.default_rng(2).normal(0, 0.001, 80)
    alone, together = (
        secured_cluster_p(values, np.repeat(np.arange(80 // each), each), 0.0, "greater", DIFFERENCES)
        for each in (1, 10)
    )
    assert alone == pytest.approx(unseen_loss_p(values.mean(), 80))
    assert together > 2.0 * alone


def test_clusters_that_do_not_differ_are_left_to_their_own_bound():
    d, cluster = np.full(40, 0.02), np.repeat(np.arange(20), 2)
    assert secured_cluster_p(d, cluster, 0.0, "greater", DIFFERENCES) == cluster_bounded_p(
        d, cluster, 0.0, "greater", DIFFERENCES
    )
    assert secured_cluster_interval(d, cluster, 0.05, DIFFERENCES) == cluster_bounded_interval(
        d, cluster, 0.05, DIFFERENCES
    )


@pytest.mark.parametrize("alpha", [0.05, 0.0125])
def test_the_secured_bounds_of_clusters_invert_their_test(alpha):
    rng = np.random.default_rng(3)
    for shift in (0.0, 0.01, 0.03, 0.06, 0.1):
        cluster = np.repeat(np.arange(30), 4)
        d = shift + np.repeat(rng.normal(0, 0.02, 30), 4) + rng.normal(0, 0.05, 120)
        bounds = secured_cluster_interval(d, cluster, alpha, DIFFERENCES)
        for low, side in ((bounds.low, "greater"), (bounds.high, "less")):
            assert secured_cluster_p(d, cluster, low, side, DIFFERENCES) == pytest.approx(alpha, rel=1e-6)
