"""What is compared with what: the answer's text, the expected texts, and how both are normalised."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from relgate.domain.case import Case
from relgate.domain.response import ScorerFailure
from relgate.domain.spacing import single_spaced

Scalar = str | int | float
OneOrMore = Scalar | list[Scalar]

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'})


def normalise(text: str, *, case_sensitive: bool = False) -> str:
    """Text without the differences that no reader minds.

    White space, typographic quotes, the comma between thousands and, unless told otherwise, letter case.
    """
    plain = " ".join((text if text.isascii() else text.translate(_QUOTES)).split())
    if "," in plain:
        plain = _THOUSANDS.sub("", plain)
    return plain if case_sensitive else plain.casefold()


def normalised(texts: Sequence[str], *, case_sensitive: bool = False) -> list[str]:
    """Every text as ``normalise`` gives it; those that only letter case can change are taken together."""
    joined = single_spaced(texts)
    if joined is None or "," in joined:
        return [normalise(text, case_sensitive=case_sensitive) for text in texts]
    return list(texts) if case_sensitive else joined.casefold().split("\n")


def after_last(text: str, marker: str | None) -> str:
    """What follows the last occurrence of the marker; the whole text without marker or occurrence."""
    if marker is None:
        return text
    _, found, tail = text.rpartition(marker)
    return tail if found else text


def expected_texts(case: Case, value: OneOrMore | None, scorer: str) -> list[str] | ScorerFailure | None:
    """The texts to compare with: the scorer's own ``value``, else what the case expects.

    Returns:
        None where the case expects nothing or a tool call: a text scorer does not apply to it.
    """
    wanted: Any = case.expected if value is None else value
    if type(wanted) is str:
        return [wanted]
    if wanted is None or is_tool_expectation(wanted):
        return None
    items = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
    if not items or not all(isinstance(item, (str, int, float)) for item in items):
        return ScorerFailure(scorer, f"case {case.id}: expected must be a text or a list of texts")
    return [_spelled(item) for item in items]


def is_tool_expectation(expected: Any) -> bool:
    """Whether ``expected`` speaks of tool calls: ``{tool: ...}`` or a list of those."""
    if isinstance(expected, str):
        return False
    items = expected if isinstance(expected, (list, tuple)) else [expected]
    return bool(items) and all(isinstance(item, Mapping) and "tool" in item for item in items)


def _spelled(item: Scalar) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)
