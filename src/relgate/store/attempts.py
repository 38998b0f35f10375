"""Counting attempts: how many candidates were judged for one key since the line's last promotion."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, func, insert, select

from relgate.domain.case import CaseKey
from relgate.domain.run import AttemptKey
from relgate.store.tables import alias_history, attempts, cases, runs

SCREEN = 0
"""Number of a screen that showed cases: it is no attempt, but what follows was tuned on them."""

PRODUCTION = "production"


def number_of(connection: Connection, key: AttemptKey, release_digest: str, *, again: bool = False) -> int:
    """The number that a run of this candidate has or would get.

    Judging the same answers again keeps their number; measuring them again is a further attempt.

    Args:
        connection: the registry.
        key: what counts attempts together.
        release_digest: the candidate.
        again: whether the candidate is measured anew (a live system that may answer otherwise).
    """
    here = (*_since_promotion(connection, key), attempts.c.number != SCREEN)
    same = attempts.c.release_digest == release_digest
    earlier: int | None = connection.scalar(select(func.min(attempts.c.number)).where(*here, same))
    if earlier is not None and not again:
        return earlier
    numbers = func.count(attempts.c.number.distinct())
    return connection.execute(select(numbers).where(*here)).scalar_one() + 1


def judged_runs(
    connection: Connection, line: str, baseline_digest: str, release_digest: str
) -> list[tuple[str, str]]:
    """Golden digest and run id of every whole run of a candidate since the line's promotion, newest first."""
    rows = connection.execute(
        select(attempts.c.golden_digest, runs.c.id)
        .join(runs, runs.c.number == attempts.c.run)
        .where(
            attempts.c.line == line,
            attempts.c.baseline_digest == baseline_digest,
            attempts.c.release_digest == release_digest,
            attempts.c.epoch == _epoch(connection, line),
            attempts.c.number != SCREEN,
        )
        .order_by(runs.c.number.desc())
    )
    return [(row.golden_digest, row.id) for row in rows]


def add(
    connection: Connection, key: AttemptKey, release_digest: str, run: int, *, again: bool = False
) -> int:
    """Count a run and give its number; to be called inside the transaction that writes the run."""
    number = number_of(connection, key, release_digest, again=again)
    _insert(connection, key, release_digest, run, number)
    return number


def add_screen(connection: Connection, key: AttemptKey, release_digest: str, run: int) -> None:
    """Remember that a screen showed cases of these golden sets."""
    _insert(connection, key, release_digest, run, SCREEN)


def showed(connection: Connection, key: AttemptKey, release_digest: str, known: Collection[CaseKey]) -> bool:
    """Whether a screen, or a whole run of another candidate, asked one of these cases since the promotion.

    A candidate is not tuned on what its own whole run showed. The golden digest counts for nothing: a case
    that was added makes the others no less known.

    Args:
        connection: the registry.
        key: the release line and the baseline.
        release_digest: the candidate.
        known: suite and id of each.
    """
    rows = connection.execute(
        select(cases.c.suite, cases.c.case_id)
        .distinct()
        .join(attempts, cases.c.run == attempts.c.run)
        .where(
            attempts.c.line == key.line,
            attempts.c.baseline_digest == key.baseline_digest,
            attempts.c.epoch == _epoch(connection, key.line),
            (attempts.c.number == SCREEN) | (attempts.c.release_digest != release_digest),
        )
    )
    return any((row.suite, row.case_id) in known for row in rows)


def uses(connection: Connection, golden_digest: str) -> int:
    """How many candidates these golden cases gave a whole verdict on, over every line and baseline."""
    query = select(func.count(attempts.c.release_digest.distinct())).where(
        attempts.c.golden_digest == golden_digest, attempts.c.number != SCREEN
    )
    return connection.execute(query).scalar_one()


def _insert(connection: Connection, key: AttemptKey, release_digest: str, run: int, number: int) -> None:
    connection.execute(
        insert(attempts).values(
            line=key.line,
            baseline_digest=key.baseline_digest,
            golden_digest=key.golden_digest,
            epoch=_epoch(connection, key.line),
            release_digest=release_digest,
            number=number,
            run=run,
        )
    )


def _since_promotion(connection: Connection, key: AttemptKey) -> tuple[ColumnElement[bool], ...]:
    return (
        attempts.c.line == key.line,
        attempts.c.baseline_digest == key.baseline_digest,
        attempts.c.golden_digest == key.golden_digest,
        attempts.c.epoch == _epoch(connection, key.line),
    )


def _epoch(connection: Connection, line: str) -> int:
    promotions = (alias_history.c.line == line) & (alias_history.c.alias == PRODUCTION)
    return connection.scalar(select(func.max(alias_history.c.id)).where(promotions)) or 0
