"""Reading a chat completion in the shape of OpenAI's API, whole or streamed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import msgspec

from relgate.domain.release import Price
from relgate.domain.response import Response, ToolCall

DONE = b"[DONE]"


MOST_TOKENS = 2**53
"""Beyond it a number says nothing, and is no float any more."""


class Served(NamedTuple):
    """What is known of an answer before it is read: the fields of ``Response`` of the same names."""

    served_by: str | None = None
    failed_hops: tuple[str, ...] = ()
    latency_ms: float | None = None
    first_token_ms: float | None = None


_UNKNOWN = Served()


class NoCompletionError(ValueError):
    """The answer is no chat completion; the text says why."""


class BrokenStreamError(ValueError):
    """The provider ended a stream with an error of its own, or before the answer was finished."""


class _Message(msgspec.Struct, gc=False):
    content: str
    tool_calls: None = None


class _Choice(msgspec.Struct, gc=False):
    message: _Message


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int
    completion_tokens: int


class _Completion(msgspec.Struct, gc=False):
    choices: list[_Choice]
    usage: _Usage
    model: str = ""
    system_fingerprint: str | None = None


_DECODER = msgspec.json.Decoder(_Completion)


class _ShapeError(ValueError):
    """A part of an answer is not what it should be; the text says which."""


def read_completion(body: bytes, price: Price | None, served: Served = _UNKNOWN) -> Response:
    """Read a completion.

    Raises:
        NoCompletionError: it is none.
    """
    try:
        quick = _DECODER.decode(body)
        message = quick.choices[0].message
    except (msgspec.MsgspecError, IndexError, UnicodeDecodeError):
        # tool calls, parts, no usage, or something that needs an exact complaint
        return _read_slowly(body, price, served)
    tokens = (quick.usage.prompt_tokens, quick.usage.completion_tokens)
    return _response(message.content, (), tokens, (quick.model, quick.system_fingerprint), price, served)


def read_stream(events: Sequence[bytes], price: Price | None, served: Served = _UNKNOWN) -> Response:
    """Put a streamed completion together.

    Raises:
        NoCompletionError: an event is no part of one.
        BrokenStreamError: the stream holds an error, or ends before a reason to finish.
    """
    parts = _Parts()
    try:
        for event in events:
            if event.strip() == DONE:
                parts.finished = True
                break
            parts.add(_strict_json(event))
        calls = tuple(_tool_call(call) for _, call in sorted(parts.calls.items()))
    except BrokenStreamError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NoCompletionError(_complaint(error)) from error
    if not parts.finished:
        raise BrokenStreamError("the stream ended before the answer was finished")
    usage = parts.usage
    return _response(
        "".join(parts.text),
        calls,
        (usage.get("prompt_tokens"), usage.get("completion_tokens")),
        (parts.model, parts.backend),
        price,
        served,
    )


@dataclass(slots=True)
class _Parts:
    """What has arrived of a stream."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, str]] = field(default_factory=dict)
    usage: Mapping[str, Any] = field(default_factory=dict)
    model: object = None
    backend: object = None
    finished: bool = False

    def add(self, chunk: Mapping[str, Any]) -> None:
        """One chunk."""
        if chunk.get("error"):
            raise BrokenStreamError(f"the stream ended with an error: {str(chunk['error'])[:200]}")
        self.usage = chunk.get("usage") or self.usage
        self.model = chunk.get("model") or self.model
        self.backend = chunk.get("system_fingerprint") or self.backend
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            delta = choice.get("delta") or {}
            self.text.append(_content(delta.get("content")))
            for call in delta.get("tool_calls") or ():
                known = self.calls.setdefault(call.get("index", 0), {"name": "", "arguments": ""})
                function = call.get("function") or {}
                known["name"] += function.get("name") or ""
                known["arguments"] += function.get("arguments") or ""
            self.finished = self.finished or choice.get("finish_reason") is not None


def _read_slowly(body: bytes, price: Price | None, served: Served) -> Response:
    try:
        document = _strict_json(body)
        message = document["choices"][0]["message"]
        output = _content(message.get("content"))
        calls = tuple(_tool_call(call["function"]) for call in message.get("tool_calls") or ())
        usage = document.get("usage") or {}
        model = (document.get("model"), document.get("system_fingerprint"))
        tokens = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NoCompletionError(_complaint(error)) from error
    return _response(output, calls, tokens, model, price, served)


def _complaint(error: BaseException) -> str:
    detail = str(error) if isinstance(error, _ShapeError) else type(error).__name__
    return f"the answer is no chat completion ({detail})"


def _response(
    output: str,
    calls: tuple[ToolCall, ...],
    reported: tuple[object, object],
    model: tuple[object, object],
    price: Price | None,
    served: Served,
) -> Response:
    tokens, cost = None, None
    prompt, completion = reported
    if isinstance(prompt, int) and isinstance(completion, int) and abs(prompt + completion) <= MOST_TOKENS:
        tokens = prompt + completion
        if price is not None:
            cost = (prompt * price.input_per_million + completion * price.output_per_million) / 1e6
    name, backend = (said if isinstance(said, str) and said else None for said in model)
    return Response(
        output=output,
        tool_calls=calls,
        tokens=tokens,
        cost_usd=cost,
        model=name,
        backend=backend,
        served_by=served.served_by,
        failed_hops=served.failed_hops,
        latency_ms=served.latency_ms,
        first_token_ms=served.first_token_ms,
    )


def _strict_json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "replace"), parse_constant=_no_number)


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
