"""Judging one gate: pass, fail, hold or error, with its numbers and a sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

from relgate import stats
from relgate.decision.absolute_quantile import absolute_quantile_evidence, sample_quantile
from relgate.decision.against_zero import harm_p, superiority_evidence
from relgate.decision.evidence import Evidence, Unable, difference_evidence, level_evidence
from relgate.decision.measurements import SuiteData, cases_in_scope
from relgate.decision.planning.more_trials import trials_needed
from relgate.decision.planning.needed import cases_needed
from relgate.decision.policy import ALPHA, JUDGE_FAILURES_AT_MOST, Gate
from relgate.decision.ratio_evidence import is_same_ratio, quantile_evidence, ratio_evidence
from relgate.decision.sample import Sample, impute
from relgate.decision.sample_drawing import draw_sample, violating_cases, violating_units
from relgate.decision.unanswered import as_slowest, counts_failures, marked
from relgate.decision.wording import (
    amount,
    count,
    describe,
    harm_apart,
    independent,
    percent,
    plain_rate,
    some,
    was,
)
from relgate.domain.gate import GateResult
from relgate.late import np
from relgate.redaction import cut

LONGEST_REASON = 200


def judge_gate(gate: Gate, data: SuiteData, *, alpha: float, next_alpha: float | None = None) -> GateResult:
    """Judge one gate on one suite's measurements.

    Args:
        gate: the gate.
        data: its suite's measurements.
        alpha: one-sided error of the promote side.
        next_alpha: that of the run that would judge further cases, a further attempt; None where it is the
            same.

    Returns:
        The result with ``p_pass``, ``p_fail`` and the facts as its message. Whether it fails is decided over
        all gates by their reject weights (``weigh_fails``), which also says what follows from the facts; so
        ``result`` here is never "fail" but for violations.
    """
    spec = gate.spec
    planned = alpha if next_alpha is None else next_alpha
    hops = (gate.hop,) if gate.hop is not None else data.hop_keys
    sample = sample_of(gate, data)
    blank = GateResult(
        id=gate.id,
        suite=gate.suite,
        metric=spec.metric,
        role=spec.role,
        form=spec.form,
        result="error",
        message="",
        slice=gate.slice,
        only=", ".join(f"{tag}={value}" for tag, value in sorted(spec.only.items())),
        quantile=spec.quantile,
        boundary=spec.boundary,
        alpha=alpha,
        n=sample.n,
        units=sample.unit_count if sample.n else 0,
        unit_noun=sample.unit_noun,
        line=spec.line,
        missing=sample.missing,
        missing_ids=sample.missing_ids,
    )
    if spec.form == "violations":
        hit = violating_units(data, spec.metric, only=gate.only, hops=hops)
        if hit:
            cases = violating_cases(data, spec.metric, only=gate.only, hops=hops)
            return _violated(gate, sample, blank, len(hit), alpha, cases)
    if sample.expected == 0:
        chosen = gate.slice or "what it selects"
        lacking = f"no case of the suite carries {chosen}"
        if cases_in_scope(data.suite, gate.only or {}):
            lacking = f"{spec.metric} says nothing of any case that carries {chosen}"
        if data.unpaired:
            lacking = "no case that it judges has a stored score of the baseline"
        return replace(blank, message=lacking)
    if sample.n == 0:
        return replace(blank, message=_nothing_measured(sample, spec.metric))
    share = sample.judge_failures / sample.expected
    if share > JUDGE_FAILURES_AT_MOST:
        return replace(
            blank,
            message=f"the scorer failed on {sample.judge_failures} of {sample.expected} cases "
            f"({percent(share)}; at most {percent(JUDGE_FAILURES_AT_MOST)} are tolerated)"
            + _why_failed(sample),
        )
    if spec.form == "violations":
        return _judge_clean(gate, sample, blank, alpha, planned)
    return _judge_boundary(gate, data, sample, blank, alpha, planned)


def sample_of(gate: Gate, data: SuiteData) -> Sample:
    """The sample that a gate judges."""
    spec = gate.spec
    if counts_failures(gate, data):
        sample = _drawn(gate, as_slowest(data, spec.metric))
        failed = _drawn(gate, marked(data, spec.metric)).candidate > 0.0
        return replace(sample, failed_units=sample.units[failed])
    return _drawn(gate, data.by_first_call(spec.metric) if spec.limits_a_quantile else data)


def _drawn(gate: Gate, data: SuiteData) -> Sample:
    spec = gate.spec
    return draw_sample(
        data,
        spec.metric,
        only=gate.only,
        hops=(gate.hop,) if gate.hop is not None else data.hop_keys,
        relative=spec.relative,
        against_hop=data.hops[0] if spec.against == "primary" and data.hops else None,
    )


def _nothing_measured(sample: Sample, metric: str) -> str:
    why = f": {sample.reasons[0]}" if sample.reasons else ""
    if sample.unmeasured:
        failed = f"; its scorer failed on {sample.judge_failures}{_why_failed(sample)}"
        return f"no measurement of {metric} in {sample.expected} cases{why}" + failed * bool(
            sample.judge_failures
        )
    return f"no score of {metric} in {sample.expected} cases: its scorer failed on each{_why_failed(sample)}"


def _why_failed(sample: Sample) -> str:
    """``: KeyError: 'answer' (in 120 cases)``, the most frequent reason why a scorer failed."""
    if not sample.judge_reason:
        return ""
    reason = cut(" ".join(sample.judge_reason.split()), LONGEST_REASON)
    if sample.judge_reason_cases == sample.judge_failures:
        return f": {reason} (in {count(sample.judge_reason_cases, 'case')})"
    often = f" (in {sample.judge_reason_cases} of them)" if sample.judge_reason_cases > 1 else ""
    return f", such as: {reason}{often}"


def evidence_of(gate: Gate, sample: Sample, alpha: float) -> Evidence | Unable:
    """What a sample says about a gate's boundary, by the method of its form and its metric's kind."""
    spec = gate.spec
    match spec.form:
        case "non_inferior":
            return difference_evidence(sample, gate.metric, spec.boundary, alpha)
        case "superior":
            return superiority_evidence(sample, gate.metric, alpha)
        case "at_least":
            return level_evidence(sample, gate.metric, spec.boundary, alpha, floor=True)
        case "at_most" if spec.quantile is not None:
            return absolute_quantile_evidence(sample, spec.quantile, spec.boundary, alpha)
        case "at_most":
            return level_evidence(sample, gate.metric, spec.boundary, alpha, floor=False)
        case _ if spec.quantile is not None:
            return quantile_evidence(sample, spec.quantile, spec.boundary, spec.slack, alpha)
        case _:
            return ratio_evidence(sample, spec.boundary, alpha)


def _judge_boundary(
    gate: Gate, data: SuiteData, sample: Sample, blank: GateResult, alpha: float, planned: float
) -> GateResult:
    spec = gate.spec
    found = evidence_of(gate, sample, alpha)
    if isinstance(found, Unable):
        more = max(0, found.needed - sample.n) if found.needed is not None else 0
        clusters = (
            None if found.clusters is None else _clusters_lacking(gate, sample, found.clusters, planned)
        )
        lacking = more or clusters
        return replace(
            blank,
            result="hold",
            estimate=found.estimate,
            method=found.method,
            needed=more or None,
            needed_clusters=clusters,
            message=f"cannot be decided: {found.reason}" + (f", {lacking} more" if lacking else ""),
        )
    seen = _with_missing(gate, sample, alpha, found)
    # a ratio that is the same in every case is bounded by nothing: an unseen case may cost anything
    bounded = spec.form != "ratio_at_most" or not is_same_ratio(found)
    result = replace(
        blank,
        result="pass" if seen.passes else "hold",
        estimate=found.estimate,
        lower=found.lower if bounded else None,
        upper=found.upper if bounded else None,
        p_pass=found.p_pass,
        p_fail=seen.p_fail,
        method=found.method,
    )
    apart = ""
    if spec.form == "non_inferior" and spec.against == "baseline":
        p_harm, by = harm_p(seen.best, gate.metric)
        # What passes at alpha and only misses a later attempt's smaller one is not proven worse.
        worse = p_harm <= ALPHA and spec.role == "require" and (seen.passes or found.p_pass > ALPHA)
        result = replace(
            result,
            p_harm=p_harm,
            regressed_within_margin=worse and seen.passes,
            proven_worse=worse and not seen.passes,
        )
        if worse and found.lower <= 0.0 <= found.upper:
            apart = harm_apart(by, found.method, alpha)
    if not (seen.passes or result.proven_worse or sample.missing) and spec.role == "require":
        need = cases_needed(gate, sample, found, planned, judged_at=alpha)
        again = trials_needed(gate, sample, planned)
        result = replace(result, needed=need.further, needed_trials=again, basis=need.basis)
    spent = ""
    if not seen.passes and not sample.missing and alpha < found.p_pass <= ALPHA:
        left = plain_rate(alpha)
        spent = f"it passes at {ALPHA:g}, but not at the {left} that attempts and looks have left"
    alike = "" if seen.passes else _baseline_alike(gate, data, found.estimate)
    facts = [describe(gate, sample, result), apart, alike, spent, seen.words, found.caution]
    return replace(result, message="; ".join(filter(None, facts)))


def _clusters_lacking(gate: Gate, sample: Sample, least: int, alpha: float) -> int:
    """Further clusters of the present size that the method and n_min ask for."""
    spec = gate.spec
    room = {"non_inferior": spec.boundary, "at_least": 1.0 - spec.boundary, "at_most": spec.boundary}
    if spec.quantile is not None:
        room["at_most"] = 1.0 - spec.quantile
    share = room.get(spec.form, 0.0)
    cases = stats.n_min(share, alpha) if 0.0 < share < 1.0 else 0
    return max(least, ceil(cases * sample.unit_count / sample.n)) - sample.unit_count


def _baseline_alike(gate: Gate, data: SuiteData, estimate: float) -> str:
    """That the baseline lies beyond an absolute boundary too: then nothing that changed is to blame."""
    spec = gate.spec
    if spec.form not in ("at_least", "at_most") or not data.paired:
        return ""
    hops = (gate.hop,) if gate.hop is not None else data.hop_keys
    both = draw_sample(data, spec.metric, only=gate.only, hops=hops, relative=True)
    if both.baseline is None or both.n == 0:
        return ""
    if spec.quantile is not None:
        theirs = sample_quantile(both.baseline_rows, spec.quantile)
        shown = amount(theirs, gate.metric)
        return f"the baseline's is {shown}, above it as well" * (min(theirs, estimate) > spec.boundary)
    level = float(np.mean(both.baseline))
    if spec.form == "at_least" and max(level, estimate) < spec.boundary:
        return f"the baseline is at {percent(level)}, below it as well"
    if spec.form == "at_most" and min(level, estimate) > spec.boundary:
        return f"the baseline is at {percent(level)}, above it as well"
    return ""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the evidence says once missing cases are reckoned with; ``best`` is the kindest full sample."""

    passes: bool
    p_fail: float
    best: Sample
    words: str = ""


