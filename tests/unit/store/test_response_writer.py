"""An answer is on the disk soon after it arrived, without anything that pushes it there."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from relgate.store.response_writer import ResponseWriter

PROMISED_SECONDS = 0.1
ANSWERS = 20


def _kept(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("select count(*) from answers").fetchone()[0])


def test_an_answer_is_on_the_disk_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    """The quickest of twenty counts: a machine that is busy elsewhere makes no writer slow each time."""
    path = tmp_path / "responses.db"
    writer = ResponseWriter[int](path, lambda n: (f"key {n}", b"{}"), run="r")
    took = []
    try:
        for n in range(ANSWERS):
            writer.put(n)
            put = time.monotonic()
            while _kept(path) <= n:
                assert time.monotonic() - put < 60, writer.problem
                time.sleep(0.001)
            took.append(time.monotonic() - put)
    finally:
        writer.close()
    assert min(took) < PROMISED_SECONDS
