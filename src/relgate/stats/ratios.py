"""A budget on the ratio of two paired means (cost, tokens): Fieller's theorem, without logs or division."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import FloatArray, codes, direction, finite, no_spread, one_sided_alpha, vector
from relgate.stats.clusters import Labels, cr2
from relgate.stats.results import Alternative, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

RESOLUTION = 1e-9
"""Half the relative width of an interval around a ratio that shows no variance at all."""


def identical_units_p(side: float, units: int) -> float:
    """Return the p-value of a comparison without any variance: the sign test's.

    All `units` independent units show the same value of the statistic. Strictly on the wanted side (side > 0)
    that has probability 2^-units under symmetry; on the boundary or beyond it there is no evidence: p = 1.
    """
    return math.ldexp(1.0, -units) if side > 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class Paired:
    """Checked columns of both sides with the unit of each row, shapes (n,), and the number of units."""

    base: FloatArray
    cand: FloatArray
    code: npt.NDArray[np.int64]
    units: int

    @classmethod
    def of(cls, base: npt.ArrayLike, cand: npt.ArrayLike, cluster: Labels | None) -> Paired:
        """Check the columns; without labels each row is a unit.

        Raises:
            ValueError: Unpaired, negative or non-finite values, fewer than two rows.
        """
        b, c = vector(base, "base", 2), vector(cand, "cand", 2)
        if b.size != c.size:
            raise ValueError(f"base has {b.size} rows, cand {c.size}: the rows must be paired")
        if b.min() < 0.0 or c.min() < 0.0:
            raise ValueError("a ratio of means needs values of at least 0")
        if cluster is None:
            return cls(b, c, np.arange(b.size, dtype=np.int64), b.size)
        return cls(b, c, *codes(cluster, "cluster", b.size))

    def difference(self, ratio: float) -> tuple[float, float, float]:
        """Return mean, CR2 error and degrees of freedom of ratio * base - cand (error 0: no variance)."""
        d = ratio * self.base - self.cand
        se, df = cr2(d, self.code, self.units)
        # judged on the scale of the costs, not of their difference: that may cancel to rounding
        scale = np.concatenate((ratio * self.base, self.cand))
        return float(d.mean()), (0.0 if no_spread(se, scale) else se), df


def fieller_p(
    base: npt.ArrayLike,
    cand: npt.ArrayLike,
    ratio: float,
    alternative: Alternative,
    cluster: Labels | None = None,
) -> float:
    """Test mean(cand) / mean(base) against `ratio` with a t-test on D = ratio * base - cand (Fieller 1954).

    "less" is evidence that the ratio of the means lies UNDER `ratio` (the budget holds: mean D > 0),
    "greater" that it lies over. A baseline of zero cost is fine: nothing is divided. With no variance in D:
    the sign-test value 2^-units when every D lies strictly on that side, else 1.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        ratio: The budget, > 0.
        alternative: "less" or "greater".
        cluster: Cluster label of each row, shape (n,); CR2 error and Satterthwaite t then.

    Raises:
        ValueError: Unpaired, negative or non-finite values, a ratio <= 0, fewer than two units.
    """
    pairs = Paired.of(base, cand, cluster)
    if finite(ratio, "ratio") <= 0.0:
        raise ValueError(f"ratio must be positive, got {ratio}")
    wanted = 1.0 if direction(alternative) == "less" else -1.0
    mean, se, df = pairs.difference(ratio)
    if se > 0.0:
        return float(special.stdtr(df, -wanted * mean / se))
    scale = max(ratio * float(pairs.base.max()), float(pairs.cand.max()))
    side = 0.0 if abs(mean) <= 1e-12 * scale else mean
    return identical_units_p(wanted * side, pairs.units)


def fieller_interval(
    base: npt.ArrayLike, cand: npt.ArrayLike, alpha: float = 0.05, cluster: Labels | None = None
) -> Interval:
    """Invert `fieller_p` into two one-sided bounds of mean(cand) / mean(base) (Fieller 1954).

    The bounds are the roots in r of (r b - c)^2 = t^2 Var(r b - c). When the baseline's mean is not clearly
    above 0 the set is not bounded on one side: the upper bound is inf, or the lower bound 0.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        alpha: One-sided error rate of each bound, in (0, 0.5).
        cluster: Cluster label of each row, shape (n,).

    Returns:
        Bounds in [0, inf]; (0, inf) when the baseline is all zero. Without any variance the ratio is known as
        far as `fieller_p` rejects: ratio * (1 -+ 1e-9) when 2^-units <= alpha, else (0, inf).

    Raises:
        ValueError: As `fieller_p`, or alpha out of range.
    """
    alpha = one_sided_alpha(alpha)
    pairs = Paired.of(base, cand, cluster)
    b, c = float(pairs.base.mean()), float(pairs.cand.mean())
    if b == 0.0:
        return Interval(0.0, math.inf)
    estimate = c / b
    _, residual_se, df = pairs.difference(estimate)
    if residual_se == 0.0:  # cand is a fixed multiple of base: no doubt about the ratio is visible
        if identical_units_p(1.0, pairs.units) > alpha:
            return Interval(0.0, math.inf)
        low, high = estimate * (1.0 - RESOLUTION), estimate * (1.0 + RESOLUTION)
        return Interval(low, high if high > 0.0 else RESOLUTION)
    t2 = float(special.stdtrit(df, 1.0 - alpha)) ** 2
    var_b = cr2(pairs.base, pairs.code, pairs.units)[0] ** 2
    var_c = cr2(pairs.cand, pairs.code, pairs.units)[0] ** 2
    var_d = residual_se**2
    # Var(r b - c) = r^2 Vb - 2 r Vbc + Vc, so the covariance follows from the variance at r = estimate
    cov = (estimate**2 * var_b + var_c - var_d) / (2.0 * estimate) if estimate > 0.0 else 0.0
    low, high = roots(b * b - t2 * var_b, b * c - t2 * cov, c * c - t2 * var_c, estimate)
    return Interval(min(max(low, 0.0), estimate), max(high, estimate))


def roots(a: float, half_b: float, c: float, estimate: float) -> tuple[float, float]:
    """Return the ends of the part of {r: a r^2 - 2 half_b r + c <= 0} that holds `estimate`."""
    root = math.sqrt(max(half_b * half_b - a * c, 0.0))
    if a > 0.0:
        # the product form of the smaller root does not cancel
        high = (half_b + root) / a if half_b >= 0.0 else c / (half_b - root)
        low = c / (half_b + root) if half_b > 0.0 and half_b + root > 0.0 else (half_b - root) / a
        return low, high
    if a == 0.0:
        return (c / (2.0 * half_b) if half_b > 0.0 else 0.0), math.inf
    right = (half_b - root) / a
    return (right if estimate >= right else 0.0), math.inf
