"""Runs that showed outcomes of a candidate and have no verdict yet.

What they showed is known. An interruption is no attempt and neither is a budget's end (verdict.md 5.3), where
what was answered is gone on with. Who draws anew what was shown already has a further try, so runs that draw
are remembered until one that is recorded either holds their answers or counts them.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update

from relgate.domain.run import AttemptKey, UnfinishedRun
from relgate.store import attempts
from relgate.store.tables import unfinished_runs


def begin(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    run: UnfinishedRun,
    drawn_anew: Collection[str],
) -> None:
    """Remember that a run shows outcomes now.

    Args:
        connection: the registry.
        key: the release line and the baseline; any golden set.
        release_digest: the candidate.
        run: the run.
        drawn_anew: earlier ones that it does not go on with; one that is gone on with stands for both.
    """
    connection.execute(
        insert(unfinished_runs).values(
            id=run.id,
            line=key.line,
            baseline_digest=key.baseline_digest,
            release_digest=release_digest,
            epoch=attempts.last_promotion(connection, key.line),
            began=run.began,
            discarded=False,
            draws=run.draws,
            suites=None if run.suites is None else list(run.suites),
        )
    )
    connection.execute(
        update(unfinished_runs).where(unfinished_runs.c.id.in_(drawn_anew)).values(discarded=True)
    )


def of_candidate(connection: Connection, key: AttemptKey, release_digest: str) -> list[UnfinishedRun]:
    """The unfinished draws of a candidate that count for a baseline, oldest first."""
    rows = connection.execute(
        select(unfinished_runs.c.id, unfinished_runs.c.began, unfinished_runs.c.discarded)
        .where(
            *attempts.counted(connection, key, unfinished_runs),
            unfinished_runs.c.release_digest == release_digest,
            unfinished_runs.c.draws,
        )
        .order_by(unfinished_runs.c.began, unfinished_runs.c.id)
    )
    return [UnfinishedRun(row.id, row.began, row.discarded) for row in rows]


def end_shown(connection: Connection, key: AttemptKey, release_digest: str) -> None:
    """Forget the runs of a candidate that drew nothing: a whole run shows what they showed."""
    connection.execute(
        delete(unfinished_runs).where(
            unfinished_runs.c.line == key.line,
            unfinished_runs.c.baseline_digest == key.baseline_digest,
            unfinished_runs.c.release_digest == release_digest,
            ~unfinished_runs.c.draws,
        )
    )


def end(connection: Connection, ids: Collection[str]) -> None:
    """Forget these runs."""
    if ids:
        connection.execute(delete(unfinished_runs).where(unfinished_runs.c.id.in_(ids)))
