"""Answers that were paid for, in a file of this machine: an interrupted run goes on where it was.

It is no part of the registry, which holds what was decided and may be shared: this file holds what a run
has in hand, is written while it runs, and may be deleted at any time at the price of asking again. Its two
tables are written many times a second, so they are spoken to directly and know no migrations. Their rows lie
in the order in which they came: by their digests each would be written into another page.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path

from relgate.domain.errors import RegistryError

KEPT_FOR = timedelta(days=30)
BUSY_SECONDS = 30.0
_SCHEMA = """
create table if not exists bodies (digest text primary key, body blob not null);
create table if not exists answers (
    key text primary key, digest text not null, at text not null, run text not null, done integer not null
);
create index if not exists answers_run on answers (run);
"""


_ROWS_AT_ONCE = 200
"""Rows of one statement, whose every step gives the interpreter away; SQLite takes 999 values."""


class State(IntEnum):
    """What became of the run that asked for an answer."""

    UNFINISHED = 0
    JUDGED = 1
    OF_NO_ATTEMPT = 2
    """It ended, but is no attempt: a screen, a part of the cases, an outage."""


class ResponseStore:
    """Bodies by their digest, and which of them answers a key; used by one thread at a time.

    Args:
        path: the file; it and its folder are made where they are not there, for this user alone.

    Raises:
        RegistryError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # never a file that is there: closing it again would take SQLite's locks from this process
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            self._connection.executescript("pragma journal_mode=wal; pragma synchronous=normal;" + _SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise RegistryError(f"{path}: answers cannot be kept ({error}); delete the file") from error

    def put(self, rows: Iterable[tuple[str, bytes]], run: str, at: datetime) -> None:
        """Keep answers by their keys, in one transaction.

        Raises:
            RegistryError: the disk is full, or the file is damaged.
        """
        found = [(key, hashlib.sha256(body).hexdigest(), body) for key, body in rows]
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds")
        try:
            with self._connection as connection:
                for start in range(0, len(found), _ROWS_AT_ONCE):
                    some = found[start : start + _ROWS_AT_ONCE]
                    connection.execute(
                        f"insert or ignore into bodies values {_places('(?, ?)', some)}",
                        [value for _, digest, body in some for value in (digest, body)],
                    )
                    connection.execute(
                        f"insert or replace into answers values {_places('(?, ?, ?, ?, 0)', some)}",
                        [value for key, digest, _ in some for value in (key, digest, moment, run)],
                    )
        except sqlite3.Error as error:
            raise RegistryError(f"{self._path}: {error}") from error

    def has_unfinished(self) -> bool:
        """Whether a run ended without a verdict and left answers."""
        return self._connection.execute("select 1 from answers where done = 0 limit 1").fetchone() is not None

    def oldest_unfinished(self, run: str) -> datetime | None:
        """When the oldest answer of a run was written that nobody finished; None where there is none."""
        query = "select min(at) from answers where run = ? and done = 0"
        at = self._connection.execute(query, (run,)).fetchone()[0]
        return None if at is None else datetime.fromisoformat(at)

    def find(self, key: str, *, not_of: str) -> tuple[bytes, State, str] | None:
        """The answer to a key, what became of the run that paid for it, and that run.

        Args:
            key: what is looked for.
            not_of: a run whose own answers do not count.
        """
        row = self._connection.execute(
            "select body, done, run from answers join bodies using (digest) where key = ? and run != ?",
            (key, not_of),
        ).fetchone()
        return None if row is None else (row[0], State(row[1]), row[2])

    def finish(self, keys: Iterable[str], state: State) -> None:
        """Note what became of the run of those among these that were unfinished, and drop what is older than
        a month."""
        oldest = (datetime.now(UTC) - KEPT_FOR).isoformat(timespec="milliseconds")
        with contextlib.suppress(sqlite3.Error), self._connection as connection:
            connection.executemany(
                f"update answers set done = {state:d} where key = ? and done = 0", [(key,) for key in keys]
            )
            connection.execute("delete from answers where at < ?", (oldest,))
            connection.execute("delete from bodies where digest not in (select digest from answers)")

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._connection.close()


def _places(row: str, rows: Sequence[object]) -> str:
    return ", ".join([row] * len(rows))
