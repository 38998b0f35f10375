"""Work that must be done before a suite's first case: whoever comes to measure one helps with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from relgate.domain.case import Case


class SharedWork:
    """Cases to be asked once before all others, by as many callers as the run lets in.

    Args:
        cases: what is asked.
        ask: asks one.
        end: called once, after the last.
    """

    def __init__(
        self, cases: Sequence[Case], ask: Callable[[Case], Awaitable[None]], end: Callable[[], None]
    ) -> None:
        self._waiting, self._open = list(cases), len(cases)
        self._ask, self._end = ask, end
        self._done = asyncio.Event()

    async def help(self) -> None:
        """Ask what nobody asks yet, then wait for the others."""
        while self._waiting:
            await self._ask(self._waiting.pop())
            self._open -= 1
            if self._open == 0:
                self._end()
                self._done.set()
        await self._done.wait()
