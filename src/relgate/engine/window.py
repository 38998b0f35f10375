"""How many requests one provider gets at a time: fewer after it said "too many", more as it answers."""

from __future__ import annotations

import asyncio
from collections import deque

FLOOR_SHARE = 8
"""The window never shrinks below this part of what was in flight before it first shrank."""


class Window:
    """Places for requests in flight, first come first served.

    Args:
        most: places at the most; None leaves it to whoever starts tasks.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._limit = most
        self._floor = 1
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int | None:
        """Places as they are now."""
        return self._limit

    @property
    def in_flight(self) -> int:
        """Places taken."""
        return self._in_flight

    async def enter(self) -> None:
        """Wait for a place and take it."""
        if not self._waiting and self._free():
            self._in_flight += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
            else:
                self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._in_flight -= 1
        self._let_in()

    def shrink(self) -> None:
        """Halve: the provider had too many."""
        if self._limit is None or self._limit == self._most:
            self._floor = max(1, self._in_flight // FLOOR_SHARE)
        self._limit = max(self._floor, min(self._limit or self._in_flight, self._in_flight) // 2, 1)

    def grow(self) -> None:
        """One more place after an answer, up to what it was."""
        if self._limit == self._most:
            return
        assert self._limit is not None
        self._limit += 1
        if self._most is None and not self._waiting:
            self._limit = None
        elif self._most is not None:
            self._limit = min(self._limit, self._most)
        self._let_in()

    def _free(self) -> bool:
        return self._limit is None or self._in_flight < self._limit

    def _let_in(self) -> None:
        while self._waiting and self._free():
            self._in_flight += 1
            self._waiting.popleft().set_result(None)
