"""Queries: releases, runs and verdicts, cases and measurements."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from heapq import merge
from typing import Any

from sqlalchemy import Connection, Row, Select, case, exists, false, func, or_, select

from relgate.domain.errors import Refusal
from relgate.domain.run import ArtifactRow, MeasurementRow, ReleaseRow
from relgate.store import blocks
from relgate.store.rows import CaseRow, ReleaseName, RunRow, Waiver
from relgate.store.tables import (
    artifacts,
    case_blocks,
    cases,
    releases,
    responses,
    runs,
    scores,
    verdicts,
    waivers,
)
from relgate.store.verdict_order import newest_first


def release_rows(connection: Connection, query: Select[Any]) -> list[ReleaseRow]:
    """The releases of a query over the table's columns, with their artifacts."""
    rows = connection.execute(query).all()
    parts: dict[str, list[ArtifactRow]] = {row.digest: [] for row in rows}
    found = connection.execute(
        select(artifacts)
        .where(artifacts.c.release_digest.in_(parts))
        .order_by(artifacts.c.kind, artifacts.c.name)
    )
    for part in found:
        parts[part.release_digest].append(
            ArtifactRow(part.kind, part.name, part.version, part.digest, part.path)
        )
    return [
        ReleaseRow(
            row.name,
            row.version,
            row.digest,
            row.owner,
            row.manifest,
            row.manifest_path,
            tuple(parts[row.digest]),
        )
        for row in rows
    ]


def release_id(connection: Connection, name: str, version: str, digest: str | None = None) -> int | None:
    """The release of this name and version; where it has several digests, the one named or judged last."""
    last_run = select(func.max(runs.c.number)).where(runs.c.release == releases.c.id).scalar_subquery()
    query = select(releases.c.id).where(releases.c.name == name, releases.c.version == version)
    if digest is not None:
        query = query.where(releases.c.digest == digest)
    found: int | None = connection.scalar(
        query.order_by(func.coalesce(last_run, 0).desc(), releases.c.id.desc()).limit(1)
    )
    return found


def release_of(connection: Connection, identity: int) -> ReleaseRow:
    """The release with this surrogate key."""
    return release_rows(connection, select(releases).where(releases.c.id == identity))[0]


def waiver_rows(connection: Connection, line: str) -> list[Waiver]:
    """Every waiver of a release line, oldest first."""
    rows = connection.execute(
        select(waivers, releases.c.name, releases.c.version, verdicts.c.decision)
        .join(releases, releases.c.id == waivers.c.release)
        .outerjoin(verdicts, verdicts.c.run == waivers.c.run)
        .where(releases.c.name == line)
        .order_by(waivers.c.id)
    )
    return [
        Waiver(row.name, row.version, row.alias, row.decision or "", row.reason, row.at, row.actor)
        for row in rows
    ]


def call_means(connection: Connection, run_id: str) -> dict[str, tuple[float | None, float | None]]:
    """Mean tokens and dollars of a call per suite of a run; None where none is known."""
    rows = connection.execute(
        select(cases.c.suite, func.avg(responses.c.tokens), func.avg(responses.c.cost_usd))
        .join(runs, runs.c.number == responses.c.run)
        .join(cases, (cases.c.run == responses.c.run) & (cases.c.number == responses.c.case_number))
        .where(runs.c.id == run_id)
        .group_by(cases.c.suite)
    )
    found = {
        suite: (None if tokens is None else float(tokens), None if usd is None else float(usd))
        for suite, tokens, usd in rows
    }
    number = connection.scalar(select(runs.c.number).where(runs.c.id == run_id))
    return found if number is None else {**found, **blocks.call_means(connection, number)}


def reported_models(connection: Connection, release_digest: str) -> dict[str, frozenset[str]]:
    """The models that the targets of a release said they were, in the newest run that measured it."""
    newest = connection.execute(
        select(runs.c.number, releases.c.id, runs.c.release)
        .join(releases, (releases.c.id == runs.c.release) | (releases.c.id == runs.c.baseline))
        .where(
            releases.c.digest == release_digest,
            or_(*(exists().where(table.c.run == runs.c.number) for table in (responses, case_blocks))),
        )
        .order_by(runs.c.number.desc())
        .limit(1)
    ).first()
    if newest is None:
        return {}
    side = "candidate" if newest.release == newest.id else "baseline"
    rows = connection.execute(
        select(responses.c.served_by, responses.c.model)
        .distinct()
        .where(responses.c.run == newest.number, responses.c.side == side, responses.c.model != "")
    )
    found: dict[str, set[str]] = {}
    for target, model in (*rows, *blocks.reported_models(connection, newest.number, side)):
        found.setdefault(target, set()).add(model)
    return {target: frozenset(models) for target, models in found.items()}


