"""Clustered means guarded against the failing cluster that the sample happens not to hold.

CR2's t is right where gains and losses balance. Where losses are rare and come in clusters, the samples that
hold few of them have a high mean and a small error at once, so it passes too often (docs/calibration.md). The
guard is Gaffke's idea for clusters: one more unit, of the worst score and as large as the clusters make it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import FloatArray, IntArray, codes, direction, no_spread, one_sided_alpha, vector
from relgate.stats.clusters import Labels, cluster_bounded_interval, cluster_bounded_p, cluster_mean
from relgate.stats.means import Support
from relgate.stats.results import Alternative, Interval
from relgate.stats.unseen_loss import largest_loss, least_gain, undone_unseen_p

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_CORRELATION = 0.1
"""Correlation inside clusters that is assumed where the sample shows less: rare losses hide their own."""


@dataclass(frozen=True, slots=True)
class _Guarded:
    """The sample with one more unit: mean, standard error, degrees of freedom."""

    mean: float
    se: float
    df: float


def unseen_size(y: FloatArray, code: IntArray, se: float) -> float:
    """Rows of the unit that is added: the design effect, (CR2's error / the error of independent rows)^2.

    It is at least 1, and at least the design effect of a correlation of ``LEAST_CORRELATION``,
    1 + (sum n_g^2 / N - 1) * .1 (Kish 1965).

    Args:
        y: Rows, shape (n,), at least two.
        code: Cluster of each row, shape (n,).
        se: CR2 standard error of the mean of `y`.
    """
    sizes = np.bincount(code).astype(np.float64)
    assumed = 1.0 + (float(np.sum(sizes**2)) / y.size - 1.0) * LEAST_CORRELATION
    alone = float(np.std(y, ddof=1)) / sqrt(y.size)
    seen = 1.0 if no_spread(alone, y) else (se / alone) ** 2
    return max(1.0, assumed, seen)


def _with_unseen(y: FloatArray, code: IntArray, groups: int, worst: float, se: float, df: float) -> _Guarded:
    size = unseen_size(y, code, se)
    total = y.size + size
    mean = (float(y.sum()) + size * worst) / total
    sizes = np.bincount(code, minlength=groups).astype(np.float64)
    residual = np.bincount(code, weights=y - mean, minlength=groups)
    spread = float(np.sum(residual**2 / (1.0 - sizes / y.size))) + (size * (worst - mean)) ** 2
    return _Guarded(mean, sqrt(spread) / total, df)


def _worst(rows: FloatArray, support: Support, neutral: float | None, *, upward: bool) -> float:
    """The worst score seen on this side; the support's end where no row lies beyond the neutral score."""
    seen = float(rows.max() if upward else rows.min())
    if neutral is None:
        return seen
    beyond = seen > neutral if upward else seen < neutral
    return seen if beyond else float(support[1] if upward else support[0])


def guarded_cluster_p(
    y: npt.ArrayLike,
    cluster: Labels,
    mu0: float,
    alternative: Alternative,
    support: Support,
    *,
    neutral: float | None = None,
    seed: int = 0,
) -> float:
    """Return the largest of CR2's p-value, that of the sample with one unseen failing unit, and the chance
    that a loss which undoes the distance to the boundary went unseen (`unseen_loss`).

    Args:
        y: Rows inside `support`, shape (n,).
        cluster: Cluster label of each row, shape (n,).
        mu0: The boundary, inside `support`.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one row.
        neutral: The score that is neither good nor bad (0 of a difference). Where no row is worse, the
            unseen unit takes the end of the support instead of the worst score seen.
        seed: Seed of Gaffke's draws, for clusters that do not differ.

    Raises:
        ValueError: As `cluster_bounded_p`.
    """
    plain = cluster_bounded_p(y, cluster, mu0, alternative, support, seed)
    estimate = cluster_mean(y, cluster)
    if estimate.degenerate:
        return plain
    rows = vector(y, "y")
    code, groups = codes(cluster, "cluster", rows.size)
    upward = direction(alternative) == "less"
    worst = _worst(rows, support, neutral, upward=upward)
    guarded = _with_unseen(rows, code, groups, worst, estimate.se, estimate.df)
    t = (guarded.mean - mu0) / guarded.se
    worth = rows.size / unseen_size(rows, code, estimate.se)
    unseen = undone_unseen_p(estimate.mean, mu0, alternative, support, worth)
    return max(plain, unseen, float(special.stdtr(guarded.df, t if upward else -t)))


def guarded_cluster_interval(
    y: npt.ArrayLike,
    cluster: Labels,
    alpha: float,
    support: Support,
    *,
    neutral: float | None = None,
    seed: int = 0,
) -> Interval:
    """Return the bounds that `guarded_cluster_p` inverts to, cut to the support.

    Args:
        y: Rows inside `support`, shape (n,).
        cluster: Cluster label of each row, shape (n,).
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one row.
        neutral: As in `guarded_cluster_p`.
        seed: Seed of Gaffke's draws.

    Raises:
        ValueError: As `cluster_bounded_interval`.
    """
    plain = cluster_bounded_interval(y, cluster, alpha, support, seed)
    estimate = cluster_mean(y, cluster)
    if estimate.degenerate:
        return plain
    rows = vector(y, "y")
    code, groups = codes(cluster, "cluster", rows.size)
    quantile = float(special.stdtrit(estimate.df, 1.0 - one_sided_alpha(alpha)))
    secured = least_gain(alpha, rows.size / unseen_size(rows, code, estimate.se))
    ends = []
    for upward in (False, True):
        worst = _worst(rows, support, neutral, upward=upward)
        guarded = _with_unseen(rows, code, groups, worst, estimate.se, estimate.df)
        least = secured * largest_loss(estimate.mean, "less" if upward else "greater", support)
        ends.append(
            max(guarded.mean + quantile * guarded.se, estimate.mean + least)
            if upward
            else min(guarded.mean - quantile * guarded.se, estimate.mean - least)
        )
    return Interval(
        max(float(support[0]), min(plain.low, ends[0])), min(float(support[1]), max(plain.high, ends[1]))
    )
