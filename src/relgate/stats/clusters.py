"""A mean over rows that come in clusters: CR2 standard error with Satterthwaite degrees of freedom."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from relgate.late import np, special
from relgate.stats._checks import (
    FloatArray,
    IntArray,
    codes,
    direction,
    finite,
    no_spread,
    one_sided_alpha,
    vector,
)
from relgate.stats.means import Support, gaffke_interval, gaffke_p, on_unit_scale
from relgate.stats.results import Alternative, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

Labels: TypeAlias = "Sequence[Hashable] | npt.NDArray[Any]"


@dataclass(frozen=True, slots=True)
class ClusterMean:
    """A mean with its cluster-robust standard error.

    Attributes:
        mean: Mean over all rows, each of equal weight, in the unit of the data.
        se: CR2 standard error (Bell and McCaffrey 2002); 0 when every cluster has the same mean.
        df: Satterthwaite degrees of freedom (Pustejovsky and Tipton 2018), at most G - 1.
        n: Rows.
        clusters: Clusters G.
    """

    mean: float
    se: float
    df: float
    n: int
    clusters: int

    @property
    def degenerate(self) -> bool:
        """No variance between clusters: this method has no p-value and no interval then."""
        return self.se == 0.0

    def _refuse_degenerate(self) -> None:
        if self.degenerate:
            raise ValueError("no variance between clusters: use cluster_bounded_p")

    def p(self, mu0: float, alternative: Literal["greater", "less", "two-sided"]) -> float:
        """Return the t-test p-value of the mean against `mu0`.

        Args:
            mu0: The boundary, in the unit of the data.
            alternative: "greater", "less" or "two-sided".

        Raises:
            ValueError: Degenerate, or another alternative.
        """
        self._refuse_degenerate()
        direction(alternative, ("greater", "less", "two-sided"))
        t = (self.mean - finite(mu0, "mu0")) / self.se
        if alternative == "two-sided":
            return min(1.0, 2.0 * float(special.stdtr(self.df, -abs(t))))
        return float(special.stdtr(self.df, -t if alternative == "greater" else t))

    def interval(self, alpha: float = 0.05) -> Interval:
        """Return two one-sided bounds of the mean at 1 - alpha each.

        Raises:
            ValueError: Degenerate, or alpha out of range.
        """
        self._refuse_degenerate()
        half = float(special.stdtrit(self.df, 1.0 - one_sided_alpha(alpha))) * self.se
        return Interval(self.mean - half, self.mean + half)


def _satterthwaite(sizes: FloatArray) -> float:
    """Return tr(P)^2 / tr(P P) from the cluster sizes alone, without forming the G x G matrix P."""
    total = float(sizes.sum())
    a2 = 1.0 / (1.0 - sizes / total)
    trace = float(sizes.sum()) / total**2
    within = a2**2 * sizes**2 * (1.0 - sizes / total) ** 2
    product = a2 * sizes**2 / total
    squares = float(within.sum()) + float(product.sum()) ** 2 - float((product**2).sum())
    return trace**2 / (squares / total**4)


def cr2(y: FloatArray, code: IntArray, groups: int) -> tuple[float, float]:
    """Return the CR2 standard error of the mean of `y` and its degrees of freedom.

    V = sum e_g^2 / (1 - n_g / N) / N^2 with e_g = S_g - n_g * mean (Bell and McCaffrey 2002; closed form for
    a mean). The degrees of freedom depend on the sizes only.

    Args:
        y: Rows, shape (n,).
        code: Cluster of each row, 0..groups-1, shape (n,).
        groups: Number of clusters, at least 2.

    Raises:
        ValueError: Fewer than two clusters.
    """
    if groups < 2:
        raise ValueError(f"a cluster-robust error needs at least 2 clusters, got {groups}")
    sizes = np.bincount(code, minlength=groups).astype(np.float64)
    residual = np.bincount(code, weights=y - y.mean(), minlength=groups)
    variance = float(np.sum(residual**2 / (1.0 - sizes / y.size))) / y.size**2
    se = math.sqrt(variance)
    return (0.0 if no_spread(se, y) else se), _satterthwaite(sizes)


def cluster_mean(y: npt.ArrayLike, cluster: Labels) -> ClusterMean:
    """Return the mean of clustered rows with CR2 error and Satterthwaite degrees of freedom.

    With clusters of one row each it is the ordinary one-sample t.

    Args:
        y: Rows (scores or paired differences), shape (n,).
        cluster: Cluster label of each row, shape (n,), of any hashable type.

    Raises:
        ValueError: Fewer than two clusters, missing labels, lengths that differ, non-finite data.
    """
    rows = vector(y, "y", 2)
    code, groups = codes(cluster, "cluster", rows.size)
    se, df = cr2(rows, code, groups)
    return ClusterMean(float(rows.mean()), se, df, rows.size, groups)


def _means_of_clusters(y: FloatArray, cluster: Labels) -> FloatArray:
    code, groups = codes(cluster, "cluster", y.size)
    sums = np.bincount(code, weights=y, minlength=groups).astype(np.float64)
    return np.asarray(sums / np.bincount(code, minlength=groups), dtype=np.float64)


def cluster_bounded_p(
    y: npt.ArrayLike,
    cluster: Labels,
    mu0: float,
    alternative: Alternative,
    support: Support,
    seed: int = 0,
) -> float:
    """Return a p-value for the mean of bounded, clustered rows that exists without variance too.

    CR2 with Satterthwaite t; when every cluster has the same mean, Gaffke's bound over the G cluster means,
    the cluster being the independent unit.

    Args:
        y: Rows inside `support`, shape (n,).
        cluster: Cluster label of each row, shape (n,).
        mu0: The boundary, inside `support`.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one row.
        seed: Seed of Gaffke's draws.

    Raises:
        ValueError: As `cluster_mean` and `gaffke_p`.
    """
    estimate = cluster_mean(y, cluster)
    rows = vector(y, "y")
    on_unit_scale(rows, support, direction(alternative))
    if not estimate.degenerate:
        return estimate.p(mu0, alternative)
    return gaffke_p(_means_of_clusters(rows, cluster), mu0, alternative, support, seed)


def cluster_bounded_interval(
    y: npt.ArrayLike, cluster: Labels, alpha: float, support: Support, seed: int = 0
) -> Interval:
    """Return the bounds that `cluster_bounded_p` inverts to, cut to the support.

    Args:
        y: Rows inside `support`, shape (n,).
        cluster: Cluster label of each row, shape (n,).
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one row.
        seed: Seed of Gaffke's draws.

    Raises:
        ValueError: As `cluster_mean` and `gaffke_interval`.
    """
    estimate = cluster_mean(y, cluster)
    rows = vector(y, "y")
    _, low, span = on_unit_scale(rows, support, "greater")
    if estimate.degenerate:
        return gaffke_interval(_means_of_clusters(rows, cluster), alpha, support, seed)
    bounds = estimate.interval(alpha)
    return Interval(max(low, bounds.low), min(low + span, bounds.high))
