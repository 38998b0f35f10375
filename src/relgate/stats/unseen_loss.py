"""Gains in a mean guarded against the loss that the sample happens not to hold.

Hall's t sees the spread of the sample. Small gains on every case with rare disasters show next to none until
a disaster is among them, so it takes a true difference of 0 for a gain: in two of three samples of 20 cases
where one case in fifty loses .9. No margin gives an `n_min` there, but the gain itself does: a loss of the
whole scale that undoes a gain g has a probability of about g and stays unseen in n cases with (1 - g)^n.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from relgate.stats._checks import between, codes, direction, finite, one_sided_alpha, vector
from relgate.stats.binomial import n_min
from relgate.stats.clusters import (
    ClusterMean,
    Labels,
    cluster_bounded_interval,
    cluster_bounded_p,
    cluster_mean,
)
from relgate.stats.means import (
    GAFFKE_UP_TO,
    Moments,
    Support,
    gaffke_interval,
    gaffke_p,
    on_unit_scale,
)
from relgate.stats.results import Alternative, Interval
from relgate.stats.unseen_unit import unseen_size

if TYPE_CHECKING:
    import numpy.typing as npt


def unseen_loss_p(gain: float, n: float) -> float:
    """Return (1 - gain)^n: how likely n cases hold none of the losses that would undo the gain.

    Args:
        gain: Mean gain in units of the scale of the scores; 1 is returned for none.
        n: Independent cases, or as many as the cases of clusters are worth; above 0.

    Raises:
        ValueError: A gain that is not finite, or no case.
    """
    share = min(1.0, max(0.0, finite(gain, "gain")))
    if finite(n, "n") <= 0.0:
        raise ValueError(f"n must be above 0, got {n}")
    return float((1.0 - share) ** n)


def unseen_loss_n(gain: float, alpha: float = 0.05) -> int:
    """Return the smallest n at which (1 - gain)^n is at most alpha: `n_min` of the gain.

    Args:
        gain: Mean gain in units of the scale of the scores. No number of cases secures a gain of 0 or less:
            `sys.maxsize` is returned.
        alpha: One-sided error rate, in (0, 1).

    Raises:
        ValueError: An argument out of range.
    """
    alpha = between(alpha, "alpha", 0.0, 1.0)
    if finite(gain, "gain") >= 1.0:
        return 1
    return min(sys.maxsize, n_min(gain, alpha)) if gain > 0.0 else sys.maxsize


def secured_hall_p(moments: Moments, mu0: float, alternative: Alternative) -> float:
    """Return the larger of Hall's p-value and the chance that a loss which undoes the gain went unseen.

    Args:
        moments: Moments of the data, in units of the scale of the scores.
        mu0: The boundary; the gain is the distance of the mean from it.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.

    Raises:
        ValueError: No spread, or an argument out of range.
    """
    p = moments.hall_p(mu0, alternative)
    gain = moments.mean - mu0 if alternative == "greater" else mu0 - moments.mean
    return max(p, unseen_loss_p(gain, moments.n))


def secured_hall_interval(moments: Moments, alpha: float = 0.05) -> Interval:
    """Return the bounds that `secured_hall_p` inverts to.

    A bound is at least 1 - alpha^(1/n) away from the mean: the gain that n cases secure.

    Raises:
        ValueError: No spread, or alpha out of range.
    """
    hall = moments.hall_interval(alpha)
    least = _least_gain(alpha, moments.n)
    return Interval(min(hall.low, moments.mean - least), max(hall.high, moments.mean + least))


def _least_gain(alpha: float, n: float) -> float:
    """The gain at which `unseen_loss_p` is alpha."""
    return -math.expm1(math.log(one_sided_alpha(alpha)) / n)


def secured_mean_p(
    d: npt.ArrayLike,
    mu0: float,
    alternative: Alternative,
    support: Support,
    *,
    hall: bool = True,
    seed: int = 0,
) -> float:
    """Return the smaller of Gaffke's p-value and `secured_hall_p`.

    Gaffke's needs no such guard: it counts one observation at the worst end itself. Above 2000 observations
    `secured_hall_p` stands alone where it applies, that is where the data has a spread.

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1, in units of the scale of the scores.
        mu0: The boundary, inside `support`.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one observation: (-1, 1) for differences of scores in [0, 1].
        hall: Whether Hall's t may be used at all.
        seed: Seed of Gaffke's draws.

    Raises:
        ValueError: As `gaffke_p`.
    """
    data = vector(d, "d")
    moments = Moments.of(data)
    if not hall or moments.sd == 0.0:
        return gaffke_p(data, mu0, alternative, support, seed)
    p = secured_hall_p(moments, mu0, alternative)
    if data.size > GAFFKE_UP_TO:
        on_unit_scale(data, support, direction(alternative))  # refuses what leaves the support
        return p
    return min(p, gaffke_p(data, mu0, alternative, support, seed))


def secured_mean_interval(
    d: npt.ArrayLike, alpha: float, support: Support, *, hall: bool = True, seed: int = 0
) -> Interval:
    """Return the bounds that `secured_mean_p` inverts to: the better of the two methods on each side.

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1, in units of the scale of the scores.
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one observation.
        hall: Whether Hall's t may be used at all.
        seed: Seed of Gaffke's draws.

    Raises:
        ValueError: As `gaffke_interval`.
    """
    data = vector(d, "d")
    moments = Moments.of(data)
    if not hall or moments.sd == 0.0:
        return gaffke_interval(data, alpha, support, seed)
    secured = secured_hall_interval(moments, alpha)
    if data.size > GAFFKE_UP_TO:
        on_unit_scale(data, support, "greater")
        return secured
    gaffke = gaffke_interval(data, alpha, support, seed)
    return Interval(max(gaffke.low, secured.low), min(gaffke.high, secured.high))


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
    gain = estimate.mean - mu0 if alternative == "greater" else mu0 - estimate.mean
    return max(plain, unseen_loss_p(gain, _worth(y, cluster, estimate)))


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
    least = _least_gain(alpha, _worth(y, cluster, estimate))
    return Interval(
        max(float(support[0]), min(plain.low, estimate.mean - least)),
        min(float(support[1]), max(plain.high, estimate.mean + least)),
    )


def _worth(y: npt.ArrayLike, cluster: Labels, estimate: ClusterMean) -> float:
    """How many independent cases the rows are worth where a unit is lost at once."""
    rows = vector(y, "y")
    code, _ = codes(cluster, "cluster", rows.size)
    return rows.size / unseen_size(rows, code, estimate.se)
