from __future__ import annotations

import math

import pytest
from scipy import stats as scipy_stats

from relgate.stats import ceiling_p, clopper_pearson, fewer_drawn_p, floor_p, n_min, zero_violation_n


@pytest.mark.parametrize(
    ("x", "n", "alpha", "low", "high"),
    [
        (3, 300, 0.05, 0.002731030218, 0.025641393083),
        (0, 59, 0.05, 0.0, 0.049507609888),
        (0, 100, 0.025, 0.0, 0.036216692645),
        (20, 20, 0.05, 1 - 0.139108340668, 1.0),
    ],
)
def test_clopper_pearson_gives_the_bounds_of_r(x, n, alpha, low, high):
    bounds = clopper_pearson(x, n, alpha)
    assert bounds.low == pytest.approx(low, abs=1e-9)
    assert bounds.high == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(("x", "n"), [(0, 7), (3, 7), (7, 7), (290, 300), (1, 1)])
@pytest.mark.parametrize("p0", [0.01, 0.4, 0.95])
def test_tails_are_the_sums_of_the_binomial_probabilities(x, n, p0):
    point = [math.comb(n, k) * p0**k * (1 - p0) ** (n - k) for k in range(n + 1)]
    assert floor_p(x, n, p0) == pytest.approx(sum(point[x:]), rel=1e-9)
    assert ceiling_p(x, n, p0) == pytest.approx(sum(point[: x + 1]), rel=1e-9)


def test_tails_at_the_ends_of_the_rate():
    assert floor_p(0, 5, 0.0) == ceiling_p(5, 5, 1.0) == 1.0
    assert floor_p(1, 5, 0.0) == ceiling_p(4, 5, 1.0) == 0.0
    assert floor_p(5, 5, 1.0) == ceiling_p(0, 5, 0.0) == 1.0


@pytest.mark.parametrize(
    ("margin", "n"),
    [(0.2, 14), (0.15, 19), (0.1, 29), (0.05, 59), (0.02, 149), (0.01, 299), (0.005, 598), (0.001, 2995)],
)
def test_n_min_is_the_published_count_and_equals_the_zero_violation_count(margin, n):
    assert n_min(margin) == zero_violation_n(margin) == n


def test_n_min_does_not_add_a_case_for_a_rounding_error():
    assert n_min(0.5, 0.25) == 2
    assert n_min(0.03, 0.912673) == 3  # 0.97^3, whose logs divide to 3.0000000000000018
    assert n_min(0.9, 0.001) == 3
    assert n_min(0.99, 0.05) == 1


@pytest.mark.parametrize(
    ("p0", "tolerated", "n"),
    [(0.05, 1, 93), (0.05, 2, 124), (0.05, 3, 153), (0.02, 1, 236), (0.02, 3, 386), (0.01, 2, 628)],
)
def test_tolerated_violations_cost_the_published_number_of_cases(p0, tolerated, n):
    assert zero_violation_n(p0, tolerated=tolerated) == n
    assert scipy_stats.binom.cdf(tolerated, n, p0) <= 0.05 < scipy_stats.binom.cdf(tolerated, n - 1, p0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: clopper_pearson(3, 2),
        lambda: clopper_pearson(-1, 2),
        lambda: clopper_pearson(0, 0),
        lambda: clopper_pearson(1.5, 2),  # type: ignore[arg-type]
        lambda: clopper_pearson(1, 2, 0.0),
        lambda: clopper_pearson(1, 2, 0.5),
        lambda: clopper_pearson(1, 2, math.nan),
        lambda: floor_p(1, 2, 1.5),
        lambda: ceiling_p(1, 2, math.nan),
        lambda: n_min(0.0),
        lambda: n_min(1.0),
        lambda: n_min(0.1, 1.0),
        lambda: zero_violation_n(0.1, tolerated=-1),
    ],
)
def test_numbers_that_make_no_sense_are_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()


def test_how_few_marked_ones_were_drawn_is_hypergeometric():
    for hits, drawn, marked, total in ((0, 100, 30, 200), (3, 10, 5, 20), (5, 5, 5, 5), (0, 0, 3, 9)):
        expected = scipy_stats.hypergeom.cdf(hits, total, marked, drawn)
        assert fewer_drawn_p(hits, drawn, marked, total) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="do not fit"):
        fewer_drawn_p(4, 3, 5, 9)