def _with_missing(gate: Gate, sample: Sample, alpha: float, found: Evidence) -> _Seen:
    """Reckon with missing cases: they never help a gate to pass and never help it to fail.

    An unmeasured case never passes a gate. A judge failure passes only under the worst imputation as well
    (candidate worst, baseline best), never where no worst value is known; the fail side takes the best one
    (statistics.md 13).
    """
    passes = found.p_pass <= alpha
    if not sample.missing:
        return _Seen(passes, found.p_fail, sample)
    words = _missing_words(sample)
    absolute = gate.spec.limits_a_quantile
    if not gate.metric.bounded and not absolute:
        return _Seen(False, 1.0, sample, words)
    up = gate.spec.form == "at_least" or (gate.spec.form != "at_most" and gate.metric.higher_is_better)
    good, bad = (1.0, 0.0) if up else (0.0, inf if absolute else 1.0)
    base = sample.baseline is not None
    best_sample = impute(sample, for_candidate=good, for_baseline=bad if base else None)
    worst = evidence_of(gate, impute(sample, for_candidate=bad, for_baseline=good if base else None), alpha)
    best = evidence_of(gate, best_sample, alpha)
    p_fail = max(found.p_fail, best.p_fail) if isinstance(best, Evidence) else 1.0
    if isinstance(worst, Unable):
        return _Seen(False, p_fail, best_sample, words)
    if absolute:
        words += f"; at worst the quantile is {amount(worst.estimate, gate.metric)}"
    elif base:
        words += f"; at worst the difference is {100 * worst.estimate:+.1f} points"
    else:
        words += f"; at worst the estimate is {100 * worst.estimate:.1f} %"
    return _Seen(not sample.unmeasured and passes and worst.p_pass <= alpha, p_fail, best_sample, words)


