"""Case means of few cases, from n_min of the margin on: where one full loss more or less decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simulated.cells import QUALITY, Cell, gate
from simulated.worlds import Floats, from_difference, sample, units_of

PLANS = ((59, 0.05), (71, 0.05), (89, 0.05), (118, 0.05), (35, 0.10), (44, 0.10), (149, 0.02), (224, 0.02))
"""Cases and margin: one, 1.2, 1.5 and 2 times n_min."""

GAINS = (0.0, 0.03, 0.12)
"""Share of the cases that gain a full point, beside losses that keep the mean on the boundary."""


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
