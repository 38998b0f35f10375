"""Requests to real servers on loopback that throttle, reset, hang, drip, flood, die and come back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider, Secret
from relgate.domain.transport import HttpCall, UnusableAnswer
from relgate.engine.transport import BODY_AT_MOST, HttpTransport

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.02)


class Seen:
    """What a server saw."""

    def __init__(self) -> None:
        self.requests = self.inside = self.most = 0
        self.at: list[float] = []
        self.bodies: list[bytes] = []
        self.reached = {100: asyncio.Event()}


@asynccontextmanager
async def serving(handler: Handler, port: int = 0):
    """A server; gives its address and what it saw."""
    seen = Seen()

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.requests += 1
        if seen.requests in seen.reached:
            seen.reached[seen.requests].set()
        seen.at.append(time.monotonic())
        seen.inside += 1
        seen.most = max(seen.most, seen.inside)
        try:
            seen.bodies.append(await request.read())
            return await handler(request)
        finally:
            seen.inside -= 1

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", seen
    finally:
        await runner.cleanup()


async def fine(_: web.Request) -> web.Response:
    return web.Response(text="fine")


def provider(url: str, **limits) -> Provider:
    return Provider("p", url, **{"retry_seconds": 3.0, "timeout_seconds": 60.0} | limits)


def call(url: str, number: int = 0, **more) -> HttpCall:
    return HttpCall(url, json.dumps({"n": number}).encode(), **more)


def run(scenario):
    async def bounded():
        transport = HttpTransport(seed=1)
        try:
            return await asyncio.wait_for(scenario(transport), 60)
        finally:
            await transport.close()

    return asyncio.run(bounded())


async def send_all(transport, target, url, count, *, concurrency=20):
    """Every outcome by number: a reply, or the error."""
    numbers, found = iter(range(count)), {}

    async def work():
        for number in numbers:
            try:
                found[number] = await transport.send(target, call(url, number))
            except (ProviderOutage, UnusableAnswer) as error:
                found[number] = error

    await asyncio.gather(*(work() for _ in range(concurrency)))
    return found


def answered(found) -> int:
    return sum(not isinstance(reply, Exception) for reply in found.values())


def test_no_call_is_lost_where_a_fifth_is_throttled():
    async def scenario(transport):
        turn = 0

        async def throttling(_: web.Request) -> web.Response:
            nonlocal turn
            turn += 1
            return (
                web.Response(status=429, headers={"Retry-After": "0.05"}) if turn % 5 == 0 else await fine(_)
            )

        async with serving(throttling) as (url, seen):
            found = await send_all(transport, provider(url, retry_seconds=30), url, 200)
        assert answered(found) == 200
        assert seen.requests == 200 + seen.requests // 5

    run(scenario)


def test_nobody_sends_while_a_provider_asks_to_wait():
    async def scenario(transport):
        everybody, turn, asked_to_wait = asyncio.Event(), 0, []

        async def closed_at_first(request: web.Request) -> web.Response:
            nonlocal turn
            turn += 1
            if turn > 20:
                return await fine(request)
            if turn == 20:
                everybody.set()
            await everybody.wait()
            asked_to_wait.append(time.monotonic())
            return web.Response(status=429, headers={"Retry-After": "0.6"})

        async with serving(closed_at_first) as (url, seen):
            found = await send_all(transport, provider(url), url, 60)
        assert answered(found) == 60
        assert len(seen.at) == 80
        assert min(seen.at[20:]) - min(asked_to_wait) > 0.5

    run(scenario)


def test_a_longer_wait_than_the_patience_is_not_begun():
    async def scenario(transport):
        async def throttling(_: web.Request) -> web.Response:
            return web.Response(status=429, headers={"Retry-After": "120"})

        async with serving(throttling) as (url, _):
            began = time.monotonic()
            with pytest.raises(ProviderOutage, match=r"HTTP 429 \(it asks to wait 120 s\)"):
                await transport.send(provider(url), call(url))
            assert time.monotonic() - began < 60

    run(scenario)


def test_a_date_to_wait_for_is_read_by_the_injected_clock():
    class Jumped:
        """A time of day that is a day ahead, and durations that are right."""

        now = staticmethod(time.monotonic)
        sleep = staticmethod(asyncio.sleep)

        def wall(self) -> datetime:
            return datetime.now(UTC) + timedelta(days=1)

    async def scenario():
        transport, turn = HttpTransport(clock=Jumped()), 0

        async def throttling(request: web.Request) -> web.Response:
            nonlocal turn
            turn += 1
            when = datetime.now(UTC) + timedelta(hours=1)
            headers = {"Retry-After": f"{when:%a, %d %b %Y %H:%M:%S} GMT"}
            return web.Response(status=429, headers=headers) if turn == 1 else await fine(request)

        async with serving(throttling) as (url, _):
            reply = await transport.send(provider(url), call(url))
        await transport.close()
        assert reply.body == b"fine"
        assert reply.elapsed_ms < 60_000

    asyncio.run(scenario())


def test_resets_are_tried_again():
    async def scenario(transport):
        turn = 0

        async def resetting(request: web.Request) -> web.Response:
            nonlocal turn
            turn += 1
            if turn % 20 == 0:
                assert request.transport is not None
                request.transport.abort()
            return await fine(request)

        async with serving(resetting) as (url, _):
            found = await send_all(transport, provider(url), url, 200)
        assert answered(found) == 200

    run(scenario)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/9.9 banana\r\n\r\n",
        b"220 mail ready\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_an_outage_and_no_answer_of_the_application(said):
    async def scenario(transport):
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            with pytest.raises(ProviderOutage, match="no HTTP"):
                await transport.send(provider(url), call(url))
        finally:
            server.close()

    run(scenario)


def test_a_provider_that_hangs_is_given_up_and_then_left_alone():
    async def scenario(transport):
        async def hanging(_: web.Request) -> web.Response:
            await asyncio.sleep(60)
            return web.Response()

        async with serving(hanging) as (url, seen):
            began = time.monotonic()
            found = await send_all(transport, provider(url, timeout_seconds=0.1), url, 200)
            assert time.monotonic() - began < 5
        assert answered(found) == 0
        assert seen.requests <= 3 * 40
        reasons = {str(error) for error in found.values()}
        assert "no answer within 0.1 s, 3 times" in reasons
        assert any(reason.startswith("not asked: ") for reason in reasons)

    run(scenario)


def test_an_answer_must_begin_in_time():
    async def scenario(transport):
        async def late(_: web.Request) -> web.Response:
            await asyncio.sleep(0.5)
            return web.Response()

        async with serving(late) as (url, _):
            with pytest.raises(ProviderOutage, match=r"the answer did not begin within 0\.1 s, 3 times"):
                await transport.send(provider(url, first_byte_timeout_seconds=0.1), call(url))

    run(scenario)


def test_a_server_that_is_killed_and_started_again_loses_nothing():
    async def scenario(transport):
        async def slow(request: web.Request) -> web.Response:
            await asyncio.sleep(0.02)
            return await fine(request)

        async with serving(slow) as (url, first):
            port = int(url.rsplit(":", 1)[1].strip("/"))
            sending = asyncio.ensure_future(
                send_all(transport, provider(url, retry_seconds=20), url, 300, concurrency=10)
            )
            await first.reached[100].wait()
        await asyncio.sleep(0.5)
        async with serving(slow, port) as (_, second):
            found = await sending
        assert answered(found) == 300
        assert first.requests + second.requests <= 300 + 10

    run(scenario)


def test_a_slow_drip_ends_at_the_timeout():
    async def scenario(transport):
        async def dripping(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.05)
            return response

        async with serving(dripping) as (url, _):
            with pytest.raises(ProviderOutage, match=r"no answer within 0\.2 s"):
                await transport.send(provider(url, timeout_seconds=0.2), call(url))

    run(scenario)


def test_an_answer_of_50_megabytes_is_not_read_to_its_end():
    async def scenario(transport):
        sent = 0

        async def flooding(request: web.Request) -> web.StreamResponse:
            nonlocal sent
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(50):
                await response.write(b"x" * 2**20)
                sent += 2**20
            return response

        async with serving(flooding) as (url, seen):
            with pytest.raises(UnusableAnswer, match="longer than 16 MiB"):
                await transport.send(provider(url, timeout_seconds=30), call(url))
            assert seen.requests == 1
        assert sent < 2 * BODY_AT_MOST

    run(scenario)


def test_a_host_that_does_not_resolve_is_an_outage():
    async def scenario(transport):
        with pytest.raises(ProviderOutage, match="invalid"):
            await transport.send(provider("http://nowhere.invalid"), call("http://nowhere.invalid/"))

    run(scenario)


@pytest.mark.parametrize("status", [400, 404, 422, 301])
def test_what_is_not_transient_is_asked_once(status):
    async def scenario(transport):
        async def refusing(_: web.Request) -> web.Response:
            return web.Response(status=status, text="no", headers={"Location": "/other"})

        async with serving(refusing) as (url, seen):
            reply = await transport.send(provider(url), call(url))
        assert (reply.status, reply.body, seen.requests) == (status, b"no", 1)

    run(scenario)


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_an_outage_that_soon_stops_all_calls(status):
    async def scenario(transport):
        async def refusing(_: web.Request) -> web.Response:
            return web.Response(status=status)

        async with serving(refusing) as (url, seen):
            found = await send_all(transport, provider(url), url, 100, concurrency=4)
        assert f"HTTP {status}: is the key right?" in {str(error) for error in found.values()}
        assert seen.requests <= 5 + 4

    run(scenario)


def test_in_flight_is_what_the_provider_allows():
    async def scenario(transport):
        async def slow(request: web.Request) -> web.Response:
            await asyncio.sleep(0.01)
            return await fine(request)

        async with serving(slow) as (url, seen):
            await send_all(transport, provider(url, max_concurrency=7), url, 100)
        assert seen.most == 7

    run(scenario)


def test_both_releases_share_the_limits_of_one_address():
    async def scenario(transport):
        async with serving(fine) as (url, seen):
            sides = [provider(url, requests_per_minute=600), provider(url, requests_per_minute=600)]
            began = time.monotonic()  # the first call may take its time to arrive
            await asyncio.gather(*(send_all(transport, side, url, 15, concurrency=15) for side in sides))
        assert max(seen.at) - began >= (30 - 10) / 10

    run(scenario)


def test_another_key_is_another_account():
    async def scenario(transport):
        async with serving(fine) as (url, seen):
            sides = [provider(url, requests_per_minute=60, api_key=Secret(key)) for key in ("one", "two")]
            await asyncio.gather(*(transport.send(side, call(url)) for side in sides))
        assert seen.at[1] - seen.at[0] < 0.5

    run(scenario)


def test_tokens_per_minute_hold_calls_back_and_what_was_not_used_is_given_back():
    async def scenario(transport):
        async with serving(fine) as (url, seen):
            target = provider(url, tokens_per_minute=60_000)
            big = call(url, tokens=10_000)
            await transport.send(target, big)
            transport.used(target, big, 9_000)
            await transport.send(target, call(url, tokens=1_500))
        assert 0.4 <= seen.at[1] - seen.at[0] < 2

    run(scenario)


def test_events_are_read_as_they_arrive():
    async def scenario(transport):
        async def streaming(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
            await response.prepare(request)
            await response.write(b"data: one\n\n")
            await asyncio.sleep(0.2)
            await response.write(b"data: two\n\ndata: [DONE]\n\n")
            return response

        async with serving(streaming) as (url, _):
            reply = await transport.send(provider(url), call(url, stream=True))
        assert reply.events == (b"one", b"two", b"[DONE]")
        assert reply.first_event_ms is not None
        assert reply.first_event_ms + 150 < reply.elapsed_ms

    run(scenario)


def test_a_stream_that_breaks_off_is_tried_again():
    async def scenario(transport):
        turn = 0

        async def breaking(request: web.Request) -> web.StreamResponse:
            nonlocal turn
            turn += 1
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await response.write(b"data: one\n\n")
            if turn == 1:
                assert request.transport is not None
                request.transport.abort()
            return response

        async with serving(breaking) as (url, _):
            reply = await transport.send(provider(url), call(url, stream=True))
        assert (reply.events, turn) == ((b"one",), 2)

    run(scenario)


def test_latency_is_that_of_the_answered_request_alone():
    async def scenario(transport):
        turn = 0

        async def once_busy(request: web.Request) -> web.Response:
            nonlocal turn
            turn += 1
            if turn == 1:
                return web.Response(status=429, headers={"Retry-After": "2.5"})
            return await fine(request)

        async with serving(once_busy) as (url, _):
            reply = await transport.send(provider(url), call(url))
        assert reply.elapsed_ms < 2400

    run(scenario)
