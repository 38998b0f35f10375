"""From measurements to the verdict: arrange, judge gates, raise alarms, decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.anchor import AnchorData, AnchorResult, judge_anchor
from relgate.decision.changes import Change, changed_artifacts, suspect_groups
from relgate.decision.early_stop.sequential import Looked, crossed_gates, cut_short, judge_looked
from relgate.decision.gates import judge_gate
from relgate.decision.identity import is_untouched, mirrored, pass_identical
from relgate.decision.judges.judge_trust import (
    JudgeTrust,
    changed_judges,
    untrusted_judges,
)
from relgate.decision.measurements import SuiteData, arrange, unmeasured_suites
from relgate.decision.outcomes import critical_misses
from relgate.decision.planning.feasibility import cases_lacking, planned_cases
from relgate.decision.policy import Gate
from relgate.decision.regressions import (
    came_back,
    judge_regressions,
    regression_gate_id,
    unjudged_regressions,
)
from relgate.decision.sample_drawing import violating_units
from relgate.decision.screen import on_another_day
from relgate.decision.sealing import is_tuned, judged_by, open_data, reckon_sealed, seen_by, speechless
from relgate.decision.unchanged import Unchanged, pass_unchanged
from relgate.decision.verdict import Findings, Stopped, decide
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Case, CaseKey
from relgate.domain.gate import GateResult
from relgate.domain.response import Measurement
from relgate.domain.verdict import Alarm, CriticalMiss, Verdict
from relgate.usecases.judging.case_prices import case_prices
from relgate.usecases.judging.changed_judges import correct_gates, hold_changed_judges
from relgate.usecases.judging.failed_calls import broken_candidate, known_holds
from relgate.usecases.judging.judge_trusts import TrustedJudge, judge_trusts, with_bound_labels
from relgate.usecases.measuring.measured_cases import long_of, ran
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.untouched import SENTINELS_AGREE

NOTHING_CHANGED = "nothing changed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was decided.

    Attributes:
        data: measurements arranged, one per suite of the run.
        complete: names of the suites whose every case was measured.
        gates: results after weighing; gates of incomplete suites are partial.
        alarms: raised alarms.
        critical: critical misses.
        changes: artifacts that differ from the baseline.
        suspects: changed artifacts that a failing suite reaches, likeliest first.
        unprotected: slices that are too small to watch.
        verdict: the decision.
        unchanged: what changed in the traffic samples.
        anchors: gates held against their anchor.
        trusts: judges held against their labels.
    """

    data: tuple[SuiteData, ...]
    complete: frozenset[str]
    gates: tuple[GateResult, ...]
    alarms: tuple[Alarm, ...]
    critical: tuple[CriticalMiss, ...]
    changes: tuple[Change, ...]
    suspects: tuple[str, ...]
    unprotected: tuple[str, ...]
    verdict: Verdict
    unchanged: tuple[Unchanged, ...] = ()
    anchors: tuple[AnchorResult, ...] = ()
    trusts: tuple[JudgeTrust, ...] = ()


def nothing_changed(holds: Sequence[tuple[str, str]] = ()) -> Judgement:
    """The judgement of a candidate that is its own baseline: a promote without a call.

    Args:
        holds: what holds all the same, each with its next step.
    """
    verdict = Verdict("promote", NOTHING_CHANGED, "")
    if holds:
        verdict = Verdict("hold", *holds[0], others=tuple(reason for reason, _ in holds[1:]))
    verdict = replace(verdict, attempts=0)
    return Judgement(
        data=(),
        complete=frozenset(),
        gates=(),
        alarms=(),
        critical=(),
        changes=(),
        suspects=(),
        unprotected=(),
        verdict=verdict,
    )


def arrange_suite(plan: SuitePlan, rows: Sequence[Measurement], *, paired: bool) -> SuiteData:
    """One suite's measurements arranged."""
    return arrange(plan.suite, plan.metrics, rows, hops=plan.hops, paired=paired)


