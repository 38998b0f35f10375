"""Exact permutation within cases: which of a case's values is the new one says nothing if nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = 100
"""Scores in [0, 1] are laid on hundredths, so that their sums have an exact distribution."""


def on_grid(score: float) -> int:
    """A score in [0, 1] in whole hundredths."""
    return round(GRID * score)


def sum_distribution(parts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Probabilities of a sum with one value drawn from each part, shape (largest sum + 1,)."""
    mass = np.ones(1)
    for values in parts:
        one = np.bincount(values).astype(np.float64) / len(values)
        mass = np.convolve(mass, one)
    return mass
