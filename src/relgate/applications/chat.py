"""The application kind ``chat``: relgate renders the prompt and calls the route's targets in order."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn

import aiohttp

from relgate.applications.outage import TRANSIENT_STATUS, UNAUTHORIZED
from relgate.applications.prompt import place_of, placeholders, render_prompt
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.release import Artifact, Provider, Release, Target
from relgate.domain.response import Failure, Outcome, Request, Response, ToolCall

ATTEMPTS = 3
BACKOFF_SECONDS = 0.2
RETRY_AFTER_AT_MOST = 10.0
LONGEST_REASON = 200
QUESTION_NAMES = ("question", "input")


class _AwayError(Exception):
    """This target did not answer; the next one of the chain is asked."""


class _UnusableError(Exception):
    """The target answered something that is no chat completion, or refused the request as wrong."""


class _ShapeError(ValueError):
    """A part of an answer is not what it should be; the text says which."""


def chat_prompt(release: Release) -> Artifact:
    """The prompt artifact of a chat release: the one with the route's name, else the only one."""
    prompts = release.of_kind("prompt")
    return next((a for a in prompts if a.name == release.application.value), prompts[0])


class ChatResponder:
    """Calls OpenAI-compatible targets; retries what is transient, then falls back along the chain.

    Raises:
        InputError: the prompt needs variables that a case cannot give.
    """

    def __init__(self, release: Release) -> None:
        self._release = release
        self._route = release.routes[release.application.value]
        prompt = chat_prompt(release)
        self._template = prompt.text
        unknown = [name for name in placeholders(self._template) if name not in QUESTION_NAMES]
        if unknown:
            raise InputError(
                Problem(
                    Place(str(prompt.path), *place_of(self._template, name)),
                    "a chat application fills only {{ question }}",
                    name,
                    "use application: python for prompts with other variables",
                )
                for name in unknown
            )
        self._tools = [
            _tool(json.loads(a.text)) for a in release.of_kind("tool_schema") if a.content is not None
        ]
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open the connections, in the loop that will use them."""
        self._session = aiohttp.ClientSession()

    async def respond(self, request: Request) -> Outcome:
        """Ask the chain's targets in order."""
        messages = self._messages(request)
        failed: list[str] = []
        reasons: list[str] = []
        for target in self._route.chain:
            try:
                response = await self._ask(target, messages, request)
            except _AwayError as error:
                failed.append(str(target))
                reasons.append(f"{target}: {error}")
                continue
            except _UnusableError as error:
                return Failure("application", f"{target}: {error}")
            return Response(
                output=response.output,
                tool_calls=response.tool_calls,
                served_by=str(target),
                failed_hops=tuple(failed),
                tokens=response.tokens,
                cost_usd=response.cost_usd,
                model=response.model,
            )
        return Failure("outage", "; ".join(reasons))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _messages(self, request: Request) -> list[dict[str, str]]:
        filled = render_prompt(self._template, dict.fromkeys(QUESTION_NAMES, request.text))
        asks = any(name in QUESTION_NAMES for name in placeholders(self._template))
        history = (
            [{"role": "user", "content": request.input}]
            if isinstance(request.input, str)
            else [{"role": m.role, "content": m.content} for m in request.input]
        )
        if asks:
            asked = max((i for i, m in enumerate(history) if m["role"] == "user"), default=len(history) - 1)
            return [*history[:asked], {"role": "user", "content": filled}, *history[asked + 1 :]]
        return [{"role": "system", "content": filled}, *history] if filled.strip() else history

    async def _ask(self, target: Target, messages: list[dict[str, str]], request: Request) -> Response:
        model = self._release.artifact("model", target.model)
        provider = self._release.providers[target.provider]
        body = {
            "model": model.settings.get("id") or model.name,
            "messages": messages,
            **dict(model.settings.get("parameters") or {}),
        }
        if self._tools:
            body["tools"] = self._tools
        last, pause = "", 0.0
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(max(pause, BACKOFF_SECONDS * 2 ** (attempt - 1)))
            pause = 0.0
            try:
                status, headers, text = await self._post(provider, body, request)
            except TimeoutError:
                last = f"no answer within {provider.timeout_seconds:g} s"
                continue
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                last = f"{type(error).__name__}: {error}".rstrip(": ")
                continue
            except aiohttp.ClientError as error:
                raise _UnusableError(f"{type(error).__name__}: {error}") from error
            if status == 200:
                return _parse(text, provider)
            last = f"HTTP {status}"
            if status in UNAUTHORIZED:
                raise _AwayError(f"HTTP {status}: is the key of {target.provider} right?")
            if status not in TRANSIENT_STATUS:
                raise _UnusableError(f"HTTP {status}: {' '.join(text.split())[:LONGEST_REASON]}")
            pause = _retry_after(headers)
        raise _AwayError(f"{last}, {ATTEMPTS} times")

    async def _post(
        self, provider: Provider, body: Mapping[str, Any], request: Request
    ) -> tuple[int, Mapping[str, str], str]:
        assert self._session is not None
        headers = dict(request.headers)
        if provider.api_key:
            headers["Authorization"] = f"Bearer {provider.api_key.reveal()}"
        timeout = aiohttp.ClientTimeout(total=provider.timeout_seconds)
        url = provider.base_url.rstrip("/") + "/chat/completions"
        async with self._session.post(
            url,
            json=body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,  # a redirect would leave the provider that the manifest names
        ) as answer:
            return answer.status, answer.headers, await answer.text(errors="replace")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the provider asks to wait: a number or an HTTP date, cut at ``RETRY_AFTER_AT_MOST``."""
    asked = headers.get("Retry-After", "0")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            moment = parsedate_to_datetime(asked)
        except ValueError:
            return 0.0
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        seconds = (zoned - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_AT_MOST) if math.isfinite(seconds) else 0.0


def _tool(schema: Mapping[str, Any]) -> dict[str, Any]:
    return (
        dict(schema) if schema.get("type") == "function" else {"type": "function", "function": dict(schema)}
    )


def _parse(text: str, provider: Provider) -> Response:
    """Read a chat completion.

    Raises:
        _UnusableError: it is none.
    """
    try:
        document = json.loads(text, parse_constant=_no_number)
        message = document["choices"][0]["message"]
        output = _content(message.get("content"))
        calls = tuple(_tool_call(call["function"]) for call in message.get("tool_calls") or ())
        usage = document.get("usage") or {}
        model = document.get("model")
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        detail = str(error) if isinstance(error, _ShapeError) else type(error).__name__
        raise _UnusableError(f"the answer is no chat completion ({detail})") from error
    tokens, cost = None, None
    if isinstance(prompt, int) and isinstance(completion, int):
        tokens = prompt + completion
        if provider.price is not None:
            price = provider.price
            cost = (prompt * price.input_per_million + completion * price.output_per_million) / 1e6
    named = model if isinstance(model, str) and model else None
    return Response(output=output, tool_calls=calls, tokens=tokens, cost_usd=cost, model=named)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _content(content: object) -> str:
    """The text of a message: null beside tool calls, a string, or a list of parts."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise _ShapeError(f"content is {type(content).__name__}")
    return content


def _tool_call(function: Mapping[str, Any]) -> ToolCall:
    name, arguments = function["name"], function["arguments"]
    try:
        parsed = json.loads(arguments or "{}", parse_constant=_no_number)
    except ValueError as error:
        raise _ShapeError(f"the arguments of {name} are no JSON") from error
    if not isinstance(name, str) or not isinstance(parsed, dict):
        raise _ShapeError(f"the arguments of {name} are no JSON object")
    return ToolCall(name, parsed)
