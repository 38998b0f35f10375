"""The chain of a route: one chat completion from the first target that gives one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider, Release, Target
from relgate.domain.response import ToolCall

# A hop that does not even accept a connection is given up at once; the next one is waiting.
_CONNECT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a target answered, and which targets did not before it."""

    text: str
    tool_call: ToolCall | None
    target: Target
    failed: tuple[Target, ...]
    tokens: int
    cost_usd: float | None


class Chain:
    """Calls a route's targets in order over HTTP.

    Args:
        release: its providers must be bound to addresses.
        route: the route's name.
    """

    def __init__(self, release: Release, route: str) -> None:
        self._release = release
        self._targets = release.routes[route].chain
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        headers: Mapping[str, str],
    ) -> Reply:
        """The first target's reply; the next target is asked when one is away.

        Raises:
            ProviderOutage: every target was away.
            RuntimeError: a target refused the request itself (wrong key, unknown model).
        """
        failed: list[Target] = []
        reasons: list[str] = []
        for target in self._targets:
            try:
                body = await self._call(target, messages, tools, headers)
            except ProviderOutage as outage:
                failed.append(target)
                reasons.append(str(outage))
                continue
            return self._reply(body, target, tuple(failed))
        raise ProviderOutage("; ".join(reasons))

    async def close(self) -> None:
        """Give back the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(
        self,
        target: Target,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        if self._session is None:
            # Made here, because a session belongs to the loop that is running when it is made.
            self._session = aiohttp.ClientSession()
        provider = self._release.providers[target.provider]
        body: dict[str, Any] = {"model": self._model_id(target), "messages": list(messages)}
        if tools:
            body["tools"] = list(tools)
        try:
            async with self._session.post(
                f"{provider.base_url.rstrip('/')}/chat/completions",
                json=body,
                headers=_headers(provider, headers),
                timeout=aiohttp.ClientTimeout(total=provider.timeout_seconds, sock_connect=_CONNECT_SECONDS),
            ) as response:
                if response.status == 429 or response.status >= 500:
                    raise ProviderOutage(f"{target}: HTTP {response.status}")
                document: dict[str, Any] = await response.json()
                if response.status != 200:
                    raise RuntimeError(f"{target}: HTTP {response.status}: {document}")
                return document
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
            raise ProviderOutage(f"{target}: {type(error).__name__}") from error

    def _model_id(self, target: Target) -> str:
        return str(self._release.artifact("model", target.model).settings.get("id", target.model))

    def _reply(self, body: Mapping[str, Any], target: Target, failed: tuple[Target, ...]) -> Reply:
        message, usage = body["choices"][0]["message"], body["usage"]
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        price = self._release.providers[target.provider].price_of(target.model)
        cost = None
        if price is not None:
            paid = usage["prompt_tokens"] * price.input_per_million
            paid += usage["completion_tokens"] * price.output_per_million
            cost = paid / 1_000_000
        return Reply(
            text=message.get("content") or "",
            tool_call=ToolCall(calls[0]["name"], json.loads(calls[0]["arguments"])) if calls else None,
            target=target,
            failed=failed,
            tokens=usage["total_tokens"],
            cost_usd=cost,
        )


def _headers(provider: Provider, passed_on: Mapping[str, str]) -> dict[str, str]:
    headers = dict(passed_on)
    if provider.api_key:
        headers["Authorization"] = f"Bearer {provider.api_key.reveal()}"
    return headers
