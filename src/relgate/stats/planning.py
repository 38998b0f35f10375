"""How many cases a gate needs: sample sizes before a run, and "how many more" after a hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from relgate.late import np, special
from relgate.stats._checks import FloatArray, between, finite, one_sided_alpha
from relgate.stats._unconditional import unconditional_p
from relgate.stats.binomial import clopper_pearson, n_min

MOST_CASES = 10_000_000


def nam_n(
    margin: float, discordance: float, delta: float = 0.0, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return the cases that a paired non-inferiority gate on pass/fail needs (Nam 1997).

    n = (z_a sqrt(V0) + z_b sqrt(V1))^2 / (delta + margin)^2, V1 = psi - delta^2 and V0 the variance at the
    constrained maximum-likelihood estimate; never below `n_min`.

    Args:
        margin: Non-inferiority margin, in (0, 1).
        discordance: Expected share of cases on which the releases differ (psi), in [|delta|, 1].
        delta: True difference to plan for, in (-margin, 1).
        alpha: One-sided error rate, in (0, 0.5).
        power: Wanted probability of a pass, in (0, 1).

    Raises:
        ValueError: An argument out of range.
    """
    margin = between(margin, "margin", 0.0, 1.0)
    psi = between(discordance, "discordance", 0.0, 1.0, closed=True)
    delta = between(delta, "delta", -margin, 1.0)
    alpha = one_sided_alpha(alpha)
    power = between(power, "power", 0.0, 1.0)
    if psi < abs(delta):
        raise ValueError(f"discordance {psi} cannot be below |delta| = {abs(delta)}")
    worse, better, d0 = 0.5 * (psi - delta), 0.5 * (psi + delta), -margin
    linear = worse * (1.0 - d0) + better * (1.0 + d0) - 2.0 * d0
    q = (linear + math.sqrt(max(0.0, linear * linear + 8.0 * worse * d0 * (1.0 - d0)))) / 4.0
    under_null = max(0.0, 2.0 * q + d0 * (1.0 - d0))
    under_truth = max(0.0, psi - delta * delta)
    z_alpha, z_power = float(special.ndtri(1.0 - alpha)), float(special.ndtri(power))
    distance = z_alpha * math.sqrt(under_null) + z_power * math.sqrt(under_truth)
    exact = (max(0.0, distance) / (delta + margin)) ** 2
    return max(n_min(margin, alpha), math.ceil(exact * (1.0 - 1e-12)))


EXACT_UP_TO = 200
"""Pairs up to which paired pass/fail results are judged by the exact test (statistics.md 0.3)."""


SAW_TOOTH = 4
"""Pairs within which the exact p-value rises above alpha again, if it does."""


@lru_cache(maxsize=1024)
def ties_n(margin: float, alpha: float = 0.05) -> int:
    """Return the number of pairs, none of which differs, from which on a paired pass/fail gate passes.

    `n_min` at alpha .05; at a smaller alpha more, for the exact test grants the nuisance rate that is worst:
    31 instead of 27 at a margin of .15 and alpha .0125. Its p-value falls in a saw-tooth: at a margin of .05
    and alpha .0125 it is below at 97 and 99 pairs, and not at 98 and 100; so the last n above counts.

    Args:
        margin: Non-inferiority margin, in (0, 1).
        alpha: One-sided error rate, in (0, 0.5).

    Raises:
        ValueError: An argument out of range.
    """
    margin, alpha = between(margin, "margin", 0.0, 1.0), one_sided_alpha(alpha)
    least = n_min(margin, alpha)
    found = least
    for n in range(least, EXACT_UP_TO + 1):
        if unconditional_p(n, 0, 0, -margin) > alpha:
            found = n + 1
        elif n - found >= SAW_TOOTH:
            break
    if found <= EXACT_UP_TO:
        return found
    z = float(special.ndtri(1.0 - alpha))
    return max(least, EXACT_UP_TO + 1, math.ceil(z * z * (1.0 - margin) / margin))


def discordance_upper(x: int, n: int, confidence: float = 0.8) -> float:
    """Return the one-sided upper Clopper-Pearson bound of a discordance rate, to plan on the safe side.

    Args:
        x: Discordant pairs seen.
        n: Pairs seen.
        confidence: Confidence of the bound, in (0.5, 1).

    Raises:
        ValueError: An argument out of range.
    """
    return clopper_pearson(x, n, 1.0 - between(confidence, "confidence", 0.5, 1.0)).high


def _t_power(n: float, effect: float, alpha: float) -> float:
    """Return the power of the one-sided paired t-test at a fractional n; effect in standard deviations."""
    df = n - 1.0
    critical = float(special.stdtrit(df, 1.0 - alpha))
    noncentral = math.sqrt(n) * effect
    below = float(special.nctdtr(df, noncentral, critical))
    if math.isnan(below):  # far tails, where the series gives up: the normal limit
        below = float(special.ndtr(critical - noncentral))
    return 1.0 - below


