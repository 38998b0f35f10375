"""Gains in a mean guarded against the loss that the sample happens not to hold.

Hall's t sees the spread of the sample. Small gains on every case with rare disasters show next to none until
a disaster is among them, so it takes a true difference of 0 for a gain: in two of three samples of 20 cases
where one case in fifty loses .9. No margin gives an `n_min` there, but the gain itself does: a loss of the
whole scale that undoes a gain g has a probability of about g and stays unseen in n cases with (1 - g)^n.
"""

from __future__ import annotations

import math
import sys

from relgate.stats._checks import between, finite, one_sided_alpha
from relgate.stats.binomial import n_min
from relgate.stats.means import Support
from relgate.stats.results import Alternative


def unseen_loss_p(gain: float, n: float) -> float:
    """Return (1 - gain)^n: how likely n cases hold none of the losses that would undo the gain.

    Args:
        gain: Mean gain in units of the scale of the scores; 1 is returned for none.
        n: Independent cases, or as many as the cases of clusters are worth; above 0.

    Raises:
        ValueError: A gain that is not finite, or no case.
    """
    share = min(1.0, max(0.0, finite(gain, "gain")))
    if finite(n, "n") <= 0.0:
        raise ValueError(f"n must be above 0, got {n}")
    return float((1.0 - share) ** n)


def unseen_loss_n(gain: float, alpha: float = 0.05) -> int:
    """Return the smallest n at which (1 - gain)^n is at most alpha: `n_min` of the gain.

    Args:
        gain: Mean gain in units of the scale of the scores. No number of cases secures a gain of 0 or less:
            `sys.maxsize` is returned.
        alpha: One-sided error rate, in (0, 1).

    Raises:
        ValueError: An argument out of range.
    """
    alpha = between(alpha, "alpha", 0.0, 1.0)
    if finite(gain, "gain") >= 1.0:
        return 1
    return min(sys.maxsize, n_min(gain, alpha)) if gain > 0.0 else sys.maxsize


def undone_unseen_p(mean: float, mu0: float, alternative: Alternative, support: Support, n: float) -> float:
    """Return how likely n cases hold none of the losses that would undo the distance of a mean to a boundary.

    Args:
        mean: Mean of the cases.
        mu0: The boundary.
        alternative: "greater" where the mean should lie above mu0, "less" for the opposite.
        support: The known ends of one case.
        n: Independent cases, or as many as the cases of clusters are worth; above 0.

    Raises:
        ValueError: As `unseen_loss_p`.
    """
    gain = mean - mu0 if alternative == "greater" else mu0 - mean
    return unseen_loss_p(gain / largest_loss(mean, alternative, support), n)


def largest_loss(mean: float, alternative: Alternative, support: Support) -> float:
    """How far one observation can lie from the mean on the side that undoes it; at most 1, a whole score."""
    away = mean - support[0] if alternative == "greater" else support[1] - mean
    return min(1.0, max(away, sys.float_info.min))


def least_gain(alpha: float, n: float) -> float:
    """The gain at which `unseen_loss_p` is alpha."""
    return -math.expm1(math.log(one_sided_alpha(alpha)) / n)
