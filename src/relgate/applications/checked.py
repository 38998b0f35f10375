"""What an application gave back, checked before anything rests on it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from relgate.domain.response import Failure, Outcome, Response, ToolCall


def checked_response(answer: object) -> Outcome:
    """The answer as a response, or the application failure that it is: wrong types would surface late."""
    if isinstance(answer, str):
        return Response(answer)
    if not isinstance(answer, Response):
        what = f"the application returned {type(answer).__name__}, not a Response or str"
        return Failure("application", what)
    wrong = next(_wrong(answer), None)
    if wrong is not None:
        return Failure("application", f"the application's Response is unusable: {wrong}")
    return replace(
        answer,
        tool_calls=tuple(answer.tool_calls),
        retrieved=tuple(answer.retrieved),
        evidence=tuple(answer.evidence),
        failed_hops=tuple(map(str, answer.failed_hops)),
        served_by=None if answer.served_by is None else str(answer.served_by),
        model=None if answer.model is None else str(answer.model),
    )


def _wrong(answer: Response) -> Iterator[str]:
    output: object = answer.output
    if not isinstance(output, str):
        yield f"output is {type(output).__name__}, not str"
    for name in ("tool_calls", "retrieved", "evidence", "failed_hops"):
        if not isinstance(getattr(answer, name), tuple | list):
            yield f"{name} is {type(getattr(answer, name)).__name__}, not a tuple"
            return
    calls: Sequence[object] = answer.tool_calls
    for call in calls:
        if not isinstance(call, ToolCall) or not isinstance(call.arguments, Mapping):
            yield "tool_calls holds something that is no ToolCall with a mapping of arguments"
        elif not _is_json(dict(call.arguments)):
            yield f"the arguments of {call.name} are not JSON"
    for name in ("retrieved", "evidence"):
        if not all(isinstance(found, str) for found in getattr(answer, name)):
            yield f"{name} holds something that is no str"
    for name in ("tokens", "cost_usd", "latency_ms", "first_token_ms"):
        value = getattr(answer, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{name} is {type(value).__name__}, not a number"
        elif not math.isfinite(value) or value < 0:
            yield f"{name} is {value}"


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
