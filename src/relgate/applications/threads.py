"""Blocking calls in daemon threads: as many as are in flight, and none that keeps the process."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

_Outcome = tuple[object, BaseException | None]


class DaemonThreads:
    """Threads that grow with the calls in flight.

    ``asyncio.to_thread`` shares a pool that is no larger than the machine's cores ask for, whatever the
    concurrency, and a hanging call in it would hold up Ctrl-C and the end of the process.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = 0
        self._busy = 0

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call the function in a thread and wait for it; a cancelled wait leaves the thread to itself."""
        loop = asyncio.get_running_loop()
        context = contextvars.copy_context()
        settled: asyncio.Future[_Outcome] = loop.create_future()

        def settle(outcome: _Outcome) -> None:
            self._busy -= 1
            if not settled.done():
                settled.set_result(outcome)

        def call() -> None:
            outcome: _Outcome
            try:
                outcome = (context.run(function, *arguments), None)
            except BaseException as error:  # the caller's coroutine raises it again
                outcome = (None, error)
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        self._busy += 1
        if self._busy > self._threads:
            self._threads += 1
            threading.Thread(target=self._work, name="relgate-application", daemon=True).start()
        self._calls.put(call)
        value, error = await settled
        if error is not None:
            raise error
        return value  # type: ignore[return-value]  # what the function returned

    def close(self) -> None:
        """Let idle threads end; a busy one ends after its call."""
        for _ in range(self._threads):
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
