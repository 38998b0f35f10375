"""Judging one gate: pass, fail, hold or error, with its numbers and a sentence that says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relgate import stats
from relgate.decision.evidence import (
    Evidence,
    Unable,
    difference_evidence,
    harm_p,
    level_evidence,
    quantile_evidence,
    ratio_evidence,
    superiority_evidence,
)
from relgate.decision.measurements import SuiteData
from relgate.decision.needed import cases_needed
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.sample import Sample, draw_sample, impute
from relgate.decision.wording import describe, percent
from relgate.domain.gate import GateResult

JUDGE_FAILURES_AT_MOST = 0.02
"""Share of cases whose scorer may fail before the gate is an error (design 4.4)."""


def judge_gate(gate: Gate, data: SuiteData, *, alpha: float) -> GateResult:
    """Judge one gate on one suite's measurements.

    Args:
        gate: the gate.
        data: its suite's measurements.
        alpha: one-sided error of the promote side.

    Returns:
        The result with ``p_pass`` and ``p_fail``; whether a fail counts is decided over all gates by
        their reject weights (``weigh_fails``), so ``result`` here is never "fail" but for violations.
    """
    spec = gate.spec
    hops = (gate.hop,) if gate.hop is not None else data.hop_keys
    sample = draw_sample(
        data,
        spec.metric,
        only=gate.only,
        hops=hops,
        relative=spec.relative,
        against_hop=data.hops[0] if spec.against == "primary" and data.hops else None,
    )
    blank = GateResult(
        id=gate.id,
        suite=gate.suite,
        metric=spec.metric,
        role=spec.role,
        form=spec.form,
        result="error",
        message="",
        slice=gate.slice,
        boundary=spec.boundary,
        alpha=alpha,
        n=sample.n,
        units=sample.unit_count if sample.n else 0,
        line=spec.line,
    )
    if sample.expected == 0:
        return replace(blank, message=f"no case of the suite carries {gate.slice or 'what it selects'}")
    if sample.n == 0:
        return replace(blank, message=_nothing_measured(sample, spec.metric))
    share = sample.judge_failures / sample.expected
    if share > JUDGE_FAILURES_AT_MOST:
        return replace(
            blank,
            message=f"the scorer failed on {sample.judge_failures} of {sample.expected} cases "
            f"({percent(share)}; at most {percent(JUDGE_FAILURES_AT_MOST)} are tolerated)",
        )
    if spec.form == "violations":
        return _judge_violations(gate, sample, blank)
    return _judge_boundary(gate, sample, blank, alpha)


def _nothing_measured(sample: Sample, metric: str) -> str:
    why = f": {sample.reasons[0]}" if sample.reasons else ""
    if sample.unmeasured:
        return f"no measurement of {metric} in {sample.expected} cases{why}"
    return f"no score of {metric} in {sample.expected} cases"


def _evidence(gate: Gate, sample: Sample, alpha: float) -> Evidence | Unable:
    spec = gate.spec
    match spec.form:
        case "non_inferior":
            return difference_evidence(sample, gate.metric, spec.boundary, alpha)
        case "superior":
            return superiority_evidence(sample, gate.metric, alpha)
        case "at_least":
            return level_evidence(sample, gate.metric, spec.boundary, alpha, floor=True)
        case "at_most":
            return level_evidence(sample, gate.metric, spec.boundary, alpha, floor=False)
        case _ if spec.quantile is not None:
            return quantile_evidence(sample, spec.quantile, spec.boundary, spec.slack, alpha)
        case _:
            return ratio_evidence(sample, spec.boundary, alpha)


def _judge_boundary(gate: Gate, sample: Sample, blank: GateResult, alpha: float) -> GateResult:
    spec = gate.spec
    found = _evidence(gate, sample, alpha)
    if isinstance(found, Unable):
        more = max(0, found.needed - sample.n) if found.needed is not None else None
        return replace(
            blank,
            result="hold",
            estimate=found.estimate,
            method=found.method,
            needed=more or None,
            message=f"cannot be decided: {found.reason}" + (f", {more} more" if more else ""),
        )
    result = replace(
        blank,
        estimate=found.estimate,
        lower=found.lower,
        upper=found.upper,
        p_pass=found.p_pass,
        p_fail=found.p_fail,
        method=found.method,
    )
    passes = found.p_pass <= alpha
    missing = ""
    if sample.missing:
        passes, p_fail, missing = _with_missing(gate, sample, alpha, found)
        result = replace(result, p_fail=p_fail)
    if spec.form == "non_inferior" and spec.against == "baseline":
        p_harm, _ = harm_p(sample, gate.metric)
        worse = p_harm <= ALPHA
        result = replace(
            result, p_harm=p_harm, regressed_within_margin=worse and passes, proven_worse=worse and not passes
        )
    if not passes and not result.proven_worse and not sample.missing:
        result = replace(result, needed=cases_needed(gate, sample, found))
    result = replace(result, result="pass" if passes else "hold")
    text = describe(gate, sample, result)
    return replace(result, message="; ".join(filter(None, [text, missing, found.caution])))


def _with_missing(gate: Gate, sample: Sample, alpha: float, found: Evidence) -> tuple[bool, float, str]:
    """Whether the gate passes, its fail-side p, and the words, when cases are missing.

    An unmeasured case never passes a gate. A judge failure passes only under the worst imputation
    (candidate worst, baseline best); the fail side always takes the best one (statistics.md 13).
    """
    counts = []
    if sample.unmeasured:
        why = f" ({sample.reasons[0]})" if sample.reasons else ""
        counts.append(f"{sample.unmeasured} of {sample.expected} cases were not measured{why}")
    if sample.judge_failures:
        counts.append(f"the scorer failed on {sample.judge_failures} of {sample.expected}")
    words = " and ".join(counts)
    if not gate.metric.bounded:
        return (not sample.unmeasured and found.p_pass <= alpha), 1.0, words
    good, bad = (1.0, 0.0) if gate.metric.higher_is_better else (0.0, 1.0)
    base = sample.baseline is not None
    worst = _evidence(gate, impute(sample, for_candidate=bad, for_baseline=good if base else None), alpha)
    best = _evidence(gate, impute(sample, for_candidate=good, for_baseline=bad if base else None), alpha)
    p_fail = best.p_fail if isinstance(best, Evidence) else 1.0
    holds_up = isinstance(worst, Evidence) and worst.p_pass <= alpha
    if isinstance(worst, Evidence):
        words += f"; at worst the estimate is {worst.estimate:+.3f}"
    return holds_up and not sample.unmeasured, p_fail, words


def _judge_violations(gate: Gate, sample: Sample, blank: GateResult) -> GateResult:
    """Zero tolerance: any violation rejects by policy; the exact bound counts independent units."""
    spec = gate.spec
    hit_units = np.unique(sample.units[sample.candidate > 0.0])
    hits, units = int(hit_units.size), sample.unit_count
    bound = stats.clopper_pearson(hits, units, ALPHA)
    noun = "cluster" if sample.clustered else "case"
    shown = f"{hits} of {units} independent {noun}s violate: rate at most {percent(bound.high, 2)} (95 %)"
    result = replace(
        blank,
        estimate=hits / units,
        lower=bound.low,
        upper=bound.high,
        boundary=0.0 if spec.rate_at_most is None else spec.rate_at_most,
        method="zero tolerance, Clopper-Pearson bound",
        alpha=ALPHA,
    )
    if hits:
        return replace(result, result="fail", p_fail=0.0, message=f"{shown}; zero tolerance rejects")
    if sample.missing:
        return replace(
            result,
            result="hold",
            message=f"{shown}; but {sample.missing} of {sample.expected} cases were not judged",
        )
    if spec.rate_at_most is not None and bound.high > spec.rate_at_most:
        needed = stats.zero_violation_n(spec.rate_at_most, ALPHA) - units
        return replace(
            result,
            result="hold",
            needed=needed,
            message=f"{shown}. Budget {percent(spec.rate_at_most)}: {needed} more clean {noun}s needed",
        )
    return replace(result, result="pass", p_pass=None, message=shown)