def judge_run(
    prepared: Prepared,
    measured: Mapping[CaseKey, Sequence[Measurement]],
    looked: Looked | None = None,
    unchanged: Sequence[Unchanged] = (),
    anchors: Sequence[AnchorData] = (),
    trusted: Mapping[tuple[str, str], TrustedJudge] | None = None,
    stopped: Stopped | None = None,
    judge_usd: float | None = None,
) -> Judgement:
    """Judge everything measured; a suite is judged only when every case of it was.

    Args:
        prepared: the run.
        measured: everything measured.
        looked: the looks of a run with early stop. Cases that were not needed leave their suite then.
        unchanged: what changed in the traffic samples that were asked.
        anchors: what older releases answered, beside the candidate's measurements.
        trusted: the judge last trusted per suite and metric.
        stopped: what a budget left unmeasured.
        judge_usd: mean dollars of a call to a judge; None where it is not known.
    """
    looked = looked or Looked()
    plans = [_in_hand(plan, measured, looked) for plan in prepared.plans]
    paired = prepared.baseline is not None
    data: list[SuiteData] = []
    complete: set[str] = set()
    for plan in plans:
        name = plan.suite.name
        same = name in prepared.untouched.agreed
        arranged = _arranged(plan, measured, paired=paired, same=same)
        arranged = with_bound_labels(arranged, plan, trusted or {})
        if prepared.stored_baseline is not None:
            arranged = replace(arranged, unpaired=prepared.stored_baseline.unpaired(plan.suite))
        data.append(arranged)
        if ran(measured, plan.suite) == len(plan.suite.all_cases):
            complete.add(name)
    by_name = {d.suite.name: d for d in data}
    results: list[GateResult] = []
    for plan in plans:
        suite_data = by_name[plan.suite.name]
        if plan.suite.name not in complete:
            results += _partial_gates(plan, ran(measured, plan.suite))
            continue
        seen = [seen_by(suite_data, gate.spec, exposed=prepared.exposed) for gate in plan.gates]
        judged = correct_gates(
            [(_judge(g, own, prepared, looked), g, own) for g, own in zip(plan.gates, seen, strict=True)],
            prepared,
        )
        if prepared.screen and prepared.stored_baseline is not None and not _recorded(prepared):
            judged = [on_another_day(result, gate) for gate, result in zip(plan.gates, judged, strict=True)]
        if prepared.same_digest:
            judged = [
                pass_identical(result, "the same release on both sides") if gate.spec.relative else result
                for gate, result in zip(plan.gates, judged, strict=True)
            ]
        if plan.suite.name in prepared.untouched.agreed:
            both = mirrored(suite_data)
            judged = [
                pass_identical(judge_gate(gate, both, alpha=prepared.alpha), SENTINELS_AGREE)
                if gate.spec.relative
                else result
                for gate, result in zip(plan.gates, judged, strict=True)
            ]
        sample = next((one for one in unchanged if one.suite == plan.suite.name), None)
        results += [
            pass_unchanged(
                result if prepared.screen else reckon_sealed(result, gate.spec, plan.suite),
                gate,
                sample,
                prepared.alpha,
                prepared.next_alpha,
            )
            for gate, result in zip(plan.gates, judged, strict=True)
        ]
        regression = judge_regressions(suite_data)
        if regression is not None:
            results.append(regression)
    trusts = {
        (trust.suite, trust.metric): trust
        for plan in plans
        for trust in judge_trusts(by_name[plan.suite.name], plan, trusted or {})
    }
    suites = {name: d.suite for name, d in by_name.items()}
    results, trusts = hold_changed_judges(results, prepared, suites, trusts)
    gates = weigh_fails(results, crossed_gates(results, looked), ended=bool(looked.ended))
    if looked.ended:
        gates = _cut_short(gates, prepared.plans, measured)
    whole = [d for d in data if d.suite.name in complete]
    opened = [open_data(d) for d in whole]
    watched, unprotected = watch(opened)
    alarms = raise_alarms(watched, opened)
    critical = tuple(miss for d in data for miss in critical_misses(d))
    changes = (*changed_judges(trusts.values()), *_changes(prepared))
    groups = suspect_groups(changes, gates, alarms, critical)
    blamed = tuple(name for group in groups for name in group)
    partial = bool(prepared.left_out) or len(complete) < len(prepared.plans)
    held = () if partial else judge_anchor([gate for plan in plans for gate in plan.gates], anchors)
    verdict = decide(
        Findings(
            gates=gates,
            anchors=held,
            alarms=alarms,
            critical=critical,
            partial=partial,
            suspects=blamed,
            ranked=len(groups) > 1,
            attempt=prepared.attempt,
            unmeasured=unmeasured_suites([*map(speechless, data)]),
            recorded=_recorded(prepared),
            known_holds=(
                *known_holds(prepared, measured),
                *untrusted_judges(gates, trusts.values()),
            ),
            prices=case_prices(prepared, measured, judge_usd),
            outgrown=tuple(_outgrown(prepared, gates)),
            ended_early=bool(looked.ended),
            stopped=stopped,
            tuned=is_tuned(prepared.suites, exposed=prepared.exposed),
            weakened=prepared.weakened,
            broken=broken_candidate(measured),
            seen=[
                *prepared.contradicted,
                *(
                    told
                    for plan in prepared.plans
                    if plan.suite.name not in complete
                    for told in _seen_in_part(plan, by_name[plan.suite.name])
                ),
            ],
        )
    )
    if prepared.same_digest and verdict.decision == "promote":
        verdict = replace(verdict, reason=NOTHING_CHANGED)
    return Judgement(
        data=tuple(data),
        complete=frozenset(complete),
        gates=gates,
        alarms=alarms,
        critical=critical,
        changes=changes,
        suspects=blamed,
        unprotected=unprotected,
        verdict=verdict,
        unchanged=tuple(unchanged),
        anchors=held,
        trusts=tuple(trusts.values()),
    )


