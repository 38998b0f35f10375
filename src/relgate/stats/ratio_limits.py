"""A limit on the ratio of two means is kept or exceeded: Fieller's test and Hall's, for rare counts too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relgate.late import np
from relgate.stats._checks import codes, vector
from relgate.stats.clusters import Labels
from relgate.stats.means import Moments
from relgate.stats.ratio_moments import PairMoments
from relgate.stats.ratios import Paired, fieller_interval, fieller_p, identical_units_p

if TYPE_CHECKING:
    import numpy.typing as npt

SPENDING = 6
"""Units above 0 from which a mean is known well enough: the baseline's, and the candidate's on its limit."""


def exceeded_p(
    base: npt.ArrayLike, cand: npt.ArrayLike, ratio: float, cluster: Labels | None = None
) -> float:
    """Return the evidence that mean(cand) / mean(base) lies over `ratio`, for counts that are rare too.

    Where most values are 0, D = ratio * base - cand is skewed and Fieller's test alone rejects up to .13 of
    what lies on the boundary (limit 2, 20 to 200 pairs). So p is the larger of `fieller_p` and Hall's
    transformed t on D (Hall 1992). Where the baseline is 0 in some units and above 0 in fewer than `SPENDING`
    it is 1, unless every pair lies over: the sign test's 2^-units then. In clusters Fieller's with CR2 alone,
    and the units are clusters.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        ratio: The limit, > 0.
        cluster: Cluster label of each row, shape (n,).

    Raises:
        ValueError: As `fieller_p`.
    """
    p = fieller_p(base, cand, ratio, "greater", cluster)
    pairs = Paired.of(base, cand, cluster)
    d = ratio * pairs.base - pairs.cand
    if spending_units(base, cluster) < min(SPENDING, pairs.units):
        return max(p, identical_units_p(1.0, pairs.units)) if d.max() < 0.0 else 1.0
    if cluster is not None:
        return p
    moments = Moments.of(d)
    return p if moments.sd == 0.0 else max(p, moments.hall_p(0.0, "less"))


def kept_p(base: npt.ArrayLike, cand: npt.ArrayLike, ratio: float, cluster: Labels | None = None) -> float:
    """Return the evidence that mean(cand) / mean(base) lies under `ratio`, for counts that are rare too.

    The mirror of `exceeded_p`. Fieller's test alone passes up to .28 of what lies on a limit of .25 (Poisson
    of mean .02 to .3), and a candidate of which nothing was seen is within every limit. So p is the larger of
    `fieller_p` and Hall's t, and 1 where the candidate is 0 in some unit although a candidate on its limit
    would not be expected above 0 in `SPENDING` of them: ratio * spending_units(base) < SPENDING. In clusters
    Fieller's with CR2 in place of both tests, and the units are clusters.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        ratio: The limit, > 0.
        cluster: Cluster label of each row, shape (n,).

    Raises:
        ValueError: As `fieller_p`.
    """
    p = fieller_p(base, cand, ratio, "less", cluster)
    if ratio < least_limit(base, cand, cluster):
        return 1.0
    if cluster is not None:
        return p
    moments = Moments.of(ratio * vector(base, "base", 2) - vector(cand, "cand", 2))
    return p if moments.sd == 0.0 else max(p, moments.hall_p(0.0, "greater"))


def least_limit(base: npt.ArrayLike, cand: npt.ArrayLike, cluster: Labels | None = None) -> float:
    """Return the limit below which nothing is said to be kept: `SPENDING` / spending_units(base).

    0 where the candidate is above 0 in every unit, inf where the baseline never is and the candidate is not
    either in some.

    Raises:
        ValueError: As `fieller_p`.
    """
    pairs = Paired.of(base, cand, cluster)
    if spending_units(cand, cluster) == pairs.units:
        return 0.0
    spend = spending_units(base, cluster)
    return SPENDING / spend if spend else math.inf


def exceeded_low(
    base: npt.ArrayLike, cand: npt.ArrayLike, alpha: float = 0.05, cluster: Labels | None = None
) -> float:
    """Return the lower bound of the ratio that belongs to `exceeded_p`: what lies below it is exceeded.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        alpha: Error rate of the bound, in (0, 0.5).
        cluster: Cluster label of each row, shape (n,).

    Returns:
        `fieller_interval`'s bound where `exceeded_p` agrees there, else the bound that bisection finds below;
        0 where nothing is known to be exceeded, and where the baseline is 0 throughout.

    Raises:
        ValueError: As `fieller_interval`.
    """
    found = fieller_interval(base, cand, alpha, cluster).low
    pairs = Paired.of(base, cand, cluster)
    if spending_units(base, cluster) < min(SPENDING, pairs.units):
        if identical_units_p(1.0, pairs.units) > alpha or pairs.cand.min() == 0.0 or not pairs.base.any():
            return 0.0
        spends = pairs.base > 0.0
        return min(found, float(np.min(pairs.cand[spends] / pairs.base[spends])))
    if cluster is not None:
        return found
    moments = PairMoments.of(pairs.base, pairs.cand)
    return moments.exceeded_low(alpha) if moments.spread(moments.cand / moments.base) else found


def kept_high(
    base: npt.ArrayLike, cand: npt.ArrayLike, alpha: float = 0.05, cluster: Labels | None = None
) -> float:
    """Return the upper bound of the ratio that belongs to `kept_p`: what lies above it is kept.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        alpha: Error rate of the bound, in (0, 0.5).
        cluster: Cluster label of each row, shape (n,).

    Returns:
        `fieller_interval`'s bound where `kept_p` agrees there, else the bound that bisection finds above;
        never below `least_limit`, and inf where no limit is known to be kept.

    Raises:
        ValueError: As `fieller_interval`.
    """
    found, least = fieller_interval(base, cand, alpha, cluster).high, least_limit(base, cand, cluster)
    pairs = Paired.of(base, cand, cluster)
    if cluster is not None or not pairs.base.any():
        return max(found, least)
    moments = PairMoments.of(pairs.base, pairs.cand)
    return (
        moments.kept_high(alpha, least) if moments.spread(moments.cand / moments.base) else max(found, least)
    )


def spending_units(values: npt.ArrayLike, cluster: Labels | None = None) -> int:
    """Return how many independent units have a value above 0.

    Raises:
        ValueError: As `fieller_p`.
    """
    found = vector(values, "values", 2)
    if cluster is None:
        return int(np.count_nonzero(found > 0.0))
    code, _ = codes(cluster, "cluster", found.size)
    return int(np.unique(code[found > 0.0]).size)
