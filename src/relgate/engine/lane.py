"""The way to one provider: its places, its limits per minute, its pauses and its circuit breaker."""

from __future__ import annotations

import random
from typing import NamedTuple

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider
from relgate.engine.breaker import OPEN_SECONDS, Breaker
from relgate.engine.budget import Budget
from relgate.engine.clock import Clock
from relgate.engine.executor import Halt
from relgate.engine.pace import BURST_SECONDS_REQUESTS, BURST_SECONDS_TOKENS, Bucket
from relgate.engine.window import Window

SPREAD = 0.1
"""Share of a pause over which those who waited for its end start again."""


class Trouble(NamedTuple):
    """Why a provider gives no answers, and what is done about it."""

    cause: str
    remedy: str


class Lane:
    """Lets requests through to one provider, whichever release or judge sends them.

    Args:
        provider: its limits.
        clock: time.
        draw: of the moments at which those who waited start again.
        budget: nobody waits for longer than its seconds last.

    Attributes:
        asking: calls that were begun and are neither answered nor given up.
    """

    def __init__(self, provider: Provider, clock: Clock, draw: random.Random, budget: Budget) -> None:
        self._clock = clock
        self._draw = draw
        self._budget = budget
        self._is_patient = provider.retry_seconds > 0
        self._failed = ""
        self.asking = 0
        self._window = Window(provider.max_concurrency)
        self._breaker = Breaker()
        self._requests = _bucket(provider.requests_per_minute, BURST_SECONDS_REQUESTS)
        self._tokens = _bucket(provider.tokens_per_minute, BURST_SECONDS_TOKENS)
        self._paused_until = 0.0

    async def enter(self, tokens: int) -> None:
        """Wait until a request of so many tokens may be sent; ``leave`` gives its place back.

        Raises:
            ProviderOutage: the provider has been away for long, so nobody waits for it, or it was away
                until the run's seconds were spent.
            Halt: the run's seconds were spent while it answered others.
        """
        self._object()
        has_its_turn = self.is_away
        await self._window.enter()
        try:
            if not has_its_turn:  # others may have opened the circuit while it waited for a place
                self._object()
            now = self._clock.now()
            wait = 0.0 if self._requests is None else self._requests.take(1.0, now)
            if self._tokens is not None:
                wait = max(wait, self._tokens.take(tokens, now))
            await self._wait(wait)
            while (pause := self._paused_until - self._clock.now()) > 0:
                await self._wait(pause * (1.0 + SPREAD * self._draw.random()))
        except BaseException:
            self._window.leave()
            raise

    def leave(self) -> None:
        """The request is over, whatever came of it."""
        self._window.leave()

    def succeeded(self) -> None:
        """The provider answered."""
        self._failed = ""
        self._breaker.succeeded()
        self._window.grow()

    def failed(self, why: str) -> None:
        """A try got no answer."""
        self._failed = why

    @property
    def is_away(self) -> bool:
        """Whether the circuit is open: a request is a probe, and fails at its first try."""
        return self._breaker.is_open

    @property
    def trouble(self) -> Trouble | None:
        """Why there are no answers, None while there are some and where nothing is waited for."""
        if not self._is_patient:
            return None
        if self._breaker.is_open:
            return Trouble(self._breaker.last, f"asked once in {OPEN_SECONDS:g} s")
        if not self._failed or not self.asking:
            return None
        return Trouble(self._failed, "waiting" if self._clock.now() < self._paused_until else "tried again")

    def throttled(self, seconds: float) -> None:
        """The provider had too many requests: nobody sends one for a while, and then fewer at a time."""
        now = self._clock.now()
        if now >= self._paused_until:
            self._window.shrink()
        self._paused_until = max(self._paused_until, now + seconds)

    def gave_up(self, why: str) -> None:
        """A request got no answer after its retries."""
        self._breaker.failed(why, self._clock.now())

    def used(self, expected: int, tokens: int) -> None:
        """Correct the tokens of a request by what it cost."""
        if self._tokens is not None:
            self._tokens.give_back(expected - tokens)

    async def _wait(self, seconds: float) -> None:
        if await self._budget.wait(seconds):
            return
        if self._failed:
            raise ProviderOutage(f"{self._failed}, waited for until the run's seconds were spent")
        raise Halt(self._budget.reached)

    def _object(self) -> None:
        objection = self._breaker.objection(self._clock.now())
        if objection is not None:
            raise ProviderOutage(objection)


def _bucket(per_minute: int | None, burst_seconds: float) -> Bucket | None:
    return None if per_minute is None else Bucket(per_minute, burst_seconds)
