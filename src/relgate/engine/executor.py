"""One asyncio loop in a thread: C workers over one ordered queue of tasks, results looked up by key."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from relgate.domain.errors import RelgateError
from relgate.redaction import mask

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

JOIN_SECONDS = 10.0
NAP_SECONDS, LONGEST_NAP_SECONDS = 0.01, 0.2
"""Answers come in bursts, and whoever reports them takes the interpreter from the engine: let a burst end."""


class EngineError(RelgateError):
    """The engine's thread ended with an error of its own: there is no verdict."""


class Halt(Exception):  # no error: nothing more shall be begun
    """Raised by a task that must not go on: no further task is begun; those in flight may end."""


class Watcher(Protocol):
    """Says which tasks are not needed any more; the executor knows nothing of its reasons."""

    def completed(self, key: Any, result: Any) -> bool:
        """Note a finished task, quickly: it runs in the loop. Whether ``look`` is due."""

    def look(self) -> Collection[Any]:
        """Keys of tasks that are not needed any more; runs beside the loop while no task is started."""


class Executor(Generic[Key, Result]):
    """Performs tasks concurrently; the caller waits for one key at a time, in any order.

    Args:
        tasks: keys in the order in which they are started.
        perform: measures one task; ``Halt`` ends the calls, anything else that it raises ends the engine.
        concurrency: tasks in flight.
        opening: awaited in the loop before the first task.
        closing: awaited in the loop after the last one, or when stopped.
        watcher: asked after each task whether the others are still needed; None needs all.
    """

    def __init__(
        self,
        tasks: Sequence[Key],
        perform: Callable[[Key], Awaitable[Result]],
        *,
        concurrency: int,
        opening: Callable[[], Awaitable[None]] | None = None,
        closing: Callable[[], Awaitable[None]] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._tasks = tasks
        self._perform = perform
        self._concurrency = max(1, concurrency)
        self._opening = opening
        self._closing = closing
        self._watcher = watcher
        self._begun: set[Key] = set()
        self._spared: set[Key] = set()
        self._halted = False
        self._results: dict[Key, Result] = {}
        self._awaited: Key | None = None
        self._changed = threading.Condition()
        self._opened = False
        self._finished = False
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="relgate-engine", daemon=True)

    def start(self) -> None:
        """Start the thread and wait for ``opening``; the tasks go on behind.

        Raises:
            Exception: what ``opening`` raised.
        """
        self._thread.start()
        with self._changed:
            while not self._opened and not self._finished:
                self._changed.wait(timeout=0.2)
        if not self._opened and isinstance(self._error, Exception):
            raise self._error

    @property
    def done(self) -> int:
        """Tasks finished so far."""
        return len(self._results)

    def is_done(self, key: Key) -> bool:
        """Whether a task has its result."""
        return key in self._results

    def wait(self, key: Key, beat: Callable[[], None] | None = None) -> Result | None:
        """The result of one task, None where it was not needed; waits for it.

        The wait is cut into short pieces so that Ctrl-C reaches the caller.

        Args:
            key: the task.
            beat: called after each piece.

        Raises:
            EngineError: the engine ended without this result.
        """
        waited = False
        while True:
            with self._changed:
                if key in self._results or key in self._spared or (self._halted and key not in self._begun):
                    break
                if self._finished:
                    raise EngineError(self._obituary())
                self._awaited, waited = key, True
                self._changed.wait(timeout=0.2)
            if not self._thread.is_alive() and not self._finished:
                raise EngineError("the engine's thread died")
            if beat is not None:
                beat()
        if waited:
            self._nap()
        return self._results.get(key)

    def _nap(self) -> None:
        """Sleep for as long as the engine is busy with answers, and not much longer."""
        deadline, before = time.monotonic() + LONGEST_NAP_SECONDS, -1
        while before != self.done < len(self._tasks) and time.monotonic() < deadline and not self._finished:
            before = self.done
            time.sleep(NAP_SECONDS)

    def results(self) -> dict[Key, Result]:
        """Everything finished so far."""
        return dict(self._results)

    def close(self) -> None:
        """Stop: cancel what is in flight, give back connections, join the thread."""
        if not self._thread.is_alive():
            return
        self._stopping = True
        loop, main = self._loop, self._main
        if (
            loop is not None
            and main is not None
            and len(self._results) + len(self._spared) < len(self._tasks)
        ):
            # The loop may end by itself in between; after the last task only connections are given back.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(main.cancel)
        deadline = time.monotonic() + JOIN_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(timeout=0.1)

    def _obituary(self) -> str:
        if self._error is None:
            return "the engine stopped before this case was measured"
        error = self._error
        while isinstance(error, BaseExceptionGroup):  # what the tasks raised stands inside
            error = error.exceptions[0]
        return mask(f"{type(error).__name__}: {error}".removesuffix(": "))

    def _run(self) -> None:
        try:
            asyncio.run(self._entry())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._finished = True
                self._changed.notify_all()

    async def _entry(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        if self._stopping:
            return
        try:
            if self._opening is not None:
                await self._opening()
            with self._changed:
                self._opened = True
                self._changed.notify_all()
            await self._work()
        finally:
            if self._closing is not None:
                await self._closing()

    async def _work(self) -> None:
        queue = iter(self._tasks)
        going, looking = asyncio.Event(), asyncio.Lock()
        going.set()

        async def look(watcher: Watcher) -> None:
            async with looking:
                going.clear()
                spared = set(await asyncio.to_thread(watcher.look)) - self._begun
                with self._changed:
                    self._spared |= spared
                    self._changed.notify_all()
                going.set()

        async def worker() -> None:
            while True:
                await going.wait()
                try:
                    key = next(queue)
                except StopIteration:
                    return
                if key in self._spared:
                    continue
                if self._halted:
                    return
                self._begun.add(key)
                try:
                    result = await self._perform(key)
                except Halt:
                    with self._changed:
                        self._halted = True
                        self._spared.add(key)
                        self._changed.notify_all()
                    return
                with self._changed:
                    self._results[key] = result
                    if key == self._awaited:
                        self._changed.notify_all()
                if self._watcher is not None and self._watcher.completed(key, result):
                    await look(self._watcher)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(self._tasks))):
                group.create_task(worker())
