"""Scorers that compare the answer's text: exact, contains, one_of, regex."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from relgate.domain.case import Case
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judge, Judgement, ScorerContext
from relgate.scorers.comparing import OneOrMore, expected_texts
from relgate.scorers.options import OptionProblem, Options, read_options
from relgate.scorers.text_judge import TextJudge

LONGEST_SEARCH = 200_000
"""Characters that regex and numeric look at; longer answers would only slow a backtracking pattern."""


def is_pattern(text: str) -> str:
    """The text, when it is a regular expression: for fields of options."""
    compiled(text)
    return text


Pattern = Annotated[str, AfterValidator(is_pattern)]


class ExactOptions(Options):
    """Options of exact."""

    value: OneOrMore | None = None
    case_sensitive: bool = False
    after: str | None = Field(default=None, min_length=1)


class OneOfOptions(ExactOptions):
    """Options of one_of."""

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """A single text is no choice."""
        if isinstance(given.get("value"), (str, int, float)):
            yield OptionProblem(f"option 'value' must be a list of texts (is {given['value']!r})", ("value",))


class ContainsOptions(Options):
    """Options of contains."""

    value: OneOrMore | None = None
    any_: bool = Field(default=False, alias="any")
    case_sensitive: bool = False


class RegexOptions(Options):
    """Options of regex."""

    value: Pattern | None = None
    pattern: Pattern | None = None

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """The pattern has two names."""
        if "value" in given and "pattern" in given:
            yield OptionProblem("give either 'value' or 'pattern', they mean the same")


def make_exact(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the answer is the expected text, or one of the expected texts."""
    return _equality("exact", read_options(ExactOptions, options))


def make_one_of(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the answer is one of the listed texts."""
    return _equality("one_of", read_options(OneOfOptions, options))


def _equality(scorer: str, settings: ExactOptions) -> Judge:
    return TextJudge(
        scorer,
        settings.value,
        operator.eq,
        any,
        case_sensitive=settings.case_sensitive,
        after=settings.after,
    )


def make_contains(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the answer holds every expected text (``any: true``: at least one of them)."""
    settings = read_options(ContainsOptions, options)
    enough = any if settings.any_ else all
    return TextJudge(
        "contains", settings.value, operator.contains, enough, case_sensitive=settings.case_sensitive
    )


def make_regex(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the pattern occurs in the answer."""
    settings = read_options(RegexOptions, options)
    written = settings.pattern if settings.pattern is not None else settings.value
    fixed = compiled(written) if written is not None else None

    def judge(case: Case, response: Response) -> Judgement:
        if fixed is not None:
            return fixed.search(response.output[:LONGEST_SEARCH]) is not None
        wanted = expected_texts(case, None, "regex")
        if wanted is None or isinstance(wanted, ScorerFailure):
            return wanted
        text = response.output[:LONGEST_SEARCH]
        return all(compiled(pattern).search(text) is not None for pattern in wanted)

    return judge


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled.

    Raises:
        ValueError: it is no regular expression.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
