"""Providers that stay away: how long a run waits for them, and what it says meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider
from relgate.domain.transport import HttpCall
from relgate.engine.breaker import FAILURES
from relgate.engine.budget import Allowance, Budget
from relgate.engine.clock import Clock, MonotonicClock
from relgate.engine.executor import Halt
from relgate.engine.transport import HttpTransport


class Leaping:
    """Time that passes only where somebody sleeps, and at once."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)


class Server:
    """Answers with these status codes in turn, the last one again and again; 0 hangs."""

    def __init__(self, *says: int, headers: dict[str, str] | None = None, seconds: float = 0.0) -> None:
        self.says, self.headers, self.seconds = list(says), headers, seconds
        self.requests = 0
        self.url = ""

    async def handle(self, _: web.Request) -> web.Response:
        self.requests += 1
        status = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        await asyncio.sleep(self.seconds if status else 60)
        return web.Response(status=status, headers=self.headers if status == 429 else None)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Server]:
        app = web.Application()
        app.router.add_post("/", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield self
        finally:
            await runner.cleanup()


def run(scenario: Callable, clock: Clock | None = None, seconds: float | None = None) -> None:
    """A scenario with a transport and a budget of which a call has begun."""

    async def bounded() -> None:
        time_of = clock or MonotonicClock()
        budget = Budget(Allowance(seconds=seconds), time_of)
        transport = HttpTransport(seed=1, clock=time_of, budget=budget)
        budget.begin()
        try:
            await asyncio.wait_for(scenario(transport, budget), 30)
        finally:
            await transport.close()

    asyncio.run(bounded())


async def send(transport: HttpTransport, url: str, **limits: float) -> object:
    """The reply, or what was raised instead of one."""
    try:
        return await transport.send(Provider("p", url, **limits), HttpCall(url, b"{}"))
    except (ProviderOutage, Halt) as error:
        return error


def closed_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_no_retry_goes_on_once_the_seconds_are_spent():
    clock = Leaping()

    async def scenario(transport, budget):
        said = await send(transport, closed_url())
        assert isinstance(said, ProviderOutage)
        assert "refuses connections, " in str(said)

    run(scenario, clock, seconds=5.0)
    assert clock.time == 105.0


def test_without_a_budget_refused_connections_are_tried_for_as_long_as_ever():
    clock = Leaping()

    async def scenario(transport, budget):
        assert isinstance(await send(transport, closed_url()), ProviderOutage)

    run(scenario, clock)
    assert 145.0 < clock.time <= 160.0


def test_a_request_that_times_out_after_the_last_second_is_not_sent_again():
    server = Server(0)

    async def scenario(transport, budget):
        async with server.serving():
            said = await send(transport, server.url, timeout_seconds=0.8)
        assert str(said) == "no answer within 0.8 s"
        assert budget.reached == "the budget of 0.5 s was spent"

    run(scenario, seconds=0.5)
    assert server.requests == 1


def test_a_pause_that_a_provider_asks_for_ends_with_the_seconds():
    clock, server = Leaping(), Server(429, headers={"Retry-After": "20"})

    async def scenario(transport, budget):
        async with server.serving():
            said = [str(await send(transport, server.url)) for _ in range(2)]
        assert said == [
            "HTTP 429 (it asks to wait 20 s)",
            "HTTP 429, waited for until the run's seconds were spent",
        ]

    run(scenario, clock, seconds=5.0)
    assert clock.time == 105.0
    assert server.requests == 1


def test_a_limit_per_minute_is_waited_for_until_the_seconds_are_spent_and_is_no_outage():
    clock, server = Leaping(), Server(200)

    async def scenario(transport, budget):
        async with server.serving():
            found = [await send(transport, server.url, requests_per_minute=2) for _ in range(2)]
        assert not isinstance(found[0], Exception)
        assert isinstance(found[1], Halt)
        assert str(found[1]) == "the budget of 5 s was spent"

    run(scenario, clock, seconds=5.0)
    assert clock.time == 105.0
    assert server.requests == 1


def test_who_waits_for_a_place_sends_nothing_after_the_last_second():
    server = Server(200, seconds=1.0)

    async def scenario(transport, budget):
        async with server.serving():
            both = (send(transport, server.url, max_concurrency=1) for _ in range(2))
            found = await asyncio.gather(*both)
        assert [isinstance(reply, Halt) for reply in found] == [False, True]

    run(scenario, seconds=0.5)
    assert server.requests == 1


def test_a_probe_of_the_breaker_is_tried_once(monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("relgate.engine.breaker.OPEN_SECONDS", 0.2)
    server = Server(0)

    async def scenario(transport, budget):
        async with server.serving():
            await asyncio.gather(
                *(send(transport, server.url, timeout_seconds=0.25) for _ in range(FAILURES))
            )
            before = server.requests
            assert before == 3 * FAILURES
            assert str(await send(transport, server.url, timeout_seconds=0.25)).startswith("not asked: ")
            await asyncio.sleep(0.25)
            said = await send(transport, server.url, timeout_seconds=0.25)
        assert (str(said), server.requests - before) == ("no answer within 0.25 s", 1)

    run(scenario)


def test_what_is_waited_for_is_told_until_a_call_succeeds():
    server = Server(429, 500, 200, headers={"Retry-After": "0.5"})

    async def scenario(transport, budget):
        seen = []

        async def look() -> None:
            while True:
                if not seen or seen[-1] != transport.trouble:
                    seen.append(transport.trouble)
                await asyncio.sleep(0.005)

        async with server.serving():
            looking = asyncio.ensure_future(look())
            reply = await send(transport, server.url)
            await asyncio.sleep(0.02)
            looking.cancel()
        assert not isinstance(reply, Exception)
        assert seen[0] is None
        assert seen[-1] is None
        told = [trouble for trouble in seen if trouble is not None]
        assert told[0] == ("HTTP 429", "waiting")
        assert told[-1] == ("HTTP 500", "tried again")

    run(scenario)


def test_what_nobody_waits_for_any_more_is_not_told(monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    server = Server(503)

    async def scenario(transport, budget):
        async with server.serving():
            assert isinstance(await send(transport, server.url), ProviderOutage)
        assert transport.trouble is None

    run(scenario)


def test_an_open_circuit_says_why_and_what_becomes_of_it(monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    server = Server(503)

    async def scenario(transport, budget):
        async with server.serving():
            for _ in range(FAILURES):
                await send(transport, server.url)
        assert transport.trouble == ("HTTP 503, 3 times", "asked once in 30 s")

    run(scenario)


def test_where_nothing_is_tried_again_nothing_is_told():
    """Hops that a fallback suite takes away are such providers: they are meant to be away."""

    async def scenario(transport, budget):
        url = closed_url()
        for _ in range(FAILURES):
            assert isinstance(await send(transport, url, retry_seconds=0.0), ProviderOutage)
        assert transport.trouble is None

    run(scenario)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_told_once_the_circuit_is_open(status):
    server = Server(status)

    async def scenario(transport, budget):
        async with server.serving():
            for _ in range(FAILURES):
                await send(transport, server.url)
        cause = f"HTTP {status}: is the key right?"
        assert transport.trouble == (cause, "asked once in 30 s")

    run(scenario)
