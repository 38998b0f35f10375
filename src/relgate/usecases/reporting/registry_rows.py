"""Runs, releases and calls as the registry keeps them: every text in them is redacted here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from relgate.domain.case import LONG_SUITE, Case, CaseKey
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Response, ScorerFailure
from relgate.domain.run import CaseBlock, MeasurementRow, ReleaseRow, RunRecord
from relgate.domain.scorecard import Scorecard
from relgate.store import packed
from relgate.usecases.judging.judge_run import Judgement
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.measuring.measured_cases import long_of
from relgate.usecases.preparing.artifact_rows import artifact_rows
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.redacting import CountingRedactor
from relgate.usecases.reporting.run_notes import Measured


def run_record(
    prepared: Prepared,
    judgement: Judgement,
    scorecard: Scorecard,
    rows: tuple[MeasurementRow | CaseBlock, ...],
    *,
    manifest_path: str,
    redactor: CountingRedactor,
    ended: tuple[str, ...] = (),
    draw: str = "",
) -> RunRecord:
    """The run as stored in one transaction.

    It is an attempt when every case was judged and nothing that its verdict needs was left unmeasured
    (verdict.md 5); then its verdict is served again.

    Args:
        prepared: the run.
        judgement: what was decided.
        scorecard: what is shown, redacted already.
        rows: its calls, as ``measurement_rows`` gives them.
        manifest_path: as given on the command line.
        redactor: for the manifests' texts.
        ended: what stood for this run among unfinished ones; none where the next run goes on with it.
        draw: names it where its answers are kept; "" where nobody was asked.
    """
    verdict = judgement.verdict
    whole = is_attempt(prepared, judgement)
    return RunRecord(
        id=scorecard.run.id,
        started=scorecard.run.started,
        finished=scorecard.run.finished,
        release=release_row(prepared.candidate, redactor),
        baseline=release_row(prepared.baseline, redactor) if prepared.baseline else None,
        decision=verdict.decision,
        exit_status=verdict.exit_status,
        partial=verdict.partial or verdict.screen,
        policy_digest=prepared.policy_digest,
        judged_key=prepared.judged_key if whole and not prepared.untouched.holds else "",
        attempt=prepared.attempt_key if whole else None,
        attempt_number=prepared.attempt,
        again=prepared.again,
        scorecard=scorecard.document(),
        measurements=rows,
        manifest_path=manifest_path,
        suites=prepared.records if rows else (),
        shown=None if whole or not scorecard.worst else prepared.attempt_key,
        screen=verdict.screen,
        ended=(*ended, *(prepared.unfinished.gone_on_with if whole else ())),
        draw=draw,
    )


def is_attempt(prepared: Prepared, judgement: Judgement) -> bool:
    """Whether every case was judged, on answers that count: no screen and no outage makes an attempt."""
    verdict = judgement.verdict
    return not (verdict.partial or verdict.screen or verdict.lacking or prepared.uncounted)


def release_row(release: Release, redactor: CountingRedactor) -> ReleaseRow:
    """The release as stored: the manifest's text without values of variables, redacted."""
    return ReleaseRow(
        name=release.name,
        version=release.version,
        digest=release.digest,
        owner=release.owner,
        manifest=redactor.text(release.manifest_text),
        manifest_path=str(release.path.resolve()),
        artifacts=artifact_rows(release),
    )


def measurement_rows(
    prepared: Prepared, measured: Measured, outcomes: Mapping[CaseKey, str], redactor: CountingRedactor
) -> tuple[MeasurementRow | CaseBlock, ...]:
    """Every call as stored, those of a long suite in blocks; inputs, outputs and tool calls are redacted."""
    rows: list[MeasurementRow | CaseBlock] = []
    for plan in prepared.plans:
        name, long = plan.suite.name, long_of(measured, plan.suite.name)
        if long is not None:
            rows += long.stored or _long_rows(prepared, long, redactor)
            redactor.counts.update(long.redacted)
        calls = (
            _case_rows(prepared, plan, case, measured[name, case.id], outcomes[name, case.id], redactor)
            for case in (plan.suite.all_cases if long is None else plan.suite.regressions)
            if (name, case.id) in measured
        )
        found = filter(None, calls)
        first = list(islice(found, LONG_SUITE + 1))
        if len(first) <= LONG_SUITE:
            rows += (row for of_case in first for row in of_case)
        else:
            rows += packed(chain(first, found))
    return tuple(rows)


def _long_rows(
    prepared: Prepared, long: LongSuite, redactor: CountingRedactor
) -> Iterator[MeasurementRow | CaseBlock]:
    """The calls of the few cases of a long suite that ran."""
    cases = long.chosen.numbered(long.measured)
    for number, case in zip(cases.numbers.tolist(), cases, strict=True):
        yield from _case_rows(
            prepared, long.plan, case, long.rows(number), str(long.outcome(number)), redactor
        )


def _case_rows(
    prepared: Prepared,
    plan: SuitePlan,
    case: Case,
    calls: Sequence[Measurement],
    outcome: str,
    redactor: CountingRedactor,
) -> list[MeasurementRow]:
    """The calls of one case but those that another run stored."""
    hidden = (plan.suite.name, case.id) in prepared.sealed
    shown, wanted = ("", "") if hidden else (redactor.text(case.text), redactor.text(case.expected_text))
    return [
        _measurement_row(m, case, plan.suite.folder, shown, wanted, outcome, redactor)
        for m in (map(_speechless, calls) if hidden else calls)
        if not m.stored
    ]


def _speechless(m: Measurement) -> Measurement:
    """A sealed case's call without what it said: nobody may read it in the registry either."""
    if not isinstance(m.outcome, Response):
        return replace(m, outcome=replace(m.outcome, message=""))
    said = replace(m.outcome, output="", tool_calls=(), retrieved=(), evidence=())
    return replace(m, outcome=said)


def _measurement_row(
    m: Measurement, case: Case, folder: str, shown: str, wanted: str, outcome: str, redactor: CountingRedactor
) -> MeasurementRow:
    answer = m.outcome if isinstance(m.outcome, Response) else None
    failure = m.outcome if not isinstance(m.outcome, Response) else None
    return MeasurementRow(
        side=m.side,
        suite=m.suite,
        case_id=m.case_id,
        trial=m.trial,
        hop=m.hop or "",
        confirmation=m.confirmation,
        outcome="response" if failure is None else failure.kind,
        output=redactor.text(answer.output if answer else failure.message if failure else ""),
        served_by=redactor.text(answer.served_by or "") if answer else "",
        latency_ms=m.outcome.latency_ms,
        tokens=answer.tokens if answer else None,
        cost_usd=answer.cost_usd if answer else None,
        tool_calls=tuple(
            redactor.value({"name": call.name, "arguments": dict(call.arguments)})
            for call in (answer.tool_calls if answer else ())
        ),
        retrieved=tuple(redactor.text(found) for found in answer.retrieved) if answer else (),
        scores={s.metric: None if isinstance(s, ScorerFailure) else s.value for s in m.scores},
        case_outcome=outcome,
        input=shown,
        expected=wanted,
        case_line=case.line,
        suite_folder=folder,
        model=redactor.text(answer.model or "") if answer else "",
    )
