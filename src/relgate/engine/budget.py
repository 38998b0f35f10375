"""What a run may spend in calls, dollars and seconds; asked before every call."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from relgate.engine.clock import Clock, MonotonicClock
from relgate.engine.executor import Halt


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of a whole run; None for no limit.

    Attributes:
        calls: to applications and judges.
        usd: what their answers cost.
        seconds: from the first call on; requests in flight then may end, and none is sent again.
    """

    calls: int | None = None
    usd: float | None = None
    seconds: float | None = None


class Budget:
    """Counts what a run spends; used in the engine's loop only.

    Dollars are known when an answer is there. A call is begun only if what was spent, and the calls in flight
    at the mean price so far, leave room for another: the limit is passed by what one answer costs more than
    that mean, at the most for each call in flight. Before the first answer the mean is what is expected.

    Args:
        allowance: the limits.
        clock: time.
        expected_usd: of a call, 0 where nothing tells; the first one is made whatever it costs.

    Attributes:
        calls: begun so far.
        usd: spent so far.
        reached: which limit ended the calls, "" while none did.
        priced: whether a limit in dollars could be held to.
    """

    def __init__(
        self, allowance: Allowance, clock: Clock | None = None, *, expected_usd: float = 0.0
    ) -> None:
        self._allowance = allowance
        self._clock = clock or MonotonicClock()
        self._expected_usd = expected_usd
        self._deadline = math.inf
        self._priced = 0
        self._in_flight = 0
        self._answered = asyncio.Event()
        self.calls = 0
        self.usd = 0.0
        self.reached = ""
        self.priced = True

    def begin(self) -> None:
        """Count a call that is about to be made.

        Raises:
            Halt: it would pass a limit; nothing was counted.
        """
        if self._deadline == math.inf and self._allowance.seconds is not None:
            self._deadline = self._clock.now() + self._allowance.seconds
        self.reached = self.reached or self._reached()
        if self.reached:
            raise Halt(self.reached)
        self.calls += 1
        self._in_flight += 1

    async def room(self) -> None:
        """Wait while what calls in flight may cost leaves no room for another: answers tell the price."""
        while self._in_flight and not self.reached and self._is_tight():
            self._answered.clear()
            await self._answered.wait()

    @property
    def spent(self) -> float | None:
        """Dollars of all calls so far, None where no answer had a cost."""
        return self.usd if self._priced else None

    @property
    def in_flight(self) -> int:
        """Calls without an answer yet."""
        return self._in_flight

    def in_time(self) -> bool:
        """Whether seconds of the run are left; where none are, they ended the calls."""
        if self._clock.now() < self._deadline:
            return True
        self.reached = self.reached or f"the budget of {self._allowance.seconds:g} s was spent"
        return False

    async def wait(self, seconds: float) -> bool:
        """Wait, though never for longer than the run's seconds last; whether any of them are left then."""
        until = min(self._clock.now() + seconds, self._deadline)
        while (left := until - self._clock.now()) > 0:
            await self._clock.sleep(left)
        return self.in_time()

    def end(self, usd: float | None) -> None:
        """Count what an answer cost, None where nobody knows."""
        self._in_flight -= 1
        self._answered.set()
        if usd is not None:
            self._priced += 1
            self.usd += usd

    def unpriced(self) -> None:
        """Note an answer without a cost: a limit in dollars cannot be held to, so the calls end."""
        if self._allowance.usd is not None:
            self.priced = False
            self.reached = self.reached or (
                f"an answer has no cost, so the budget of ${self._allowance.usd:g} cannot be held to"
            )

    def _reached(self) -> str:
        allowed = self._allowance
        if allowed.calls is not None and self.calls >= allowed.calls:
            return f"the budget of {allowed.calls} calls was spent"
        if self.calls and self._is_tight():
            return f"the budget of ${allowed.usd:g} was spent"
        return "" if self.in_time() else self.reached

    def _is_tight(self) -> bool:
        """Whether another call, at the mean price beside those in flight, would pass the limit in dollars."""
        allowed = self._allowance.usd
        mean = self.usd / self._priced if self._priced else self._expected_usd
        return allowed is not None and self.usd + mean * (self._in_flight + 1) > allowed