def _seen_in_part(plan: SuitePlan, data: SuiteData) -> Iterator[str]:
    """What the cases of a suite that did not run whole showed and no other case outweighs."""
    if (told := came_back(data)) is not None:
        yield told
    for gate in plan.gates:
        if gate.spec.form == "violations" and gate.spec.role != "report":
            hops = data.hop_keys if gate.hop is None else (gate.hop,)
            if found := violating_units(data, gate.spec.metric, only=gate.only, hops=hops):
                yield f"{gate.id.removeprefix('gates::')}: {', '.join(sorted(found)[:5])} violated"


def _outgrown(prepared: Prepared, results: Sequence[GateResult]) -> Iterator[GateResult]:
    """Required gates that passed and, on as few cases, could not pass a further attempt."""
    passed = {result.id: result for result in results if result.result == "pass" and result.role == "require"}
    for plan in prepared.plans:
        for gate in plan.gates:
            if gate.id not in passed or prepared.next_alpha >= prepared.alpha:
                continue
            lacking = cases_lacking(
                gate,
                judged_by(plan.suite, gate.spec, exposed=prepared.exposed),
                alpha=prepared.next_alpha,
                single_trial=prepared.trials.single(plan.suite),
            )
            if lacking:
                yield replace(passed[gate.id], needed=lacking, needed_trials=None)


def _arranged(
    plan: SuitePlan, measured: Mapping[CaseKey, Sequence[Measurement]], *, paired: bool, same: bool
) -> SuiteData:
    """What was measured of one suite; of one that is the ``same`` on both sides, the candidate's part."""
    suite, long = plan.suite, long_of(measured, plan.suite.name)
    cases = suite.all_cases if long is None else suite.regressions
    rows = [row for case in cases for row in measured.get((suite.name, case.id), ())]
    if long is not None:
        return long.data(rows, paired=paired)
    if same:
        rows = [row for row in rows if row.side == "candidate"]
    return arrange_suite(plan, rows, paired=paired and not same)


