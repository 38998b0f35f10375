"""The scorer tool_call: which tools were called, with which arguments, within which limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo

from relgate.domain.case import Case
from relgate.domain.release import Artifact, Release
from relgate.domain.response import Response, ScorerFailure, ToolCall
from relgate.domain.scorer import Judge, Judgement, ScorerContext
from relgate.scorers.comparing import is_tool_expectation
from relgate.scorers.numeric import last_number
from relgate.scorers.options import OptionProblem, Options, read_options
from relgate.scorers.structure import read_schema, schema_check

Check = Callable[[Any], bool]

_LIMIT = "approval_required_above_usd"
_AMOUNTS = ("amount_usd", "amount")


def _is_arguments_schema(given: Any, info: ValidationInfo) -> Any:
    schema_check(_parameters(read_schema(given, (info.context or {}).get("folder") or Path()), "")[1])
    return given


class ToolCallOptions(Options):
    """Options of tool_call."""

    tool: str | None = None
    schemas: dict[str, Annotated[str | dict[str, Any], AfterValidator(_is_arguments_schema)]] | None = None
    approval_required_above_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """The tool alone asks another question."""
        others = set(cls.model_fields) & set(given) - {"tool"}
        if "tool" in given and others:
            what = "option 'tool' asks only whether the tool was called and takes no other option"
            yield OptionProblem(what, ("tool",), key=True)


def make_tool_call(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when exactly the expected calls were made to the expected tools, valid and within the limits.

    With option ``tool`` the case is not asked: 1 when that tool was called at all.
    """
    settings = read_options(ToolCallOptions, options, folder=context.suite_path.parent)
    if settings.tool is not None:
        name = settings.tool
        return lambda case, response: any(call.name == name for call in response.tool_calls)
    checks = _checks(settings, context)
    limits = _limits(context.release)

    def judge(case: Case, response: Response) -> Judgement:
        if not is_tool_expectation(case.expected):
            return None
        expected = case.expected if isinstance(case.expected, (list, tuple)) else [case.expected]
        problem = _bad_expectation(expected)
        if problem:
            return ScorerFailure("tool_call", f"case {case.id}: {problem}")
        if any(item["tool"] is None for item in expected):
            return not response.tool_calls
        return _made(expected, response.tool_calls) and all(
            checks.get(call.name, _anything)(dict(call.arguments))
            and _approved(call, limits.get(call.name), settings.approval_required_above_usd)
            for call in response.tool_calls
        )

    return judge


def _anything(arguments: Any) -> bool:
    return True


def _checks(settings: ToolCallOptions, context: ScorerContext) -> dict[str, Check]:
    if settings.schemas is not None:
        folder = context.suite_path.parent
        schemas = {name: _parameters(read_schema(s, folder), name)[1] for name, s in settings.schemas.items()}
    else:
        schemas = dict(_artifact_schema(a) for a in context.release.of_kind("tool_schema") if a.content)
    return {name: schema_check(schema) for name, schema in schemas.items()}


def _limits(release: Release) -> dict[str, float]:
    found = {}
    for artifact in release.of_kind("tool_schema"):
        limit = artifact.settings.get(_LIMIT)
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise ValueError(f"{artifact.reference}: {_LIMIT} must be a number (is {limit!r})")
        name = _artifact_schema(artifact)[0] if artifact.content else artifact.name
        found[name] = float(limit)
    return found


def _artifact_schema(artifact: Artifact) -> tuple[str, Any]:
    try:
        document = json.loads(artifact.text)
    except ValueError as error:
        raise ValueError(f"{artifact.reference} is not JSON: {error}") from None
    return _parameters(document, artifact.name)


def _parameters(document: Any, name: str) -> tuple[str, Any]:
    """The tool's name and its arguments' schema, from OpenAI's form or from the schema itself."""
    inner = document.get("function", document) if isinstance(document, Mapping) else document
    if isinstance(inner, Mapping) and isinstance(inner.get("parameters"), Mapping):
        return str(inner.get("name", name)), inner["parameters"]
    return name, document


def _bad_expectation(expected: Sequence[Mapping[str, Any]]) -> str:
    for item in expected:
        unknown = sorted(set(item) - {"tool", "arguments"})
        if unknown:
            return f"expected holds {', '.join(unknown)} beside tool and arguments"
        if item["tool"] is not None and not isinstance(item["tool"], str):
            return "expected.tool must be a name, or null where no tool may be called"
        if not isinstance(item.get("arguments", {}), Mapping):
            return "expected.arguments must be a mapping"
    if len(expected) > 1 and any(item["tool"] is None for item in expected):
        return "expected says both that a tool and that no tool is called"
    return ""


def _made(expected: Sequence[Mapping[str, Any]], calls: Sequence[ToolCall]) -> bool:
    """Whether every expected call was made and none of their tools was called more often."""
    tools = {item["tool"] for item in expected}
    made = [call for call in calls if call.name in tools]
    return len(made) == len(expected) and _assignable(expected, made)


def _assignable(expected: Sequence[Mapping[str, Any]], calls: list[ToolCall]) -> bool:
    """Whether the calls can be dealt out so that each expectation gets one that fits (Kuhn's matching)."""
    owner: dict[int, int] = {}

    def place(item: int, tried: set[int]) -> bool:
        for index, call in enumerate(calls):
            if index in tried or not _fits(expected[item], call):
                continue
            tried.add(index)
            if index not in owner or place(owner[index], tried):
                owner[index] = item
                return True
        return False

    return all(place(item, set()) for item in range(len(expected)))


def _fits(expected: Mapping[str, Any], call: ToolCall) -> bool:
    wanted = expected.get("arguments", {})
    return call.name == expected["tool"] and all(
        name in call.arguments and _equal(value, call.arguments[name]) for name, value in wanted.items()
    )


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _approved(call: ToolCall, own: float | None, option: float | None) -> bool:
    limit = option if option is not None else own
    if limit is None:
        return True
    amounts = [call.arguments[name] for name in _AMOUNTS if name in call.arguments]
    if all(_at_most(amount, limit) for amount in amounts):
        return True
    approval = call.arguments.get("approval_id")
    return isinstance(approval, str) and bool(approval.strip())


def _at_most(amount: Any, limit: float) -> bool:
    # What cannot be read as a number needs an approval too: the limit must not fall to a spelling.
    number = last_number(str(amount))
    return number is not None and number <= limit
