"""Properties that hold for every input: order, symmetry, containment, no verdict on both sides at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from relgate.stats import (
    PairedCounts,
    bounded_mean_interval,
    bounded_mean_p,
    ceiling_p,
    clopper_pearson,
    cluster_bounded_interval,
    cluster_bounded_p,
    exact_unconditional_p,
    fieller_interval,
    fieller_p,
    floor_p,
    gaffke_interval,
    gaffke_p,
    guarded_cluster_interval,
    guarded_cluster_p,
    hall_interval,
    hall_p,
    harrell_davis,
    holm,
    mcnemar_midp,
    quantile_ratio,
    tango_interval,
    tango_p,
    weighted_holm,
)

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)

ALPHA = 0.05
DRAWS = 400
cells = st.integers(0, 25)
tables = st.tuples(cells, cells, cells, cells).filter(any).map(lambda t: PairedCounts(*t))
boundaries = st.floats(-0.6, 0.6)
# thirds and quarters: means over trials, with the ties and the rounding that real scores have
scores = st.sampled_from([-1.0, -2 / 3, -0.5, -1 / 3, -0.25, 0.0, 0.25, 1 / 3, 0.5, 2 / 3, 1.0])
score_lists = st.lists(scores, min_size=1, max_size=40)
costs = st.floats(0.0, 1000.0, allow_subnormal=False).map(lambda x: round(x, 3))
pairs = st.lists(st.tuples(costs, costs), min_size=2, max_size=30)


@quick
@given(tables, boundaries, boundaries)
def test_paired_p_grows_with_the_boundary(counts, one, other):
    low, high = sorted((one, other))
    assert tango_p(counts, low, "greater") <= tango_p(counts, high, "greater") + 1e-12
    assert tango_p(counts, low, "less") >= tango_p(counts, high, "less") - 1e-12


@quick
@given(tables, boundaries)
def test_paired_tests_are_symmetric_under_swapping_the_sides(counts, delta0):
    assert tango_p(counts, delta0, "greater") == pytest.approx(tango_p(counts.swapped(), -delta0, "less"))
    assert exact_unconditional_p(counts, delta0, "greater") == pytest.approx(
        exact_unconditional_p(counts.swapped(), -delta0, "less")
    )
    assert mcnemar_midp(counts, "less") == mcnemar_midp(counts.swapped(), "greater")
    bounds, mirrored = tango_interval(counts), tango_interval(counts.swapped())
    assert (bounds.low, bounds.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-12)


@quick
@given(tables, boundaries)
def test_paired_tests_never_pass_and_fail_at_one_boundary(counts, delta0):
    for test in (tango_p, exact_unconditional_p):
        both = [test(counts, delta0, "greater"), test(counts, delta0, "less")]
        assert all(0.0 <= p <= 1.0 for p in both)
        assert max(both) > ALPHA


@quick
@given(tables, st.sampled_from([0.001, 0.05, 0.3]))
def test_tango_interval_holds_the_difference_and_inverts_the_test(counts, alpha):
    bounds = tango_interval(counts, alpha)
    assert bounds.width > 0.0
    assert bounds.low - 1e-9 <= counts.difference <= bounds.high + 1e-9
    if bounds.low > -0.99:
        assert tango_p(counts, bounds.low, "greater") == pytest.approx(alpha, abs=1e-6)


@quick
@given(tables, st.floats(-0.4, -0.01))
def test_a_regression_more_never_lowers_the_exact_p_for_promotion(counts, delta0):
    assume(counts.both_pass > 0)
    worse = PairedCounts(counts.both_pass - 1, counts.cand_only, counts.base_only + 1, counts.both_fail)
    assert (
        exact_unconditional_p(worse, delta0, "greater")
        >= exact_unconditional_p(counts, delta0, "greater") - 1e-9
    )


@quick
@given(st.integers(1, 300), st.data())
def test_binomial_tails_and_bounds_agree(n, data):
    x = data.draw(st.integers(0, n))
    p0 = data.draw(st.floats(0.001, 0.999))
    bounds = clopper_pearson(x, n)
    assert bounds.width > 0.0
    assert bounds.contains(x / n)
    assert (floor_p(x, n, p0) <= ALPHA) == (p0 <= bounds.low) or abs(p0 - bounds.low) < 1e-9
    assert (ceiling_p(x, n, p0) <= ALPHA) == (p0 >= bounds.high) or abs(p0 - bounds.high) < 1e-9
    assert max(floor_p(x, n, p0), ceiling_p(x, n, p0)) >= 0.5


@quick
@given(score_lists, st.floats(-0.99, 0.99), st.integers(0, 60), st.randoms())
def test_bounded_means_ignore_order_and_keep_pass_and_fail_apart(d, mu0, floor, random):
    shuffled = d[:]
    random.shuffle(shuffled)
    p_pass = bounded_mean_p(d, mu0, "greater", (-1, 1), floor)
    p_fail = bounded_mean_p(d, mu0, "less", (-1, 1), floor)
    assert 0.0 < p_pass <= 1.0
    assert 0.0 < p_fail <= 1.0
    assert max(p_pass, p_fail) > ALPHA
    assert bounded_mean_p(shuffled, mu0, "greater", (-1, 1), floor) == pytest.approx(p_pass, rel=1e-9)


@quick
@given(score_lists, st.floats(-0.99, 0.99))
def test_gaffke_is_symmetric_under_swapping_the_sides(d, mu0):
    mirrored = [-value for value in d]
    assert gaffke_p(d, mu0, "greater", (-1, 1), draws=DRAWS) == pytest.approx(
        gaffke_p(mirrored, -mu0, "less", (-1, 1), draws=DRAWS), abs=2 / DRAWS
    )


@quick
@given(score_lists, st.floats(-0.99, 0.99), st.floats(-0.99, 0.99))
def test_bounded_mean_p_grows_with_the_boundary(d, one, other):
    low, high = sorted((one, other))
    for floor in (1, 1000):
        assert bounded_mean_p(d, low, "greater", (-1, 1), floor) <= (
            bounded_mean_p(d, high, "greater", (-1, 1), floor) + 1e-12
        )
        assert bounded_mean_p(d, low, "less", (-1, 1), floor) >= (
            bounded_mean_p(d, high, "less", (-1, 1), floor) - 1e-12
        )


@quick
@given(score_lists, st.sampled_from([0.01, 0.05, 0.2]), st.integers(0, 60))
def test_bounded_mean_interval_holds_the_mean_and_inverts_the_test(d, alpha, floor):
    bounds = bounded_mean_interval(d, alpha, (-1, 1), floor)
    assert bounds.width > 0.0
    assert bounds.contains(float(np.mean(d)))
    assert bounds.low >= -1.0 - 1e-12
    assert bounds.high <= 1.0 + 1e-12
    if bounds.low > -0.99:
        assert bounded_mean_p(d, bounds.low - 1e-6, "greater", (-1, 1), floor) <= alpha + 1e-9
    if bounds.high < 0.99:
        assert bounded_mean_p(d, bounds.high + 1e-6, "less", (-1, 1), floor) <= alpha + 1e-9


@quick
@given(score_lists, st.sampled_from([0.01, 0.05, 0.2]))
def test_gaffke_interval_narrows_as_alpha_grows(d, alpha):
    narrow, wide = (gaffke_interval(d, a, (-1, 1), draws=DRAWS) for a in (alpha * 1.5, alpha))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


@quick
@given(st.lists(scores, min_size=2, max_size=40), st.floats(-0.99, 0.99), st.floats(-3.0, 3.0))
def test_hall_moves_with_the_data(d, mu0, shift):
    assume(np.ptp(d) > 0.0)
    moved = [value + shift for value in d]
    assert hall_p(moved, mu0 + shift, "greater") == pytest.approx(hall_p(d, mu0, "greater"), abs=1e-7)
    assert hall_p(d, mu0, "greater") + hall_p(d, mu0, "less") == pytest.approx(1.0)
    assert hall_interval(d).contains(float(np.mean(d)))


@quick
@given(st.lists(st.tuples(scores, st.integers(0, 6)), min_size=2, max_size=40), st.floats(-0.99, 0.99))
def test_clustered_means_always_have_a_p_and_an_interval(rows, mu0):
    y, cluster = [list(column) for column in zip(*rows, strict=True)]
    assume(len(set(cluster)) >= 2)
    for p_of, interval_of in (
        (cluster_bounded_p, cluster_bounded_interval),
        (guarded_cluster_p, guarded_cluster_interval),
    ):
        p_pass = p_of(y, cluster, mu0, "greater", (-1, 1))
        p_fail = p_of(y, cluster, mu0, "less", (-1, 1))
        assert not math.isnan(p_pass + p_fail)
        assert max(p_pass, p_fail) > ALPHA
        bounds = interval_of(y, cluster, ALPHA, (-1, 1))
        assert bounds.width > 0.0
        assert bounds.low - 1e-9 <= float(np.mean(y)) <= bounds.high + 1e-9


@quick
@given(
    st.lists(st.tuples(scores, st.integers(0, 6)), min_size=2, max_size=40),
    st.floats(-0.99, 0.99),
    st.floats(0.0, 0.5),
    st.sampled_from([None, 0.0]),
)
def test_the_guard_of_clusters_only_takes_away_and_follows_the_boundary(rows, mu0, step, neutral):
    y, cluster = [list(column) for column in zip(*rows, strict=True)]
    assume(len(set(cluster)) >= 2)
    guarded = guarded_cluster_p(y, cluster, mu0, "greater", (-1, 1), neutral=neutral)
    assert guarded >= cluster_bounded_p(y, cluster, mu0, "greater", (-1, 1))
    lower = max(-0.999, mu0 - step)
    assert guarded_cluster_p(y, cluster, lower, "greater", (-1, 1), neutral=neutral) <= guarded + 1e-9


@quick
@given(pairs, st.floats(0.1, 5.0), st.floats(0.1, 5.0))
def test_a_larger_cost_budget_is_never_harder_to_meet(rows, one, other):
    base, cand = zip(*rows, strict=True)
    assume(sum(base) > 0.0)
    bounds = fieller_interval(base, cand)
    assert bounds.width > 0.0
    assert bounds.contains(sum(cand) / sum(base)) or math.isclose(bounds.low, sum(cand) / sum(base))
    low, high = sorted((one, other))
    for ratio in (low, high):
        p_less, p_greater = (fieller_p(base, cand, ratio, side) for side in ("less", "greater"))
        assert min(p_less, p_greater) >= 0.0
        assert max(p_less, p_greater) > ALPHA
    if bounds.high < math.inf and low > bounds.high * (1 + 1e-6):
        assert fieller_p(base, cand, low, "less") <= ALPHA + 1e-9
        assert fieller_p(base, cand, high, "less") <= ALPHA + 1e-9


@quick
@given(pairs, st.sampled_from([0.5, 0.95]), st.floats(0.2, 5.0), st.floats(0.0, 50.0), st.randoms())
def test_quantile_ratio_always_gives_p_values_and_ignores_order(rows, q, ratio, slack, random):
    base, cand = zip(*rows, strict=True)
    result = quantile_ratio(base, cand, q, ratio, slack)
    assert 0.0 <= result.p_less <= 1.0
    assert 0.0 <= result.p_greater <= 1.0
    assert max(result.p_less, result.p_greater) >= 0.5 - 1e-12
    assert result.interval().width > 0.0
    assert not math.isnan(result.ratio_estimate)
    shuffled = list(rows)
    random.shuffle(shuffled)
    again = quantile_ratio(*zip(*shuffled, strict=True), q, ratio, slack)
    assert again.p_less == pytest.approx(result.p_less, abs=1e-6)


@quick
@given(st.lists(costs, min_size=1, max_size=50), st.floats(0.01, 0.98), st.floats(0.0, 0.01))
def test_harrell_davis_stays_in_the_range_and_grows_with_the_quantile(x, q, step):
    value = harrell_davis(x, q)
    assert min(x) - 1e-6 <= value <= max(x) + 1e-6
    assert harrell_davis(x, q + step) >= value - 1e-6


@quick
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p, alpha):
    adjusted = holm(p)
    assert (adjusted >= np.asarray(p)).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0.0).all()
    rejected = weighted_holm(p, np.ones(len(p)), alpha)
    near = np.abs(adjusted - alpha) < 1e-9
    assert (rejected == (adjusted <= alpha))[~near].all()
