"""p-values of many simulated samples at once: array forms of the functions that gates use.

Every function takes one sample a row and gives one p-value a row. Counts go through the gates' own functions,
once per distinct table; means, clusters and quantiles repeat their formulas over arrays. Only Gaffke's bound
is not drawn but taken from the saddlepoint approximation of the same probability (Lugannani and Rice 1980).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr, stdtr

from relgate import stats
from relgate.decision.against_zero import FEW_DIFFER, HARM_ONE_IN, STRICTER, is_sparse
from relgate.decision.evidence import DIFFERENCES
from relgate.stats.unseen_unit import LEAST_CORRELATION

Floats = NDArray[np.float64]

_NO_SPREAD = 1e-12
_LEVELS = 10
"""Digits to which two scores are the same level: means of 1/k keep them."""
_BISECTIONS = 60
_SURE = (1e-4, 0.4)
"""Outside these asymptotic p-values no decision depends on the exact test."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """The clusters of a sample: code of each case, shape (n,), their sizes and the degrees of freedom."""

    code: NDArray[np.int64]
    sizes: Floats
    df: float

    @classmethod
    def of(cls, code: NDArray[np.int64]) -> Clusters:
        """The clusters with these codes, 0 to G - 1, at least two of them."""
        sizes = np.bincount(code).astype(np.float64)
        df = stats.cluster_mean(np.arange(code.size, dtype=np.float64), code.tolist()).df
        return cls(code, sizes, df)

    def sums(self, rows: Floats) -> Floats:
        """Sum per cluster, shape (R, G)."""
        found: Floats = rows @ (self.code[:, None] == np.arange(self.sizes.size)).astype(np.float64)
        return found


def _each_table(b: Any, c: Any, p_of: Callable[[int, int], float]) -> Floats:
    """``p_of`` of every row's pair of counts, called once per distinct pair."""
    pairs, back = np.unique(np.column_stack((b, c)).astype(np.int64), axis=0, return_inverse=True)
    found: Floats = np.array([p_of(int(x), int(y)) for x, y in pairs], dtype=np.float64)[back.ravel()]
    return found


def paired_p(d: Floats, margin: float, side: stats.Alternative, *, exact: bool) -> Floats:
    """Evidence about "difference > -margin" from differences of single pass/fail trials, shape (R, n)."""
    n = d.shape[1]

    def p_of(b: int, c: int) -> float:
        counts = stats.PairedCounts(n - b - c, c, b, 0)
        p = stats.tango_p(counts, -margin, side)
        if exact and _SURE[0] < p < _SURE[1]:
            return stats.exact_unconditional_p(counts, -margin, side)
        return p

    return _each_table((d < -0.5).sum(axis=1), (d > 0.5).sum(axis=1), p_of)


def midp(d: Floats, side: stats.Alternative) -> Floats:
    """Mid-p McNemar of the signs of the differences, shape (R, n)."""

    def p_of(b: int, c: int) -> float:
        return stats.mcnemar_midp(stats.PairedCounts(0, c, b, max(0, d.shape[1] - b - c)), side)

    return _each_table((d < 0).sum(axis=1), (d > 0).sum(axis=1), p_of)


def rate_p(hits: Any, n: int, boundary: float, side: stats.Alternative) -> Floats:
    """Exact evidence that a rate lies above ("greater") or below a boundary."""
    p_of = stats.floor_p if side == "greater" else stats.ceiling_p
    return _each_table(hits, np.zeros_like(hits), lambda x, _: p_of(x, n, boundary))


def hall_p(d: Floats, mu0: float, side: stats.Alternative) -> Floats:
    """Hall's transformed t, shape (R,); 1 where a row has no variance."""
    n = d.shape[1]
    mean = d.mean(axis=1)
    centred = d - mean[:, None]
    second = np.mean(centred**2, axis=1)
    flat = second < _NO_SPREAD
    safe = np.where(flat, 1.0, second)
    skew = np.mean(centred**3, axis=1) / safe**1.5
    t = (mean - mu0) * np.sqrt((n - 1) / safe)
    root = np.sqrt(n)
    g = t + skew / (6 * root) + skew * t**2 / (3 * root) + skew**2 * t**3 / (27 * n)
    p = stdtr(n - 1, -g if side == "greater" else g)
    found: Floats = np.where(flat, 1.0, p)
    return found


