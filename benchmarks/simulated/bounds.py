"""The bounds, stated before anything was measured: what may be missed by luck is two Monte-Carlo errors.

Two entries of "reported" are younger than the measurements of the other cells, and came with cells of their
own: harm on windfall data (2026-11-29) and rare dear calls of the candidate alone (2026-12-01). Neither is a
shape of the study, and neither has a method that keeps a level; they are shown, not held to a bound.
"""

from __future__ import annotations

from typing import Literal

Rule = Literal["exact", "asymptotic", "clusters", "quantiles", "reported"]

SIZE_AT_MOST: dict[Rule, float | None] = {
    "exact": 0.050,  # Clopper-Pearson, exact unconditional, Gaffke alone, order statistics
    "asymptotic": 0.060,  # Tango, mid-p, min(Hall, Gaffke), Fieller
    "clusters": 0.075,  # CR2 from 12 clusters on
    "quantiles": 0.075,  # Harrell-Davis with jackknife
    "reported": None,  # clusters on catastrophe data, fewer than 12 clusters, the two above
}
POWER_LESS = 0.03
"""Power may lie this far below the figure of the study."""

IDENTICAL_AT_LEAST = 0.90
"""P(promote | identical) of the default policy at psi .08 with three trials."""

ATTEMPTS_AT_MOST = 0.075
"""P(any of five attempts promotes | on the boundary): the alphas that all attempts together may spend."""

CREEP_FOUND_AT_LEAST = 0.90
"""P(the anchor alarms within 12 releases of -.01 each), .93 in the study less .03."""

CREEP_FALSE_AT_MOST = 0.01
"""P(the anchor alarms within 12 identical releases), .001 in the study."""


def error(rate: float, repetitions: int) -> float:
    """Monte-Carlo standard error of a share."""
    return float((rate * (1.0 - rate) / repetitions) ** 0.5)


def size_holds(rate: float, bound: float | None, repetitions: int, errors: float = 2.0) -> bool:
    """Whether a share lies at most so many Monte-Carlo errors above its bound."""
    return bound is None or rate <= bound + errors * error(bound, repetitions)


def power_holds(rate: float, least: float, repetitions: int, errors: float = 2.0) -> bool:
    """Whether a share lies at most so many Monte-Carlo errors below what it is held to."""
    return rate >= least - errors * error(least, repetitions)