_SCREEN = case((verdicts.c.partial, verdicts.c.scorecard["verdict"]["screen"].as_boolean()), else_=false())
"""Whether a run was a screen; those are recorded as partial, so no other scorecard is read for it."""


def run_rows(
    connection: Connection,
    *,
    limit: int | None = None,
    release: str | None = None,
    run_id: str | None = None,
    by_verdict: bool = False,
) -> list[RunRow]:
    """Runs, newest first: of a release name, or the one with this id."""
    candidate, baseline = releases.alias("candidate"), releases.alias("baseline")
    query = (
        select(
            runs.c.id,
            runs.c.started,
            runs.c.finished,
            runs.c.cases,
            runs.c.manifest_path,
            *(candidate.c[name].label(f"candidate_{name}") for name in ("name", "version", "digest")),
            *(baseline.c[name].label(f"baseline_{name}") for name in ("name", "version", "digest")),
            verdicts.c.decision,
            verdicts.c.reason,
            verdicts.c.next_step,
            verdicts.c.exit_status,
            verdicts.c.partial,
            verdicts.c.attempt,
            verdicts.c.policy_digest,
            _SCREEN.label("screen"),
        )
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(candidate, candidate.c.id == runs.c.release)
        .outerjoin(baseline, baseline.c.id == runs.c.baseline)
        .order_by(*(newest_first() if by_verdict else (runs.c.number.desc(),)))
        .limit(limit)
    )
    if release is not None:
        query = query.where(candidate.c.name == release)
    if run_id is not None:
        query = query.where(runs.c.id == run_id)
    return [_run_row(row) for row in connection.execute(query)]


def _run_row(row: Row[*tuple[Any, ...]]) -> RunRow:
    return RunRow(
        id=row.id,
        started=row.started,
        finished=row.finished,
        release=ReleaseName(row.candidate_name, row.candidate_version, row.candidate_digest),
        baseline=None
        if row.baseline_name is None
        else ReleaseName(row.baseline_name, row.baseline_version, row.baseline_digest),
        decision=row.decision,
        reason=row.reason,
        next_step=row.next_step,
        exit_status=row.exit_status,
        partial=row.partial,
        attempt=row.attempt,
        policy_digest=row.policy_digest,
        cases=row.cases,
        manifest_path=row.manifest_path,
        screen=bool(row.screen),
    )


