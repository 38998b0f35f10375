"""Writing a run: releases, cases, responses, scores, verdict and attempt, all in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.dialects import sqlite

from relgate.domain.errors import AttemptMoved, RegistryError
from relgate.domain.run import CaseBlock, MeasurementRow, ReleaseRow, RunRecord
from relgate.store import attempts, blocks, suites, unfinished
from relgate.store.columns import Columns, insert_columns
from relgate.store.tables import artifacts, cases, releases, responses, runs, scores, verdicts

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def now() -> str:
    """This moment as the registry writes it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def record(connection: Connection, run: RunRecord) -> int:
    """Write a run and give its attempt number, 0 when it is no attempt.

    Raises:
        RegistryError: a run with this id is there already.
    """
    if connection.scalar(select(runs.c.number).where(runs.c.id == run.id)) is not None:
        raise RegistryError(f"run {run.id} is in the registry already")
    number = _insert_run(connection, run)
    suites.add(connection, number, run.suites)
    _insert_measurements(connection, number, run.measurements)
    # whatever showed outcomes of the candidate beside this run, or before it, was another draw
    others = (
        [one.id for one in unfinished.of_candidate(connection, run.attempt, run.release.digest)]
        if run.attempt is not None
        else []
    )
    others = [one for one in others if one not in run.ended]
    if run.attempt is not None and run.attempt_number is not None:
        current = attempts.number_of(
            connection,
            run.attempt,
            run.release.digest,
            again=run.again,
            discarded=len(others),
            draw=run.draw,
        )
        if current != run.attempt_number:
            raise AttemptMoved(current)
    unfinished.end(connection, [*run.ended, *others])
    attempt = None
    if run.attempt is not None:
        attempt = attempts.add(
            connection,
            run.attempt,
            run.release.digest,
            number,
            again=run.again,
            discarded=others,
            draw=run.draw,
        )
        unfinished.end_shown(connection, run.attempt, run.release.digest)
    if run.shown is not None:
        attempts.add_shown(connection, run.shown, run.release.digest, number, screen=run.screen)
    verdict = run.scorecard.get("verdict", {})
    connection.execute(
        insert(verdicts).values(
            run=number,
            decision=run.decision,
            reason=verdict.get("reason", ""),
            next_step=verdict.get("next_step", ""),
            exit_status=run.exit_status,
            partial=run.partial,
            attempt=attempt,
            policy_digest=run.policy_digest,
            judged_key=run.judged_key,
            scorecard=run.scorecard,
        )
    )
    return attempt or 0


def _insert_run(connection: Connection, run: RunRecord) -> int:
    result = connection.execute(
        insert(runs).values(
            id=run.id,
            started=run.started,
            finished=run.finished,
            release=add_release(connection, run.release),
            baseline=None if run.baseline is None else add_release(connection, run.baseline),
            manifest_path=run.manifest_path,
            cases=run.scorecard.get("cases", {}),
            draw=run.draw or None,
        )
    )
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def add_release(connection: Connection, release: ReleaseRow) -> int:
    """The release's id. One that is there already only learns who owns it and where its manifest lies now."""
    identity = {"name": release.name, "version": release.version, "digest": release.digest}
    manifest = {
        "owner": release.owner,
        "manifest": release.manifest,
        "manifest_path": release.manifest_path,
    }
    connection.execute(
        _upsert(connection, releases)
        .values(**identity, **manifest, recorded=now())
        .on_conflict_do_update(index_elements=list(identity), set_=manifest)
    )
    if release.artifacts:
        connection.execute(
            _upsert(connection, artifacts).on_conflict_do_nothing(),
            [
                {
                    "release_digest": release.digest,
                    "kind": artifact.kind,
                    "name": artifact.name,
                    "version": artifact.version,
                    "digest": artifact.digest,
                    "path": artifact.path,
                }
                for artifact in release.artifacts
            ],
        )
    found = select(releases.c.id).where(*(releases.c[name] == value for name, value in identity.items()))
    return int(connection.execute(found).scalar_one())


def _upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that says what happens to a row that is there already."""
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # costs every start where another one is spoken

    return postgresql.insert(table)


def _insert_measurements(
    connection: Connection, run: int, found: tuple[MeasurementRow | CaseBlock, ...]
) -> None:
    """Number cases and calls in their order, whether they go in rows of their own or in blocks."""
    first_case = first_response = 0
    for is_block, group in groupby(found, key=lambda one: isinstance(one, CaseBlock)):
        if not is_block:
            rows = [one for one in group if isinstance(one, MeasurementRow)]
            first_case += _insert_rows(connection, run, rows, first_case, first_response)
            first_response += len(rows)
            continue
        held = (one for one in group if isinstance(one, CaseBlock))
        first_case, first_response = blocks.add(connection, run, first_case, first_response, held)


def _insert_rows(
    connection: Connection, run: int, rows: list[MeasurementRow], first_case: int, first_response: int
) -> int:
    """Write calls in rows of their own and give how many cases they belong to."""
    numbers: dict[tuple[str, str], int] = {}
    first_rows = []
    case_numbers = []
    for row in rows:
        key = (row.suite, row.case_id)
        number = numbers.get(key)
        if number is None:
            number = numbers[key] = first_case + len(numbers)
            first_rows.append(row)
        case_numbers.append(number)
    insert_columns(connection, cases, _case_columns(run, first_case, first_rows))
    insert_columns(connection, responses, _response_columns(run, first_response, case_numbers, rows))
    insert_columns(connection, scores, _score_columns(run, first_response, rows))
    return len(first_rows)


def _case_columns(run: int, first: int, rows: list[MeasurementRow]) -> Columns:
    return {
        "run": [run] * len(rows),
        "number": range(first, first + len(rows)),
        "suite": [row.suite for row in rows],
        "suite_folder": [row.suite_folder for row in rows],
        "case_id": [row.case_id for row in rows],
        "case_line": [row.case_line for row in rows],
        "input": [row.input for row in rows],
        "expected": [row.expected for row in rows],
        "outcome": [row.case_outcome for row in rows],
    }


def _response_columns(run: int, first: int, case_numbers: list[int], rows: list[MeasurementRow]) -> Columns:
    return {
        "run": [run] * len(rows),
        "number": range(first, first + len(rows)),
        "case_number": case_numbers,
        "side": [row.side for row in rows],
        "trial": [row.trial for row in rows],
        "hop": [row.hop for row in rows],
        "confirmation": [row.confirmation for row in rows],
        "outcome": [row.outcome for row in rows],
        "output": [row.output for row in rows],
        "served_by": [row.served_by for row in rows],
        "latency_ms": [row.latency_ms for row in rows],
        "tokens": [row.tokens for row in rows],
        "cost_usd": [row.cost_usd for row in rows],
        "tool_calls": [[dict(call) for call in row.tool_calls] for row in rows],
        "retrieved": [list(row.retrieved) for row in rows],
        "model": [row.model for row in rows],
    }


def _score_columns(run: int, first: int, rows: list[MeasurementRow]) -> Columns:
    found = [
        (number, metric, value)
        for number, row in enumerate(rows, first)
        for metric, value in row.scores.items()
    ]
    return {
        "run": [run] * len(found),
        "response": [number for number, _, _ in found],
        "metric": [metric for _, metric, _ in found],
        "value": [value for _, _, value in found],
    }
