"""The guard of clustered means: one unseen failing unit, as large as the clusters make it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import (
    cluster_bounded_interval,
    cluster_bounded_p,
    cluster_mean,
    gaffke_p,
    guarded_cluster_interval,
    guarded_cluster_p,
)
from relgate.stats.unseen_unit import LEAST_CORRELATION, unseen_size

SIZES = [3, 5, 8, 10, 14, 20]
CODE = np.repeat(np.arange(6), SIZES)


def _losses(*lost: int) -> np.ndarray:
    y = np.zeros(CODE.size)
    y[list(lost)] = -1.0
    return y


def _by_hand(y: np.ndarray, code: np.ndarray, mu0: float, worst: float) -> float:
    """The guarded t of "greater", row by row: every residual taken about the mean that holds the new unit."""
    plain = cluster_mean(y, code)
    n = len(y)
    sizes = np.bincount(code)
    design = (plain.se / (np.std(y, ddof=1) / n**0.5)) ** 2
    size = max(1.0, design, 1.0 + (np.sum(sizes**2) / n - 1.0) * LEAST_CORRELATION)
    mean = (y.sum() + size * worst) / (n + size)
    squares = sum((y[code == g] - mean).sum() ** 2 / (1.0 - np.mean(code == g)) for g in range(len(sizes)))
    error = (squares + (size * (worst - mean)) ** 2) ** 0.5 / (n + size)
    return float(scipy_stats.t.sf((mean - mu0) / error, plain.df))


@pytest.mark.parametrize("mu0", [-0.3, -0.2, -0.1])
def test_the_guarded_p_is_that_of_the_sample_with_one_more_unit(mu0: float) -> None:
    y = _losses(4, 30, 31, 50)
    expected = max(_by_hand(y, CODE, mu0, -1.0), cluster_mean(y, CODE).p(mu0, "greater"))
    found = guarded_cluster_p(y, CODE, mu0, "greater", (-1, 1), neutral=0.0)
    assert found == pytest.approx(expected, rel=1e-10)
    assert found > cluster_bounded_p(y, CODE, mu0, "greater", (-1, 1))


def test_the_unit_is_as_large_as_the_design_effect_and_never_smaller_than_the_assumed_one() -> None:
    independent = _losses(0, 4, 9, 17, 27, 41)
    se = cluster_mean(independent, CODE).se
    assumed = 1.0 + (sum(s * s for s in SIZES) / CODE.size - 1.0) * LEAST_CORRELATION
    assert unseen_size(independent, CODE, se) == pytest.approx(assumed)
    together = _losses(*np.flatnonzero(CODE == 5))
    alone = np.std(together, ddof=1) / CODE.size**0.5
    se = cluster_mean(together, CODE).se
    assert unseen_size(together, CODE, se) == pytest.approx((se / alone) ** 2)
    assert (se / alone) ** 2 > assumed


def test_the_unseen_unit_takes_the_worst_score_seen_or_the_supports_end_where_nothing_got_worse() -> None:
    scores = np.tile([-0.9, 0.0, 0.1, 0.6, 0.3], CODE.size // 5)
    assert guarded_cluster_p(scores, CODE, -0.2, "greater", (-1, 1), neutral=0.0) == pytest.approx(
        max(_by_hand(scores, CODE, -0.2, -0.9), cluster_mean(scores, CODE).p(-0.2, "greater"))
    )
    gains = np.zeros(CODE.size)
    gains[[1, 12, 33]] = 1.0
    assert guarded_cluster_p(gains, CODE, -0.2, "greater", (-1, 1), neutral=0.0) == pytest.approx(
        _by_hand(gains, CODE, -0.2, -1.0)
    )


def test_cases_a_little_inside_the_margin_prove_nothing_that_an_unseen_loss_would_undo() -> None:
    scores = -0.16 + np.round(0.001 * np.sin(np.arange(CODE.size)), 6)
    estimate = cluster_mean(scores, CODE)
    assert estimate.p(-0.2, "greater") < 1e-6
    worth = CODE.size / unseen_size(scores, CODE, estimate.se)
    unseen = (1.0 - (estimate.mean + 0.2) / (1.0 + estimate.mean)) ** worth
    found = guarded_cluster_p(scores, CODE, -0.2, "greater", (-1, 1), neutral=0.0)
    assert found == pytest.approx(unseen)
    assert unseen > 0.2
    low = guarded_cluster_interval(scores, CODE, 0.05, (-1, 1), neutral=0.0).low
    assert guarded_cluster_p(scores, CODE, low, "greater", (-1, 1), neutral=0.0) == pytest.approx(0.05)


def test_clusters_that_do_not_differ_stay_with_gaffke() -> None:
    y = np.ones(CODE.size)
    assert guarded_cluster_p(y, CODE, 0.5, "greater", (0, 1)) == gaffke_p([1.0] * 6, 0.5, "greater", (0, 1))
    assert guarded_cluster_interval(y, CODE, 0.05, (0, 1)) == cluster_bounded_interval(y, CODE, 0.05, (0, 1))


def test_swapping_the_sides_swaps_pass_and_fail() -> None:
    rng = np.random.default_rng(5)
    y = rng.choice([-1.0, 0.0, 1.0], CODE.size, p=[0.2, 0.6, 0.2])
    one = guarded_cluster_p(y, CODE, -0.1, "greater", (-1, 1), neutral=0.0)
    other = guarded_cluster_p(-y, CODE, 0.1, "less", (-1, 1), neutral=0.0)
    assert one == pytest.approx(other, rel=1e-12)
    a = guarded_cluster_interval(y, CODE, 0.05, (-1, 1), neutral=0.0)
    b = guarded_cluster_interval(-y, CODE, 0.05, (-1, 1), neutral=0.0)
    assert (a.low, a.high) == pytest.approx((-b.high, -b.low))


def test_the_interval_inverts_the_test() -> None:
    y = _losses(4, 30, 31, 50)
    bounds = guarded_cluster_interval(y, CODE, 0.05, (-1, 1), neutral=0.0)
    assert guarded_cluster_p(y, CODE, bounds.low, "greater", (-1, 1), neutral=0.0) == pytest.approx(0.05)
    assert guarded_cluster_p(y, CODE, bounds.high, "less", (-1, 1), neutral=0.0) == pytest.approx(0.05)
    plain = cluster_bounded_interval(y, CODE, 0.05, (-1, 1))
    assert bounds.low < plain.low
    assert bounds.high > plain.high
