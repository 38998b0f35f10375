"""Hall's t and CR2 secured against the loss that the sample happens not to hold (`unseen_loss`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relgate.stats._checks import codes, vector
from relgate.stats.clusters import (
    ClusterMean,
    Labels,
    cluster_bounded_interval,
    cluster_bounded_p,
    cluster_mean,
)
from relgate.stats.means import Moments, Support
from relgate.stats.results import Alternative, Interval
from relgate.stats.unseen_loss import largest_loss, least_gain, undone_unseen_p
from relgate.stats.unseen_unit import unseen_size

if TYPE_CHECKING:
    import numpy.typing as npt

SIDES: tuple[Alternative, ...] = ("greater", "less")


def secured_hall_p(moments: Moments, mu0: float, alternative: Alternative, support: Support) -> float:
    """Return the larger of Hall's p-value and the chance that a loss which undoes the gain went unseen.

    Args:
        moments: Moments of the data.
        mu0: The boundary; the gain is the distance of the mean from it.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one observation: what the largest loss is.

    Raises:
        ValueError: No spread, or an argument out of range.
    """
    unseen = undone_unseen_p(moments.mean, mu0, alternative, support, moments.n)
    return max(moments.hall_p(mu0, alternative), unseen)


def secured_hall_interval(moments: Moments, alpha: float, support: Support) -> Interval:
    """Return the bounds that `secured_hall_p` inverts to.

    A bound is at least 1 - alpha^(1/n) of the largest loss away from the mean: the gain that n cases secure.

    Raises:
        ValueError: No spread, or alpha out of range.
    """
    hall = moments.hall_interval(alpha)
    least = least_gain(alpha, moments.n)
    down, up = (largest_loss(moments.mean, side, support) for side in SIDES)
    return Interval(min(hall.low, moments.mean - down * least), max(hall.high, moments.mean + up * least))


def secured_cluster_p(
    y: npt.ArrayLike,
    cluster: Labels,
    mu0: float,
    alternative: Alternative,
    support: Support,
    seed: int = 0,
) -> float:
    """Return the larger of CR2's p-value and the chance that a loss which undoes the gain went unseen.

    A loss may take a whole unit of clustered cases (`unseen_size`), so n rows are worth n / size cases.

    Args:
        y: Rows inside `support`, shape (n,), in units of the scale of the scores.
        cluster: Cluster label of each row, shape (n,).
        mu0: The boundary, inside `support`; the gain is the distance of the mean from it.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one row.
        seed: Seed of Gaffke's draws, for clusters that do not differ.

    Raises:
        ValueError: As `cluster_bounded_p`.
    """
    plain = cluster_bounded_p(y, cluster, mu0, alternative, support, seed)
    estimate = cluster_mean(y, cluster)
    if estimate.degenerate:
        return plain
    worth = _worth(y, cluster, estimate)
    return max(plain, undone_unseen_p(estimate.mean, mu0, alternative, support, worth))


def secured_cluster_interval(
    y: npt.ArrayLike, cluster: Labels, alpha: float, support: Support, seed: int = 0
) -> Interval:
    """Return the bounds that `secured_cluster_p` inverts to, cut to the support.

    Args:
        y: Rows inside `support`, shape (n,), in units of the scale of the scores.
        cluster: Cluster label of each row, shape (n,).
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one row.
        seed: Seed of Gaffke's draws, for clusters that do not differ.

    Raises:
        ValueError: As `cluster_bounded_interval`.
    """
    plain = cluster_bounded_interval(y, cluster, alpha, support, seed)
    estimate = cluster_mean(y, cluster)
    if estimate.degenerate:
        return plain
    least = least_gain(alpha, _worth(y, cluster, estimate))
    down, up = (largest_loss(estimate.mean, side, support) for side in SIDES)
    return Interval(
        max(float(support[0]), min(plain.low, estimate.mean - down * least)),
        min(float(support[1]), max(plain.high, estimate.mean + up * least)),
    )


def _worth(y: npt.ArrayLike, cluster: Labels, estimate: ClusterMean) -> float:
    """How many independent cases the rows are worth where a unit is lost at once."""
    rows = vector(y, "y")
    code, _ = codes(cluster, "cluster", rows.size)
    return rows.size / unseen_size(rows, code, estimate.se)
