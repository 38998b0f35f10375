"""The tests of a ratio of two means from sums: a million pairs are judged without being looked at again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from relgate.late import np, special
from relgate.stats._checks import FloatArray, direction, one_sided_alpha
from relgate.stats.means import Moments
from relgate.stats.ratios import RESOLUTION, identical_units_p, roots
from relgate.stats.results import Alternative, Interval

_BISECTIONS = 60

_DOUBLINGS = 60
"""An upper bound beyond the estimate times 2^60 is none."""


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
        return self._larger_p(ratio, "greater")

    def kept_p(self, ratio: float) -> float:
        """Return what `kept_p` returns for data with these moments and enough units that spend.

        Raises:
            ValueError: As `p`.
        """
        return self._larger_p(ratio, "less")

    def _larger_p(self, ratio: float, alternative: Alternative) -> float:
        """The larger of Fieller's p and Hall's on D = ratio * base - cand."""
        fieller = self.p(ratio, alternative)
        sd = math.sqrt(self.spread(ratio) * self.n)
        bbb, bbc, bcc, ccc = self.thirds
        third = ratio**3 * bbb - 3.0 * ratio**2 * bbc + 3.0 * ratio * bcc - ccc
        skewness = third / (sd * math.sqrt((self.n - 1) / self.n)) ** 3
        difference = Moments(self.n, ratio * self.base - self.cand, sd, skewness)
        return max(fieller, difference.hall_p(0.0, "less" if alternative == "greater" else "greater"))

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

    def kept_high(self, alpha: float = 0.05, least: float = 0.0) -> float:
        """Return what `kept_high` returns for data with these moments.

        Args:
            alpha: Error rate of the bound, in (0, 0.5).
            least: Limits below are not kept, whatever the moments say.

        Raises:
            ValueError: As `interval`.
        """
        found = max(self.interval(alpha).high, least)
        if not math.isfinite(found) or self._is_kept(found * (1.0 + RESOLUTION), alpha):
            return found
        low, high = found, 2.0 * found
        for _ in range(_DOUBLINGS):
            if self._is_kept(high, alpha):
                break
            low, high = high, 2.0 * high
        else:
            return math.inf
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._is_kept(middle, alpha) else (middle, high)
        return high

    def _is_exceeded(self, ratio: float, alpha: float) -> bool:
        """Whether a ratio is; where D shows no spread, by the sign test as `fieller_p` has it."""
        if self.spread(ratio) == 0.0:
            return identical_units_p(self.cand - ratio * self.base, self.n) <= alpha
        return self.exceeded_p(ratio) <= alpha

    def _is_kept(self, ratio: float, alpha: float) -> bool:
        if self.spread(ratio) == 0.0:
            return identical_units_p(ratio * self.base - self.cand, self.n) <= alpha
        return self.kept_p(ratio) <= alpha

    def interval(self, alpha: float = 0.05) -> Interval:
        """Return what `fieller_interval` returns for data with these moments.

        Raises:
            ValueError: A baseline of zero cost, no spread, or alpha out of range.
        """
        if self.base <= 0.0 or self.spread(self.cand / self.base) == 0.0:
            raise ValueError("no spread, or a baseline of zero cost: use fieller_interval")
        t2 = float(special.stdtrit(self.n - 1, 1.0 - one_sided_alpha(alpha))) ** 2
        estimate = self.cand / self.base
        low, high = roots(
            self.base * self.base - t2 * self.var_b,
            self.base * self.cand - t2 * self.cov,
            self.cand * self.cand - t2 * self.var_c,
            estimate,
        )
        return Interval(min(max(low, 0.0), estimate), max(high, estimate))
