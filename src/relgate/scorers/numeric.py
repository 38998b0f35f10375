"""The scorer numeric: the last number of the answer against the expected one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from relgate.domain.case import Case
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judge, Judgement, ScorerContext
from relgate.scorers.comparing import after_last, expected_texts
from relgate.scorers.options import Options, read_options
from relgate.scorers.text import LONGEST_SEARCH

_NUMBER = re.compile(
    r"(?<!\w)(?<!\d\.)(?P<sign>[-+−]?[$€£]?[-−]?)"
    r"(?P<digits>\d{1,3}(?:,\d{3})++(?!\d)(?:\.\d++)?|\d++(?:\.\d++)?|\.\d++)"
    r"(?P<power>[eE][+-]?\d{1,3}(?!\w))?"
)


def _holds_number(value: int | float | str) -> int | float | str:
    if last_number(str(value)) is None:
        raise ValueError(f"{value!r} holds no number")
    return value


class NumericOptions(Options):
    """Options of numeric."""

    abs_: float = Field(default=0, ge=0, alias="abs", allow_inf_nan=False)
    rel: float = Field(default=0, ge=0, allow_inf_nan=False)
    after: str | None = Field(default=None, min_length=1)
    value: Annotated[int | float | str, AfterValidator(_holds_number)] | None = None


def make_numeric(options: Mapping[str, Any], context: ScorerContext) -> Judge:
    """1 when the last number of the answer is the expected one, within the tolerance."""
    settings = read_options(NumericOptions, options)

    def judge(case: Case, response: Response) -> Judgement:
        wanted = expected_texts(case, settings.value, "numeric")
        if wanted is None or isinstance(wanted, ScorerFailure):
            return wanted
        numbers = [number for text in wanted if (number := last_number(text)) is not None]
        if len(numbers) < len(wanted):
            return ScorerFailure("numeric", f"case {case.id}: expected holds no number")
        found = last_number(after_last(response.output, settings.after))
        return found is not None and any(_close(found, number, settings) for number in numbers)

    return judge


def _close(found: Decimal, expected: Decimal, settings: NumericOptions) -> bool:
    room = max(Decimal(repr(settings.abs_)), Decimal(repr(settings.rel)) * abs(expected))
    return abs(found - expected) <= room


def last_number(text: str) -> Decimal | None:
    """The last number in a text: ``-$1,234.50`` is -1234.5, ``45 %`` is 45; None where there is none."""
    last = None
    for match in _NUMBER.finditer(text[-LONGEST_SEARCH:]):
        last = match
    if last is None:
        return None
    number = Decimal(last["digits"].replace(",", "") + (last["power"] or ""))
    return -number if "-" in last["sign"] or "−" in last["sign"] else number