def _missing_words(sample: Sample) -> str:
    counts = []
    if sample.unmeasured:
        why = f" ({sample.reasons[0]})" if sample.reasons else ""
        counts.append(
            f"{sample.unmeasured} of {sample.expected} cases {was(sample.unmeasured)} not measured{why}"
        )
    if sample.judge_failures:
        failed = f"the scorer failed on {sample.judge_failures} of {sample.expected} cases"
        counts.append(failed + _why_failed(sample))
    return " and ".join(counts)


def _violated(
    gate: Gate, sample: Sample, blank: GateResult, hits: int, alpha: float, cases: Sequence[str]
) -> GateResult:
    """Any violation rejects by policy, not by statistics."""
    units = max(hits, blank.units)
    bound = stats.clopper_pearson(hits, units, alpha)
    verb = "violates" if hits == 1 else "violate"
    return replace(
        blank,
        result="fail",
        estimate=hits / units,
        lower=bound.low,
        upper=bound.high,
        boundary=gate.spec.rate_at_most or 0.0,
        p_fail=0.0,
        units=units,
        method="zero tolerance, Clopper-Pearson bound",
        message=f"{hits} of {independent(units, sample)} {verb}; zero tolerance rejects: {some(cases)}",
    )


def _judge_clean(gate: Gate, sample: Sample, blank: GateResult, alpha: float, planned: float) -> GateResult:
    """No violation seen: the exact bound over independent units decides between pass and hold."""
    limit, units = gate.spec.rate_at_most, sample.unit_count
    bound = stats.clopper_pearson(0, units, alpha)
    noun = sample.unit_noun if sample.clustered else "case"
    shown = (
        f"0 of {independent(units, sample)} violate: "
        f"rate at most {percent(bound.high, 2)} ({percent(1.0 - alpha, 2)} confidence)"
    )
    result = replace(
        blank,
        result="hold",
        estimate=0.0,
        lower=0.0,
        upper=bound.high,
        boundary=limit or 0.0,
        p_pass=None if limit is None else stats.ceiling_p(0, units, limit),
        method="zero tolerance, Clopper-Pearson bound",
    )
    if sample.missing:
        return replace(result, message=f"{shown}; but {_missing_words(sample)}")
    if limit is not None and units < stats.zero_violation_n(limit, alpha):
        needed = stats.zero_violation_n(limit, planned) - units
        more = count(needed, f"more clean {noun}")
        message = f"{shown}; limit {percent(limit, 2)}: {more} needed ({needed + units} in all)"
        return replace(result, needed=needed, message=message)
    within = "" if limit is None else f"; within the limit of {percent(limit, 2)}"
    return replace(result, result="pass", message=shown + within)
