"""Which exceptions mean that a provider was away, and which are the application's own failure."""

from __future__ import annotations

import socket
import urllib.error
from types import SimpleNamespace

import aiohttp
import pytest

from relgate.applications.outage import failure_of, is_outage
from relgate.domain.errors import ProviderOutage


def _named(name, base=Exception, **attributes):
    """An exception as a client library defines it: known here by its name alone."""
    error = type(name, (base,), {"__module__": "some.client"})("away")
    for key, value in attributes.items():
        setattr(error, key, value)
    return error


def _caused(error, cause):
    error.__cause__ = cause
    return error


REQUEST_INFO = SimpleNamespace(real_url="http://x")

AWAY = {
    "relgate": ProviderOutage("away"),
    "refused": ConnectionRefusedError(),
    "reset": ConnectionResetError(),
    "broken pipe": BrokenPipeError(),
    "unknown host": socket.gaierror(-2, "Name or service not known"),
    "aiohttp server disconnected": aiohttp.ServerDisconnectedError(),
    "aiohttp payload": aiohttp.ClientPayloadError(),
    "aiohttp timeout": aiohttp.ServerTimeoutError(),
    "aiohttp 503": aiohttp.ClientResponseError(REQUEST_INFO, (), status=503),
    "urllib 429": urllib.error.HTTPError("http://x", 429, "slow down", None, None),
    "httpx connect": _named("ConnectError"),
    "httpx read timeout": _named("ReadTimeout"),
    "httpx 502": _named("HTTPStatusError", response=SimpleNamespace(status_code=502)),
    "requests connection": _named("ConnectionError"),
    "requests 503": _named("HTTPError", response=SimpleNamespace(status_code=503)),
    "openai rate limit": _named("RateLimitError", status_code=429),
    "openai timeout": _named("APITimeoutError"),
    "anthropic overloaded": _named("OverloadedError", status_code=529),
    "subclass of an SDK's error": _named("MyTimeout", type(_named("APITimeoutError"))),
    "a wrong key": _named("AuthenticationError", status_code=401),
    "no permission": _named("PermissionDeniedError", status_code=403),
    "a cause": _caused(ValueError("no answer"), ConnectionResetError()),
}
OWN = {
    "value": ValueError("x"),
    "own time limit": TimeoutError(),
    "file": FileNotFoundError("config.json"),
    "bad request": _named("BadRequestError", status_code=400),
    "requests 404": _named("HTTPError", response=SimpleNamespace(status_code=404)),
    "exit status 503": SystemExit(503),
}


@pytest.mark.parametrize("error", AWAY.values(), ids=AWAY.keys())
def test_a_provider_that_was_away_is_not_measured(error):
    assert is_outage(error)
    assert failure_of(error).kind == "outage"


@pytest.mark.parametrize("error", OWN.values(), ids=OWN.keys())
def test_the_applications_own_failure_counts(error):
    assert not is_outage(error)
    assert failure_of(error).kind == "application"


def test_a_context_counts_unless_it_was_suppressed():
    def _raise(suppress):
        try:
            try:
                raise ConnectionResetError
            except ConnectionResetError:
                if suppress:
                    raise ValueError("x") from None
                raise ValueError("x")  # noqa: B904  # the implicit context is what is tested
        except ValueError as error:
            return error

    assert is_outage(_raise(suppress=False))
    assert not is_outage(_raise(suppress=True))


def test_a_ring_of_causes_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert not is_outage(first)


def test_an_exception_without_text_is_named_without_a_colon():
    assert failure_of(ValueError()).message == "ValueError"
