from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, special
from scipy import stats as scipy_stats

from relgate.stats import (
    PairedCounts,
    exact_unconditional_p,
    mcnemar_interval,
    mcnemar_midp,
    n_min,
    tango_interval,
    tango_p,
    tango_z,
)


def likelihood_z(counts: PairedCounts, delta0: float) -> float:
    """Tango's z with the nuisance found by maximising the likelihood numerically."""
    n, b, c = counts.n, counts.b, counts.c

    def log_likelihood(q: float) -> float:
        cells = ((b, q), (c, q + delta0), (n - b - c, 1 - 2 * q - delta0))
        return sum(k * math.log(max(p, 1e-300)) for k, p in cells if k)

    low, high = max(0.0, -delta0), (1 - delta0) / 2
    found = optimize.minimize_scalar(
        lambda q: -log_likelihood(q), bounds=(low, high), method="bounded", options={"xatol": 1e-12}
    )
    q = max([found.x, low, high], key=log_likelihood)
    return (c - b - n * delta0) / math.sqrt(n * (2 * q + delta0 * (1 - delta0)))


def brute_force_p(counts: PairedCounts, delta0: float, alternative: str, points: int = 400) -> float:
    """Enumerate every table of n pairs in plain Python."""
    n = counts.n
    sign = 1 if alternative == "greater" else -1
    observed = sign * tango_z(counts, delta0)
    tail = [
        (b, c)
        for b in range(n + 1)
        for c in range(n + 1 - b)
        if sign * tango_z(PairedCounts(n - b - c, c, b, 0), delta0) >= observed - 1e-9
    ]
    low, high = max(0.0, -delta0), (1 - delta0) / 2
    best = 0.0
    for i in range(points + 1):
        q = low + (high - low) * i / points
        p_c, rest = max(0.0, q + delta0), max(0.0, 1 - 2 * q - delta0)
        total = sum(
            math.comb(n, b) * math.comb(n - b, c) * q**b * p_c**c * rest ** (n - b - c) for b, c in tail
        )
        best = max(best, total)
    return best


@pytest.mark.parametrize(
    ("counts", "alpha", "low", "high"),
    [
        (PairedCounts(160, 12, 5, 23), 0.05, 0.001176803174, 0.07235115354),
        (PairedCounts(40, 4, 1, 5), 0.025, -0.037813918556, 0.172602298537),
        (PairedCounts(18, 0, 0, 2), 0.025, -0.161125164061, 0.161125164061),
        (PairedCounts(45, 0, 3, 2), 0.05, -0.140941946477, -0.005586823061),
        (PairedCounts(850, 40, 35, 75), 0.025, -0.012239466022, 0.022425762866),
    ],
)
def test_tango_interval_gives_the_bounds_of_r(counts, alpha, low, high):
    bounds = tango_interval(counts, alpha)
    assert bounds.low == pytest.approx(low, abs=2e-6)
    assert bounds.high == pytest.approx(high, abs=2e-6)


@pytest.mark.parametrize(
    "cells", [(160, 12, 5, 23), (1, 1, 7, 12), (18, 0, 0, 2), (0, 5, 0, 0), (3, 0, 4, 3)]
)
@pytest.mark.parametrize("delta0", [-0.3, -0.05, 0.02, 0.4])
def test_tango_z_uses_the_constrained_maximum_of_the_likelihood(cells, delta0):
    counts = PairedCounts(*cells)
    assert tango_z(counts, delta0) == pytest.approx(likelihood_z(counts, delta0), abs=2e-5)


def test_tango_z_is_the_mcnemar_statistic_at_zero():
    counts = PairedCounts(10, 9, 4, 7)
    assert tango_z(counts, 0.0) == pytest.approx((9 - 4) / math.sqrt(13))


def test_all_ties_have_no_evidence_against_zero_but_bounds_of_real_width():
    ties = PairedCounts(18, 0, 0, 2)
    assert tango_z(ties, 0.0) == 0.0
    assert tango_p(ties, 0.0, "greater") == tango_p(ties, 0.0, "less") == 0.5
    assert tango_interval(ties).width > 0.2


@pytest.mark.parametrize("cells", [(0, 0, 6, 0), (0, 6, 0, 0), (1, 0, 0, 0), (0, 0, 0, 9)])
def test_extreme_tables_still_get_an_interval_that_holds_the_difference(cells):
    counts = PairedCounts(*cells)
    bounds = tango_interval(counts)
    assert bounds.width > 0.0
    assert -1.0 <= bounds.low <= counts.difference <= bounds.high <= 1.0


