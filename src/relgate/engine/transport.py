"""HTTP to providers on aiohttp: one session and one lane each, retries for what is transient."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache

import aiohttp

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider
from relgate.domain.transport import (
    TRANSIENT_STATUS,
    UNAUTHORIZED,
    HttpCall,
    HttpReply,
    UnusableAnswer,
)
from relgate.engine.budget import Allowance, Budget
from relgate.engine.clock import Clock, MonotonicClock
from relgate.engine.lane import Lane, Trouble
from relgate.engine.retries import ATTEMPTS, THROTTLED, backoff, retry_after
from relgate.engine.sse import EventStream

BODY_AT_MOST = 16 * 2**20
"""Bytes of one answer that are read; no model writes more, and a run must not fill the memory."""

_NO_LIMIT = nullcontext()
_JSON = {"Content-Type": "application/json"}


class _TransientError(Exception):
    """This try brought no answer.

    Attributes:
        lasting: whether the provider is tried again for as long as its patience lasts, not a few times.
        wait: seconds that it asks to wait, None where it does not say.
        throttled: whether it had too many requests.
    """

    def __init__(
        self, why: str, *, lasting: bool = False, wait: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(why)
        self.lasting = lasting
        self.wait = wait
        self.throttled = throttled


@dataclass(slots=True)
class _Line:
    lane: Lane
    session: aiohttp.ClientSession


class HttpTransport:
    """Sends requests of every release and judge of a run (``domain.transport.Transport``).

    Providers of one address and one key share a lane, whichever release names them: a provider counts
    what comes from both.

    Args:
        seed: of the jitter.
        clock: time.
        budget: once its seconds are spent nothing is waited for or tried again; None has no limit.
    """

    def __init__(self, *, seed: int = 0, clock: Clock | None = None, budget: Budget | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._budget = budget or Budget(Allowance(), self._clock)
        self._draw = random.Random(seed)
        self._lines: dict[tuple[str, str], _Line] = {}
        self._known: dict[int, tuple[Provider, _Line]] = {}

    async def close(self) -> None:
        """Close every connection; to be called in the loop that sent."""
        for line in self._lines.values():
            await line.session.close()
        self._lines.clear()
        self._known.clear()

    @property
    def trouble(self) -> Trouble | None:
        """Why one of the providers gives no answers, None while all do; for any thread."""
        found = (line.lane.trouble for line in tuple(self._lines.values()))
        return next((trouble for trouble in found if trouble is not None), None)

    def used(self, provider: Provider, call: HttpCall, tokens: int) -> None:
        """Correct the tokens of a request by what it cost."""
        self._line(provider).lane.used(call.tokens, tokens)

    async def send(self, provider: Provider, call: HttpCall) -> HttpReply:
        """Send one request.

        Raises:
            ProviderOutage: no answer after every retry or until the run's seconds were spent, or the key is
                wrong.
            UnusableAnswer: the request cannot be sent, or its answer cannot be read.
            Halt: the run's seconds were spent before the request could be sent.
        """
        lane = self._line(provider).lane
        lane.asking += 1
        try:
            return await self._send(provider, call)
        finally:
            lane.asking -= 1

    async def _send(self, provider: Provider, call: HttpCall) -> HttpReply:
        line = self._line(provider)
        began = self._clock.now()
        tries = turn = 0
        while True:
            await line.lane.enter(call.tokens)
            try:
                reply = await self._exchange(line.session, provider, call)
            except _TransientError as error:
                turn += 1
                tries += not error.lasting
                wait = backoff(turn, self._draw) if error.wait is None else error.wait
                left = provider.retry_seconds - (self._clock.now() - began)
                said = _given_up(error, turn, wait)
                line.lane.failed(str(error))
                is_last = not provider.retry_seconds or line.lane.is_away or tries >= ATTEMPTS
                if is_last or (error.lasting and wait > left):
                    line.lane.gave_up(said)
                    raise ProviderOutage(said) from error
                if error.throttled:
                    line.lane.throttled(wait)
            except ProviderOutage as error:  # a wrong key or certificate: asking again would not help
                line.lane.gave_up(str(error))
                raise
            else:
                line.lane.succeeded()
                return reply
            finally:
                line.lane.leave()
            if not await self._budget.wait(wait):
                raise ProviderOutage(said)

    def _line(self, provider: Provider) -> _Line:
        known = self._known.get(id(provider))
        if known is not None:
            return known[1]
        key = (provider.base_url, provider.api_key.reveal() if provider.api_key else "")
        line = self._lines.get(key)
        if line is None:
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            line = self._lines[key] = _Line(Lane(provider, self._clock, self._draw, self._budget), session)
        self._known[id(provider)] = provider, line  # holding it keeps its id from being another's
        return line

    async def _exchange(
        self, session: aiohttp.ClientSession, provider: Provider, call: HttpCall
    ) -> HttpReply:
        started = self._clock.now()
        limit = provider.first_byte_timeout_seconds
        first = None if limit is None else asyncio.timeout(limit)
        try:
            async with first or _NO_LIMIT:
                answer = await session.request(
                    call.method,
                    call.url,
                    data=call.body,
                    headers={**_JSON, **call.headers} if call.body is not None else call.headers,
                    timeout=_timeout(provider.timeout_seconds, provider.connect_timeout_seconds),
                    allow_redirects=False,  # a redirect would leave the provider that the manifest names
                )
            async with answer:
                return await self._read(answer, call, started)
        except aiohttp.ConnectionTimeoutError as error:
            raise _TransientError(f"no connection within {provider.connect_timeout_seconds:g} s") from error
        except TimeoutError as error:
            if first is not None and first.expired():
                raise _TransientError(f"the answer did not begin within {limit:g} s") from error
            raise _TransientError(f"no answer within {provider.timeout_seconds:g} s") from error
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise ProviderOutage(_named(error)) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise _TransientError(_what_happened(error), lasting=_is_refusal(error)) from error
        except aiohttp.ClientResponseError as error:  # something between answered, not the application
            what, _, _ = error.message.partition("\n")
            raise _TransientError(f"the answer is no HTTP: {what[:80]}") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise UnusableAnswer(_named(error)) from error

    async def _read(self, answer: aiohttp.ClientResponse, call: HttpCall, started: float) -> HttpReply:
        status = answer.status
        if status in UNAUTHORIZED:
            raise ProviderOutage(f"HTTP {status}: is the key right?")
        if status in TRANSIENT_STATUS - call.final:
            wait = retry_after(answer.headers, self._clock.wall())
            throttled = status in THROTTLED
            raise _TransientError(
                f"HTTP {status}", lasting=throttled or wait is not None, wait=wait, throttled=throttled
            )
        if call.stream and status == 200 and _is_event_stream(answer.headers):
            return await self._read_events(answer, started)
        body = await _whole(answer)
        return HttpReply(status, body, (self._clock.now() - started) * 1000.0)

    async def _read_events(self, answer: aiohttp.ClientResponse, started: float) -> HttpReply:
        stream, events, size = EventStream(), list[bytes](), 0
        first: float | None = None
        async for chunk in answer.content.iter_any():
            size = _within(size + len(chunk))
            found = stream.feed(chunk)
            if found and first is None:
                first = (self._clock.now() - started) * 1000.0
            events += found
        elapsed = (self._clock.now() - started) * 1000.0
        return HttpReply(answer.status, b"", elapsed, events=tuple(events), first_event_ms=first)


@lru_cache(maxsize=64)  # the same for every request to a provider
def _timeout(total: float, connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=connect)


def _is_event_stream(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/event-stream"


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    content = answer.content
    first = await content.readany()
    size = _within(len(first))
    if content.at_eof() and content.exception() is None:  # as nearly every answer
        return first
    parts = [first]
    async for chunk in content.iter_any():
        size = _within(size + len(chunk))
        parts.append(chunk)
    return b"".join(parts)


def _within(size: int) -> int:
    if size > BODY_AT_MOST:
        raise UnusableAnswer(f"the answer is longer than {BODY_AT_MOST // 2**20} MiB")
    return size


def _is_refusal(error: aiohttp.ClientError) -> bool:
    return isinstance(error.__cause__ or error, ConnectionRefusedError)


def _what_happened(error: aiohttp.ClientError) -> str:
    """In the words of a user where aiohttp's are those of a socket."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host {error.host} does not resolve"
    if isinstance(error, aiohttp.ClientConnectorError) and _is_refusal(error):
        return f"{error.host}:{error.port} refuses connections"
    return _named(error)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _given_up(error: _TransientError, turns: int, wait: float) -> str:
    times = "" if turns == 1 else f", {turns} times"
    asked = f" (it asks to wait {error.wait:.0f} s)" if error.wait is not None and wait > 1 else ""
    return f"{error}{times}{asked}"
