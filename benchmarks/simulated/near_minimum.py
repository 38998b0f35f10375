"""Case means of few cases, from n_min of the margin on: where one full loss more or less decides.

Cases that all lie a little inside the boundary beside rare full losses show no spread until one is drawn; the
mirror of that on the fail side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simulated.cells import QUALITY, Cell, gate
from simulated.worlds import Floats, from_difference, sample, units_of

PLANS = (
    *((59, 0.05), (71, 0.05), (89, 0.05), (100, 0.05), (118, 0.05)),
    *((35, 0.10), (44, 0.10), (149, 0.02), (224, 0.02)),
)
"""Cases and margin: one, 1.2, 1.5, 1.7 and 2 times n_min."""

GAINS = (0.0, 0.03, 0.12)
"""Share of the cases that gain a full point, beside losses that keep the mean on the boundary."""


TIGHT = ((59, 0.05), (118, 0.05), (177, 0.05), (236, 0.05), (58, 0.10), (298, 0.02))
LEVELS = ((38, 0.85), (57, 0.85), (118, 0.85), (36, 0.65))
INSIDE = 0.2
"""Share of the room between the boundary and a perfect score by which cases lie inside of the boundary."""


def tight_cells() -> Iterator[Cell]:
    """Truth exactly on the boundary; nearly every case lies a little on one side of it."""
    for clusters in (0, 20):
        plans = TIGHT if not clusters else ((0, 0.05), (0, 0.10))
        for n, margin in plans:
            units = units_of(n, clusters)
            for side, typical, end in (
                ("inside, rare full losses", -margin * (1.0 - INSIDE), -1.0),
                ("outside, rare full gains", -margin * (1.0 + INSIDE), 1.0),
            ):
                yield Cell(
                    "non-inferiority near n_min",
                    f"{side}, margin {margin:g}",
                    int(units.size),
                    clusters,
                    "clusters" if clusters else "asymptotic",
                    gate(QUALITY, "non_inferior", margin),
                    lambda rng, u=units, t=typical, e=end, m=-margin, c=clusters: sample(
                        *from_difference(_tight(rng, u.size, t, e, m)), u, clustered=bool(c)
                    ),
                    weight=0.25,
                )
    for n, floor in LEVELS:
        units = units_of(n)
        for side, typical, end in (
            ("inside, rare full losses", floor + INSIDE * (1.0 - floor), 0.0),
            ("outside, rare perfect scores", floor - INSIDE * (1.0 - floor), 1.0),
        ):
            for kind, form, turned in (("floor", "at_least", False), ("ceiling", "at_most", True)):
                yield Cell(
                    f"{kind} near n_min",
                    f"{side}, {floor:g}",
                    n,
                    0,
                    "asymptotic",
                    gate(QUALITY, form, 1.0 - floor if turned else floor),  # type: ignore[arg-type]
                    lambda rng, u=units, t=typical, e=end, m=floor, o=turned: sample(
                        np.round(abs(float(o) - _tight(rng, u.size, t, e, m)), 12), None, u, clustered=False
                    ),
                    weight=0.25,
                )


def _tight(rng: np.random.Generator, n: int, typical: float, end: float, mean: float) -> Floats:
    """Scores around ``typical``, and as many at ``end`` as give the mean."""
    rare = rng.random(n) < (mean - typical) / (end - typical)
    return np.round(np.where(rare, end, typical + 0.005 * rng.integers(-1, 2, n)), 12)


def near_minimum_cells() -> Iterator[Cell]:
    """Truth exactly on the boundary; losses and gains of a full point, or of one to three thirds."""
    for n, margin in PLANS:
        worlds: dict[str, Callable[[np.random.Generator, int], Floats]] = {}
        for gains in GAINS:
            worlds[f"full points, {100 * gains:g} % gain"] = lambda rng, k, lost=margin + gains, won=gains: (
                _points(rng, k, lost, won, 1)
            )
        worlds["thirds beside few full points"] = lambda rng, k, m=margin: _mixed(rng, k, m)
        worlds["thirds, 3 % gain"] = lambda rng, k, lost=margin + 0.03: _points(rng, k, lost, 0.03, 3)
        units = units_of(n)
        for shape, draw in worlds.items():
            yield Cell(
                "non-inferiority near n_min",
                f"{shape}, margin {margin:g}",
                n,
                0,
                "asymptotic",
                gate(QUALITY, "non_inferior", margin),
                lambda rng, d=draw, u=units: sample(*from_difference(d(rng, u.size)), u, clustered=False),
                weight=0.25,
            )


def _mixed(rng: np.random.Generator, n: int, margin: float) -> Floats:
    """Half of the margin is lost in thirds by many cases, half in full points by few."""
    u = rng.random(n)
    return np.where(u < margin / 2.0, -1.0, np.where(u < margin / 2.0 + 1.5 * margin, -1.0 / 3.0, 0.0))


def _points(rng: np.random.Generator, n: int, lost: float, won: float, parts: int) -> Floats:
    """Differences of -1 and 1, or of one to ``parts`` parts of it, so that the mean is won - lost."""
    share = 2.0 / (parts + 1) * parts  # cases that move are as many more as their moves are smaller
    u = rng.random(n)
    size = rng.integers(1, parts + 1, n) / parts
    return np.where(u < lost * share, -size, np.where(u > 1.0 - won * share, size, 0.0))
