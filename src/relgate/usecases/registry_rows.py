"""Releases and calls as the registry keeps them: every text in them is redacted here."""

from __future__ import annotations

from collections.abc import Mapping

from relgate.domain.case import Case
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Response, ScorerFailure
from relgate.domain.run import MeasurementRow, ReleaseRow
from relgate.usecases.artifact_rows import artifact_rows
from relgate.usecases.build_scorecard import Measured, expected_text
from relgate.usecases.measure import CaseKey
from relgate.usecases.prepare import Prepared
from relgate.usecases.redacting import CountingRedactor


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
) -> tuple[MeasurementRow, ...]:
    """Every call as stored; inputs, outputs and tool calls are redacted."""
    rows: list[MeasurementRow] = []
    for plan in prepared.plans:
        for case in plan.suite.all_cases:
            key = (plan.suite.name, case.id)
            if key not in measured:
                continue
            shown, wanted = redactor.text(case.text), redactor.text(expected_text(case))
            for m in measured[key]:
                if m.stored:
                    continue
                rows.append(
                    _measurement_row(m, case, plan.suite.folder, shown, wanted, outcomes[key], redactor)
                )
    return tuple(rows)


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
