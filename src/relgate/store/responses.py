"""Answers that were paid for, in a file of this machine: an interrupted run goes on where it was.

It is no part of the registry, which holds what was decided and may be shared: this file holds what a run
has in hand, is written while it runs, and may be deleted at any time at the price of asking again. It is
written many times a second, so it is spoken to directly, knows no migrations, and nothing is kept in order
but the answers themselves: each is appended, named by its digest, and only who looks for one makes an index,
for itself and for as long as it looks. What became of a run is noted once, not at each of its answers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path

from relgate.domain.errors import RegistryError

KEPT_FOR = timedelta(days=30)
BUSY_SECONDS = 30.0
_SCHEMA = """
create table if not exists runs (
    id integer primary key, name text not null unique, at text not null, done integer not null
);
create table if not exists answers (
    id integer primary key, key text not null, digest text not null, at text not null, run integer not null,
    body blob not null
);
create table if not exists taken (answer integer primary key, done integer not null);
"""
"""``taken`` has the answers whose end is not that of the run that asked for them: another run took them."""


_NONE = -1
"""No state."""

_ROWS_AT_ONCE = 150
"""Rows of one statement, whose every step gives the interpreter away; SQLite takes 999 values."""


class State(IntEnum):
    """What became of the run that asked for an answer."""

    UNFINISHED = 0
    JUDGED = 1
    OF_NO_ATTEMPT = 2
    """It ended, but is no attempt: a screen, a part of the cases, an outage."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer that was kept.

    Attributes:
        number: its own in the file.
        body: what was kept.
        state: what became of the run that paid for it, or of the one that took it.
        run: who paid for it.
    """

    number: int
    body: bytes
    state: State
    run: str


class ResponseStore:
    """Answers, each by its key and its digest; used by one thread at a time.

    Args:
        path: the file; it and its folder are made where they are not there, for this user alone.
        of_attempts: whether who looks for an answer passes over those of screens and of some cases, which
            hide nothing that an interrupted run left.

    Raises:
        RegistryError: it cannot be opened.
    """

    def __init__(self, path: Path, *, of_attempts: bool = False) -> None:
        self._path = path
        self._of_attempts = of_attempts
        self._runs: dict[str, int] = {}
        self._indexed = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # never a file that is there: closing it again would take SQLite's locks from this process
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise RegistryError(f"{path}: answers cannot be kept ({error}); delete the file") from error

    def _prepare(self) -> None:
        """Make the tables where they are not there; another process may do the same at this moment."""
        connection, deadline = self._connection, time.monotonic() + BUSY_SECONDS
        while True:
            try:  # SQLite does not wait by itself for the lock that this needs
                connection.execute("pragma journal_mode=wal")
                break
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        connection.execute("pragma synchronous=normal")
        if "taken" in self._tables():
            return
        with connection:
            connection.execute("begin immediate")
            tables = self._tables()
            if "answers" in tables and "taken" not in tables:  # of an earlier version
                connection.execute("drop table answers")
                connection.execute("drop table if exists bodies")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)

    def _tables(self) -> set[str]:
        return {row[0] for row in self._connection.execute("select name from sqlite_master")}

    def put(self, rows: Iterable[tuple[str, bytes]], run: str, at: datetime) -> None:
        """Keep answers by their keys, in one transaction.

        Raises:
            RegistryError: the disk is full, or the file is damaged.
        """
        moment = _spelled(at)
        try:
            with self._connection as connection:
                number = self._number_of(run, moment)
                found = [(key, hashlib.sha256(body).hexdigest(), moment, number, body) for key, body in rows]
                for start in range(0, len(found), _ROWS_AT_ONCE):
                    some = found[start : start + _ROWS_AT_ONCE]
                    connection.execute(
                        "insert into answers (key, digest, at, run, body) values "
                        f"{_places('(?, ?, ?, ?, ?)', some)}",
                        [value for row in some for value in row],
                    )
        except sqlite3.Error as error:
            self._runs.clear()  # the transaction may have begun the run
            raise RegistryError(f"{self._path}: {error}") from error

    def _number_of(self, run: str, moment: str) -> int:
        number = self._runs.get(run)
        if number is None:
            self._connection.execute(
                "insert or ignore into runs (name, at, done) values (?, ?, ?)",
                (run, moment, State.UNFINISHED),
            )
            query = "select id from runs where name = ?"
            number = self._runs[run] = int(self._connection.execute(query, (run,)).fetchone()[0])
        return number

    def has_unfinished(self) -> bool:
        """Whether a run ended without a verdict and left answers."""
        return self._connection.execute("select 1 from runs where done = 0 limit 1").fetchone() is not None

    def oldest_unfinished(self, run: str) -> datetime | None:
        """When the oldest answer of a run was written that nobody finished; None where there is none."""
        self._index()
        query = """
            select min(answers.at) from newest join answers on answers.id = newest.answer
            join runs on runs.id = answers.run left join taken on taken.answer = answers.id
            where runs.name = ? and coalesce(taken.done, runs.done) = 0
        """
        at = self._connection.execute(query, (run,)).fetchone()[0]
        return None if at is None else datetime.fromisoformat(at)

    def find(self, key: str, *, not_of: str) -> Found | None:
        """The newest answer to a key.

        Args:
            key: what is looked for.
            not_of: a run whose own answers do not count.
        """
        self._index()
        query = """
            select answers.id, body, coalesce(taken.done, runs.done), name from newest
            join answers on answers.id = newest.answer join runs on runs.id = answers.run
            left join taken on taken.answer = answers.id
            where newest.key = ? and name != ?
        """
        row = self._connection.execute(query, (key, not_of)).fetchone()
        return None if row is None else Found(row[0], row[1], State(row[2]), row[3])

    def _index(self) -> None:
        """Learn the newest answer to each key, in a table of this connection alone."""
        connection = self._connection
        last = int(connection.execute("select coalesce(max(id), 0) from answers").fetchone()[0])
        if last == self._indexed:
            return
        connection.execute(
            "create temp table if not exists newest (key text primary key, answer integer not null)"
        )
        connection.execute(
            """
            insert or replace into newest select key, max(answers.id) from answers
            join runs on runs.id = answers.run left join taken on taken.answer = answers.id
            where answers.id > ? and answers.id <= ? and coalesce(taken.done, runs.done) != ? group by key
            """,
            (self._indexed, last, State.OF_NO_ATTEMPT if self._of_attempts else _NONE),
        )
        connection.commit()
        self._indexed = last

    def finish(self, run: str, taken: Sequence[int], state: State) -> None:
        """Note what became of a run and of the answers that it took, as far as they were unfinished, and drop
        what is older than a month.

        Args:
            run: the run.
            taken: numbers of answers that other runs asked for.
            state: what became of it.

        Raises:
            RegistryError: it could not be noted: the file is locked, full or damaged.
        """
        try:
            with self._connection as connection:
                if taken:
                    self._note_taken(taken, state)
                connection.execute("update runs set done = ? where name = ? and done = 0", (state, run))
                self._drop_old()
        except sqlite3.Error as error:
            raise RegistryError(f"{self._path}: {error}") from error

    def _drop_old(self) -> None:
        connection, oldest = self._connection, (_spelled(datetime.now(UTC) - KEPT_FOR),)
        if connection.execute("select 1 from runs where at < ? limit 1", oldest).fetchone() is not None:
            connection.execute("delete from answers where at < ?", oldest)
            connection.execute("delete from taken where answer not in (select id from answers)")
            connection.execute(
                "delete from runs where at < ? and id not in (select run from answers)", oldest
            )

    def _note_taken(self, numbers: Sequence[int], state: State) -> None:
        """An unfinished run of which everything was taken is unfinished no more."""
        connection = self._connection
        connection.execute("create temp table if not exists wanted (answer integer primary key)")
        connection.execute("delete from wanted")
        connection.executemany("insert or ignore into wanted values (?)", [(number,) for number in numbers])
        connection.execute(
            """
            insert or ignore into taken select answers.id, ? from wanted
            join answers on answers.id = wanted.answer join runs on runs.id = answers.run
            left join taken as ended on ended.answer = answers.id
            where coalesce(ended.done, runs.done) = 0
            """,
            (state,),
        )
        connection.execute(
            """
            update runs set done = ? where done = 0 and id in (
                select run from answers where id in (select answer from taken)
            ) and id not in (select run from answers where id not in (select answer from taken))
            """,
            (state,),
        )

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._connection.close()


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _places(row: str, rows: Sequence[object]) -> str:
    return ", ".join([row] * len(rows))