def find_run(connection: Connection, prefix: str) -> str:
    """The id of the run that the text begins.

    Raises:
        Refusal: no run begins so, or several do.
    """
    newest: list[str] = list(connection.scalars(select(runs.c.id).order_by(runs.c.number.desc())))
    if prefix in newest:
        return prefix
    found = [run_id for run_id in newest if prefix and run_id.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if found:
        what = f"{len(found)} runs begin with {prefix!r}: {_some(found)}"
        raise Refusal(what, "write more of the id")
    raise Refusal(f"there is no run {prefix!r}", near(prefix, newest, NEAR_RUN))


NEAR = 0.6
"""The share of signs that two names must have in common to be taken for each other."""

NEAR_RUN = 0.75
"""The same of ids of runs, which share digits by their nature."""


def near(name: str, known: Iterable[str], share: float = NEAR) -> str:
    """What a user may have meant: names like this one, else the first that there are."""
    listed = list(dict.fromkeys(known))
    if not listed:
        return "nothing has been recorded yet"
    found = alike(name, listed, share)
    return f"did you mean {_some(found)}?" if found else f"there are {_some(listed)}"


def alike(name: str, known: Iterable[str], share: float = NEAR) -> list[str]:
    """At most three names, the nearest first, that share so much with this one, whole or at their start."""
    shares = {
        one: max(difflib.SequenceMatcher(None, name, part).ratio() for part in (one, one[: len(name)]))
        for one in (known if name else ())
    }
    return sorted((one for one in shares if shares[one] >= share), key=lambda one: -shares[one])[:3]


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def run_number(connection: Connection, run_id: str) -> int:
    """The surrogate key of a run."""
    return int(connection.execute(select(runs.c.number).where(runs.c.id == run_id)).scalar_one())


def repeating_runs(connection: Connection, ids: Sequence[str], suites: Sequence[str]) -> frozenset[str]:
    """Which of these runs asked some case of these suites more than once."""
    of_case = (responses.c.run == cases.c.run) & (responses.c.case_number == cases.c.number)
    again = (
        select(responses.c.run)
        .join(cases, of_case)
        .where(
            responses.c.run == runs.c.number,
            responses.c.trial == 1,
            responses.c.confirmation.is_(False),
            cases.c.suite.in_(suites),
        )
    )
    return frozenset(
        connection.execute(select(runs.c.id).where(runs.c.id.in_(ids), again.exists())).scalars()
    )


def scorecard(connection: Connection, run_id: str) -> dict[str, Any]:
    """scorecard.json of a run."""
    number = run_number(connection, run_id)
    found: dict[str, Any] = connection.execute(
        select(verdicts.c.scorecard).where(verdicts.c.run == number)
    ).scalar_one()
    return found


def case_rows(connection: Connection, run_id: str, outcome: str | None) -> list[CaseRow]:
    """The cases of a run in the order of measuring."""
    run = run_number(connection, run_id)
    query = select(cases).where(cases.c.run == run).order_by(cases.c.number)
    if outcome is not None:
        query = query.where(cases.c.outcome == outcome)
    own = (
        (
            row.number,
            CaseRow(
                row.suite, row.suite_folder, row.case_id, row.case_line, row.input, row.expected, row.outcome
            ),
        )
        for row in connection.execute(query)
    )
    packed = (
        (number, row)
        for number, row in blocks.case_rows(connection, run)
        if outcome is None or row.outcome == outcome
    )
    return [row for _, row in merge(own, packed, key=_number)]


def measurement_rows(
    connection: Connection, run_id: str, case_id: str | None, suite: str | None
) -> list[MeasurementRow]:
    """What was measured in a run, as it was recorded; of one case when its id is given."""
    run = run_number(connection, run_id)
    wanted = [cases.c.run == run]
    if case_id is not None:
        wanted.append(cases.c.case_id == case_id)
    if suite is not None:
        wanted.append(cases.c.suite == suite)
    of_case = (responses.c.run == cases.c.run) & (responses.c.case_number == cases.c.number)
    of_response = (scores.c.run == responses.c.run) & (scores.c.response == responses.c.number)

    values: dict[int, dict[str, float | None]] = {}
    for response, metric, value in connection.execute(
        select(scores.c.response, scores.c.metric, scores.c.value)
        .join(responses, of_response)
        .join(cases, of_case)
        .where(*wanted)
        .order_by(scores.c.response, scores.c.metric)
    ):
        values.setdefault(response, {})[metric] = value
    rows = connection.execute(
        select(
            responses,
            cases.c.suite,
            cases.c.suite_folder,
            cases.c.case_id,
            cases.c.case_line,
            cases.c.input,
            cases.c.expected,
            cases.c.outcome.label("case_outcome"),
        )
        .join(cases, of_case)
        .where(*wanted)
        .order_by(responses.c.number)
    )
    own = ((row.number, _measurement(row, values.get(row.number, {}))) for row in rows)
    packed = blocks.measurement_rows(connection, run, case_id, suite)
    return [row for _, row in merge(own, packed, key=_number)]


def _number(row: tuple[int, object]) -> int:
    return row[0]


def _measurement(row: Row[Any], values: dict[str, float | None]) -> MeasurementRow:
    return MeasurementRow(
        side=row.side,
        suite=row.suite,
        case_id=row.case_id,
        trial=row.trial,
        hop=row.hop,
        confirmation=row.confirmation,
        outcome=row.outcome,
        output=row.output,
        served_by=row.served_by,
        latency_ms=row.latency_ms,
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        tool_calls=tuple(row.tool_calls),
        retrieved=tuple(row.retrieved),
        scores=values,
        case_outcome=row.case_outcome,
        input=row.input,
        expected=row.expected,
        case_line=row.case_line,
        suite_folder=row.suite_folder,
        model=row.model or "",
    )
