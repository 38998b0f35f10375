"""The built-in scorers that need nothing but their options; the catalog registers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from relgate.domain.scorer import Judge, Scorer, ScorerContext

Factory = Callable[[Mapping[str, Any], ScorerContext], Judge | Scorer]
"""Options and context in, judge out; a whole Scorer where options choose the metric."""


def _in(module: str, name: str) -> Factory:
    """A factory of a file of this folder, which is imported when a suite names the scorer."""

    def make(options: Mapping[str, Any], context: ScorerContext) -> Judge | Scorer:
        factory: Factory = getattr(import_module(f"relgate.scorers.{module}"), name)
        return factory(options, context)

    return make


BUILTINS: Mapping[str, Factory] = {
    "exact": _in("text", "make_exact"),
    "contains": _in("text", "make_contains"),
    "one_of": _in("text", "make_one_of"),
    "regex": _in("text", "make_regex"),
    "numeric": _in("numeric", "make_numeric"),
    "json_schema": _in("structure", "make_json_schema"),
    "citations": _in("structure", "make_citations"),
    "grounded": _in("grounded", "make_grounded"),
    "judge": _in("judge", "make_judge"),
    "tool_call": _in("tools", "make_tool_call"),
    "refusal": _in("refusal", "make_refusal"),
    "recorded": _in("recorded", "make_recorded"),
    "regression": _in("regression", "make_regression"),
}
