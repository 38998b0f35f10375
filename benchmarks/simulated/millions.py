"""A million cases, drawn as counts of each value: a gate of that size looks at their sums alone."""

from __future__ import annotations

import numpy as np

from relgate import stats
from relgate.decision.evidence import paired_counts_evidence
from relgate.decision.policy import ALPHA
from simulated.bounds import SIZE_AT_MOST
from simulated.cells import RIGHT
from simulated.policies import Claim
from simulated.worlds import Shape, level, loss

CASES = 1_000_000
MARGIN = 0.02
SHAPES = ("zero-inflated", "skewed", "catastrophe")
FLIPS = {"zero-inflated": 0.001, "skewed": 0.10, "catastrophe": 0.0}
"""Share of the cases that differ beside the losses."""

DIFFERENCES, SCORES = (-1.0, 1.0), (0.0, 1.0)
_BOUND = SIZE_AT_MOST["asymptotic"]


def a_million_cases(repetitions: int, seed: int) -> list[Claim]:
    """Size of the gates that arrays judge, truth exactly on the boundary."""
    rng = np.random.default_rng(seed)
    claims: list[Claim] = []
    for shape, flips in FLIPS.items():
        lost, won = MARGIN + flips / 2.0, flips / 2.0
        found = [
            _paired(rng.multinomial(CASES, (lost, won, 0.8, 0.2 - lost - won))) for _ in range(repetitions)
        ]
        claims += _claims(f"non-inferiority, one trial, {shape}", found)
    for shape in SHAPES:
        lossy, high = loss(shape, -MARGIN), level(shape, 1.0 - MARGIN)
        found = [_means(rng, lossy, -MARGIN, DIFFERENCES) for _ in range(repetitions)]
        claims += _claims(f"non-inferiority, unit scores, {shape}", found)
        found = [_means(rng, high, 1.0 - MARGIN, SCORES) for _ in range(repetitions)]
        claims += _claims(f"floor, unit scores, {shape}", found)
    return claims


def _paired(counts: np.ndarray) -> tuple[float, float]:
    lost, won, both, neither = map(int, counts)
    found = paired_counts_evidence(stats.PairedCounts(both, won, lost, neither), RIGHT, MARGIN, ALPHA)
    return found.p_pass, found.p_fail


def _means(
    rng: np.random.Generator, shape: Shape, boundary: float, support: tuple[float, float]
) -> tuple[float, float]:
    counts, values = rng.multinomial(CASES, shape.weights), shape.values
    moments = stats.Moments.from_sums(CASES, *(float(counts @ values**power) for power in (1, 2, 3)))
    assert moments is not None
    return (
        stats.secured_hall_p(moments, boundary, "greater", support),
        stats.secured_hall_p(moments, boundary, "less", support),
    )


def _claims(name: str, found: list[tuple[float, float]]) -> list[Claim]:
    passed, failed = (float(np.mean(np.array(side) <= ALPHA)) for side in zip(*found, strict=True))
    return [
        Claim(f"{name}: passed", passed, len(found), at_most=_BOUND),
        Claim(f"{name}: failed", failed, len(found), at_most=_BOUND),
    ]
