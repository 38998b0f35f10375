"""An absolute limit on a quantile, such as p95 latency: exact by order statistics (statistics.md 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil, inf

from relgate import stats
from relgate.decision.evidence import Evidence, Unable, cr2, level_evidence
from relgate.decision.policy import ALPHA
from relgate.decision.sample import Floats, Sample
from relgate.domain.metric import Metric
from relgate.late import np

EXCEEDS = Metric("share above the limit", "binary", higher_is_better=False)
"""What an absolute quantile is judged as: p95 <= X says that at most 5 % of the calls exceed X."""

ORDER_STATISTIC = "order statistic, exact, one call a case"


def least_cases(quantile: float, alpha: float) -> int:
    """Cases from which the largest value bounds the quantile: 59 for p95 at .05, 5 for p50."""
    return stats.n_min(1.0 - quantile, alpha)


def exceeding(sample: Sample, limit: float, *, reached: bool) -> Sample:
    """The same cases scored 1 where their call is above the limit, with ``reached`` also on the limit."""
    over = sample.candidate >= limit if reached else sample.candidate > limit
    return replace(sample, candidate=over.astype(np.float64), baseline=None, single=True)


def sample_quantile(values: Floats, quantile: float) -> float:
    """The smallest value with at least this share of the values at or below it; inf where calls failed."""
    rank = max(1, ceil(quantile * values.size - 1e-9))
    return float(np.sort(values)[rank - 1])


def absolute_quantile_evidence(
    sample: Sample, quantile: float, limit: float, alpha: float
) -> Evidence | Unable:
    """Evidence that a quantile lies under a limit, one call a case, a failed call as +inf.

    Pass: the order statistic X_(j), j = ``order_stat_upper``, is below the limit, the same as the exact
    binomial p of the calls that reach it. Fail: the lower order statistic is above the limit. A quantile
    exactly on the limit does neither. Both are exact for any distribution, failures included. Where cases
    are counted in clusters, the share above the limit is a mean like any other (CR2), never below the p of as
    many clusters without a call above it: else a stricter limit, which some call exceeds, would pass where an
    easier one, which none does, holds. The bounds are the values at which that test changes its mind.
    """
    share = 1.0 - quantile
    reached = exceeding(sample, limit, reached=True)
    found = level_evidence(reached, EXCEEDS, share, alpha, floor=False)
    estimate = sample_quantile(sample.candidate, quantile)
    if isinstance(found, Unable):
        return replace(found, estimate=estimate if np.isfinite(estimate) else None)
    above = level_evidence(exceeding(sample, limit, reached=False), EXCEEDS, share, alpha, floor=False)
    assert isinstance(above, Evidence)
    needed = least_cases(quantile, alpha)
    caution = found.caution
    units, noun = (sample.unit_count, f"{sample.unit_noun}s") if sample.clustered else (sample.n, "cases")
    if units < needed and above.p_fail > ALPHA:
        short = f"p{quantile * 100:g} needs {needed} {noun} to pass, {needed - units} more"
        caution = "; ".join(filter(None, [caution if sample.clustered else "", short]))
    low, high = (_cluster_bounds if sample.clustered else _order_bounds)(sample, quantile, alpha)
    by_unit = f"{cr2(sample)} on the share above the limit, one call a case"
    method = by_unit if sample.clustered else ORDER_STATISTIC
    return Evidence(
        estimate,
        min(low, estimate),
        max(high, estimate),
        _p_pass(found, sample, quantile),
        above.p_fail,
        method,
        caution,
    )


def _p_pass(found: Evidence, sample: Sample, quantile: float) -> float:
    return max(found.p_pass, quantile**sample.unit_count) if sample.clustered else found.p_pass


def _order_bounds(sample: Sample, quantile: float, alpha: float) -> tuple[float, float]:
    """The order statistics that bound the quantile; 0 and inf where none does."""
    values, n = np.sort(sample.candidate), sample.n
    upper = stats.order_stat_upper(n, quantile, alpha)
    lower = stats.order_stat_upper(n, 1.0 - quantile, alpha)
    return (
        float(values[n - lower]) if lower is not None else 0.0,
        float(values[upper - 1]) if upper is not None else inf,
    )


def _cluster_bounds(sample: Sample, quantile: float, alpha: float) -> tuple[float, float]:
    """The outermost values at which the clustered test still proves nothing, found by bisection."""
    values, share = np.unique(sample.candidate), 1.0 - quantile
    grid = [float(np.nextafter(values[0], -inf)), *map(float, values), float(np.nextafter(values[-1], inf))]

    def tested(value: float, *, reached: bool) -> Evidence:
        found = level_evidence(exceeding(sample, value, reached=reached), EXCEEDS, share, alpha, floor=False)
        assert isinstance(found, Evidence)
        return found

    below = _first(len(grid), lambda i: tested(grid[i], reached=False).p_fail > alpha)
    beyond = _first(len(grid), lambda i: _p_pass(tested(grid[i], reached=True), sample, quantile) <= alpha)
    return (
        grid[below] if 0 < below < len(grid) else 0.0,
        grid[beyond - 1] if 0 < beyond < len(grid) else inf,
    )


def _first(size: int, holds: Callable[[int], bool]) -> int:
    """The first index from which a condition holds, ``size`` where it never does."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
