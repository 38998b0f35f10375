"""Quantiles of latencies: Harrell-Davis estimates, their paired ratio, and a distribution-free bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relgate.late import np, special
from relgate.stats._checks import FloatArray, IntArray, between, codes, count, finite, one_sided_alpha, vector
from relgate.stats.binomial import floor_p
from relgate.stats.clusters import Labels
from relgate.stats.ratios import RESOLUTION, identical_units_p
from relgate.stats.results import Interval

if TYPE_CHECKING:
    import numpy.typing as npt

_WINDOW_SD = 12.0
_ZERO_LOG = 1e-12


def _weights(n: int, q: float) -> FloatArray:
    """Return the Harrell-Davis weights of n order statistics, shape (n,).

    For long data the incomplete beta is evaluated only within 12 standard deviations of q.
    """
    cdf = np.zeros(n + 1)
    spread = _WINDOW_SD * math.sqrt(q * (1.0 - q) / (n + 2)) + 1.0 / n
    first = max(0, math.floor((q - spread) * n)) if n > 5000 else 0
    last = min(n, math.ceil((q + spread) * n)) if n > 5000 else n
    cdf[first : last + 1] = special.betainc((n + 1) * q, (n + 1) * (1.0 - q), np.arange(first, last + 1) / n)
    cdf[last + 1 :] = 1.0
    return np.diff(cdf)


def harrell_davis(x: npt.ArrayLike, q: float) -> float:
    """Return the Harrell-Davis estimate of a quantile (Harrell and Davis 1982).

    A weighted mean of all order statistics; the weights are those of a Beta((n + 1) q, (n + 1)(1 - q)).

    Args:
        x: Values, shape (n,), n >= 1.
        q: The quantile, in (0, 1).

    Raises:
        ValueError: No or non-finite values, q out of range.
    """
    values = np.sort(vector(x, "x"))
    return float(_weights(values.size, between(q, "q", 0.0, 1.0)) @ values)


def harrell_davis_se(x: npt.ArrayLike, q: float) -> float:
    """Return the delete-one jackknife standard error of `harrell_davis` (Harrell and Davis 1982).

    Args:
        x: Values, shape (n,), n >= 2.
        q: The quantile, in (0, 1).

    Raises:
        ValueError: Fewer than two or non-finite values, q out of range.
    """
    values = vector(x, "x", 2)
    return _jackknife_se(_delete_one(values, np.arange(values.size), values.size, between(q, "q", 0.0, 1.0)))


def _jackknife_se(replicates: FloatArray) -> float:
    return math.sqrt((replicates.size - 1) * float(replicates.var()))


def _delete_one(values: FloatArray, code: IntArray, units: int, q: float) -> FloatArray:
    """Return the Harrell-Davis estimate without the rows of each unit in turn, shape (units,).

    Between the k-th and the (k+1)-th deleted rank every order statistic moves down by k, so an estimate is a
    sum of m + 1 pieces, each the difference of two prefix sums that all units with m rows share.
    """
    order = np.argsort(values, kind="stable")
    x = values[order]
    n = x.size
    by_unit = np.argsort(code[order], kind="stable")  # ranks grouped by unit, ascending inside each unit
    sizes = np.bincount(code, minlength=units)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    replicates = np.empty(units)
    for m in np.unique(sizes):
        members = np.flatnonzero(sizes == m)
        ranks = by_unit[starts[members][:, None] + np.arange(m)[None, :]]
        edges = np.column_stack((np.full(members.size, -1), ranks, np.full(members.size, n)))
        weights = _weights(n - int(m), q)
        total = np.zeros(members.size)
        for k in range(int(m) + 1):
            prefix = np.zeros(n + 1)
            stop = n - int(m) + k
            prefix[k + 1 : stop + 1] = np.cumsum(weights * x[k:stop])
            prefix[stop + 1 :] = prefix[stop]
            total += prefix[edges[:, k + 1]] - prefix[edges[:, k] + 1]
        replicates[members] = total
    return replicates


@dataclass(frozen=True, slots=True)
class QuantileRatio:
    """A quantile of two paired releases against a budget.

    Attributes:
        base: Harrell-Davis quantile of the baseline, in the unit of the data.
        cand: The same of the candidate.
        ratio_estimate: cand / base; inf over a base of 0, NaN never (0 / 0 counts as 1).
        p_less: Evidence that the candidate lies under the limit max(ratio * base, base + slack).
        p_greater: Evidence that it lies over the limit.
        n_units: Independent units in both releases.
        log_se: Jackknife standard error of log(cand / base); inf when one unit alone makes a quantile
            positive.
    """

    base: float
    cand: float
    ratio_estimate: float
    p_less: float
    p_greater: float
    n_units: int
    log_se: float

    def interval(self, alpha: float = 0.05) -> Interval:
        """Return two one-sided bounds of the plain ratio cand / base at 1 - alpha each.

        exp(log ratio -+ t * SE) with n_units - 1 degrees of freedom. Without any variance: ratio * (1 -+
        1e-9) when 2^-n_units <= alpha, else (0, inf).

        Raises:
            ValueError: alpha out of range.
        """
        alpha = one_sided_alpha(alpha)
        if math.isinf(self.log_se) or self.base == 0.0:
            return Interval(0.0, math.inf)
        if self.log_se <= _ZERO_LOG:
            if identical_units_p(1.0, self.n_units) > alpha:
                return Interval(0.0, math.inf)
            high = self.ratio_estimate * (1.0 + RESOLUTION)
            return Interval(self.ratio_estimate * (1.0 - RESOLUTION), high if high > 0.0 else RESOLUTION)
        half = min(float(special.stdtrit(self.n_units - 1, 1.0 - alpha)) * self.log_se, 700.0)
        return Interval(self.ratio_estimate * math.exp(-half), self.ratio_estimate * math.exp(half))


def _units(
    base_rows: int, cand_rows: int, unit: Labels | None, cand_unit: Labels | None
) -> tuple[IntArray, IntArray, int]:
    if unit is None:
        if cand_unit is not None:
            raise ValueError("cand_unit needs unit")
        if base_rows != cand_rows:
            raise ValueError(f"base has {base_rows} rows, cand {cand_rows}: give their units")
        rows = np.arange(base_rows, dtype=np.int64)
        return rows, rows, base_rows
    base_code, base_units = codes(unit, "unit", base_rows)
    both = [*list(unit), *list(unit if cand_unit is None else cand_unit)]
    both_code, units = codes(both, "units of base and cand", base_rows + cand_rows)
    cand_code = both_code[base_rows:]
    if units != base_units or np.unique(cand_code).size != units:
        raise ValueError("base and cand must cover the same units")
    return base_code, cand_code, units


def quantile_ratio(
    base: npt.ArrayLike,
    cand: npt.ArrayLike,
    q: float,
    ratio: float,
    slack: float = 0.0,
    unit: Labels | None = None,
    cand_unit: Labels | None = None,
) -> QuantileRatio:
    """Compare one quantile of two paired releases with a budget (Harrell and Davis 1982; Efron's jackknife).

    T = log HD_c - log max(ratio * HD_b, HD_b + slack), with the standard error of T from deleting one unit at
    a time on both sides at once, referred to t with n_units - 1 degrees of freedom. Without variance in T:
    the sign-test value 2^-n_units strictly on a side of the limit, else 1. A quantile of exactly 0 has no
    log: the estimates are then compared by the same rule.

    Args:
        base: Values of the baseline, >= 0, shape (n,).
        cand: Values of the candidate, >= 0, shape (m,).
        q: The quantile, in (0, 1).
        ratio: The budget, > 0.
        slack: Absolute slack in the unit of the data, >= 0: only a candidate over both limits is over. 0 is
            no slack: the limit is ratio * HD_b then, under a ratio below 1 too.
        unit: Independent unit (case or cluster) of each row of base, and of cand where cand_unit is None; by
            default each row is a unit.
        cand_unit: Unit of each row of cand, where the rows differ (another number of trials).

    Raises:
        ValueError: Negative or non-finite values, units that differ between the sides, fewer than two units.
    """
    b, c = vector(base, "base", 2), vector(cand, "cand", 2)
    if b.min() < 0.0 or c.min() < 0.0:
        raise ValueError("latencies must be at least 0")
    q = between(q, "q", 0.0, 1.0)
    if finite(ratio, "ratio") <= 0.0 or finite(slack, "slack") < 0.0:
        raise ValueError(f"ratio must be positive and slack at least 0, got {ratio} and {slack}")
    base_code, cand_code, units = _units(b.size, c.size, unit, cand_unit)
    if units < 2:
        raise ValueError(f"a jackknife needs at least 2 units, got {units}")
    hd_b, hd_c = harrell_davis(b, q), harrell_davis(c, q)
    limit = max(ratio * hd_b, hd_b + slack) if slack > 0.0 else ratio * hd_b
    estimate = hd_c / hd_b if hd_b > 0.0 else (1.0 if hd_c == 0.0 else math.inf)
    if hd_c == 0.0 or limit == 0.0:
        side = limit - hd_c if hd_c != limit else 1.0  # both 0: nothing takes any time, the budget is met
        p_less, p_greater = identical_units_p(side, units), identical_units_p(-side, units)
        return QuantileRatio(hd_b, hd_c, estimate, p_less, p_greater, units, math.inf if hd_b > 0.0 else 0.0)
    without_b = _delete_one(b, base_code, units, q)
    without_c = _delete_one(c, cand_code, units, q)
    limits = np.maximum(ratio * without_b, without_b + slack) if slack > 0.0 else ratio * without_b
    statistic = math.log(hd_c) - math.log(limit)
    log_se = _log_se(without_c, without_b) if hd_b > 0.0 else math.inf
    se = _log_se(without_c, limits)
    if math.isinf(se):
        return QuantileRatio(hd_b, hd_c, estimate, 1.0, 1.0, units, log_se)
    if se <= _ZERO_LOG:
        side = 0.0 if abs(statistic) <= _ZERO_LOG else -statistic
        p_less, p_greater = identical_units_p(side, units), identical_units_p(-side, units)
    else:
        p_less = float(special.stdtr(units - 1, statistic / se))
        p_greater = float(special.stdtr(units - 1, -statistic / se))
    return QuantileRatio(hd_b, hd_c, estimate, p_less, p_greater, units, log_se)


def _log_se(upper: FloatArray, lower: FloatArray) -> float:
    """Return the jackknife error of log(upper / lower); inf when a replicate has no log."""
    if upper.min() <= 0.0 or lower.min() <= 0.0:
        return math.inf
    return _jackknife_se(np.log(upper) - np.log(lower))


def order_stat_upper(n: int, p: float, alpha: float = 0.05) -> int | None:
    """Return the rank of the order statistic that bounds a quantile from above (David and Nagaraja 2003).

    The j-th smallest of n values lies above the p-quantile with probability at least 1 - alpha for
    j = binom.ppf(1 - alpha, n, p) + 1. Exact for any distribution.

    Args:
        n: Independent values, n >= 1.
        p: The quantile, in (0, 1).
        alpha: One-sided error rate, in (0, 1).

    Returns:
        The 1-based rank, or None when even the largest value is no such bound (n < 59 for p95 at .05).

    Raises:
        ValueError: An argument out of range.
    """
    n = count(n, "n", 1)
    p = between(p, "p", 0.0, 1.0)
    alpha = between(alpha, "alpha", 0.0, 1.0) * (1.0 + 1e-12)
    if floor_p(n, n, p) > alpha:
        return None
    low, high = 0, n  # P(X >= low) = 1 > alpha >= P(X >= high)
    while high - low > 1:
        middle = (low + high) // 2
        if floor_p(middle, n, p) <= alpha:
            high = middle
        else:
            low = middle
    return high