def _changes(prepared: Prepared) -> tuple[Change, ...]:
    """What changed; none of it reaches a suite that is declared untouched unless its sentinels differ."""
    baseline, candidate, suites = prepared.baseline, prepared.candidate, prepared.suites
    if baseline is None:
        return ()
    untouched = [suite.name for suite in suites if is_untouched(suite, baseline, candidate)]
    return changed_artifacts(
        baseline, candidate, suites, untouched=untouched, differing=prepared.untouched.differing
    )


def _in_hand(plan: SuitePlan, measured: Mapping[CaseKey, Sequence[Measurement]], looked: Looked) -> SuitePlan:
    """The suite without the cases that an early stop made unnecessary."""
    name = plan.suite.name
    if not looked.ended and name not in looked.enough:
        return plan
    needed = frozenset[str]()
    if not looked.ended:
        needed = looked.plans[name].must_run | {case.id for case in plan.suite.regressions}

    def kept(case: Case) -> bool:
        return (name, case.id) in measured or case.id in needed

    cases = tuple(filter(kept, plan.suite.cases))
    regressions = tuple(filter(kept, plan.suite.regressions))
    return replace(plan, suite=replace(plan.suite, cases=cases, regressions=regressions))


def _recorded(prepared: Prepared) -> bool:
    return prepared.rows.get("candidate") is not None


def _judge(gate: Gate, data: SuiteData, prepared: Prepared, looked: Looked) -> GateResult:
    planned = looked.plan_of(gate)
    if planned is None:
        return judge_gate(gate, data, alpha=prepared.alpha, next_alpha=prepared.next_alpha)
    whole = len(data.suite.cases) == len(looked.plans[gate.suite].order)
    return judge_looked(
        planned,
        data,
        looked.of(gate),
        alpha=prepared.alpha,
        whole=whole,
        next_alpha=prepared.next_alpha,
    )


def _cut_short(
    gates: Sequence[GateResult],
    plans: Sequence[SuitePlan],
    measured: Mapping[CaseKey, Sequence[Measurement]],
) -> tuple[GateResult, ...]:
    """Gates of the suites whose cases did not all run before the run ended for a reject."""
    suites = {plan.suite.name: plan.suite for plan in plans}
    judged_by = {gate.id: planned_cases(gate, plan.suite) for plan in plans for gate in plan.gates}
    ran_of = {plan.suite.name: ran(measured, plan.suite) for plan in plans}
    found = []
    for gate in gates:
        total = len(suites[gate.suite].all_cases)
        if ran_of[gate.suite] == total:
            found.append(gate)
            continue
        own = judged_by.get(gate.id, suites[gate.suite].regressions)
        reached = any((gate.suite, case.id) in measured for case in own)
        found.append(cut_short(gate, ran_of[gate.suite], total) if reached else cut_short(gate, 0, len(own)))
    there = {gate.id for gate in gates}
    for plan in plans:
        if plan.suite.regressions and regression_gate_id(plan.suite.name) not in there:
            of = len(plan.suite.regressions)
            found.append(unjudged_regressions(plan.suite.name, f"not judged: 0 of {of} regression cases ran"))
    return tuple(found)


def _partial_gates(plan: SuitePlan, done: int) -> list[GateResult]:
    total = len(plan.suite.all_cases)
    message = f"not judged: {done} of {total} cases of the suite ran"
    gates = [
        GateResult(
            id=gate.id,
            suite=gate.suite,
            metric=gate.spec.metric,
            role=gate.spec.role,
            form=gate.spec.form,
            result="partial",
            message=message,
            slice=gate.slice,
            boundary=gate.spec.boundary,
            line=gate.spec.line,
        )
        for gate in plan.gates
    ]
    if plan.suite.regressions:
        gates.append(unjudged_regressions(plan.suite.name, message))
    return gates
