"""Telling a provider's outage from a failure of the application itself (design 4.4)."""

from __future__ import annotations

from relgate.domain.errors import ProviderOutage
from relgate.domain.response import Failure

TRANSIENT_STATUS = frozenset({408, 409, 425, 429, *range(500, 600)})
"""HTTP answers that say "not now": a provider's outage once the retries are used up."""

_CLIENT_OUTAGES = frozenset(
    {"ConnectError", "ConnectTimeout", "ReadError", "ReadTimeout", "PoolTimeout", "RemoteProtocolError"}
    | {
        "APIConnectionError",
        "APITimeoutError",
        "RateLimitError",
        "InternalServerError",
        "ServiceUnavailableError",
    }
)
"""Exceptions of HTTP clients and provider SDKs that mean the provider was away; known by their names, for
relgate imports none of them."""


def failure_of(error: BaseException) -> Failure:
    """The failure that an application's exception stands for."""
    return Failure("outage" if is_outage(error) else "application", f"{type(error).__name__}: {error}")


def is_outage(error: BaseException) -> bool:
    """Whether a provider was away: refused, reset, rate limited, failing or silent; causes count too."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, ProviderOutage | ConnectionError) or type(current).__name__ in _CLIENT_OUTAGES:
            return True
        if _is_connection_error_of_aiohttp(current):
            return True
        status = getattr(current, "status", None) or getattr(current, "status_code", None)
        if isinstance(status, int) and status in TRANSIENT_STATUS:
            return True
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return False


def _is_connection_error_of_aiohttp(error: BaseException) -> bool:
    names = {base.__name__ for base in type(error).__mro__ if base.__module__.startswith("aiohttp")}
    return bool(names & {"ClientConnectionError", "ServerTimeoutError"})
