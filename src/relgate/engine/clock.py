"""Time as the engine sees it; tests give another one."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Seconds that never jump, the time of day that may, and sleep."""

    def now(self) -> float:
        """Seconds since some moment; every duration and deadline is measured with it."""
        ...

    def wall(self) -> datetime:
        """The time of day in UTC; only dates that a provider sends are compared with it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class MonotonicClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> datetime:
        """The machine's time of day in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait in the running loop."""
        await asyncio.sleep(seconds)
