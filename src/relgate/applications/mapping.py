"""From a case to the JSON that an application is asked with, and from its answer to a response."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from relgate.domain.deployed import ResponseMapping
from relgate.domain.placeholders import PLACEHOLDER
from relgate.domain.release import Price
from relgate.domain.response import Response, ToolCall

_TEXTS = ("served_by", "degraded", "model")
_LISTS = ("retrieved", "evidence", "failed_hops")


class UnmappedError(ValueError):
    """The answer does not hold what the mapping says; the text names what and where."""


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The JSON value with its placeholders filled in; a text that is one placeholder becomes its value.

    Args:
        template: a JSON value.
        values: one for every placeholder in it.
    """
    if isinstance(template, str):
        whole = PLACEHOLDER.fullmatch(template.strip())
        if whole is not None:
            return values[whole.group(1)]
        return PLACEHOLDER.sub(lambda match: _text(values[match.group(1)]), template)
    if isinstance(template, Mapping):
        return {key: fill(item, values) for key, item in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, values) for item in template]
    return template


def read_response(body: bytes, mapping: ResponseMapping, price: Price | None) -> Response:
    """The response that an answer holds.

    Args:
        body: JSON in UTF-8; bytes that are none are replaced.
        mapping: where its parts are.
        price: for the tokens of prompt and completion, where no cost is mapped.

    Raises:
        UnmappedError: it is no JSON, the output is missing, or a part has the wrong type.
    """
    try:
        document = json.loads(body.decode("utf-8", "replace"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UnmappedError(f"the answer is no JSON ({type(error).__name__})") from error
    texts = list(_find(document, mapping.output))
    calls = tuple(_tool_calls(document, mapping))
    if not texts and not calls:
        raise UnmappedError(f"the answer has nothing at {mapping.output}")
    if not all(isinstance(text, str) or text is None for text in texts):
        raise UnmappedError(f"the answer has no text at {mapping.output}")
    found = {name: list(_find(document, pointer)) for name, pointer in mapping.values.items()}
    values: dict[str, Any] = {}
    for name in _TEXTS:
        values[name] = _one(found, name, mapping, str)
    for name in _LISTS:
        values[name] = tuple(_flat(found.get(name, ()), name, mapping))
    numbers = {
        name: _one(found, name, mapping, int) for name in ("tokens", "prompt_tokens", "completion_tokens")
    }
    cost = _one(found, "cost_usd", mapping, float)
    asked, written = numbers["prompt_tokens"], numbers["completion_tokens"]
    tokens = numbers["tokens"]
    if asked is not None and written is not None:
        tokens = asked + written if tokens is None else tokens
        if cost is None and price is not None:
            cost = (asked * price.input_per_million + written * price.output_per_million) / 1e6
    output = "".join(text for text in texts if text is not None)
    return Response(output=output, tool_calls=calls, tokens=tokens, cost_usd=cost, **values)


def _tool_calls(document: Any, mapping: ResponseMapping) -> Iterator[ToolCall]:
    if mapping.tool_calls is None:
        return
    for item in _find(document, mapping.tool_calls.at):
        name = next(_find(item, mapping.tool_calls.name), None)
        if not isinstance(name, str):
            continue
        arguments: Any = next(_find(item, mapping.tool_calls.arguments), {})
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}", parse_constant=_no_number)
            except ValueError as error:
                raise UnmappedError(f"the arguments of {name} are no JSON") from error
        if not isinstance(arguments, dict):
            raise UnmappedError(f"the arguments of {name} are no JSON object")
        yield ToolCall(name, arguments)


def _find(document: Any, pointer: str) -> Iterator[Any]:
    """Every value that a pointer (RFC 6901, and ``*``) leads to."""
    here = [document]
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        following: list[Any] = []
        for value in here:
            if key == "*" and isinstance(value, list):
                following += value
            elif isinstance(value, dict) and key in value:
                following.append(value[key])
            elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                following.append(value[int(key)])
        here = following
    yield from here


def _one(
    found: Mapping[str, list[Any]], name: str, mapping: ResponseMapping, kind: type[str | int | float]
) -> Any:
    value = next(iter(found.get(name, ())), None)
    if value is None:
        return None
    good = isinstance(value, str) if kind is str else _is_number(value)
    if not good or (kind is int and value != int(value)):
        raise UnmappedError(f"{name} at {mapping.values[name]} is {type(value).__name__}")
    return value if kind is str else kind(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _flat(found: Any, name: str, mapping: ResponseMapping) -> Iterator[str]:
    for value in found:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str):
                raise UnmappedError(f"{name} at {mapping.values[name]} holds {type(item).__name__}")
            yield item


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
