"""Answers of one process are safe from another one that looks at the same file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relgate.domain.errors import RegistryError
from relgate.store.responses import ResponseStore, State

COUNT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(connection.execute("select count(*) from answers").fetchone()[0])
connection.close()
"""


def _seen_from_outside(path: Path) -> int:
    command = [sys.executable, "-c", COUNT, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _put(store: ResponseStore, first: int, count: int) -> None:
    rows = [(f"key {n}", b"%d" % n) for n in range(first, first + count)]
    store.put(rows, "run", datetime.now(UTC))


def _said(store: ResponseStore, key: str) -> tuple[bytes, State, str] | None:
    found = store.find(key, not_of="")
    return None if found is None else (found.body, found.state, found.run)


def _number(store: ResponseStore, key: str) -> int:
    found = store.find(key, not_of="")
    assert found is not None
    return found.number


def test_what_is_written_after_another_process_came_and_went_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    writer, reader = ResponseStore(path), ResponseStore(path)
    try:
        _put(writer, 0, 3)
        assert _seen_from_outside(path) == 3
        _put(writer, 3, 2)
        assert _seen_from_outside(path) == 5
    finally:
        reader.close()
        writer.close()
    assert _seen_from_outside(path) == 5


def test_many_answers_are_put_at_once_and_the_last_one_to_a_key_stands(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "responses.db")
    try:
        store.put([(f"key {n}", b"%d" % (n % 7)) for n in range(1001)], "run", datetime.now(UTC))
        store.put([("key 0", b"old"), ("key 0", b"new")], "run", datetime.now(UTC))
        assert _said(store, "key 1000") == (b"6", State.UNFINISHED, "run")
        assert _said(store, "key 0") == (b"new", State.UNFINISHED, "run")
    finally:
        store.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    ResponseStore(path).close()
    assert path.stat().st_mode & 0o077 == 0


def test_what_another_run_took_is_unfinished_no_more(tmp_path: Path) -> None:
    """An interrupted run left four answers; one was asked anew, two were taken by a run that ended."""
    store = ResponseStore(tmp_path / "responses.db")
    now = datetime.now(UTC)
    try:
        store.put([(f"key {n}", b"%d" % n) for n in range(4)], "left", now)
        store.put([("key 3", b"anew")], "next", now)
        assert store.has_unfinished()
        assert _said(store, "key 0") == (b"0", State.UNFINISHED, "left")
        assert store.find("key 3", not_of="next") is None
        store.finish("next", [_number(store, "key 0"), _number(store, "key 1")], State.JUDGED)
        assert _said(store, "key 0") == (b"0", State.JUDGED, "left")
        assert _said(store, "key 2") == (b"2", State.UNFINISHED, "left")
        assert _said(store, "key 3") == (b"anew", State.JUDGED, "next")
        assert store.oldest_unfinished("left") is not None
        store.finish("third", [_number(store, "key 2")], State.OF_NO_ATTEMPT)
        assert _said(store, "key 0") == (b"0", State.JUDGED, "left")
        assert _said(store, "key 2") == (b"2", State.OF_NO_ATTEMPT, "left")
        assert store.oldest_unfinished("left") is None
    finally:
        store.close()


def test_a_run_of_which_everything_was_taken_leaves_nothing_unfinished(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "responses.db")
    try:
        store.put([("key", b"1")], "left", datetime.now(UTC))
        store.finish("next", [_number(store, "key")], State.JUDGED)
        assert not store.has_unfinished()
    finally:
        store.close()


def test_a_screen_that_asked_anew_hides_nothing_that_an_interrupted_run_left(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    store, going_on = ResponseStore(path), ResponseStore(path, of_attempts=True)
    now = datetime.now(UTC)
    try:
        store.put([("key", b"1"), ("other", b"2")], "left", now)
        store.put([("key", b"anew")], "screen", now)
        store.finish("screen", [], State.OF_NO_ATTEMPT)
        assert _said(store, "key") == (b"anew", State.OF_NO_ATTEMPT, "screen")
        assert _said(going_on, "key") == (b"1", State.UNFINISHED, "left")
        store.finish("next", [_number(going_on, "key"), _number(going_on, "other")], State.JUDGED)
        assert _said(going_on, "key") == (b"1", State.JUDGED, "left")
        assert not store.has_unfinished()
    finally:
        going_on.close()
        store.close()


def test_a_run_whose_end_cannot_be_noted_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relgate.store.responses.BUSY_SECONDS", 0.05)
    path = tmp_path / "responses.db"
    store = ResponseStore(path)
    try:
        store.put([("key", b"1")], "run", datetime.now(UTC))
        with closing(sqlite3.connect(path, isolation_level=None)) as another:
            another.execute("begin immediate")
            with pytest.raises(RegistryError, match=r"responses\.db: database is locked"):
                store.finish("run", [], State.JUDGED)
        assert _said(store, "key") == (b"1", State.UNFINISHED, "run")
        store.finish("run", [_number(store, "key")], State.JUDGED)
        assert _said(store, "key") == (b"1", State.JUDGED, "run")
    finally:
        store.close()


def test_answers_older_than_a_month_are_dropped_when_a_run_ends(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "responses.db")
    old = datetime.now(UTC) - timedelta(days=31)
    try:
        store.put([("old", b"1")], "long ago", old)
        store.put([("new", b"2")], "run", datetime.now(UTC))
        store.finish("run", [], State.JUDGED)
        assert store.find("old", not_of="") is None
        assert _said(store, "new") == (b"2", State.JUDGED, "run")
        assert not store.has_unfinished()
    finally:
        store.close()


def test_what_another_process_keeps_is_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    reader, writer = ResponseStore(path), ResponseStore(path)
    try:
        assert reader.find("key", not_of="") is None
        writer.put([("key", b"1")], "run", datetime.now(UTC))
        assert _said(reader, "key") == (b"1", State.UNFINISHED, "run")
        writer.put([("key", b"2")], "run", datetime.now(UTC))
        assert _said(reader, "key") == (b"2", State.UNFINISHED, "run")
    finally:
        reader.close()
        writer.close()


def test_a_file_of_an_older_version_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "create table bodies (digest text primary key, body blob);"
            "create table answers (key text primary key, digest text, at text, run text, done integer);"
            "insert into answers values ('key', 'd', 'now', 'run', 0);"
        )
    store = ResponseStore(path)
    try:
        assert not store.has_unfinished()
        store.put([("key", b"1")], "run", datetime.now(UTC))
        assert _said(store, "key") == (b"1", State.UNFINISHED, "run")
    finally:
        store.close()


OPEN = """
import sys, time
from pathlib import Path
from relgate.store.responses import ResponseStore
while time.time() < float(sys.argv[2]):
    pass
ResponseStore(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("form", ["new", "old"])
def test_processes_that_open_the_file_at_the_same_moment_share_it(tmp_path: Path, form: str) -> None:
    for turn in range(5):
        path = tmp_path / f"{turn}.db"
        if form == "old":
            with closing(sqlite3.connect(path)) as connection:
                connection.executescript(
                    "create table bodies (digest text primary key, body blob);"
                    "create table answers (key text primary key, digest text, done integer);"
                )
        command = [sys.executable, "-c", OPEN, str(path), str(time.time() + 1.0)]
        together = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        errors = [process.communicate()[1] for process in together]
        assert [process.returncode for process in together] == [0] * 4, errors
