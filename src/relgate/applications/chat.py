"""The application kind ``chat``: relgate renders the prompt and calls the route's targets in order."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relgate.applications.completion import (
    BrokenStreamError,
    NoCompletionError,
    Served,
    read_completion,
    read_stream,
)
from relgate.applications.json_body import BYTES_PER_TOKEN, encoded
from relgate.applications.prompt import place_of, render_prompt
from relgate.domain.errors import InputError, Place, Problem, ProviderOutage
from relgate.domain.placeholders import placeholders
from relgate.domain.release import Artifact, Price, Provider, Release, Target
from relgate.domain.response import Failure, Outcome, Request, Response
from relgate.domain.transport import HttpCall, HttpReply, Transport, UnusableAnswer

LONGEST_REASON = 200
QUESTION_NAMES = ("question", "input")


def chat_prompt(release: Release) -> Artifact:
    """The prompt artifact of a chat release: the one with the route's name, else the only one."""
    prompts = release.of_kind("prompt")
    return next((a for a in prompts if a.name == release.application.value), prompts[0])


def question_template(release: Release) -> str:
    """The text of the release's prompt.

    Raises:
        InputError: it needs variables that a case cannot give.
    """
    prompt = chat_prompt(release)
    unknown = [name for name in placeholders(prompt.text) if name not in QUESTION_NAMES]
    if unknown:
        raise InputError(
            Problem(
                Place(str(prompt.path), *place_of(prompt.text, name)),
                "a chat application fills only {{ question }}",
                name,
                "use application: python for prompts with other variables",
            )
            for name in unknown
        )
    return prompt.text


class ChatResponder:
    """Calls OpenAI-compatible targets; falls back along the chain when one is away.

    Args:
        release: the release, its variables bound.
        transport: sends the requests, within each provider's limits.

    Raises:
        InputError: the prompt needs variables that a case cannot give.
    """

    def __init__(self, release: Release, transport: Transport) -> None:
        self._release = release
        self._transport = transport
        self._route = release.routes[release.application.value]
        self._template = question_template(release)
        self._asks = bool(placeholders(self._template))  # for nothing but the question
        self._hops: dict[Target, _Hop] = {}
        self._tools = [
            _tool(json.loads(a.text)) for a in release.of_kind("tool_schema") if a.content is not None
        ]

    async def open(self) -> None:
        """Nothing to open: the transport connects when it sends."""

    async def respond(self, request: Request) -> Outcome:
        """Ask the chain's targets in order; the time lost on targets that were away counts."""
        messages = self._messages(request)
        failed: list[str] = []
        reasons: list[str] = []
        lost_ms = 0.0
        for target in self._route.chain:
            started = time.monotonic()
            try:
                return await self._ask(target, messages, request, failed, lost_ms)
            except ProviderOutage as error:
                failed.append(str(target))
                reasons.append(f"{target}: {error}")
                lost_ms += (time.monotonic() - started) * 1000.0
            except (UnusableAnswer, NoCompletionError) as error:
                return Failure("application", f"{target}: {error}")
        return Failure("outage", "; ".join(reasons))

    async def close(self) -> None:
        """Nothing to give back."""

    def _messages(self, request: Request) -> list[dict[str, str]]:
        filled = self._template
        if self._asks:
            filled = render_prompt(filled, dict.fromkeys(QUESTION_NAMES, request.text))
        history = (
            [{"role": "user", "content": request.input}]
            if isinstance(request.input, str)
            else [{"role": m.role, "content": m.content} for m in request.input]
        )
        if self._asks:
            asked = max((i for i, m in enumerate(history) if m["role"] == "user"), default=len(history) - 1)
            return [*history[:asked], {"role": "user", "content": filled}, *history[asked + 1 :]]
        return [{"role": "system", "content": filled}, *history] if filled.strip() else history

    async def _ask(
        self,
        target: Target,
        messages: list[dict[str, str]],
        request: Request,
        failed: Sequence[str],
        lost_ms: float,
    ) -> Response:
        hop = self._hop(target)
        body: dict[str, Any] = {"model": hop.model, "messages": messages, **hop.parameters}
        if self._tools:
            body["tools"] = self._tools
        if body.get("stream"):
            body.setdefault("stream_options", {"include_usage": True})
        call = _call(hop, body, request.headers)
        reply = await self._transport.send(hop.provider, call)
        served = Served(hop.target, tuple(failed), reply.elapsed_ms + lost_ms, reply.first_event_ms)
        response = _read(reply, hop.price, served)
        if response.tokens is not None:
            self._transport.used(hop.provider, call, response.tokens)
        return response

    def _hop(self, target: Target) -> _Hop:
        hop = self._hops.get(target)
        if hop is None:
            model = self._release.artifact("model", target.model)
            provider = self._release.providers[target.provider]
            hop = self._hops[target] = _Hop(
                str(target),
                provider,
                provider.price_of(target.model),
                model.settings.get("id") or model.name,
                dict(model.settings.get("parameters") or {}),
                provider.base_url.rstrip("/") + "/chat/completions",
                {"Authorization": f"Bearer {provider.api_key.reveal()}"} if provider.api_key else {},
            )
        return hop


@dataclass(frozen=True, slots=True)
class _Hop:
    """What every request to a target has in common."""

    target: str
    provider: Provider
    price: Price | None
    model: Any
    parameters: Mapping[str, Any]
    url: str
    headers: Mapping[str, str]


def _call(hop: _Hop, body: Mapping[str, Any], headers: Mapping[str, str]) -> HttpCall:
    sent_body = encoded(body)
    written = body.get("max_tokens", body.get("max_completion_tokens"))
    return HttpCall(
        url=hop.url,
        body=sent_body,
        headers={**headers, **hop.headers},
        stream=bool(body.get("stream")),
        tokens=len(sent_body) // BYTES_PER_TOKEN + (written if isinstance(written, int) else 0),
    )


def _read(reply: HttpReply, price: Price | None, served: Served) -> Response:
    if reply.status != 200:
        said = " ".join(reply.body.decode("utf-8", "replace").split())[:LONGEST_REASON]
        raise UnusableAnswer(f"HTTP {reply.status}: {said}")
    if not reply.events:
        return read_completion(reply.body, price, served)
    try:
        return read_stream(reply.events, price, served)
    except BrokenStreamError as error:
        raise ProviderOutage(str(error)) from error


def _tool(schema: Mapping[str, Any]) -> dict[str, Any]:
    return (
        dict(schema) if schema.get("type") == "function" else {"type": "function", "function": dict(schema)}
    )
