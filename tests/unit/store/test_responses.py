"""Answers of one process are safe from another one that looks at the same file."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from relgate.store.responses import ResponseStore

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
        assert store.find("key 1000", not_of="another") == (b"6", False, "run")
        assert store.find("key 0", not_of="another") == (b"new", False, "run")
    finally:
        store.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "responses.db"
    ResponseStore(path).close()
    assert path.stat().st_mode & 0o077 == 0
