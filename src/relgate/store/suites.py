"""The suites of a run as they were: what a later run is compared with, so that nothing goes unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select

from relgate.domain.case import LONG_SUITE
from relgate.domain.response import Side
from relgate.domain.run import AttemptKey, CaseRecord, SuiteRecord, SuiteSettings
from relgate.store import blocks
from relgate.store.attempts import PRODUCTION, SCREEN, counted
from relgate.store.rows import ReleaseName
from relgate.store.tables import (
    alias_history,
    attempts,
    releases,
    runs,
    suite_blocks,
    suites,
    verdicts,
    waivers,
)


def add(connection: Connection, run: int, records: tuple[SuiteRecord, ...]) -> None:
    """Write the suites of a run; to be called inside the transaction that writes the run."""
    if records:
        connection.execute(
            insert(suites),
            [
                {
                    "run": run,
                    "suite": record.suite,
                    "kind": record.kind,
                    "gates": [dict(gate) for gate in record.gates],
                    "cases": [] if _is_long(record) else [_case(case) for case in record.cases],
                    "cases_digest": record.cases_digest,
                    "settings": None if record.settings is None else asdict(record.settings),
                }
                for record in records
            ],
        )
    for record in filter(_is_long, records):
        blocks.add_records(connection, run, record.suite, record.cases)


def of_run(connection: Connection, run_id: str) -> list[SuiteRecord]:
    """The suites of a run by name; none where they were not recorded."""
    rows = connection.execute(
        select(suites)
        .join(runs, runs.c.number == suites.c.run)
        .where(runs.c.id == run_id)
        .order_by(suites.c.suite)
    ).all()
    return [
        SuiteRecord(
            row.suite,
            row.kind,
            tuple(row.gates),
            _cases_of(connection, row),
            row.cases_digest,
            None if row.settings is None else _settings(row.settings),
        )
        for row in rows
    ]


def _settings(document: Mapping[str, Any]) -> SuiteSettings:
    lists = {name: tuple(document[name]) for name in ("scorers", "slices")}
    return SuiteSettings(**{**document, **lists})


def case_digests(connection: Connection, run_id: str) -> dict[str, str]:
    """``SuiteRecord.cases_digest`` of each suite of a run, without reading its cases."""
    rows = connection.execute(
        select(suites.c.suite, suites.c.cases_digest)
        .join(runs, runs.c.number == suites.c.run)
        .where(runs.c.id == run_id)
    )
    return {row.suite: row.cases_digest for row in rows}


def judged_settings(connection: Connection, key: AttemptKey) -> list[tuple[str, str, SuiteSettings]]:
    """Run, suite and settings of every suite in every whole run that counts for a baseline, newest first."""
    rows = connection.execute(
        select(runs.c.id, suites.c.suite, suites.c.settings)
        .join(suites, suites.c.run == runs.c.number)
        .where(
            runs.c.number.in_(
                select(attempts.c.run).where(*counted(connection, key), attempts.c.number > SCREEN)
            )
        )
        .order_by(runs.c.number.desc(), suites.c.suite)
    )
    return [(row.id, row.suite, _settings(row.settings)) for row in rows if row.settings is not None]


def _is_long(record: SuiteRecord) -> bool:
    return len(record.cases) > LONG_SUITE


def _case(case: CaseRecord) -> list[object]:
    return [case.id, case.digest, case.critical, case.regression, case.harmful, case.content, case.tags]


def _cases_of(connection: Connection, row: Row[Any]) -> tuple[CaseRecord, ...]:
    if row.cases:
        return tuple(CaseRecord(*case) for case in row.cases)
    packed = connection.scalars(
        select(suite_blocks.c.cases)
        .where(suite_blocks.c.run == row.run, suite_blocks.c.suite == row.suite)
        .order_by(suite_blocks.c.first)
    )
    return tuple(case for block in packed for case in blocks.unpack_records(block))


def stored_runs(connection: Connection, release_digest: str) -> list[tuple[str, Side]]:
    """The whole runs that measured a release, newest first, with the side that it was on."""
    rows = connection.execute(
        select(runs.c.id, runs.c.release, releases.c.id.label("measured"))
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(releases, or_(releases.c.id == runs.c.release, releases.c.id == runs.c.baseline))
        .where(
            releases.c.digest == release_digest,
            verdicts.c.partial.is_(False),
            runs.c.number.in_(select(suites.c.run)),
        )
        .order_by(runs.c.number.desc())
    )
    return [(row.id, "candidate" if row.release == row.measured else "baseline") for row in rows]


def candidate_runs(connection: Connection, release_digest: str) -> list[str]:
    """Every run of a candidate, whole or not, against whatever baseline, newest first."""
    return list(
        connection.scalars(
            select(runs.c.id)
            .join(verdicts, verdicts.c.run == runs.c.number)
            .join(releases, releases.c.id == runs.c.release)
            .where(releases.c.digest == release_digest)
            .order_by(runs.c.number.desc())
        )
    )


def judging_run(connection: Connection, release: ReleaseName, *, of_version: bool = False) -> str | None:
    """The whole run that a release stands on: the newest that promoted it, else the newest that judged it.

    Where a person waived the verdict of a run when the release last took production, it is that run: what it
    lacked was accepted. Of another release that took production it is one from before: who judges it again on
    fewer cases would else make these the measure. Such a release is known by its version where its content is
    not: a recording's file changes with the golden set. Of one that was only ever a baseline it is the first
    run against it: the suites of a later one may have shrunk, and a run that holds for that must not become
    the measure of the next.

    Args:
        connection: the registry.
        release: the release.
        of_version: whether its version is enough, whatever its content and whoever holds production.
    """
    version = (releases.c.name == release.name) & (releases.c.version == release.version)
    content = releases.c.digest == release.digest
    taken = _taken(connection, content) or _taken(connection, version)
    if taken is not None and (waived := _waived(connection, content | version, taken)) is not None:
        return waived
    before = [] if taken is None else [func.substr(runs.c.finished, 1, _MOMENT) <= taken[:_MOMENT]]
    found = _standing(connection, content, before)
    known = of_version or taken is not None
    return found or (_standing(connection, version, before) if known else None)


_MOMENT = len("2026-11-30T02:23:21.536")
"""Characters of a time without its zone, which is UTC however it is written."""


def _taken(connection: Connection, which: ColumnElement[bool]) -> str | None:
    """When a release took production, the last time."""
    at: str | None = connection.scalar(
        select(func.max(alias_history.c.at))
        .join(releases, releases.c.id == alias_history.c.to_release)
        .where(which, alias_history.c.alias == PRODUCTION)
    )
    return at


def _waived(connection: Connection, which: ColumnElement[bool], at: str) -> str | None:
    """The whole run whose verdict was waived when a release took production at this time."""
    found: str | None = connection.scalar(
        select(runs.c.id)
        .join(waivers, waivers.c.run == runs.c.number)
        .join(releases, releases.c.id == waivers.c.release)
        .where(which, waivers.c.alias == PRODUCTION, waivers.c.at == at)
        .where(runs.c.number.in_(select(suites.c.run)))
    )
    return found


def _standing(
    connection: Connection, which: ColumnElement[bool], before: Sequence[ColumnElement[bool]]
) -> str | None:
    whole = (verdicts.c.partial.is_(False), runs.c.number.in_(select(suites.c.run)))

    def find(side: ColumnElement[int | None], *more: ColumnElement[bool], newest: bool = True) -> str | None:
        order = runs.c.number.desc() if newest else runs.c.number
        found: str | None = connection.scalar(
            select(runs.c.id)
            .join(verdicts, verdicts.c.run == runs.c.number)
            .join(releases, releases.c.id == side)
            .where(which, *whole, *more)
            .order_by(order)
            .limit(1)
        )
        return found

    return (
        find(runs.c.release, verdicts.c.decision == "promote", *before)
        or find(runs.c.release, *before)
        or find(runs.c.release)
        or find(runs.c.baseline, newest=False)
    )