@pytest.mark.parametrize("cells", [(5, 3, 1, 0), (9, 0, 0, 1), (2, 0, 7, 0), (4, 2, 4, 2), (0, 10, 0, 0)])
@pytest.mark.parametrize("delta0", [-0.15, 0.0, 0.1])
@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_exact_p_is_the_enumerated_maximum(cells, delta0, alternative):
    counts = PairedCounts(*cells)
    brute = brute_force_p(counts, delta0, alternative)
    assert brute - 1e-9 <= exact_unconditional_p(counts, delta0, alternative) <= brute + 2e-4


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.15, 0.2])
def test_all_ties_pass_the_exact_test_from_n_min_on(margin):
    n = n_min(margin)
    assert exact_unconditional_p(PairedCounts(n, 0, 0, 0), -margin, "greater") <= 0.05
    assert exact_unconditional_p(PairedCounts(n - 1, 0, 0, 0), -margin, "greater") > 0.05


def test_exact_p_below_n_min_can_still_pass_on_improvements():
    assert exact_unconditional_p(PairedCounts(30, 12, 0, 8), -0.05, "greater") < 0.05 < 0.95**50


def trinomial_sum(n: int, b: np.ndarray, c: np.ndarray, p_b: float, p_c: float) -> float:
    """Return the probability of the tables (b, c), summed one by one."""
    rest = max(0.0, 1.0 - p_b - p_c)
    choose = special.gammaln(n + 1) - sum(special.gammaln(k + 1) for k in (b, c, n - b - c))
    logs = special.xlogy(b, p_b) + special.xlogy(c, p_c) + special.xlogy(n - b - c, rest)
    return float(np.exp(choose + logs).sum())


def attained_size(n: int, margin: float, alternative: str, alpha: float = 0.05, points: int = 1500) -> float:
    """Exact size: largest probability of p <= alpha over a fine grid of the nuisance rate."""
    b, c = np.divmod(np.arange((n + 1) ** 2), n + 1)
    keep = b + c <= n
    b, c = b[keep], c[keep]
    delta0 = -margin
    # p falls with c for "greater" and rises for "less": find the border in each row
    rejects = np.zeros(b.size, dtype=bool)
    for row in range(n + 1):
        members = np.flatnonzero(b == row)
        order = members if alternative == "less" else members[::-1]
        for i in order:
            counts = PairedCounts(n - int(b[i]) - int(c[i]), int(c[i]), int(b[i]), 0)
            if exact_unconditional_p(counts, delta0, alternative) > alpha:
                break
            rejects[i] = True
    b, c = b[rejects], c[rejects]
    return max(
        trinomial_sum(n, b, c, q, max(0.0, q - margin)) for q in np.linspace(margin, (1 + margin) / 2, points)
    )


@pytest.mark.parametrize(("n", "margin"), [(20, 0.05), (20, 0.1), (20, 0.2), (30, 0.05), (50, 0.1)])
def test_exact_test_never_promotes_more_often_than_alpha_on_the_boundary(n, margin):
    size = attained_size(n, margin, "greater")
    assert 0.02 < size <= 0.05


@pytest.mark.parametrize(("n", "margin"), [(20, 0.1), (30, 0.05)])
def test_exact_test_never_rejects_more_often_than_alpha_on_the_boundary(n, margin):
    size = attained_size(n, margin, "less")
    assert 0.02 < size <= 0.05


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_exact_p_at_two_hundred_pairs_is_the_maximum_over_a_fine_grid(alternative):
    from relgate.stats import _unconditional as table

    counts, delta0 = PairedCounts(185, 6, 7, 2), -0.05
    b, c, d = (counts.b, counts.c, delta0) if alternative == "greater" else (counts.c, counts.b, -delta0)
    z = float(table.score(200, b, c, d))
    fine = np.linspace(max(0.0, -d), (1 - d) / 2, 4001)
    # an independent tail: sum over all tables in place of the incomplete beta
    all_b, all_c = np.meshgrid(np.arange(201), np.arange(201), indexing="ij")
    keep = all_b + all_c <= 200
    all_b, all_c = all_b[keep], all_c[keep]
    inside = table.score(200, all_b, all_c, d) >= z - 1e-9
    best = max(trinomial_sum(200, all_b[inside], all_c[inside], q, max(0.0, q + d)) for q in fine[::40])
    p = exact_unconditional_p(counts, delta0, alternative)
    assert best - 1e-9 <= p <= best + 0.005
    fewest = table._fewest_improvements(200, d, z)
    assert p >= table._tail(fine, 200, d, fewest).max() - 1e-9


@pytest.mark.parametrize("n", [5, 20, 60])
@pytest.mark.parametrize("delta0", [-0.2, -0.03, 0.0, 0.1])
def test_tango_z_grows_with_improvements_so_that_the_border_search_is_right(n, delta0):
    for b in range(n + 1):
        row = [tango_z(PairedCounts(n - b - c, c, b, 0), delta0) for c in range(n - b + 1)]
        assert all(later > earlier for earlier, later in itertools.pairwise(row))


