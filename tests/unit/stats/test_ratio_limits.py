"""A limit on a ratio of means is kept or exceeded: Fieller's test and Hall's, on rare counts too."""

from __future__ import annotations

import math

import numpy as np
import pytest

from relgate.stats import (
    SPENDING,
    PairMoments,
    exceeded_low,
    exceeded_p,
    fieller_interval,
    fieller_p,
    hall_p,
    kept_high,
    kept_p,
    least_limit,
    spending_units,
)

CLUSTER = np.repeat(np.arange(20), 5)


def counts(seed, n, mean, ratio):
    rng = np.random.default_rng(seed)
    return rng.poisson(mean, n).astype(float), rng.poisson(mean * ratio, n).astype(float)


@pytest.mark.parametrize("ratio", [0.7, 1.5, 2.0, 4.0])
def test_exceeding_needs_fiellers_test_and_halls(ratio):
    b, c = counts(1, 60, 0.4, 3.0)
    fieller, hall = fieller_p(b, c, ratio, "greater"), hall_p(ratio * b - c, 0.0, "less")
    assert exceeded_p(b, c, ratio) == max(fieller, hall)
    assert exceeded_p(b, c, ratio, CLUSTER[:60]) == fieller_p(b, c, ratio, "greater", CLUSTER[:60])


def test_a_baseline_that_hardly_ever_spends_rejects_nothing_unless_every_case_is_over():
    base = np.zeros(40)
    base[: SPENDING - 1] = 1.0
    cand = np.arange(40.0)
    assert fieller_p(base, cand, 2.0, "greater") < 1e-6
    assert exceeded_p(base, cand, 2.0) == 1.0
    assert exceeded_p(base, cand + 3.0, 2.0) == pytest.approx(fieller_p(base, cand + 3.0, 2.0, "greater"))
    base[SPENDING - 1] = 1.0
    assert exceeded_p(base, cand, 2.0) < 0.001


def test_every_case_over_without_a_spread_has_the_sign_tests_value():
    assert exceeded_p(np.zeros(10), np.full(10, 3.0), 2.0) == 2.0**-10
    assert exceeded_p(np.full(10, 2.0), np.full(10, 3.0), 1.2) == 2.0**-10
    assert exceeded_p(np.full(10, 2.0), np.full(10, 3.0), 1.5) == 1.0


def test_units_that_spend_are_cases_or_clusters():
    base = np.zeros(100)
    base[:7] = 1.0
    assert (spending_units(base), spending_units(base, CLUSTER)) == (7, 2)


@pytest.mark.parametrize(("mean", "n"), [(0.2, 60), (0.5, 60), (2.0, 30), (0.01, 4000)])
@pytest.mark.parametrize("cluster", [False, True])
def test_what_lies_below_the_lower_bound_is_exceeded_and_nothing_above_is(mean, n, cluster):
    for seed in range(20):
        b, c = counts(seed, n, mean, 2.5)
        labels = np.arange(n) // 3 if cluster else None
        low = exceeded_low(b, c, 0.05, labels)
        assert low <= fieller_interval(b, c, 0.05, labels).low + 1e-9
        if low > 0.0:
            assert exceeded_p(b, c, low * (1 - 1e-6), labels) <= 0.05
        assert exceeded_p(b, c, max(low, 1e-6) * (1 + 1e-6), labels) > 0.05


def test_the_bound_of_a_baseline_that_hardly_ever_spends_is_the_least_ratio_of_a_case():
    base = np.zeros(40)
    base[:3] = (1.0, 2.0, 4.0)
    cand = np.full(40, 6.0) + np.linspace(0.0, 0.5, 40)
    low = exceeded_low(base, cand)
    assert low == pytest.approx(6.0256 / 4.0, rel=1e-3)
    assert exceeded_p(base, cand, low * 0.999) <= 0.05 < exceeded_p(base, cand, low * 1.001)
    assert exceeded_low(base, cand * (np.arange(40) > 0)) == 0.0
    assert exceeded_low(np.zeros(40), cand) == 0.0


@pytest.mark.parametrize("ratio", [0.9, 1.3, 2.0])
def test_moments_say_what_the_data_say(ratio):
    b, c = counts(3, 5000, 0.01, 2.5)
    moments = PairMoments.of(b, c)
    assert spending_units(b) >= SPENDING
    assert moments.exceeded_p(ratio) == pytest.approx(exceeded_p(b, c, ratio), rel=1e-9, abs=1e-12)
    assert moments.exceeded_low(0.05) == pytest.approx(exceeded_low(b, c, 0.05), rel=1e-9)
    assert moments.kept_p(ratio) == pytest.approx(kept_p(b, c, ratio), rel=1e-9, abs=1e-12)
    assert moments.kept_high(0.05, least_limit(b, c)) == pytest.approx(kept_high(b, c, 0.05), rel=1e-9)


