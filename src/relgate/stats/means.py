"""Means of scores with known bounds: Hall's transformed t, Gaffke's bound, and the better of the two.

Observations are independent units: the mean over a case's trials, or a paired difference of such means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import (
    FloatArray,
    between,
    count,
    direction,
    finite,
    no_spread,
    one_sided_alpha,
    vector,
)
from relgate.stats._dirichlet import DRAWS, lower_tail
from relgate.stats.results import Alternative, Interval

if TYPE_CHECKING:
    import numpy.typing as npt

Support = tuple[float, float]

GAFFKE_UP_TO = 2000
"""Observations up to which Gaffke's bound is computed beside Hall's t (statistics.md 12)."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What Hall's t needs of the data.

    Attributes:
        n: Observations.
        mean: Their mean, in the unit of the data.
        sd: Standard deviation (ddof 1), 0 where nothing differs.
        skewness: Third standardised moment (ddof 0), 0 where nothing differs.
        df: Degrees of freedom of sd; None for those of n observations, n - 1.
    """

    n: int
    mean: float
    sd: float
    skewness: float
    df: float | None = None

    @classmethod
    def of(cls, d: FloatArray) -> Moments:
        """Return the moments of data."""
        mean = float(d.mean())
        centred = d - mean
        sd = math.sqrt(float(centred @ centred) / (d.size - 1)) if d.size > 1 else 0.0
        if no_spread(sd, d):
            return cls(d.size, mean, 0.0, 0.0)
        scaled = centred / sd
        second = float(np.mean(scaled**2))
        return cls(d.size, mean, sd, float(np.mean(scaled**3)) / second**1.5)

    @classmethod
    def from_sums(cls, n: int, first: float, second: float, third: float) -> Moments | None:
        """Return the moments from the sums of d, d^2 and d^3.

        None where the sums cannot tell a spread from rounding (n < 2, or a variance below 1e-9 of the mean
        square): the data must be looked at then.
        """
        if n < 2:
            return None
        mean, square, cube = first / n, second / n, third / n
        variance = square - mean * mean
        if not variance > 1e-9 * square:
            return None
        skewness = (cube - 3.0 * mean * square + 2.0 * mean**3) / variance**1.5
        return cls(n, mean, math.sqrt(variance * n / (n - 1)), skewness)

    def hall_p(self, mu0: float, alternative: Alternative) -> float:
        """Return what `hall_p` returns for data with these moments.

        Raises:
            ValueError: No spread, or an argument out of range.
        """
        self._refuse_degenerate()
        root = math.sqrt(self.n)
        t = (self.mean - finite(mu0, "mu0")) * root / self.sd
        g = self.skewness
        transformed = t + g / (6.0 * root) + g * t * t / (3.0 * root) + g * g * t**3 / (27.0 * self.n)
        sign = -1.0 if direction(alternative) == "greater" else 1.0
        return float(special.stdtr(self.df or self.n - 1, sign * transformed))

    def hall_interval(self, alpha: float = 0.05) -> Interval:
        """Return what `hall_interval` returns for data with these moments.

        Raises:
            ValueError: No spread, or alpha out of range.
        """
        self._refuse_degenerate()
        y = float(special.stdtrit(self.df or self.n - 1, 1.0 - one_sided_alpha(alpha)))
        scale = self.sd / math.sqrt(self.n)
        low = self.mean - _hall_inverse(y, self) * scale
        high = self.mean - _hall_inverse(-y, self) * scale
        return Interval(min(low, self.mean), max(high, self.mean))

    def _refuse_degenerate(self) -> None:
        if self.sd == 0.0:
            raise ValueError("Hall's t needs variance; with none use gaffke_p")


def hall_p(d: npt.ArrayLike, mu0: float, alternative: Alternative) -> float:
    """Return the p-value of Hall's transformed t for a mean (Hall 1992).

    T = (mean - mu0) sqrt(n) / s; G = T + g/(6 sqrt n) + g T^2/(3 sqrt n) + g^2 T^3/(27 n), g the skewness
    (ddof 0); G is referred to t with n - 1 degrees of freedom. The cubic makes G monotone in mu0.

    Args:
        d: Independent observations, shape (n,), n >= 2.
        mu0: The boundary, in the unit of d.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.

    Raises:
        ValueError: Fewer than two values, none that differ, or non-finite input.
    """
    return Moments.of(vector(d, "d", 2)).hall_p(mu0, alternative)


def _hall_inverse(y: float, moments: Moments) -> float:
    """Return the T whose transform is `y`; close to symmetric data the correction is left to first order."""
    root = math.sqrt(moments.n)
    g = moments.skewness
    if abs(g) < 1e-6:
        return y - g / (6.0 * root) - g * y * y / (3.0 * root)
    shifted = 1.0 + (g / root) * (y - g / (6.0 * root))
    return 3.0 * root / g * (float(np.cbrt(shifted)) - 1.0)


def hall_interval(d: npt.ArrayLike, alpha: float = 0.05) -> Interval:
    """Invert `hall_p` into two one-sided bounds of the mean (Hall 1992).

    Args:
        d: Independent observations, shape (n,), n >= 2.
        alpha: One-sided error rate of each bound, in (0, 0.5).

    Returns:
        Bounds in the unit of d; they contain the sample mean.

    Raises:
        ValueError: Fewer than two values, none that differ, or alpha out of range.
    """
    return Moments.of(vector(d, "d", 2)).hall_interval(alpha)


def on_unit_scale(d: npt.ArrayLike, support: Support, alternative: str) -> tuple[FloatArray, float, float]:
    """Map d to [0, 1] with 0 at the worst end for `alternative`; return it with the low end and the span."""
    low, high = finite(support[0], "support[0]"), finite(support[1], "support[1]")
    span = high - low
    if not 0.0 < span < math.inf:
        raise ValueError(f"support must be two finite ends in order, got {support}")
    unit = (vector(d, "d") - low) / span
    if unit.min() < -1e-9 or unit.max() > 1.0 + 1e-9:
        raise ValueError(f"d leaves its support [{low:g}, {high:g}]")
    unit = np.clip(unit, 0.0, 1.0)
    return (unit if alternative == "greater" else 1.0 - unit), low, span


def gaffke_p(
    d: npt.ArrayLike,
    mu0: float,
    alternative: Alternative,
    support: Support,
    seed: int = 0,
    draws: int = DRAWS,
) -> float:
    """Return Gaffke's p-value for the mean of bounded observations (Gaffke 2005; Phan et al. 2021).

    One pseudo-observation at the worst end joins the data; p = P(mean under Dirichlet(1, ..., 1) weights lies
    on the wrong side of mu0). For data at the two ends it is the Clopper-Pearson p-value, computed exactly;
    other data use `draws` seeded draws and report (k + 1) / (B + 1), so p is monotone in mu0 and never 0.

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1.
        mu0: The boundary, inside `support`.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one observation: (-1, 1) for differences of scores in [0, 1].
        seed: Seed of the draws.
        draws: Number of draws B, at least 100.

    Raises:
        ValueError: Data or boundary outside the support, an unusable support, too few draws.
    """
    unit, low, span = on_unit_scale(d, support, direction(alternative))
    at = (between(mu0, "mu0", low, low + span, closed=True) - low) / span
    tail = lower_tail(unit, seed, count(draws, "draws", 100))
    return tail.p(at if alternative == "greater" else 1.0 - at)


def gaffke_interval(
    d: npt.ArrayLike, alpha: float, support: Support, seed: int = 0, draws: int = DRAWS
) -> Interval:
    """Invert `gaffke_p` into two one-sided bounds of the mean (Gaffke 2005).

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1.
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one observation.
        seed: Seed of the draws.
        draws: Number of draws B, at least 100.

    Returns:
        Bounds inside `support`, never of zero width; they contain the sample mean.

    Raises:
        ValueError: As `gaffke_p`, or alpha out of range.
    """
    alpha = one_sided_alpha(alpha)
    draws = count(draws, "draws", 100)
    unit, low, span = on_unit_scale(d, support, "greater")
    mirrored, _, _ = on_unit_scale(d, support, "less")
    mean = float(vector(d, "d").mean())
    bottom = low + span * lower_tail(unit, seed, draws).low(alpha)
    top = low + span * (1.0 - lower_tail(mirrored, seed, draws).low(alpha))
    return Interval(min(bottom, mean), max(top, mean))
