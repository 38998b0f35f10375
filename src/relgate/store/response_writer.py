"""Writes answers as they arrive, in a thread of its own: each is on the disk within a tenth of a second."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, Generic, TypeVar

from relgate.domain.errors import RegistryError
from relgate.store.responses import ResponseStore, State

Item = TypeVar("Item")

TURN_SECONDS = 0.06
"""Between the beginnings of two transactions under load: each takes the interpreter from the engine."""

GATHER_AT_LEAST = 0.01
"""Seconds; a disk that is slow gets fewer answers at a time, but never one by one."""

MOST_AT_ONCE = 2000
FLUSH_SECONDS = 5.0


class ResponseWriter(Generic[Item]):
    """Takes answers from the engine's loop and never makes it wait.

    Args:
        path: the response store.
        encode: key and body of an answer, redacted; an empty key is of one that is kept already, and only
            recorded. Runs in the thread.
        run: names this run in the store.
        record: a file that every body is written to as a line as well, None for none.
        header: its first line.

    Attributes:
        count: answers written so far.
        problem: why answers are not kept any more, "" while they are.
        unrecorded: why the file of ``record`` lacks answers, "" while it holds all.

    Raises:
        RegistryError: the store or the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        encode: Callable[[Item], tuple[str, bytes]],
        *,
        run: str,
        record: Path | None = None,
        header: bytes = b"",
    ) -> None:
        self._store = ResponseStore(path)
        self._encode = encode
        self._run = run
        self._record = None if record is None else _opened(record, header)
        self._gather_seconds = TURN_SECONDS
        self._queue: SimpleQueue[Item | threading.Event | None] = SimpleQueue()
        self._hurried = threading.Event()
        self.count = 0
        self.problem = ""
        self.unrecorded = ""
        self._thread = threading.Thread(target=self._work, name="relgate-answers", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Keep an answer; returns at once."""
        self._queue.put(item)

    def flush(self) -> None:
        """Wait until everything that was put is written."""
        written = threading.Event()
        self._hurried.set()
        self._queue.put(written)
        if not written.wait(FLUSH_SECONDS):
            self.problem = self.problem or "the disk is too slow"

    def finish(self, state: State, more: tuple[int, ...] = ()) -> str:
        """Note what became of the run that asked for what was written, and of what it took from others.

        Returns:
            Why it could not be noted, "" where it was.
        """
        self.flush()
        try:
            self._store.finish(self._run, more, state)
        except RegistryError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Write what is left and close; may be called twice."""
        self._hurried.set()
        self._queue.put(None)
        self._thread.join(FLUSH_SECONDS)
        if self._thread.is_alive():
            return
        self._store.close()
        if self._record is not None:
            with contextlib.suppress(OSError):
                self._record.close()

    def _work(self) -> None:
        while True:
            items, written, ended = self._gather()
            began = time.monotonic()
            if items:
                self._write(items)
            # whatever arrived meanwhile has waited as long as the writing took
            self._gather_seconds = max(GATHER_AT_LEAST, TURN_SECONDS - (time.monotonic() - began))
            if written is not None:
                written.set()
            if ended:
                return

    def _gather(self) -> tuple[list[Item], threading.Event | None, bool]:
        """What has arrived: answers, who waits for them to be written,
        and whether nothing more will come."""
        items: list[Item] = []
        found = self._queue.get()
        if not (found is None or isinstance(found, threading.Event)):
            self._hurried.wait(self._gather_seconds)
        while found is not None:
            if isinstance(found, threading.Event):
                self._hurried.clear()
                return items, found, False
            items.append(found)
            if len(items) == MOST_AT_ONCE:
                return items, None, False
            try:
                found = self._queue.get_nowait()
            except Empty:
                return items, None, False
        return items, None, True

    def _write(self, items: list[Item]) -> None:
        """Write to the store and to the file; where one of them cannot be written, the other still is."""
        if self.problem and (self.unrecorded or self._record is None):
            return
        try:
            rows = [self._encode(item) for item in items]
        except ValueError as error:
            self.problem = self.problem or str(error)
            self.unrecorded = self.unrecorded or str(error)
            return
        new = [row for row in rows if row[0]]
        try:
            if new and not self.problem:
                self._store.put(new, self._run, datetime.now(UTC))
                self.count += len(new)
        except (RegistryError, OSError, ValueError) as error:
            self.problem = str(error)
        try:
            if self._record is not None and not self.unrecorded:
                self._record.write(b"".join(body + b"\n" for _, body in rows))
                self._record.flush()
        except (OSError, ValueError) as error:
            self.unrecorded = str(error)


def _opened(path: Path, header: bytes) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
        file.write(header + b"\n")
        file.flush()
    except OSError as error:
        raise RegistryError(f"{path}: cannot be written ({error.strerror})") from error
    return file
