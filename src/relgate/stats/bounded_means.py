"""Means of bounded scores: the better of Hall's t, secured against unseen losses, and Gaffke's bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relgate.stats._checks import FloatArray, count, direction, vector
from relgate.stats._dirichlet import DRAWS
from relgate.stats.binomial import n_min
from relgate.stats.means import GAFFKE_UP_TO, Moments, Support, gaffke_interval, gaffke_p, on_unit_scale
from relgate.stats.results import Alternative, Interval
from relgate.stats.secured import secured_hall_interval, secured_hall_p

if TYPE_CHECKING:
    import numpy.typing as npt

TRUSTED_FROM = 1.5
"""Times n_min of the margin from which Hall's t keeps its size where losses are few and full.

Where a whole margin is a handful of full losses, whether one of them was drawn more or less decides.
Enumerated exactly for losses and gains of a full point, Hall's t passes .077 at n_min and at most .071 from
1.5 n_min on; with small losses beside a few full ones .09 at n_min. What was drawn cannot tell: the lucky
samples are those without the full ones. Later would cost the power that 100 cases have at a margin of .05.
"""


def trusted_n(margin: float, alpha: float = 0.05) -> int:
    """Return the smallest n at which a gate of means passes by Hall's t: `TRUSTED_FROM` times `n_min`.

    Args:
        margin: What separates the boundary from the level that should pass, in (0, 1).
        alpha: One-sided error rate, in (0, 1).

    Raises:
        ValueError: An argument out of range.
    """
    return math.ceil(TRUSTED_FROM * n_min(margin, alpha))


def _hall_applies(d: FloatArray, margin_floor: int) -> bool:
    return d.size >= max(2, margin_floor) and Moments.of(d).sd > 0.0


def bounded_mean_p(
    d: npt.ArrayLike,
    mu0: float,
    alternative: Alternative,
    support: Support,
    margin_floor: int,
    seed: int = 0,
    draws: int = DRAWS,
) -> float:
    """Return min(Hall, Gaffke) where Hall's t may be trusted, Gaffke's p-value elsewhere.

    Above 2000 observations Hall's t stands alone where it applies (`GAFFKE_UP_TO`).

    Hall's t applies from `margin_floor` observations on (`n_min` of the margin) and with variance. Below it a
    failure mode of the size of the margin can be unseen, and only the known support protects. From there on
    it is never below the chance that a loss which undoes the distance to the boundary went unseen
    (`secured_hall_p`): cases that all lie a little inside of it show no spread, and hide rare full losses.

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1.
        mu0: The boundary, inside `support`.
        alternative: "greater" for evidence that the mean exceeds mu0, "less" for the opposite.
        support: The known ends of one observation.
        margin_floor: The n from which Hall's t applies.
        seed: Seed of Gaffke's draws.
        draws: Number of Gaffke's draws, at least 100.

    Raises:
        ValueError: As `gaffke_p`.
    """
    data = vector(d, "d")
    margin_floor = count(margin_floor, "margin_floor")
    hall_applies = _hall_applies(data, margin_floor)
    if hall_applies and data.size > GAFFKE_UP_TO:
        on_unit_scale(data, support, direction(alternative))  # refuses what leaves the support
        return secured_hall_p(Moments.of(data), mu0, alternative, support)
    p = gaffke_p(data, mu0, alternative, support, seed, draws)
    return min(p, secured_hall_p(Moments.of(data), mu0, alternative, support)) if hall_applies else p


def bounded_mean_interval(
    d: npt.ArrayLike,
    alpha: float,
    support: Support,
    margin_floor: int | tuple[int, int],
    seed: int = 0,
    draws: int = DRAWS,
) -> Interval:
    """Return the bounds that `bounded_mean_p` inverts to: the better of Hall's and Gaffke's on each side.

    Args:
        d: Independent observations inside `support`, shape (n,), n >= 1.
        alpha: One-sided error rate of each bound, in (0, 0.5).
        support: The known ends of one observation.
        margin_floor: The n from which Hall's t applies; one for the lower and one for the upper bound, or
            the same for both.
        seed: Seed of Gaffke's draws.
        draws: Number of Gaffke's draws, at least 100.

    Returns:
        Bounds inside `support`, never of zero width; they contain the sample mean.

    Raises:
        ValueError: As `gaffke_interval`.
    """
    data = vector(d, "d")
    both = margin_floor if isinstance(margin_floor, tuple) else (margin_floor, margin_floor)
    low_applies, high_applies = (_hall_applies(data, count(floor, "margin_floor")) for floor in both)
    if low_applies and high_applies and data.size > GAFFKE_UP_TO:
        on_unit_scale(data, support, "greater")
        return secured_hall_interval(Moments.of(data), alpha, support)
    gaffke = gaffke_interval(data, alpha, support, seed, draws)
    if not (low_applies or high_applies):
        return gaffke
    hall = secured_hall_interval(Moments.of(data), alpha, support)
    return Interval(
        max(gaffke.low, hall.low) if low_applies else gaffke.low,
        min(gaffke.high, hall.high) if high_applies else gaffke.high,
    )
