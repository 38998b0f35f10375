"""One rate against one boundary: exact binomial tests and bounds (Clopper and Pearson 1934)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import between, count, one_sided_alpha
from relgate.stats.results import Interval

if TYPE_CHECKING:
    import numpy.typing as npt


def _successes(x: int, n: int) -> tuple[int, int]:
    n = count(n, "n", 1)
    x = count(x, "x")
    if x > n:
        raise ValueError(f"x must not exceed n, got x = {x} of n = {n}")
    return x, n


def clopper_pearson(x: int, n: int, alpha: float = 0.05) -> Interval:
    """Bound a rate from `x` successes in `n` independent units (Clopper and Pearson 1934).

    Args:
        x: Successes, 0 <= x <= n.
        n: Independent units, n >= 1.
        alpha: One-sided error rate of each bound, in (0, 0.5).

    Returns:
        The two one-sided bounds at 1 - alpha each, i.e. the two-sided 1 - 2 alpha interval, in [0, 1].

    Raises:
        ValueError: Counts or alpha out of range.
    """
    x, n = _successes(x, n)
    alpha = one_sided_alpha(alpha)
    low = float(special.betaincinv(x, n - x + 1, alpha)) if x > 0 else 0.0
    high = float(special.betaincinv(x + 1, n - x, 1.0 - alpha)) if x < n else 1.0
    return Interval(low, high)


def floor_p(x: int, n: int, p0: float) -> float:
    """Return P(X >= x | n, p0), the exact evidence that the rate lies ABOVE p0.

    Args:
        x: Successes observed.
        n: Independent units.
        p0: The floor, in [0, 1].

    Raises:
        ValueError: Counts or p0 out of range.
    """
    x, n = _successes(x, n)
    p0 = between(p0, "p0", 0.0, 1.0, closed=True)
    return 1.0 if x == 0 else float(special.betainc(x, n - x + 1, p0))


def ceiling_p(x: int, n: int, p0: float) -> float:
    """Return P(X <= x | n, p0), the exact evidence that the rate lies BELOW p0.

    Args:
        x: Events observed.
        n: Independent units.
        p0: The ceiling, in [0, 1].

    Raises:
        ValueError: Counts or p0 out of range.
    """
    x, n = _successes(x, n)
    p0 = between(p0, "p0", 0.0, 1.0, closed=True)
    return 1.0 if x == n else float(special.betainc(n - x, x + 1, 1.0 - p0))


def n_min(margin: float, alpha: float = 0.05) -> int:
    """Return the smallest n at which a flawless run proves anything: ceil(ln alpha / ln(1 - margin)).

    A failure mode of probability `margin` stays unseen in n cases with probability (1 - margin)^n; below
    this n that exceeds alpha. It is the n of the all-ties paired test and of the zero-violation bound too.

    Args:
        margin: The margin or the tolerated rate, in (0, 1).
        alpha: One-sided error rate, in (0, 1).

    Raises:
        ValueError: An argument out of range.
    """
    margin = between(margin, "margin", 0.0, 1.0)
    alpha = between(alpha, "alpha", 0.0, 1.0)
    exact = math.log(alpha) / math.log1p(-margin)
    # 1 - 0.5 and 0.25 give exactly 2; a last-digit error above it must not cost a whole case
    return max(1, math.ceil(exact * (1.0 - 1e-12)))


def zero_violation_n(p0: float, alpha: float = 0.05, tolerated: int = 0) -> int:
    """Return the smallest n at which `tolerated` violations still prove a rate of at most `p0`.

    Args:
        p0: The rate to prove, in (0, 1).
        alpha: One-sided error rate, in (0, 1).
        tolerated: Violations allowed; 0 gives `n_min` (Hanley and Lippman-Hand 1983).

    Returns:
        The smallest n with P(X <= tolerated | n, p0) <= alpha.

    Raises:
        ValueError: An argument out of range.
    """
    shortest = n_min(p0, alpha)
    tolerated = count(tolerated, "tolerated")
    if tolerated == 0:
        return shortest
    low, high = tolerated, max(shortest, tolerated + 1)
    while ceiling_p(tolerated, high, p0) > alpha:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if ceiling_p(tolerated, middle, p0) > alpha:
            low = middle
        else:
            high = middle
    return high


def fewer_drawn_p(hits: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X <= hits) for the marked ones among so many drawn at random from all (hypergeometric).

    Args:
        hits: Marked ones among the drawn.
        drawn: How many were drawn, at most `total`.
        marked: Marked ones among all.
        total: All.

    Raises:
        ValueError: Counts that do not fit each other.
    """
    if not (0 <= hits <= min(drawn, marked) and max(drawn, marked) <= total):
        raise ValueError(f"{hits} of {drawn} drawn do not fit {marked} of {total}")
    x = np.arange(max(0, drawn + marked - total), hits + 1)
    if not x.size:
        raise ValueError(f"{hits} of {drawn} drawn do not fit {marked} of {total}")

    def choose(n: npt.ArrayLike, k: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return np.asarray(
            special.gammaln(np.add(n, 1))
            - special.gammaln(np.add(k, 1))
            - special.gammaln(np.subtract(n, k) + 1)
        )

    logs = choose(marked, x) + choose(total - marked, drawn - x) - choose(total, drawn)
    return min(1.0, float(np.exp(logs).sum()))
