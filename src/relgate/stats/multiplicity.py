"""Several tests at once: Holm's step-down, plain and weighted (Holm 1979)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relgate.late import np
from relgate.stats._checks import FloatArray, between, vector

if TYPE_CHECKING:
    import numpy.typing as npt


def _p_values(p: npt.ArrayLike) -> FloatArray:
    values = vector(p, "p", 0)
    if values.size and (values.min() < 0.0 or values.max() > 1.0):
        raise ValueError("p-values must lie in [0, 1]")
    return values


def holm(p: npt.ArrayLike) -> FloatArray:
    """Return Holm-adjusted p-values, valid under any dependence (Holm 1979).

    Args:
        p: p-values, shape (m,); may be empty.

    Returns:
        Adjusted p-values in the order given, shape (m,): reject where <= alpha.

    Raises:
        ValueError: A value that is no p-value.
    """
    values = _p_values(p)
    order = np.argsort(values, kind="stable")
    factors = np.arange(values.size, 0, -1)
    stepped = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    adjusted = np.empty_like(values)
    adjusted[order] = stepped
    return adjusted


def weighted_holm(p: npt.ArrayLike, weights: npt.ArrayLike, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """Tell which hypotheses the weighted Holm procedure rejects (Holm 1979, section 4).

    In ascending order of p_i / w_i, each p_i is compared with alpha * w_i / (sum of the weights not yet
    rejected); the first that fails ends the procedure.

    Args:
        p: p-values, shape (m,); may be empty.
        weights: Positive weights, shape (m,); only their ratios count.
        alpha: Family-wise error rate, in (0, 1).

    Returns:
        True where rejected, in the order given, shape (m,).

    Raises:
        ValueError: A value that is no p-value, weights not positive or of another length, alpha out of range.
    """
    values = _p_values(p)
    shares = vector(weights, "weights", 0)
    alpha = between(alpha, "alpha", 0.0, 1.0)
    if shares.size != values.size:
        raise ValueError(f"{shares.size} weights for {values.size} p-values")
    if shares.size and shares.min() <= 0.0:
        raise ValueError("weights must be positive")
    rejected = np.zeros(values.size, dtype=np.bool_)
    order = np.argsort(values / shares, kind="stable")
    # the weights still in play before each step, summed from the back so that the last one is exact
    remaining = np.cumsum(shares[order][::-1])[::-1]
    for index, rest in zip(order, remaining, strict=True):
        if values[index] * rest > alpha * shares[index] * (1.0 + 1e-12):
            break
        rejected[index] = True
    return rejected