def gaffke_p(d: Floats, mu0: float, side: stats.Alternative, support: tuple[float, float]) -> Floats:
    """Gaffke's bound: P(sum of G_i (x_i - mu0) <= 0) with exponential G_i and the worst value added."""
    low, high = support
    unit = np.round((d - low) / (high - low), _LEVELS)
    at = (mu0 - low) / (high - low)
    if side == "less":
        unit, at = 1.0 - unit, 1.0 - at
    unit = np.round(unit, _LEVELS)
    levels = np.union1d(np.unique(unit), [0.0])
    counts = np.stack([(unit == level).sum(axis=1) for level in levels], axis=1).astype(np.float64)
    seen = (counts[:, 1:] > 0).sum(axis=1)
    n = unit.shape[1]
    counts[:, 0] += 1
    p = _gamma_sum_p(counts, levels - at)
    # with at most one value above the worst, the weight of that value is a Beta: exact
    top = np.where(seen == 0, 0, counts.shape[1] - 1 - np.argmax(counts[:, ::-1] > 0, axis=1))
    upper = np.maximum(levels[top], 1e-300)
    above = np.maximum(counts[np.arange(len(top)), top], 1.0)
    two = np.where(at >= upper, 1.0, betainc(above, n - above + 1.0, np.minimum(at / upper, 1.0)))
    found: Floats = np.where(seen == 0, 1.0, np.where(seen == 1, two, p))
    return found


def gaffke_sides(
    d: Floats, mu0: float, support: tuple[float, float], *, upwards: bool
) -> tuple[Floats, Floats]:
    """Gaffke's evidence that the mean lies on the wanted side of a boundary, and beyond it."""
    above, below = gaffke_p(d, mu0, "greater", support), gaffke_p(d, mu0, "less", support)
    return (above, below) if upwards else (below, above)


def _gamma_sum_p(counts: Floats, y: Floats) -> Floats:
    """P(sum over j of Gamma(counts_j) y_j <= 0), shape (R,), by the saddlepoint approximation."""
    present = counts > 0
    top = np.max(np.where(present, y, -np.inf), axis=1)
    bottom = np.min(np.where(present, y, np.inf), axis=1)
    inside = (top > 1e-12) & (bottom < -1e-12)
    low = np.where(inside, 1.0 / np.where(inside, bottom, -1.0), -1.0) * (1 - 1e-12)
    high = np.where(inside, 1.0 / np.where(inside, top, 1.0), 1.0) * (1 - 1e-12)
    terms = np.where(present, y, 0.0)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        rising = np.sum(counts * terms / (1.0 - middle[:, None] * terms), axis=1) > 0
        high, low = np.where(rising, middle, high), np.where(rising, low, middle)
    t = 0.5 * (low + high)
    rest = 1.0 - t[:, None] * terms
    cumulant = -np.sum(counts * np.log(np.maximum(rest, 1e-300)), axis=1)
    second = np.sum(counts * terms**2 / rest**2, axis=1)
    w = np.sign(t) * np.sqrt(np.maximum(-2.0 * cumulant, 0.0))
    u = t * np.sqrt(second)
    central = np.abs(w) < 1e-4
    w_, u_ = np.where(central, 1.0, w), np.where(central, 1.0, u)
    tail = ndtr(w) + np.exp(-0.5 * w**2) / np.sqrt(2 * np.pi) * np.where(central, 0.0, 1 / w_ - 1 / u_)
    found: Floats = np.where(inside, np.clip(tail, 0.0, 1.0), np.where(top <= 1e-12, 1.0, 0.0))
    return found


def bounded_mean_p(
    d: Floats, mu0: float, side: stats.Alternative, support: tuple[float, float], hall_from: int
) -> Floats:
    """min(Hall, Gaffke) from ``hall_from`` cases on, Gaffke below; shape (R,)."""
    p = gaffke_p(d, mu0, side, support)
    if d.shape[1] < max(2, hall_from):
        return p
    unseen = _unseen_p(d.mean(axis=1), mu0, side, support, d.shape[1])
    found: Floats = np.minimum(p, np.maximum(hall_p(d, mu0, side), unseen))
    return found


def _unseen_p(
    mean: Floats, mu0: float, side: stats.Alternative, support: tuple[float, float], n: float | Floats
) -> Floats:
    """How likely n cases miss every loss that would undo the distance to the boundary, shape (R,)."""
    gain, loss = (mean - mu0, mean - support[0]) if side == "greater" else (mu0 - mean, support[1] - mean)
    return unseen_loss_p(gain / np.clip(loss, 1e-300, 1.0), n)


def unseen_loss_p(gain: Floats, n: float | Floats) -> Floats:
    """How likely n cases hold none of the losses that would undo the gain, shape (R,)."""
    found: Floats = (1.0 - np.clip(gain, 0.0, 1.0)) ** n
    return found


def secured_mean_p(
    d: Floats, side: stats.Alternative, support: tuple[float, float], differing: int
) -> Floats:
    """Gaffke against 0, or the secured Hall's t where it is smaller and enough cases differ; shape (R,)."""
    enough = (d != 0.0).sum(axis=1) >= differing
    found: Floats = np.where(
        enough, bounded_mean_p(d, 0.0, side, support, 1), gaffke_p(d, 0.0, side, support)
    )
    return found


