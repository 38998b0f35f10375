"""Looks at data before the end: error spending and the bounds that keep the size at alpha."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import FloatArray, between, count, finite, one_sided_alpha, vector

if TYPE_CHECKING:
    import numpy.typing as npt

GAMMA = -2.0
_REACH = 9.0
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def hsd_spent(fraction: float, alpha: float = 0.05, gamma: float = GAMMA) -> float:
    """Return the error spent up to an information fraction (Hwang, Shih and DeCani 1990).

    alpha * (1 - exp(-gamma t)) / (1 - exp(-gamma)); gamma = 0 spends in proportion to t.

    Args:
        fraction: Share of the planned information, in [0, 1].
        alpha: One-sided error rate in all, in (0, 0.5).
        gamma: Negative spends late, positive early.

    Raises:
        ValueError: An argument out of range.
    """
    t = between(fraction, "fraction", 0.0, 1.0, closed=True)
    alpha, gamma = one_sided_alpha(alpha), finite(gamma, "gamma")
    return alpha * t if gamma == 0.0 else alpha * math.expm1(-gamma * t) / math.expm1(-gamma)


def group_sequential_bounds(
    looks: int | npt.ArrayLike, alpha: float = 0.05, gamma: float = GAMMA
) -> FloatArray:
    """Return the one-sided z bounds of a group-sequential test (Lan and DeMets 1983; Armitage et al. 1969).

    Args:
        looks: The number K of equally spaced looks, or the information fractions themselves, ascending in (0,
            1].
        alpha: One-sided error rate over all looks, in (0, 0.5).
        gamma: Parameter of the Hwang-Shih-DeCani spending.

    Returns:
        The bound at each look, shape (K,): the test stops when z exceeds it.

    Raises:
        ValueError: Fractions not ascending in (0, 1], no look, alpha out of range.
    """
    if np.ndim(looks) == 0:
        k = count(looks, "looks", 1)
        fractions = tuple((np.arange(1, k + 1) / k).tolist())
    else:
        given = vector(looks, "looks")
        if given[0] <= 0.0 or given[-1] > 1.0 or (np.diff(given) <= 0.0).any():
            raise ValueError("information fractions must ascend in (0, 1]")
        fractions = tuple(given.tolist())
    return np.array(_bounds(fractions, one_sided_alpha(alpha), finite(gamma, "gamma")))


@lru_cache(maxsize=256)
def _bounds(fractions: tuple[float, ...], alpha: float, gamma: float) -> tuple[float, ...]:
    bounds: list[float] = []
    spent = before = 0.0
    # the sub-density of the score process at the last look, on quadrature nodes below its bound
    nodes, mass = np.zeros(1), np.ones(1)
    for t in fractions:
        now = hsd_spent(t, alpha, gamma)
        step = math.sqrt(t - before)
        level = _crossing(nodes, mass, step, now - spent, math.sqrt(t))
        bounds.append(level / math.sqrt(t))
        grid, weights = _quadrature(-_REACH * math.sqrt(t), level, step)
        jump = (grid[:, None] - nodes[None, :]) / step
        density = np.exp(-0.5 * jump * jump) @ mass / (step * _ROOT_TWO_PI)
        nodes, mass = grid, density * weights
        spent, before = now, t
    return tuple(bounds)


def _crossing(nodes: FloatArray, mass: FloatArray, step: float, target: float, scale: float) -> float:
    """Return the level that the next value exceeds with probability `target`, by bisection."""
    if nodes.size == 1:
        return -float(special.ndtri(target)) * step
    low, high = -_REACH * scale, _REACH * scale
    while high - low > 1e-11 * scale:
        middle = 0.5 * (low + high)
        if float(mass @ special.ndtr((nodes - middle) / step)) > target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _quadrature(low: float, high: float, step: float) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights on panels of at most one and a half kernel widths."""
    panels = max(8, math.ceil((high - low) / (1.5 * step)))
    base, weights = np.polynomial.legendre.leggauss(8)
    edges = np.linspace(low, high, panels + 1)
    half = 0.5 * (edges[1] - edges[0])
    centres = 0.5 * (edges[1:] + edges[:-1])
    return (centres[:, None] + half * base[None, :]).ravel(), np.tile(half * weights, panels)
