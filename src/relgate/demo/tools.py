"""Tools: which call a model makes when it is shown tool schemas in the function form of OpenAI.

A model reads a schema as it is: names of arguments are the schema's, values are found by pattern, by
enumeration and by type. What the schema does not describe is not passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from relgate.demo.text import STOP_WORDS, sentences, terms
from relgate.domain.response import ToolCall

_MONEY = re.compile(
    r"\$\s?(\d[\d,]*(?:\.\d+)?)|\b(\d[\d,]*(?:\.\d+)?)\s?(?:dollars|bucks|usd)\b|\busd\s?(\d[\d,]*(?:\.\d+)?)",
    re.IGNORECASE,
)
# Words that stand in every schema and every second question speak for no tool.
_COMMON = frozenset(terms("order number customer tool call create state give return"))
# To an article "where" means nothing, to a tool that knows where a parcel is it means everything.
_STOP_WORDS = STOP_WORDS - {"where"}


def choose_call(question: str, tools: Sequence[Mapping[str, Any]]) -> ToolCall | None:
    """The call that the question asks for, None when it asks for none.

    A tool is callable when every required argument can be read from the question; among callable tools the
    one whose description has most in common with the question wins, then the one that asks for more.
    """
    asked = set(terms(question, _STOP_WORDS)) - _COMMON
    best: tuple[int, int] = (0, 0)
    chosen: ToolCall | None = None
    for tool in tools:
        function = tool["function"]
        parameters = function["parameters"]
        arguments = _read_arguments(question, parameters["properties"])
        required = parameters.get("required", [])
        shared = len(asked & set(terms(function["description"], _STOP_WORDS)))
        if shared and all(name in arguments for name in required) and (shared, len(required)) > best:
            best = (shared, len(required))
            chosen = ToolCall(function["name"], arguments)
    return chosen


def _read_arguments(question: str, properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    read = {name: _read_value(question, schema) for name, schema in properties.items()}
    return {name: value for name, value in read.items() if value is not None}


def _read_value(question: str, schema: Mapping[str, Any]) -> Any:
    if "pattern" in schema:
        found = re.search(str(schema["pattern"]).strip("^$"), question, re.IGNORECASE)
        return found.group(0).upper() if found else None
    if "enum" in schema:
        return _closest(question, schema["enum"])
    if schema.get("type") in ("number", "integer"):
        amount = _money(question)
        within = amount is not None and amount <= schema.get("maximum", amount)
        return amount if within else None
    return sentences(question)[0] if question else None


def _money(question: str) -> float | None:
    found = _MONEY.search(question)
    if found is None:
        return None
    return float(next(group for group in found.groups() if group).replace(",", ""))


def _closest(question: str, options: Sequence[str]) -> str:
    """The option that shares most words with the question; the last one stands for anything else."""
    asked = set(terms(question))
    shared = [len(asked & set(terms(option.replace("_", " ")))) for option in options]
    return options[shared.index(max(shared))] if max(shared) else options[-1]
