"""Counting attempts: how many candidates were judged for one key since the line's last promotion."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, func, insert, select

from relgate.domain.run import AttemptKey
from relgate.store.tables import alias_history, attempts

PRODUCTION = "production"


def number_of(connection: Connection, key: AttemptKey, release_digest: str) -> int:
    """The number that a run of this candidate has or would get; the same digest keeps its number."""
    here = _since_promotion(connection, key)
    same = attempts.c.release_digest == release_digest
    earlier: int | None = connection.scalar(select(func.min(attempts.c.number)).where(*here, same))
    if earlier is not None:
        return earlier
    digests = func.count(attempts.c.release_digest.distinct())
    return connection.execute(select(digests).where(*here)).scalar_one() + 1


def add(connection: Connection, key: AttemptKey, release_digest: str, run: int) -> int:
    """Count a run and give its number; to be called inside the transaction that writes the run."""
    number = number_of(connection, key, release_digest)
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
    return number


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