def paired_t_n(delta: float, sd: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the fractional n of a one-sided paired t-test (noncentral t; R's power.t.test).

    Args:
        delta: True mean difference from the boundary; its sign does not matter, 0 is refused.
        sd: Standard deviation of the differences, > 0.
        alpha: One-sided error rate, in (0, 0.5).
        power: Wanted power, in (alpha, 1).

    Returns:
        The n at which the power is met; 2 when two pairs are enough.

    Raises:
        ValueError: An argument out of range, or more than 10 million pairs needed.
    """
    alpha = one_sided_alpha(alpha)
    power = between(power, "power", alpha, 1.0)
    if finite(sd, "sd") <= 0.0 or finite(delta, "delta") == 0.0:
        raise ValueError(f"sd must be positive and delta not 0, got {sd} and {delta}")
    effect = abs(delta) / sd
    low = high = 2.0
    while _t_power(high, effect, alpha) < power:
        low, high = high, 2.0 * high
        if high > 2 * MOST_CASES:
            raise ValueError("more than 10 million pairs would be needed")
    if high == 2.0:
        return 2.0
    while high - low > 1e-9 * high:
        middle = 0.5 * (low + high)
        if _t_power(middle, effect, alpha) < power:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def mean_n(margin: float, sd: float, delta: float = 0.0, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the cases that a non-inferiority gate on a mean score needs.

    The paired t's n for the distance delta + margin; never below `n_min` of the margin where that is below 1.

    Args:
        margin: Non-inferiority margin in the unit of the score, > 0.
        sd: Standard deviation of the per-case differences, >= 0.
        delta: True mean difference to plan for, > -margin.
        alpha: One-sided error rate, in (0, 0.5).
        power: Wanted probability of a pass, in (alpha, 1).

    Raises:
        ValueError: An argument out of range.
    """
    if finite(margin, "margin") <= 0.0 or finite(delta, "delta") <= -margin or finite(sd, "sd") < 0.0:
        raise ValueError("mean_n needs margin > 0, delta > -margin and sd >= 0")
    least = n_min(margin, one_sided_alpha(alpha)) if margin < 1.0 else 2
    if sd == 0.0:
        return least
    return max(least, math.ceil(paired_t_n(delta + margin, sd, alpha, power) - 1e-9))


def _gate_power(n: FloatArray, p: float, p0: float, alpha: float) -> FloatArray:
    """Return the exact power of the floor gate "P(X >= x | p0) <= alpha" at each n, shape of `n`."""
    low, high = np.zeros_like(n), n + 1.0  # the fewest successes that pass lie in (low, high]
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        passes = special.betainc(np.maximum(middle, 1.0), n - middle + 1.0, p0) <= alpha
        open_ = high - low > 1.0
        high = np.where(open_ & passes, middle, high)
        low = np.where(open_ & ~passes, middle, low)
    reachable = high <= n
    return np.where(reachable, special.betainc(np.minimum(high, n), np.maximum(n - high, 0.0) + 1.0, p), 0.0)


def binomial_floor_n(
    p: float,
    p0: float,
    alpha: float = 0.05,
    power: float = 0.8,
    kind: Literal["floor", "ceiling"] = "floor",
) -> int | None:
    """Return the n from which an exact rate gate has the wanted power when the true rate is `p`.

    The power climbs in a saw-tooth whose teeth are about 1 / min(p0, 1 - p0) long; the result is an n from
    which on the power stays at or above the target for two whole teeth.

    Args:
        p: True rate, in [0, 1].
        p0: The floor or ceiling, in (0, 1).
        alpha: One-sided error rate, in (0, 0.5).
        power: Wanted probability of a pass, in (0, 1).
        kind: "floor" (the rate must lie above p0) or "ceiling" (below).

    Returns:
        The n, or None when p lies on the boundary or on its wrong side, or 10 million cases are not enough.

    Raises:
        ValueError: An argument out of range.
    """
    p = between(p, "p", 0.0, 1.0, closed=True)
    p0 = between(p0, "p0", 0.0, 1.0)
    alpha = one_sided_alpha(alpha)
    power = between(power, "power", 0.0, 1.0)
    if kind not in ("floor", "ceiling"):
        raise ValueError(f"kind must be floor or ceiling, got {kind!r}")
    if kind == "ceiling":
        p, p0 = 1.0 - p, 1.0 - p0
    if p <= p0:
        return None
    window = math.ceil(2.0 / min(p0, 1.0 - p0)) + 2

    def lasting(n: int) -> bool:
        return bool(_gate_power(n + np.arange(window, dtype=np.float64), p, p0, alpha).min() >= power)

    return _first(lasting)


def _first(holds: Callable[[int], bool]) -> int | None:
    """Return the smallest n >= 1 at which `holds` turns true, for a condition that then stays true."""
    low, high = 0, 1
    while not holds(high):
        low, high = high, 2 * high
        if high > MOST_CASES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
