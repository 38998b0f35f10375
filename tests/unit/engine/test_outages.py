"""Providers that stay away: how long a run waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider
from relgate.domain.transport import HttpCall
from relgate.engine.breaker import FAILURES
from relgate.engine.transport import HttpTransport


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


def run(scenario: Callable) -> None:
    """A scenario with a transport."""

    async def bounded() -> None:
        transport = HttpTransport(seed=1)
        try:
            await asyncio.wait_for(scenario(transport), 30)
        finally:
            await transport.close()

    asyncio.run(bounded())


async def send(transport: HttpTransport, url: str, **limits: float) -> object:
    """The reply, or what was raised instead of one."""
    try:
        return await transport.send(Provider("p", url, **limits), HttpCall(url, b"{}"))
    except ProviderOutage as error:
        return error


def test_a_probe_of_the_breaker_is_tried_once(monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("relgate.engine.breaker.OPEN_SECONDS", 0.2)
    server = Server(0)

    async def scenario(transport):
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