def cluster_p(
    d: Floats,
    clusters: Clusters,
    mu0: float,
    side: stats.Alternative,
    support: tuple[float, float] | None,
) -> Floats:
    """CR2 with Satterthwaite t; Gaffke over cluster means where clusters do not differ."""
    n = d.shape[1]
    mean = d.mean(axis=1)
    residual = clusters.sums(d - mean[:, None])
    se = np.sqrt(np.sum(residual**2 / (1.0 - clusters.sizes / n), axis=1)) / n
    flat = se < _NO_SPREAD
    t = (mean - mu0) / np.where(flat, 1.0, se)
    p: Floats = stdtr(clusters.df, -t if side == "greater" else t)
    if flat.any():
        p = p.copy()
        means = clusters.sums(d[flat]) / clusters.sizes
        p[flat] = 1.0 if support is None else gaffke_p(means, mu0, side, support)
    return p


def secured_cluster_p(
    d: Floats, clusters: Clusters, side: stats.Alternative, support: tuple[float, float]
) -> Floats:
    """``cluster_p`` against 0, at least the chance of an unseen loss where clusters differ; shape (R,)."""
    n, mean = d.shape[1], d.mean(axis=1)
    size, flat = _unseen_size(d, clusters)
    unseen = _unseen_p(mean, 0.0, side, support, n / size)
    found: Floats = np.maximum(cluster_p(d, clusters, 0.0, side, support), np.where(flat, 0.0, unseen))
    return found


def _unseen_size(d: Floats, clusters: Clusters) -> tuple[Floats, NDArray[np.bool_]]:
    """Rows of the unit that is added, and whether clusters do not differ; shapes (R,)."""
    n = d.shape[1]
    residual = clusters.sums(d) - clusters.sizes * d.mean(axis=1)[:, None]
    se = np.sqrt(np.sum(residual**2 / (1.0 - clusters.sizes / n), axis=1)) / n
    alone = d.std(axis=1, ddof=1) / np.sqrt(n)
    flat = (se < _NO_SPREAD) | (alone < _NO_SPREAD)
    assumed = 1.0 + (float(np.sum(clusters.sizes**2)) / n - 1.0) * LEAST_CORRELATION
    return np.maximum(max(1.0, assumed), (se / np.where(flat, 1.0, alone)) ** 2), flat


def guarded_cluster_p(
    d: Floats,
    clusters: Clusters,
    mu0: float,
    side: stats.Alternative,
    support: tuple[float, float],
    *,
    neutral: float | None = None,
) -> Floats:
    """``cluster_p``, and where clusters differ the larger of it and that with one unseen failing unit."""
    n = d.shape[1]
    sums, mean = clusters.sums(d), d.mean(axis=1)
    inside = 1.0 - clusters.sizes / n
    size, flat = _unseen_size(d, clusters)
    plain = cluster_p(d, clusters, mu0, side, support)
    upward = side == "less"
    worst = d.max(axis=1) if upward else d.min(axis=1)
    if neutral is not None:
        beyond = worst > neutral if upward else worst < neutral
        worst = np.where(beyond, worst, support[1] if upward else support[0])
    total = n + size
    moved = (n * mean + size * worst) / total
    spread = np.sum((sums - clusters.sizes * moved[:, None]) ** 2 / inside, axis=1)
    error = np.sqrt(spread + (size * (worst - moved)) ** 2) / total
    t = (moved - mu0) / np.where(flat, 1.0, error)
    guarded = stdtr(clusters.df, t if upward else -t)
    unseen = _unseen_p(mean, mu0, side, support, n / size)
    found: Floats = np.where(flat, plain, np.maximum(np.maximum(plain, guarded), unseen))
    return found


def ratio_p(base: Floats, cand: Floats, limit: float, clusters: Clusters | None) -> tuple[Floats, Floats]:
    """Evidence that the ratio of means lies under and over the limit, as ``ratio_evidence`` has it.

    From case means, shape (R, n).
    """
    spent = (limit * base + cand).mean(axis=1)[:, None]  # what is no spread does not depend on the unit
    d = (limit * base - cand) / np.where(spent > 0.0, spent, 1.0)
    if clusters is not None:
        under, over = (cluster_p(d, clusters, 0.0, side, None) for side in ("greater", "less"))
        units = clusters.sizes.size
        spending, theirs = ((clusters.sums(each) > 0.0).sum(axis=1) for each in (base, cand))
    else:
        n = units = d.shape[1]
        spending, theirs = ((each > 0.0).sum(axis=1) for each in (base, cand))
        spread = d.std(axis=1, ddof=1)
        t = d.mean(axis=1) / np.maximum(spread / np.sqrt(n), 1e-300)
        differs = spread > _NO_SPREAD
        under = np.where(differs, np.maximum(stdtr(n - 1, -t), hall_p(d, 0.0, "greater")), stdtr(n - 1, -t))
        over = np.where(differs, np.maximum(stdtr(n - 1, t), hall_p(d, 0.0, "less")), stdtr(n - 1, t))
    rare = np.where((d < 0.0).all(axis=1), np.maximum(over, 0.5**units), 1.0)
    unseen = (theirs < units) & (limit < stats.SPENDING / np.maximum(spending, 1e-9))
    return np.where(unseen, 1.0, under), np.where(spending < min(stats.SPENDING, units), rare, over)


