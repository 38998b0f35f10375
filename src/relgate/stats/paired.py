"""Paired pass/fail results of two releases on the same cases, one trial each.

Difference = pass rate of the candidate - pass rate of the baseline. `b` counts the cases that only the
baseline passes (regressions), `c` those that only the candidate passes (improvements).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from relgate.late import special
from relgate.stats._checks import between, count, direction, one_sided_alpha
from relgate.stats._unconditional import score, unconditional_p
from relgate.stats.results import Alternative, Interval


@dataclass(frozen=True, slots=True)
class PairedCounts:
    """The 2x2 table of n pairs.

    Attributes:
        both_pass: Cases that both releases pass.
        cand_only: Cases that only the candidate passes (c).
        base_only: Cases that only the baseline passes (b).
        both_fail: Cases that neither passes.

    Raises:
        ValueError: A count is negative or no integer, or there is no pair at all.
    """

    both_pass: int
    cand_only: int
    base_only: int
    both_fail: int

    def __post_init__(self) -> None:
        for name in ("both_pass", "cand_only", "base_only", "both_fail"):
            object.__setattr__(self, name, count(getattr(self, name), name))
        if self.n < 1:
            raise ValueError("a paired table needs at least one pair")

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.both_pass + self.cand_only + self.base_only + self.both_fail

    @property
    def b(self) -> int:
        """Regressions: passed by the baseline only."""
        return self.base_only

    @property
    def c(self) -> int:
        """Improvements: passed by the candidate only."""
        return self.cand_only

    @property
    def difference(self) -> float:
        """Candidate's pass rate minus the baseline's, in [-1, 1]."""
        return (self.cand_only - self.base_only) / self.n

    @property
    def discordance(self) -> float:
        """Share of pairs on which the two releases differ, in [0, 1]."""
        return (self.cand_only + self.base_only) / self.n

    def swapped(self) -> PairedCounts:
        """Return the table with the two releases exchanged."""
        return PairedCounts(self.both_pass, self.base_only, self.cand_only, self.both_fail)


def tango_z(counts: PairedCounts, delta0: float) -> float:
    """Return Tango's score statistic for H0 "difference = delta0" (Tango 1998).

    z = (c - b - n d0) / sqrt(n (2q + d0 (1 - d0))) with q the maximum-likelihood rate of regressions under
    H0. A large positive z is evidence that the difference lies above delta0. The variance is taken under H0,
    so a run of ties gives a finite, useful z; only delta0 = 0 without any discordant pair has none: z = 0
    there.

    Args:
        counts: The paired table.
        delta0: The boundary, in (-1, 1).

    Raises:
        ValueError: delta0 out of range.
    """
    delta0 = between(delta0, "delta0", -1.0, 1.0)
    return float(score(counts.n, counts.b, counts.c, delta0))


def tango_p(counts: PairedCounts, delta0: float, alternative: Alternative) -> float:
    """Return the one-sided asymptotic p-value of `tango_z`.

    Args:
        counts: The paired table.
        delta0: The boundary, in (-1, 1).
        alternative: "greater" for evidence that the difference exceeds delta0, "less" for the opposite.

    Raises:
        ValueError: delta0 out of range or another alternative.
    """
    z = tango_z(counts, delta0)
    return float(special.ndtr(-z if direction(alternative) == "greater" else z))


def _tango_low(counts: PairedCounts, z_alpha: float) -> float:
    low, high = -1.0, counts.difference
    while high - low > 1e-13:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if float(score(counts.n, counts.b, counts.c, middle)) > z_alpha:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high) if counts.difference > -1.0 else -1.0


def tango_interval(counts: PairedCounts, alpha: float = 0.05) -> Interval:
    """Invert Tango's score test into two one-sided bounds of the difference (Tango 1998).

    Args:
        counts: The paired table.
        alpha: One-sided error rate of each bound, in (0, 0.5).

    Returns:
        Bounds in [-1, 1], found by bisection to 1e-13; never of zero width.

    Raises:
        ValueError: alpha out of range.
    """
    z_alpha = -float(special.ndtri(one_sided_alpha(alpha)))
    return Interval(_tango_low(counts, z_alpha), -_tango_low(counts.swapped(), z_alpha))


def exact_unconditional_low(counts: PairedCounts, alpha: float, beside: float) -> float:
    """Return a lower bound of the difference at which `exact_unconditional_p` is alpha, to 1e-4.

    Args:
        counts: The paired table.
        alpha: One-sided error rate, in (0, 0.5).
        beside: A difference in (-1, 1). The bound lies below it where the test does not reject it, and above
            it, but not above the difference seen, where it does.

    Raises:
        ValueError: An argument out of range.
    """
    alpha = one_sided_alpha(alpha)
    beside = between(beside, "beside", -1.0, 1.0)
    if exact_unconditional_p(counts, beside, "greater") > alpha:
        rejected, kept = -1.0, beside
    else:
        rejected, kept = beside, max(beside, counts.difference)
    while kept - rejected > 1e-4:
        middle = 0.5 * (rejected + kept)
        if exact_unconditional_p(counts, middle, "greater") > alpha:
            kept = middle
        else:
            rejected = middle
    return rejected


def exact_unconditional_p(counts: PairedCounts, delta0: float, alternative: Alternative) -> float:
    """Return the exact unconditional p-value, ordered by Tango's z (Hsueh, Liu and Chen 2001).

    p = max over the nuisance q of P_q(Z >= z observed), on the boundary "difference = delta0". The size never
    exceeds alpha at any n; meant for n <= 200, where the asymptotic score test can (to .07). The maximum is
    sought on 60 values of q, denser toward the end where one discordant cell is empty, and then by four
    tenfold zooms around every local maximum within .02 of the best. "less" is "greater" with the two releases
    exchanged and the sign of delta0 turned. Results are cached.

    Args:
        counts: The paired table.
        delta0: The boundary, in (-1, 1).
        alternative: "greater" for evidence that the difference exceeds delta0, "less" for the opposite.

    Raises:
        ValueError: delta0 out of range or another alternative.
    """
    delta0 = between(delta0, "delta0", -1.0, 1.0)
    if direction(alternative) == "greater":
        return unconditional_p(counts.n, counts.b, counts.c, delta0)
    return unconditional_p(counts.n, counts.c, counts.b, -delta0)


def mcnemar_midp(counts: PairedCounts, alternative: Literal["greater", "less", "two-sided"]) -> float:
    """Return the mid-p McNemar p-value against a difference of 0 (Fagerland, Lydersen and Laake 2013).

    With no discordant pair there is no evidence in any direction: p = 1.

    Args:
        counts: The paired table.
        alternative: "less" for harm (candidate worse), "greater" for gain, or "two-sided".

    Raises:
        ValueError: Another alternative.
    """
    direction(alternative, ("greater", "less", "two-sided"))
    discordant = counts.b + counts.c
    if discordant == 0:
        return 1.0
    k = {"less": counts.c, "greater": counts.b}.get(alternative, min(counts.b, counts.c))
    point = math.comb(discordant, k) / (1 << discordant)
    below = float(special.bdtr(k, discordant, 0.5))
    if alternative == "two-sided":
        return max(0.0, min(1.0, 2.0 * below) - point)
    return min(1.0, max(0.0, below - 0.5 * point))


def _midp_share_low(k: int, m: int, alpha: float) -> float:
    """Return the share at which k or more of m has the mid-p value alpha; 0 for k = 0."""
    low, high = 0.0, 1.0
    while k > 0 and high - low > 1e-13:
        middle = 0.5 * (low + high)
        beyond = float(special.betainc(k + 1, m - k, middle)) if k < m else 0.0
        if 0.5 * (beyond + float(special.betainc(k, m - k + 1, middle))) > alpha:
            high = middle
        else:
            low = middle
    return low


def _mcnemar_low(counts: PairedCounts, alpha: float) -> float:
    tango = _tango_low(counts, -float(special.ndtri(alpha)))
    if (tango > 0.0) == (mcnemar_midp(counts, "greater") <= alpha):
        return tango
    differ = counts.b + counts.c
    return (2.0 * _midp_share_low(counts.c, differ, alpha) - 1.0) * differ / counts.n


def mcnemar_interval(counts: PairedCounts, alpha: float = 0.05) -> Interval:
    """Return two one-sided bounds of the difference that exclude 0 exactly where `mcnemar_midp` does.

    They are Tango's. Where one of them lies on the other side of 0 than the test says (few pairs differ), it
    is the mid-p bound of the share of improvements among the pairs that differ, at their observed number:
    (2 share - 1)(b + c) / n (Fagerland, Lydersen and Laake 2013, on the conditional mid-p test).

    Args:
        counts: The paired table.
        alpha: One-sided error rate of each bound, in (0, 0.5).

    Returns:
        Bounds in [-1, 1], never of zero width; they contain the observed difference.

    Raises:
        ValueError: alpha out of range.
    """
    alpha = one_sided_alpha(alpha)
    return Interval(_mcnemar_low(counts, alpha), -_mcnemar_low(counts.swapped(), alpha))
