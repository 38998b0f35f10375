"""Gaffke's lower bound: the mean of the data and the worst possible value under random Dirichlet weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from relgate.late import np, special
from relgate.stats._checks import FloatArray

DRAWS = 20_000
BLOCK_CELLS = 4_000_000
"""Weights drawn at a time: 32 MB of float64."""
DECIMALS = 12
"""Values that agree to this many decimals of the support are equal (means of k trials are not exact)."""


@dataclass(frozen=True, slots=True)
class TwoValues:
    """Data that, with the worst value, take at most two values: the weight of the upper one is a Beta.

    Attributes:
        upper: The upper value, on the unit scale (0 is the worst end).
        above: How many observations have it (k).
        n: How many observations there are.
    """

    upper: float
    above: int
    n: int

    def p(self, mu0: float) -> float:
        """Return P(weighted mean <= mu0), exact: Clopper and Pearson's when `upper` is 1."""
        if self.above == 0 or mu0 >= self.upper:
            return 1.0
        return float(special.betainc(self.above, self.n - self.above + 1, mu0 / self.upper))

    def low(self, alpha: float) -> float:
        """Return the alpha-quantile of the weighted mean."""
        if self.above == 0:
            return 0.0
        return self.upper * float(special.betaincinv(self.above, self.n - self.above + 1, alpha))


@dataclass(frozen=True, slots=True)
class Draws:
    """The weighted means of B seeded Dirichlet draws, sorted.

    Attributes:
        means: Weighted means on the unit scale, ascending, shape (B,).
    """

    means: FloatArray

    def p(self, mu0: float) -> float:
        """Return (k + 1) / (B + 1) with k the number of weighted means <= mu0: never 0, never too small."""
        k = int(np.searchsorted(self.means, mu0, side="right"))
        return (k + 1) / (self.means.size + 1)

    def low(self, alpha: float) -> float:
        """Return the supremum of the mu0 with p(mu0) <= alpha; 0 when B is too small for this alpha."""
        rank = math.floor(alpha * (self.means.size + 1) + 1e-9)
        return float(self.means[rank - 1]) if rank >= 1 else 0.0


@lru_cache(maxsize=128)
def _draws(values: tuple[float, ...], counts: tuple[int, ...], seed: int, draws: int) -> Draws:
    """Draw the weighted means of `values`, each present `counts` times (the worst value 0 included).

    A Dirichlet(1, ..., 1) vector summed over equal values is Dirichlet(counts): one gamma for each VALUE.
    """
    generator = np.random.default_rng(seed)
    points = np.asarray(values)
    shape = np.asarray(counts, dtype=np.float64)
    means = np.empty(draws)
    rows = max(1, BLOCK_CELLS // points.size)
    for start in range(0, draws, rows):
        stop = min(start + rows, draws)
        weights = generator.standard_gamma(shape, size=(stop - start, points.size))
        means[start:stop] = (weights @ points) / weights.sum(axis=1)
    means.sort()
    means.setflags(write=False)
    return Draws(means)


def lower_tail(unit: FloatArray, seed: int, draws: int) -> TwoValues | Draws:
    """Return the distribution of the weighted mean of data on the unit scale, 0 being the worst end.

    Args:
        unit: Observations in [0, 1], shape (n,), in any order.
        seed: Seed of the draws (unused where the exact form applies).
        draws: Number of draws B.
    """
    values, counts = np.unique(np.round(unit, DECIMALS), return_counts=True)
    at_worst = bool(values[0] == 0.0)
    if values.size - at_worst <= 1:
        above = 0 if values.size == at_worst else int(counts[-1])
        return TwoValues(float(values[-1]), above, unit.size)
    if at_worst:
        counts[0] += 1
    else:
        values, counts = np.concatenate(([0.0], values)), np.concatenate(([1], counts))
    return _draws(tuple(values.tolist()), tuple(counts.tolist()), seed, draws)
