"""A budget on the ratio of two paired means (cost, tokens): Fieller's theorem, without logs or division."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import FloatArray, codes, direction, finite, no_spread, one_sided_alpha, vector
from relgate.stats.clusters import Labels, cr2
from relgate.stats.means import Moments
from relgate.stats.results import Alternative, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

RESOLUTION = 1e-9
"""Half the relative width of an interval around a ratio that shows no variance at all."""

SPENDING = 6
"""Units of the baseline above 0 from which its mean is known well enough to say that a ratio is exceeded."""

_BISECTIONS = 60


def identical_units_p(side: float, units: int) -> float:
    """Return the p-value of a comparison without any variance: the sign test's.

    All `units` independent units show the same value of the statistic. Strictly on the wanted side (side > 0)
    that has probability 2^-units under symmetry; on the boundary or beyond it there is no evidence: p = 1.
    """
    return math.ldexp(1.0, -units) if side > 0.0 else 1.0


@dataclass(frozen=True, slots=True)
class _Paired:
    base: FloatArray
    cand: FloatArray
    code: npt.NDArray[np.int64]
    units: int

    @classmethod
    def of(cls, base: npt.ArrayLike, cand: npt.ArrayLike, cluster: Labels | None) -> _Paired:
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
    the sign-test value 2^-units when every D lies strictly on that side, else 1; where both sides cost
    nothing at all, any positive budget counts as met.

    Args:
        base: Values of the baseline, >= 0, shape (n,), n >= 2.
        cand: Values of the candidate in the same order, shape (n,).
        ratio: The budget, > 0.
        alternative: "less" or "greater".
        cluster: Cluster label of each row, shape (n,); CR2 error and Satterthwaite t then.

    Raises:
        ValueError: Unpaired, negative or non-finite values, a ratio <= 0, fewer than two units.
    """
    pairs = _Paired.of(base, cand, cluster)
    if finite(ratio, "ratio") <= 0.0:
        raise ValueError(f"ratio must be positive, got {ratio}")
    wanted = 1.0 if direction(alternative) == "less" else -1.0
    mean, se, df = pairs.difference(ratio)
    if se > 0.0:
        return float(special.stdtr(df, -wanted * mean / se))
    nothing_spent = not pairs.base.any() and not pairs.cand.any()
    scale = max(ratio * float(pairs.base.max()), float(pairs.cand.max()))
    side = 1.0 if nothing_spent else (0.0 if abs(mean) <= 1e-12 * scale else mean)
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
    pairs = _Paired.of(base, cand, cluster)
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
    low, high = _roots(b * b - t2 * var_b, b * c - t2 * cov, c * c - t2 * var_c, estimate)
    return Interval(min(max(low, 0.0), estimate), max(high, estimate))


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
        ratio: The budget, > 0.
        cluster: Cluster label of each row, shape (n,).

    Raises:
        ValueError: As `fieller_p`.
    """
    p = fieller_p(base, cand, ratio, "greater", cluster)
    pairs = _Paired.of(base, cand, cluster)
    d = ratio * pairs.base - pairs.cand
    if spending_units(base, cluster) < min(SPENDING, pairs.units):
        return max(p, identical_units_p(1.0, pairs.units)) if d.max() < 0.0 else 1.0
    if cluster is not None:
        return p
    moments = Moments.of(d)
    return p if moments.sd == 0.0 else max(p, moments.hall_p(0.0, "less"))


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
    pairs = _Paired.of(base, cand, cluster)
    if spending_units(base, cluster) < min(SPENDING, pairs.units):
        if identical_units_p(1.0, pairs.units) > alpha or pairs.cand.min() == 0.0 or not pairs.base.any():
            return 0.0
        spends = pairs.base > 0.0
        return min(found, float(np.min(pairs.cand[spends] / pairs.base[spends])))
    if cluster is not None:
        return found
    moments = PairMoments.of(pairs.base, pairs.cand)
    return moments.exceeded_low(alpha) if moments.spread(moments.cand / moments.base) else found


def spending_units(base: npt.ArrayLike, cluster: Labels | None = None) -> int:
    """Return how many independent units have a value above 0.

    Raises:
        ValueError: As `fieller_p`.
    """
    values = vector(base, "base", 2)
    if cluster is None:
        return int(np.count_nonzero(values > 0.0))
    code, _ = codes(cluster, "cluster", values.size)
    return int(np.unique(code[values > 0.0]).size)


@dataclass(frozen=True, slots=True)
class PairMoments:
    """What the tests of a ratio need of two paired columns without clusters.

    Attributes:
        n: Pairs, at least 2.
        base: Mean of the baseline, >= 0.
        cand: Mean of the candidate.
        var_b: Variance of the baseline's mean.
        var_c: Variance of the candidate's mean.
        cov: Covariance of the two means.
        thirds: Third central moments E[b^3], E[b^2 c], E[b c^2], E[c^3] of the deviations b and c.
    """

    n: int
    base: float
    cand: float
    var_b: float
    var_c: float
    cov: float
    thirds: tuple[float, float, float, float]

    @classmethod
    def of(cls, base: FloatArray, cand: FloatArray) -> PairMoments:
        """Return the moments of data, two pairs at least."""
        b, c = base - base.mean(), cand - cand.mean()
        bb, cc, last = b * b, c * c, b.size - 1
        mean = np.mean
        return cls(
            n=b.size,
            base=float(base.mean()),
            cand=float(cand.mean()),
            var_b=float(mean(bb)) / last,
            var_c=float(mean(cc)) / last,
            cov=float(mean(b * c)) / last,
            thirds=(float(mean(bb * b)), float(mean(bb * c)), float(mean(b * cc)), float(mean(cc * c))),
        )

    @classmethod
    def from_means(cls, n: int, means: Sequence[float]) -> PairMoments:
        """Return the moments from the means of b, c, b^2, c^2, bc, b^3, b^2 c, b c^2, c^3; n >= 2 pairs."""
        b, c, bb, cc, bc, bbb, bbc, bcc, ccc = means
        return cls(
            n=n,
            base=b,
            cand=c,
            var_b=max(0.0, bb - b * b) / (n - 1),
            var_c=max(0.0, cc - c * c) / (n - 1),
            cov=(bc - b * c) / (n - 1),
            thirds=(
                bbb - 3.0 * b * bb + 2.0 * b**3,
                bbc - 2.0 * b * bc - c * bb + 2.0 * b * b * c,
                bcc - 2.0 * c * bc - b * cc + 2.0 * b * c * c,
                ccc - 3.0 * c * cc + 2.0 * c**3,
            ),
        )

    def spread(self, ratio: float) -> float:
        """Return Var(mean of ratio * base - cand); 0 where rounding cannot be told from a spread."""
        terms = ratio * ratio * self.var_b + self.var_c
        found = terms - 2.0 * ratio * self.cov
        return found if found > 1e-9 * (terms + (ratio * self.base) ** 2 / self.n) else 0.0

    def p(self, ratio: float, alternative: Alternative) -> float:
        """Return what `fieller_p` returns for data with these moments.

        Raises:
            ValueError: No spread: the data must be looked at.
        """
        variance = self.spread(ratio)
        if variance == 0.0:
            raise ValueError("no spread in ratio * base - cand: use fieller_p")
        wanted = 1.0 if direction(alternative) == "less" else -1.0
        return float(
            special.stdtr(self.n - 1, -wanted * (ratio * self.base - self.cand) / math.sqrt(variance))
        )

    def exceeded_p(self, ratio: float) -> float:
        """Return what `exceeded_p` returns for data with these moments and enough units that spend.

        Raises:
            ValueError: As `p`.
        """
        fieller = self.p(ratio, "greater")
        sd = math.sqrt(self.spread(ratio) * self.n)
        bbb, bbc, bcc, ccc = self.thirds
        third = ratio**3 * bbb - 3.0 * ratio**2 * bbc + 3.0 * ratio * bcc - ccc
        skewness = third / (sd * math.sqrt((self.n - 1) / self.n)) ** 3
        difference = Moments(self.n, ratio * self.base - self.cand, sd, skewness)
        return max(fieller, difference.hall_p(0.0, "less"))

    def exceeded_low(self, alpha: float = 0.05) -> float:
        """Return what `exceeded_low` returns for data with these moments and enough units that spend.

        Raises:
            ValueError: As `interval`.
        """
        found = self.interval(alpha).low
        if found <= 0.0 or self._is_exceeded(found * (1.0 - RESOLUTION), alpha):
            return found
        low, high = 0.0, found
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self._is_exceeded(middle, alpha) else (low, middle)
        return low

    def _is_exceeded(self, ratio: float, alpha: float) -> bool:
        """Whether a ratio is; where D shows no spread, by the sign test as `fieller_p` has it."""
        if self.spread(ratio) == 0.0:
            return identical_units_p(self.cand - ratio * self.base, self.n) <= alpha
        return self.exceeded_p(ratio) <= alpha

    def interval(self, alpha: float = 0.05) -> Interval:
        """Return what `fieller_interval` returns for data with these moments.

        Raises:
            ValueError: A baseline of zero cost, no spread, or alpha out of range.
        """
        if self.base <= 0.0 or self.spread(self.cand / self.base) == 0.0:
            raise ValueError("no spread, or a baseline of zero cost: use fieller_interval")
        t2 = float(special.stdtrit(self.n - 1, 1.0 - one_sided_alpha(alpha))) ** 2
        estimate = self.cand / self.base
        low, high = _roots(
            self.base * self.base - t2 * self.var_b,
            self.base * self.cand - t2 * self.cov,
            self.cand * self.cand - t2 * self.var_c,
            estimate,
        )
        return Interval(min(max(low, 0.0), estimate), max(high, estimate))


def _roots(a: float, half_b: float, c: float, estimate: float) -> tuple[float, float]:
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
