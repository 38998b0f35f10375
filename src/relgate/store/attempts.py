"""Counting attempts: how many candidates were judged for one key since the line's last promotion."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, insert, select

from relgate.domain.run import AttemptKey
from relgate.store.tables import alias_history, attempts

SCREEN = 0
"""Number of a screen that showed cases: it is no attempt, but what follows was tuned on them."""

PRODUCTION = "production"


def number_of(connection: Connection, key: AttemptKey, release_digest: str) -> int:
    """The number that a run of this candidate has or would get; the same digest keeps its number."""
    here = (*_since_promotion(connection, key), attempts.c.number != SCREEN)
    same = attempts.c.release_digest == release_digest
    earlier: int | None = connection.scalar(select(func.min(attempts.c.number)).where(*here, same))
    if earlier is not None:
        return earlier
    digests = func.count(attempts.c.release_digest.distinct())
    return connection.execute(select(digests).where(*here)).scalar_one() + 1


def add(connection: Connection, key: AttemptKey, release_digest: str, run: int) -> int:
    """Count a run and give its number; to be called inside the transaction that writes the run."""
    number = number_of(connection, key, release_digest)
    _insert(connection, key, release_digest, run, number)
    return number


def add_screen(connection: Connection, key: AttemptKey, release_digest: str, run: int) -> None:
    """Remember that a screen showed cases of these golden sets."""
    _insert(connection, key, release_digest, run, SCREEN)


def screened(connection: Connection, key: AttemptKey) -> bool:
    """Whether a screen showed cases of these golden sets since the line's last promotion."""
    here = (*_since_promotion(connection, key), attempts.c.number == SCREEN)
    return connection.scalar(select(attempts.c.id).where(*here).limit(1)) is not None


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
