"""A gate's result as the scorecard shows it, and back."""

from __future__ import annotations

from relgate.domain.gate import GateResult
from relgate.domain.scorecard import GatePart, LookPart


def gate_part(result: GateResult, text: str) -> GatePart:
    """A gate's result as the scorecard shows it."""
    return GatePart(
        id=result.id,
        suite=result.suite,
        metric=result.metric,
        slice=result.slice,
        role=result.role,
        form=result.form,
        quantile=result.quantile,
        result=result.result,
        estimate=_finite(result.estimate),
        lower=_finite(result.lower),
        upper=_finite(result.upper),
        boundary=result.boundary,
        p=result.p_pass,
        p_fail=result.p_fail,
        p_harm=result.p_harm,
        regressed_within_margin=result.regressed_within_margin,
        proven_worse=result.proven_worse,
        identical=result.identical,
        alpha=result.alpha,
        reject_weight=result.reject_weight,
        guard_clear=result.guard_clear,
        n=result.n,
        units=result.units,
        method=result.method,
        message=text,
        looks=[
            LookPart(
                look=one.look,
                n=one.n,
                fraction=one.fraction,
                p=one.p_pass,
                level=one.level,
                p_fail=one.p_fail,
                fail_level=one.fail_level,
            )
            for one in result.looks
        ],
    )


def gate_result_of(part: GatePart) -> GateResult:
    """A stored gate as a result again, for the reports of a verdict that was judged before."""
    return GateResult(
        id=part.id,
        suite=part.suite,
        metric=part.metric,
        role=part.role,
        form=part.form,
        quantile=part.quantile,
        result=part.result,
        message=part.message,
        slice=part.slice,
        estimate=part.estimate,
        lower=part.lower,
        upper=part.upper,
        boundary=part.boundary,
        p_pass=part.p,
        p_fail=part.p_fail,
        p_harm=part.p_harm,
        regressed_within_margin=part.regressed_within_margin,
        proven_worse=part.proven_worse,
        identical=part.identical,
        alpha=part.alpha,
        reject_weight=part.reject_weight,
        guard_clear=part.guard_clear,
        n=part.n,
        units=part.units,
        method=part.method,
    )


def _finite(value: float | None) -> float | None:
    """JSON has no infinity: an unbounded side is null."""
    return value if value is not None and abs(value) != float("inf") else None
