"""The built-in scorers that need nothing but their options; the catalog registers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from relgate.domain.scorer import Judge, Scorer, ScorerContext
from relgate.scorers.grounded import make_grounded
from relgate.scorers.judge import make_judge
from relgate.scorers.numeric import make_numeric
from relgate.scorers.recorded import make_recorded
from relgate.scorers.refusal import make_refusal
from relgate.scorers.regression import make_regression
from relgate.scorers.structure import make_citations, make_json_schema
from relgate.scorers.text import make_contains, make_exact, make_one_of, make_regex
from relgate.scorers.tools import make_tool_call

Factory = Callable[[Mapping[str, Any], ScorerContext], Judge | Scorer]
"""Options and context in, judge out; a whole Scorer where options choose the metric."""

BUILTINS: Mapping[str, Factory] = {
    "exact": make_exact,
    "contains": make_contains,
    "one_of": make_one_of,
    "regex": make_regex,
    "numeric": make_numeric,
    "json_schema": make_json_schema,
    "citations": make_citations,
    "grounded": make_grounded,
    "judge": make_judge,
    "tool_call": make_tool_call,
    "refusal": make_refusal,
    "recorded": make_recorded,
    "regression": make_regression,
}
