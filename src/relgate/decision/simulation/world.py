"""The world of a simulation: how often production is right, how often it flips, and what may go wrong.

Per-case pass probabilities are Beta distributed (U-shaped): their mean is the accuracy and E[2p(1 - p)] is
psi, the share of cases whose single-trial score flips on an identical re-run. A fault makes whole cases
collapse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CellKey = tuple[str, str, str]
"""Suite, metric and hop ("" outside fallback suites)."""

_LEAST_SHARE, _MOST_SHARE = 1e-3, 0.99
"""Bounds of psi as a share of 2 * accuracy * (1 - accuracy), the most that there can be."""

LATENCY_CORRELATION = 0.6
"""Correlation of log latency between two calls for one case (statistics.md 4)."""
SLOW_SHARE, SLOW_FACTOR = 0.05, 3.0
"""Share of slow calls and how much slower they are (statistics.md 4)."""


@dataclass(frozen=True, slots=True)
class Level:
    """How one metric of one suite (and hop) stands in production.

    Attributes:
        accuracy: share of good scores, 0 to 1 (good: no over-refusal, where lower is better).
        psi: share of cases whose single-trial score flips on an identical re-run.
    """

    accuracy: float
    psi: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How a metric without bounds varies in one suite, as logarithms; both are drawn from as they are.

    Attributes:
        levels: of every case.
        within: how far single calls lie from the level of their case.
        calls: how many calls say so.
    """

    levels: tuple[float, ...]
    within: tuple[float, ...]
    calls: int


@dataclass(frozen=True, slots=True)
class Observed:
    """The single calls of every case, drawn from as they are: of a metric that is 0 at times.

    Attributes:
        cases: values of the calls of each case, at least one of each.
        calls: how many calls say so.
    """

    cases: tuple[tuple[float, ...], ...]
    calls: int


@dataclass(frozen=True, slots=True)
class World:
    """What is assumed or known of production.

    Attributes:
        accuracy: of every metric that ``levels`` does not name.
        psi: its flip rate.
        over_refusal: how benign cases of a safety suite stand; accuracy is the share that is answered.
        hop_drop: how far below ``accuracy`` the hops of a fallback suite lie, the last one repeated.
        latency_median: milliseconds.
        latency_sigma: standard deviation of log latency.
        cost_sigma: standard deviation of log cost, and of the log of tokens.
        violation_rate: production's own rate of violations per call on the cases that allow none, and of
            misses on cases that must never miss.
        critical_accuracy: pass probability of a critical case that may miss once.
        levels: what is known per suite, metric and hop.
        spreads: what is known of latency, cost and counts per suite and metric, in place of a lognormal.
    """

    accuracy: float = 0.92
    psi: float = 0.08
    over_refusal: Level = Level(0.95, 0.05)
    hop_drop: tuple[float, ...] = (0.03, 0.05, 0.10)
    latency_median: float = 1000.0
    latency_sigma: float = 0.8
    cost_sigma: float = 0.4
    violation_rate: float = 0.0
    critical_accuracy: float = 0.99
    levels: Mapping[CellKey, Level] = field(default_factory=dict)
    spreads: Mapping[tuple[str, str], Spread | Observed] = field(default_factory=dict)

    def level(self, key: CellKey, hop_number: int | None) -> Level:
        """Accuracy and psi of a cell; ``hop_number`` counts from 0, None outside fallback suites."""
        if key in self.levels:
            return self.levels[key]
        if key[1] == "over_refusal":
            return self.over_refusal
        if hop_number is None:
            return Level(self.accuracy, self.psi)
        drop = self.hop_drop[min(hop_number, len(self.hop_drop) - 1)] if self.hop_drop else 0.0
        return Level(max(0.0, self.accuracy - drop), self.psi)


def pass_probabilities(rng: np.random.Generator, level: Level, shape: tuple[int, int]) -> Floats:
    """Pass probability of every case, Beta with the level's mean and flip rate."""
    most = 2.0 * level.accuracy * (1.0 - level.accuracy)
    share = level.psi / most if most > 0.0 else 0.0
    if share <= _LEAST_SHARE:
        steady: Floats = (rng.random(shape) < level.accuracy).astype(np.float64)
        return steady
    size = min(share, _MOST_SHARE) / (1.0 - min(share, _MOST_SHARE))
    return rng.beta(level.accuracy * size, (1.0 - level.accuracy) * size, shape)


def means(rng: np.random.Generator, p: Floats, trials: int) -> Floats:
    """Share of good trials per case."""
    found: Floats = np.round(rng.binomial(trials, p) / trials, 12)
    return found


def changed(
    rng: np.random.Generator, p: Floats, level: Level, change: float, units: NDArray[np.int64]
) -> Floats:
    """Pass probabilities after whole units collapse (change < 0) or are mended (change > 0).

    Args:
        rng: draws.
        p: pass probabilities of the cases that change, shape (R, n).
        level: of production.
        change: by how much the accuracy changes.
        units: independent unit of each case, 0 to G - 1, shape (n,).
    """
    of = level.accuracy if change < 0.0 else 1.0 - level.accuracy
    share = min(1.0, abs(change) / of) if of > 0.0 else 0.0
    hit = (rng.random((p.shape[0], int(units.max()) + 1)) < share)[:, units]
    found: Floats = np.where(hit, 0.0 if change < 0.0 else 1.0, p)
    return found


def durations(
    rng: np.random.Generator, shape: tuple[int, int, int], median: float, sigma: float, *, slow: bool
) -> tuple[Floats, Floats]:
    """Latencies (or costs) of both sides, each (R, cases, trials): lognormal with a share of the case."""
    case = rng.standard_normal((*shape[:2], 1))
    sides = []
    for _ in range(2):
        noise = rng.standard_normal(shape)
        log = sigma * (np.sqrt(LATENCY_CORRELATION) * case + np.sqrt(1.0 - LATENCY_CORRELATION) * noise)
        value = median * np.exp(log)
        if slow:
            value = value * np.where(rng.random(shape) < SLOW_SHARE, SLOW_FACTOR, 1.0)
        sides.append(value)
    return sides[0], sides[1]


def drawn_durations(
    rng: np.random.Generator, shape: tuple[int, int, int], spread: Spread | Observed
) -> tuple[Floats, Floats]:
    """The same for what is known of them: a level drawn for each case, and what calls lie from theirs.

    A thousandth of noise beside it, for values that never differ have no quantile to be tested.
    """
    if isinstance(spread, Observed):
        return _observed(rng, shape, spread)
    case = rng.choice(spread.levels, (*shape[:2], 1))
    base, cand = (
        np.exp(case + rng.choice(spread.within, shape) + 1e-3 * rng.standard_normal(shape)) for _ in range(2)
    )
    return base, cand


def _observed(
    rng: np.random.Generator, shape: tuple[int, int, int], observed: Observed
) -> tuple[Floats, Floats]:
    """A case drawn for each case, and of its calls one for each trial of both sides."""
    sizes = np.array([len(calls) for calls in observed.cases])
    values, first = np.concatenate([np.array(calls) for calls in observed.cases]), np.cumsum(sizes) - sizes
    case = rng.integers(sizes.size, size=(*shape[:2], 1))
    base, cand = (
        values[first[case] + np.floor(rng.random(shape) * sizes[case]).astype(np.int64)]
        * np.exp(1e-3 * rng.standard_normal(shape))
        for _ in range(2)
    )
    return base, cand
