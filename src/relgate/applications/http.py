"""The application kind ``http``: a service that is asked by a template and read by pointers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relgate.applications.checked import checked_response
from relgate.applications.json_body import BYTES_PER_TOKEN, encoded
from relgate.applications.mapping import UnmappedError, fill, read_response
from relgate.domain.deployed import HttpSpec
from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider, Release
from relgate.domain.response import Failure, Outcome, Request
from relgate.domain.transport import HttpCall, Transport, UnusableAnswer

LONGEST_REASON = 200
OWN_FAILURES = frozenset({500})
"""What a service answers when it broke itself: that is score 0, no outage of a provider."""


class HttpResponder:
    """Asks a service.

    Args:
        spec: how.
        provider: its address, key, limits and price.
        release: the release, for what the template names.
        transport: sends the requests.
    """

    def __init__(self, spec: HttpSpec, provider: Provider, release: Release, transport: Transport) -> None:
        self._spec = spec
        self._provider = provider
        self._transport = transport
        self._url = provider.base_url.rstrip("/") + spec.path
        prompts = release.of_kind("prompt")
        self._fixed = {
            "release": release.digest,
            "prompt": prompts[0].text if prompts and prompts[0].content is not None else "",
        }
        self._headers = dict(spec.headers)
        if provider.api_key:
            key = provider.api_key.reveal()
            if spec.auth.lower() == "bearer":
                self._headers["Authorization"] = f"Bearer {key}"
            else:
                self._headers[spec.auth] = key

    async def open(self) -> None:
        """Nothing to open: the transport connects when it sends."""

    async def respond(self, request: Request) -> Outcome:
        """Ask once; what the service breaks itself is the application's failure."""
        body = encoded(fill(self._spec.request, {**self._fixed, **_values(request)}))
        call = HttpCall(
            url=self._url,
            body=body,
            headers={**self._headers, **request.headers},
            final=OWN_FAILURES,
            tokens=len(body) // BYTES_PER_TOKEN,
        )
        try:
            reply = await self._transport.send(self._provider, call)
        except ProviderOutage as error:
            return Failure("outage", f"{self._provider.name}: {error}")
        except UnusableAnswer as error:
            return Failure("application", f"{self._provider.name}: {error}")
        if not 200 <= reply.status < 300:
            said = " ".join(reply.body.decode("utf-8", "replace").split())[:LONGEST_REASON]
            what = f"{self._provider.name}: HTTP {reply.status}: {said}"
            return Failure("application", what, reply.elapsed_ms)
        try:
            response = read_response(reply.body, self._spec.response, self._provider.price)
        except UnmappedError as error:
            return Failure("application", f"{self._provider.name}: {error}", reply.elapsed_ms)
        if response.tokens is not None:
            self._transport.used(self._provider, call, response.tokens)
        return checked_response(replace(response, latency_ms=reply.elapsed_ms))

    async def close(self) -> None:
        """Nothing to give back."""


def _values(request: Request) -> dict[str, Any]:
    messages = (
        [{"role": "user", "content": request.input}]
        if isinstance(request.input, str)
        else [{"role": m.role, "content": m.content} for m in request.input]
    )
    return {
        "question": request.text,
        "messages": messages,
        "case_id": request.case_id,
        "trial": request.trial,
    }
