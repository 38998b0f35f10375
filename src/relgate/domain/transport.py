"""One HTTP request to a provider: what an application asks of the engine, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from relgate.domain.errors import RelgateError
from relgate.domain.release import Provider

TRANSIENT_STATUS = frozenset({408, 409, 425, 429, *range(500, 600)})
"""HTTP answers that say "not now": a provider's outage once the retries are used up."""

UNAUTHORIZED = frozenset({401, 403})
"""HTTP answers to a wrong or missing key: nothing about the release was measured."""


class UnusableAnswer(RelgateError):
    """The provider was reached, and what it sent can never become an answer: asking again would not help."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request.

    Attributes:
        url: absolute.
        body: what is posted, None for none.
        headers: beside ``Content-Type: application/json``.
        method: of HTTP.
        stream: read server-sent events as they arrive, where the answer is an event stream.
        final: answers of HTTP that say "not now" elsewhere and are an answer here.
        tokens: how many the request may cost, for a limit on tokens per minute.
    """

    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    stream: bool = False
    final: frozenset[int] = frozenset()
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer that was read to its end.

    Attributes:
        status: of HTTP; never one that says "not now".
        body: whole; empty for an event stream.
        elapsed_ms: from sending the request that was answered to the last byte; waiting for a place, a limit
            or a further try is not in it.
        events: data of server-sent events, in order.
        first_event_ms: from sending to the first of them.
    """

    status: int
    body: bytes
    elapsed_ms: float
    events: tuple[bytes, ...] = ()
    first_event_ms: float | None = None


class Transport(Protocol):
    """Sends requests within each provider's limits, and tries again what is transient."""

    async def send(self, provider: Provider, call: HttpCall) -> HttpReply:
        """Send one request.

        Raises:
            ProviderOutage: refused, reset, rate limited, failing or silent after every retry, or the key is
                wrong: nothing was measured.
            UnusableAnswer: the request cannot be sent, or its answer cannot be read.
        """
        ...

    def used(self, provider: Provider, call: HttpCall, tokens: int) -> None:
        """Note what a request cost in the end, for the limit on tokens per minute."""
        ...
