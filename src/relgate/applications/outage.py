"""Telling a provider's outage from a failure of the application itself (design 4.4)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from relgate.domain.errors import ProviderOutage
from relgate.domain.response import Failure
from relgate.domain.transport import TRANSIENT_STATUS, UNAUTHORIZED

_OUTAGES = (ProviderOutage, ConnectionError, socket.gaierror)

_CLIENT_OUTAGES = frozenset(
    {
        *("ClientConnectionError", "ClientPayloadError", "ServerTimeoutError"),  # aiohttp
        *("NetworkError", "TimeoutException", "RemoteProtocolError"),  # httpx, httpcore
        *("ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "WriteTimeout", "PoolTimeout"),
        *("Timeout", "ConnectionError", "ChunkedEncodingError"),  # requests
        *("NewConnectionError", "MaxRetryError", "ProtocolError", "NameResolutionError"),  # urllib3
        *("APIConnectionError", "APITimeoutError", "RateLimitError", "InternalServerError"),  # SDKs
        *("ServiceUnavailableError", "ServiceUnavailable", "TooManyRequests", "ResourceExhausted"),
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"),  # botocore
    }
)
"""Exceptions of HTTP clients and provider SDKs that mean the provider was away; known by their names and
their bases' names, for relgate imports none of them."""


def failure_of(error: BaseException) -> Failure:
    """The failure that an application's exception stands for."""
    message = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Failure("outage" if is_outage(error) else "application", message)


def is_outage(error: BaseException) -> bool:
    """Whether a provider was away: refused, reset, rate limited, failing or silent; causes count too."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, _OUTAGES) or _named_outage(current):
            return True
        if any(status in TRANSIENT_STATUS | UNAUTHORIZED for status in _statuses(current)):
            return True
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return False


def _named_outage(error: BaseException) -> bool:
    # A builtin base says nothing here: TimeoutError is also what an application's own limit raises.
    return any(
        base.__name__ in _CLIENT_OUTAGES and base.__module__ != "builtins" for base in type(error).__mro__
    )


def _statuses(error: BaseException) -> Iterator[int]:
    """HTTP status codes where clients put them: on the exception or on its response."""
    if isinstance(error, SystemExit):  # its code is the process's
        return
    for holder in (error, getattr(error, "response", None)):
        for name in ("status", "status_code", "code"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                yield status
