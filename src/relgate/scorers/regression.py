"""The scorer regression: the assertions of a regressed case, which keep an incident from coming back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from relgate.domain.case import Case
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judge, Judgement, ScorerContext
from relgate.redaction import generic, mask, placeholder_types
from relgate.scorers.comparing import normalise
from relgate.scorers.options import NoOptions, Options, read_options
from relgate.scorers.refusal import is_refusal
from relgate.scorers.text import LONGEST_SEARCH, compiled

Texts = str | list[str]


class Assertions(Options):
    """What ``expected`` of a regressed case may say; every assertion must hold."""

    contains: Texts = Field(default_factory=list)
    not_contains: Texts = Field(default_factory=list)
    regex: str | None = None
    not_regex: str | None = None
    tool: str | None = None
    refusal: bool | None = None


def make_regression(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when every assertion of the case holds."""
    read_options(NoOptions, options)
    return _judge


def read_assertions(expected: Any) -> Assertions:
    """What a regressed case asserts: a text or a list of texts is short for ``contains``.

    Raises:
        ValueError: it asserts nothing, or something that cannot be read.
    """
    asserted = expected if isinstance(expected, Mapping) else {"contains": expected}
    if not asserted or expected in (None, "", []):
        raise ValueError("a regressed case must say what it expects")
    assertions = read_options(
        Assertions, {k: list(v) if isinstance(v, tuple) else v for k, v in asserted.items()}
    )
    texts = (*_listed(assertions.contains), *_listed(assertions.not_contains))
    if any(not text.strip() for text in texts):
        raise ValueError("an empty text stands in every answer")
    patterns = [p for p in (assertions.regex, assertions.not_regex) if p is not None]
    for pattern in patterns:
        if compiled(pattern).search("") is not None:
            raise ValueError(f"{pattern!r} matches every answer")
    if not (texts or patterns or assertions.tool) and assertions.refusal is None:
        raise ValueError("a regressed case must say what it expects")
    return assertions


def _judge(case: Case, response: Response) -> Judgement:
    try:
        asserted = read_assertions(case.expected)
    except ValueError as error:
        return ScorerFailure("regression", f"case {case.id}: {error}")
    answer = normalise(response.output)
    masked = normalise(mask(response.output))
    searched = response.output[:LONGEST_SEARCH]
    return (
        all(_stands_in(text, answer, masked) for text in _listed(asserted.contains))
        and not any(_stands_in(text, answer, masked) for text in _listed(asserted.not_contains))
        and (asserted.regex is None or compiled(asserted.regex).search(searched) is not None)
        and (asserted.not_regex is None or compiled(asserted.not_regex).search(searched) is None)
        and (asserted.tool is None or any(call.name == asserted.tool for call in response.tool_calls))
        and (asserted.refusal is None or is_refusal(response.output) is asserted.refusal)
    )


def _stands_in(text: str, answer: str, masked: str) -> bool:
    """Whether the answer holds the text; a placeholder in the text stands for anything of its type."""
    if placeholder_types(text):
        return normalise(generic(text)) in masked
    return normalise(text) in answer


def _listed(texts: Texts) -> list[str]:
    return [texts] if isinstance(texts, str) else texts
