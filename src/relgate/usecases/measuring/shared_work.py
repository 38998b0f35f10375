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
        self._failed: BaseException | None = None

    async def help(self) -> None:
        """Ask what nobody asks yet, then wait for the others.

        What one of them raises is raised by all: the work will never be whole.
        """
        while self._waiting and self._failed is None:
            try:
                await self._ask(self._waiting.pop())
            except BaseException as error:
                self._failed = error
                self._done.set()
                raise
            self._open -= 1
            if self._open == 0:
                self._end()
                self._done.set()
        await self._done.wait()
        if self._failed is not None:
            raise self._failed
