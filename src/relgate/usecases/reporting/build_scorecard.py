"""The scorecard and the registry's record of one run; every text in them is redacted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from relgate.decision.card import BY_PEOPLE, metric_parts, worst_cases
from relgate.decision.duplicates import duplicated, unit_count
from relgate.decision.measurements import SuiteData
from relgate.decision.outcomes import case_outcome
from relgate.decision.sample_drawing import violating_cases
from relgate.decision.sealing import HIDDEN, open_data
from relgate.decision.unchanged import METHOD as UNCHANGED_OUTPUTS
from relgate.decision.unchanged import Unchanged
from relgate.domain.case import CaseKey
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Response, ScorerFailure, Side
from relgate.domain.scorecard import (
    AlarmPart,
    AnchorPart,
    CallsPart,
    CasesPart,
    ChangePart,
    CostPart,
    CriticalPart,
    PolicyPart,
    ReleasePart,
    RunPart,
    Scorecard,
    StoredBaselinePart,
    SuitePart,
    UnchangedPart,
    UntouchedPart,
    VerdictPart,
    WaiverPart,
    WorstPart,
)
from relgate.domain.verdict import Verdict
from relgate.redaction import number_placeholders
from relgate.render.commands import HOLDS_PRODUCTION, judge_against, mend_what_fled
from relgate.stats import PositionBias
from relgate.usecases.judging.judge_run import Judgement
from relgate.usecases.judging.judge_trusts import judge_part
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.measuring.measured_cases import long_of, parts_of
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.redacting import CountingRedactor
from relgate.usecases.reporting.gate_parts import gate_part
from relgate.usecases.reporting.run_notes import Measured, run_notes, times

MOST_CHANGED = 10
"""Lines of a traffic sample that are named; a reader needs a few to look at."""

PROSE = frozenset({"reason", "next_step", "message", "notes", "input", "expected", "candidate", "baseline"})
"""Fields of the scorecard that a reader reads and that may hold a placeholder; the others are names."""


def release_part(release: Release) -> ReleasePart:
    """Name, version and digest."""
    return ReleasePart(name=release.name, version=release.version, digest=release.digest)


def verdict_part(verdict: Verdict, waivers: Sequence[WaiverPart], text: CountingRedactor) -> VerdictPart:
    """The decision with the waivers of its release line."""
    return VerdictPart(
        decision=verdict.decision,
        reason=text.text(verdict.reason),
        next_step=text.text(verdict.next_step),
        partial=verdict.partial,
        attempts=verdict.attempts,
        screen=verdict.screen,
        clear=verdict.clear,
        tuned=verdict.tuned,
        lacking=verdict.lacking,
        others=[text.text(reason) for reason in verdict.others],
        seen=[text.text(reason) for reason in verdict.seen],
        waivers=list(waivers),
    )


def build_scorecard(
    prepared: Prepared,
    judgement: Judgement,
    measured: Measured,
    *,
    waivers: Sequence[WaiverPart],
    redactor: CountingRedactor,
    calls: CallsPart,
    run: RunPart,
    outcomes: CaseOutcomes,
    traffic: Measured | None = None,
    orders: Mapping[str, PositionBias] | None = None,
) -> Scorecard:
    """The scorecard of a judged run, its placeholders numbered by first appearance.

    Args:
        prepared: the run.
        judgement: what was decided.
        measured: every call to a case.
        waivers: of the release line.
        redactor: for every text.
        calls: how many were made.
        run: id, times, versions.
        outcomes: what became of every case.
        traffic: calls for sampled inputs, which were paid for as well.
        orders: how far judges of pairs mind the order, by metric.
    """
    text = redactor.text
    verdict = judgement.verdict
    if verdict.decision == "promote":
        step = f"relgate promote {prepared.candidate.label}"
        standing = prepared.standing
        if standing.holds:
            step = HOLDS_PRODUCTION
        elif standing.fled:
            step = mend_what_fled(prepared.candidate.label)
        elif standing.other_holder and prepared.baseline is not None:
            step = judge_against(prepared.candidate.label, standing.other_holder, prepared.baseline.label)
        verdict = replace(verdict, next_step=step)
    counted = outcomes.counts
    parts = {
        "verdict": verdict_part(verdict, waivers, redactor),
        "release": release_part(prepared.candidate),
        "baseline": release_part(prepared.baseline) if prepared.baseline else None,
        "gate_policy": PolicyPart(digest=prepared.policy_digest, alpha=prepared.alpha),
        "changed": [
            ChangePart(kind=c.kind, name=c.name, from_=c.before, to=c.after, reached_by=list(c.reached_by))
            for c in judgement.changes
        ],
        "suspects": list(judgement.suspects),
        "gates": [gate_part(g, text(g.message)) for g in judgement.gates],
        "alarms": [
            AlarmPart(
                suite=a.suite,
                metric=a.metric,
                slice=a.slice,
                estimate=a.estimate,
                n=a.n,
                p=a.p,
                message=text(a.message),
            )
            for a in judgement.alarms
        ],
        "critical": [
            CriticalPart(
                suite=m.suite,
                case_id=m.case_id,
                misses=m.misses,
                trials=m.trials,
                confirmed=m.confirmed,
                message=text(m.message),
            )
            for m in judgement.critical
        ],
        "suites": [
            _suite_part(prepared, d, whole=d.suite.name in judgement.complete) for d in judgement.data
        ],
        "cases": CasesPart(
            hit=counted["hit"],
            miss=counted["miss"],
            regressed=counted["regressed"],
            fixed=counted["fixed"],
            failed=counted["failed"],
            sealed=counted[HIDDEN],
            not_run=sum(len(s.all_cases) for s in prepared.suites) - counted.total(),
        ),
        "worst": _worst(prepared, judgement, measured, redactor),
        "calls": calls,
        "untouched": _untouched(prepared),
        "stored_baseline": _stored_baseline(prepared, text),
        "unprotected": list(judgement.unprotected),
        "pooled": list(prepared.pooled.runs),
        "cost": _cost(measured, traffic or {}),
        "judges": [judge_part(trust, (orders or {}).get(trust.metric), text) for trust in judgement.trusts],
        "anchor": [AnchorPart(**asdict(a) | {"message": text(a.message)}) for a in judgement.anchors],
        "unchanged": [_unchanged_part(one, prepared.alpha, judgement) for one in judgement.unchanged],
        "notes": [text(note) for note in run_notes(prepared, judgement, measured, text)],
    }
    redacted = dict(sorted(redactor.counts.items()))
    return numbered(Scorecard(**parts, run=run.model_copy(update={"redacted": redacted})))


def _untouched(prepared: Prepared) -> list[UntouchedPart]:
    found = prepared.untouched
    agreed = [UntouchedPart(suite=s, sentinels=len(ids), agreed=True) for s, ids in found.agreed.items()]
    differ = [UntouchedPart(suite=suite, sentinels=0, agreed=False) for suite in sorted(found.differing)]
    return [*agreed, *differ]


def _stored_baseline(prepared: Prepared, text: Callable[[str], str]) -> StoredBaselinePart | None:
    side = prepared.stored_baseline
    if side is None:
        return None
    return StoredBaselinePart(
        run=side.run.run_id, stale=[text(why) for why in side.stale], fingerprint=text(side.fingerprint)
    )


def _unchanged_part(found: Unchanged, alpha: float, judgement: Judgement) -> UnchangedPart:
    return UnchangedPart(
        suite=found.suite,
        n=found.n,
        changed=found.changed,
        unmeasured=found.unmeasured,
        upper=found.upper(alpha),
        changed_ids=list(found.changed_ids[:MOST_CHANGED]),
        digest=found.digest,
        passed=[g.id for g in judgement.gates if g.suite == found.suite and g.method == UNCHANGED_OUTPUTS],
    )


def numbered(card: Scorecard) -> Scorecard:
    """The scorecard with ``<EMAIL_1>`` for every keyed placeholder: two registries give the same bytes."""
    return Scorecard.model_validate(number_placeholders(card.document(), PROSE))


def _suite_part(prepared: Prepared, data: SuiteData, *, whole: bool) -> SuitePart:
    suite = data.suite
    notes = ["gates filled in from the default policy"] if suite.default_policy else []
    clusters, copies = unit_count(suite, suite.cases)[0], duplicated(suite)
    if suite.clustered:
        notes.append(f"{len(suite.cases)} cases in {clusters} clusters")
    if suite.name in prepared.untouched.agreed:
        notes.append("identical in both releases: measured on the candidate, sentinels on both sides")
    if copies:
        notes.append(
            f"{times(copies, 'case')} with the input of another: they count as one unit "
            f"({len(suite.cases)} cases, {clusters} units)"
        )
    return SuitePart(
        suite=suite.name,
        kind=suite.kind,
        digest=suite.digest,
        cases=len(suite.all_cases),
        trials=prepared.trials.most("candidate", suite),
        # a part of the cases may be a single one, and then an aggregate is no aggregate
        metrics=metric_parts(data) if whole else metric_parts(open_data(data)),
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class CaseOutcomes:
    """What became of the measured cases.

    Attributes:
        of_case: of each case but those of long suites.
        counts: how many cases came out how, all of them.
    """

    of_case: Mapping[CaseKey, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def case_outcomes(prepared: Prepared, judgement: Judgement, measured: Measured) -> CaseOutcomes:
    """What became of every measured case; of a sealed one that it is sealed."""
    found = {}
    counts: Counter[str] = Counter()
    for data in judgement.data:
        name, long = data.suite.name, long_of(measured, data.suite.name)
        for case in data.suite.all_cases if long is None else data.suite.regressions:
            if (key := (name, case.id)) in measured:
                found[key] = HIDDEN if key in prepared.sealed else case_outcome(data, case)
        if long is not None:
            counts += long.counts()
    return CaseOutcomes(found, counts + Counter(found.values()))


def _worst(
    prepared: Prepared, judgement: Judgement, measured: Measured, redactor: CountingRedactor
) -> list[WorstPart]:
    parts = []
    shown = [open_data(d) for d in judgement.data if d.suite.name not in prepared.untouched.agreed]
    failed = {(gate.suite, gate.slice) for gate in judgement.gates if gate.result == "fail"}
    blamed = failed or {(alarm.suite, alarm.slice) for alarm in judgement.alarms}
    better = {name: metric.higher_is_better for d in shown for name, metric in d.metrics.items()}
    for fall in worst_cases(shown, blamed, _violating(prepared, judgement, shown)):
        rows = measured[fall.suite, fall.case.id]
        fallen = [name.removesuffix(BY_PEOPLE) for name in fall.metrics]
        parts.append(
            WorstPart(
                suite=fall.suite,
                case_id=fall.case.id,
                input=redactor.text(fall.case.text),
                expected=redactor.text(fall.case.expected_text),
                candidate=redactor.text(_answer(rows, "candidate", fallen, better)),
                baseline=redactor.text(_answer(rows, "baseline", [], better)),
                difference=fall.difference,
                metrics=dict(fall.metrics),
            )
        )
    return parts


def _violating(
    prepared: Prepared, judgement: Judgement, shown: Sequence[SuiteData]
) -> dict[tuple[str, str], str]:
    """The cases that violate a gate without any tolerance that failed, with its metric."""
    failed = {gate.id for gate in judgement.gates if gate.form == "violations" and gate.result == "fail"}
    by_name = {data.suite.name: data for data in shown}
    return {
        (plan.suite.name, case_id): gate.spec.metric
        for plan in prepared.plans
        for gate in plan.gates
        if gate.id in failed and plan.suite.name in by_name
        for case_id in violating_cases(
            by_name[plan.suite.name],
            gate.spec.metric,
            only=gate.only,
            hops=by_name[plan.suite.name].hop_keys if gate.hop is None else (gate.hop,),
        )
    }


def _answer(
    rows: Sequence[Measurement], side: Side, fallen: Sequence[str], better: Mapping[str, bool]
) -> str:
    """The side's answer that shows the fall best: the one with the worst scores, else the first.

    "" of a side that was not measured. ``better`` says of which metrics more is better.
    """
    mine = [row for row in rows if row.side == side and not row.confirmation]
    if not mine:
        return ""

    def badness(row: Measurement) -> float:
        scores = [row.score(name) for name in fallen]
        return sum(
            s.value if better.get(s.metric, True) else -s.value
            for s in scores
            if s is not None and not isinstance(s, ScorerFailure)
        )

    row = min(mine, key=badness) if fallen else mine[0]
    return row.outcome.output if isinstance(row.outcome, Response) else f"({row.outcome.message})"


def _cost(measured: Measured, traffic: Measured) -> CostPart:
    by_side: dict[Side, list[float]] = {"candidate": [], "baseline": []}
    for part in (*parts_of(measured), *traffic.values()):
        if isinstance(part, LongSuite):
            for side, costs in by_side.items():
                costs += part.costs(side)
            continue
        for row in part:
            if row.stored:
                continue
            if isinstance(row.outcome, Response) and row.outcome.cost_usd is not None:
                by_side[row.side].append(row.outcome.cost_usd)
    sums = {side: round(sum(costs), 9) if costs else None for side, costs in by_side.items()}
    known = [value for value in sums.values() if value is not None]
    return CostPart(
        candidate_usd=sums["candidate"],
        baseline_usd=sums["baseline"],
        total_usd=round(sum(known), 9) if known else None,
    )