def harm_p(d: Floats, clusters: Clusters | None, single: bool) -> Floats:
    """Evidence that the candidate is worse at all, as ``against_zero.harm_p`` has it; shape (R,)."""
    if clusters is not None:
        p = cluster_p(d, clusters, 0.0, "less", DIFFERENCES)
        unequal: Floats = np.where((d == 0.0).all(axis=1), 1.0, p)
        return unequal
    signs = midp(d, "less")
    if single:
        return signs
    n, differ = d.shape[1], (d != 0.0).sum(axis=1)
    hall, unseen = hall_p(d, 0.0, "less"), unseen_loss_p(-d.mean(axis=1), n)
    p = np.where(is_sparse(differ, n, HARM_ONE_IN), np.maximum(hall, np.minimum(unseen, signs)), hall)
    found: Floats = np.where((differ < FEW_DIFFER) | (d.std(axis=1) < 1e-12), signs, p)
    return found


def better_p(d: Floats, clusters: Clusters | None, single: bool, side: stats.Alternative) -> Floats:
    """Evidence of a gain ("less": a loss), as ``superiority_evidence`` has it; shape (R,)."""
    if clusters is None:
        if single:
            return midp(d, side)
        sparse = is_sparse((d != 0.0).sum(axis=1), d.shape[1])
        p = secured_mean_p(d, side, DIFFERENCES, FEW_DIFFER)
        return np.asarray(np.minimum(1.0, np.where(sparse, STRICTER, 1.0) * p))
    p = secured_cluster_p(d, clusters, side, DIFFERENCES)
    found: Floats = np.where((d == 0.0).all(axis=1), 1.0, p)
    return found


@dataclass(frozen=True, slots=True)
class Quantile:
    """A Harrell-Davis quantile of each row and the same without each unit, shapes (R,) and (R, units)."""

    whole: Floats
    without: Floats


def quantile(rows: Floats, q: float) -> Quantile:
    """The quantile of values in (R, units, trials), with its delete-one replicates."""
    repetitions, units, m = rows.shape
    n = units * m
    flat = rows.reshape(repetitions, n)
    order = np.argsort(flat, axis=1)
    x = np.take_along_axis(flat, order, axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(n), order.shape), axis=1)
    ranks = np.sort(rank.reshape(repetitions, units, m), axis=2)
    edge = np.ones((repetitions, units, 1), dtype=np.int64)
    edges = np.concatenate((-edge, ranks, n * edge), axis=2)
    weights = _weights(n - m, q)
    total = np.zeros((repetitions, units))
    for k in range(m + 1):
        prefix = np.zeros((repetitions, n + 1))
        stop = n - m + k
        prefix[:, k + 1 : stop + 1] = np.cumsum(weights * x[:, k:stop], axis=1)
        prefix[:, stop + 1 :] = prefix[:, stop : stop + 1]
        total += np.take_along_axis(prefix, edges[:, :, k + 1], axis=1)
        total -= np.take_along_axis(prefix, edges[:, :, k] + 1, axis=1)
    return Quantile(x @ _weights(n, q), total)


def _weights(n: int, q: float) -> Floats:
    found: Floats = np.diff(betainc((n + 1) * q, (n + 1) * (1.0 - q), np.arange(n + 1) / n))
    return found


def quantile_ratio_p(
    base: Quantile, cand: Quantile, limit: float, slack: float, factor: float
) -> tuple[Floats, Floats]:
    """Evidence under and over max(limit * base, base + slack) for a candidate slower by ``factor``."""
    units = base.without.shape[1]

    def bound(b: Floats) -> Floats:
        found: Floats = np.maximum(limit * b, b + slack) if slack > 0.0 else limit * b
        return found

    unseen = (cand.without <= 0.0).any(axis=1) | (base.without <= 0.0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.log(factor * cand.whole) - np.log(bound(base.whole))
        spread = np.log(factor * cand.without) - np.log(bound(base.without))
        se = np.sqrt((units - 1) * spread.var(axis=1))
        t = statistic / np.maximum(se, 1e-300)
    under, over = np.where(unseen, 1.0, stdtr(units - 1, t)), np.where(unseen, 1.0, stdtr(units - 1, -t))
    return under, over