@pytest.mark.parametrize("mean", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("n", [20, 50, 100])
def test_rare_counts_on_the_limit_are_rejected_six_times_in_a_hundred_at_most(n, mean):
    rng = np.random.default_rng(7)
    repetitions = 1500
    base, cand = rng.poisson(mean, (repetitions, n)), rng.poisson(2.0 * mean, (repetitions, n))
    rejected = [
        exceeded_p(b.astype(float), c.astype(float), 2.0) <= 0.05 for b, c in zip(base, cand, strict=True)
    ]
    assert np.mean(rejected) <= 0.06 + 2 * (0.06 * 0.94 / repetitions) ** 0.5


@pytest.mark.parametrize("more", [1.0, 2.0, 20.0])
def test_a_candidate_that_costs_a_little_more_in_every_case_has_a_bound(more):
    rng = np.random.default_rng(5)
    for n in (60, 2100):
        base = np.round(8000 * rng.lognormal(0, 0.6, n))
        low = exceeded_low(base, base + more)
        assert 1.0 - 1e-6 <= low <= 1.0 + more / base.mean()
        assert PairMoments.of(base, base + more).exceeded_low(0.05) == pytest.approx(low, rel=1e-6)


def test_few_clusters_that_all_spend_can_be_rejected():
    rng = np.random.default_rng(2)
    base, cluster = rng.lognormal(0, 0.3, 60), np.repeat(np.arange(5), 12)
    cand = 3.0 * rng.lognormal(0, 0.3, 60)
    assert exceeded_p(base, cand, 2.0, cluster) == fieller_p(base, cand, 2.0, "greater", cluster) < 0.01


@pytest.mark.parametrize("ratio", [0.7, 1.5, 2.0, 4.0])
def test_keeping_a_limit_needs_fiellers_test_and_halls(ratio):
    b, c = counts(1, 60, 0.6, 0.4)
    fieller, hall = fieller_p(b, c, ratio, "less"), hall_p(ratio * b - c, 0.0, "greater")
    assert least_limit(b, c) < 0.7
    assert kept_p(b, c, ratio) == max(fieller, hall)
    assert kept_p(b, c, 6.0, CLUSTER[:60]) == fieller_p(b, c, 6.0, "less", CLUSTER[:60])


def test_no_limit_is_kept_under_which_the_candidate_would_hardly_ever_spend():
    base, cand = np.zeros(100), np.zeros(100)
    base[:12], cand[:2] = 1.0, 0.01
    assert least_limit(base, cand) == 0.5
    assert fieller_p(base, cand, 0.49, "less") < 0.001
    assert kept_p(base, cand, 0.49) == 1.0
    assert kept_p(base, cand, 0.5) < 0.001
    assert least_limit(base, cand, np.arange(100) // 4) == 2.0
    assert least_limit(base, cand + 0.01) == 0.0


def test_of_what_neither_side_ever_spends_no_limit_is_kept_or_exceeded():
    nothing = np.zeros(200)
    for cluster in (None, np.arange(200) // 4):
        assert kept_p(nothing, nothing, 100.0, cluster) == exceeded_p(nothing, nothing, 0.01, cluster) == 1.0
        assert kept_high(nothing, nothing, 0.05, cluster) == math.inf
        assert exceeded_low(nothing, nothing, 0.05, cluster) == 0.0


@pytest.mark.parametrize(("mean", "n"), [(0.2, 60), (0.5, 60), (2.0, 30), (0.01, 4000)])
@pytest.mark.parametrize("ratio", [0.2, 0.8])
@pytest.mark.parametrize("cluster", [False, True])
def test_what_lies_above_the_upper_bound_is_kept_and_nothing_below_is(mean, n, ratio, cluster):
    for seed in range(20):
        b, c = counts(seed, n, mean, ratio)
        labels = np.arange(n) // 3 if cluster else None
        high = kept_high(b, c, 0.05, labels)
        assert high >= fieller_interval(b, c, 0.05, labels).high - 1e-9
        if math.isfinite(high):
            assert kept_p(b, c, high * (1 + 1e-6), labels) <= 0.05
            assert kept_p(b, c, high * (1 - 1e-6), labels) > 0.05
        else:
            assert kept_p(b, c, 1e9, labels) > 0.05


def test_equal_rare_counts_keep_no_limit_below_what_they_can_show():
    base = np.zeros(50)
    base[:4] = 1.0
    assert kept_high(base, base) == 1.5
    assert kept_p(base, base, 1.4) == 1.0


@pytest.mark.parametrize("limit", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("mean", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("n", [20, 50, 200])
def test_rare_counts_on_the_limit_are_passed_six_times_in_a_hundred_at_most(n, mean, limit):
    rng = np.random.default_rng(7)
    repetitions = 1000
    base = rng.poisson(mean, (repetitions, n)).astype(float)
    cand = rng.poisson(limit * mean, (repetitions, n)).astype(float)
    passed = [kept_p(b, c, limit) <= 0.05 for b, c in zip(base, cand, strict=True)]
    assert np.mean(passed) <= 0.06 + 2 * (0.06 * 0.94 / repetitions) ** 0.5


def test_a_candidate_that_spends_nothing_keeps_the_limits_that_its_baseline_can_show():
    base = np.zeros(400)
    base[:40] = 1.0
    assert kept_p(base, np.zeros(400), 0.15) < 1e-6
    assert kept_p(base, np.zeros(400), 0.149) == 1.0
    assert kept_high(base, np.zeros(400)) == pytest.approx(0.15)