@pytest.mark.parametrize(
    ("cells", "p"),
    [
        ((160, 12, 5, 23), 0.096252441406),
        ((1, 1, 7, 12), 0.0390625),
        ((60, 40, 20, 40), 0.009853448195),
        ((45, 0, 3, 2), 0.125),
    ],
)
def test_two_sided_midp_gives_the_value_of_r(cells, p):
    assert mcnemar_midp(PairedCounts(*cells), "two-sided") == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_midp_of_all_ties_is_one(alternative):
    assert mcnemar_midp(PairedCounts(18, 0, 0, 2), alternative) == 1.0


@pytest.mark.parametrize("cells", [(5, 3, 3, 0), (5, 1, 1, 0), (0, 200, 200, 0)])
def test_two_sided_midp_of_equal_counts_is_one_minus_the_point(cells):
    n = 2 * cells[1]
    assert mcnemar_midp(PairedCounts(*cells), "two-sided") == pytest.approx(
        1 - scipy_stats.binom.pmf(cells[1], n, 0.5)
    )


def test_one_sided_midp_sees_harm_as_less():
    harmed = PairedCounts(30, 1, 9, 10)
    expected = scipy_stats.binom.sf(8, 10, 0.5) - 0.5 * scipy_stats.binom.pmf(9, 10, 0.5)
    assert mcnemar_midp(harmed, "less") == pytest.approx(expected)
    assert mcnemar_midp(harmed, "greater") == pytest.approx(1 - expected)


def test_table_reads_out_its_rates():
    counts = PairedCounts(both_pass=6, cand_only=1, base_only=2, both_fail=1)
    assert (counts.n, counts.b, counts.c) == (10, 2, 1)
    assert counts.difference == pytest.approx(-0.1)
    assert counts.discordance == pytest.approx(0.3)
    assert counts.swapped().difference == pytest.approx(0.1)


@pytest.mark.parametrize("cells", [(-1, 0, 0, 2), (0, 0, 0, 0), (1.5, 0, 0, 1)])
def test_impossible_tables_are_refused(cells):
    with pytest.raises(ValueError, match=r"at least|integer"):
        PairedCounts(*cells)


@pytest.mark.parametrize("delta0", [-1.0, 1.0, math.nan])
def test_boundaries_outside_the_range_of_a_difference_are_refused(delta0):
    counts = PairedCounts(5, 1, 1, 1)
    for call in (tango_z, lambda t, d: exact_unconditional_p(t, d, "greater")):
        with pytest.raises(ValueError, match="delta0"):
            call(counts, delta0)


def test_an_unknown_alternative_is_refused():
    with pytest.raises(ValueError, match="alternative"):
        exact_unconditional_p(PairedCounts(5, 1, 1, 1), -0.1, "two-sided")  # type: ignore[arg-type]


def test_the_mcnemar_interval_is_tangos_where_both_agree():
    counts = PairedCounts(180, 12, 4, 4)
    assert mcnemar_interval(counts) == tango_interval(counts)


@pytest.mark.parametrize("alpha", [0.05, 0.0125, 0.003125])
def test_the_mcnemar_interval_excludes_zero_exactly_where_the_test_rejects(alpha):
    for b in range(20):
        for c in range(30):
            counts = PairedCounts(60 - b - c if b + c < 60 else 0, c, b, 0)
            bounds = mcnemar_interval(counts, alpha)
            assert (bounds.low > 0.0) == (mcnemar_midp(counts, "greater") <= alpha)
            assert (bounds.high < 0.0) == (mcnemar_midp(counts, "less") <= alpha)
            assert bounds.low <= counts.difference <= bounds.high
            assert bounds.width > 0.0


def test_the_mcnemar_interval_takes_the_mid_p_bound_of_the_share_of_improvements():
    counts = PairedCounts(57, 3, 0, 0)
    bounds = mcnemar_interval(counts)
    share = 0.5 * (1.0 + bounds.low * 60 / 3)
    assert 0.5 * share**3 == pytest.approx(0.05)  # mid-p of three of three
    assert tango_interval(counts).low > 0.0 > bounds.low
    swapped = mcnemar_interval(counts.swapped())
    assert (swapped.low, swapped.high) == (-bounds.high, -bounds.low)


def test_the_mcnemar_interval_agrees_with_its_test_at_small_alphas_too():
    counts = PairedCounts(141, 40, 19, 0)  # mid-p .00311 and Tango's .00313 lie around .003125
    assert mcnemar_interval(counts, 0.003125).low > 0.0 > tango_interval(counts, 0.003125).low
