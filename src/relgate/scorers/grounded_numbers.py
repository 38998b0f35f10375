"""Quantities of a text: numbers in figures and words, with the unit that they are attached to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]
_WORDS: dict[str, float] = {word: float(n) for n, word in enumerate(_SMALL)}
_WORDS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_WORDS |= {"hundred": 100, "thousand": 1000, "half": 0.5}
_MULTIPLES = {"twice": 2.0, "double": 2.0, "thrice": 3.0, "triple": 3.0}
_UNITS: dict[str, tuple[str, float]] = {
    "second": ("minute", 1 / 60),
    "minute": ("minute", 1),
    "hour": ("minute", 60),
    "day": ("minute", 1440),
    "week": ("minute", 10080),
    "fortnight": ("minute", 20160),
    "workingday": ("workingday", 1),
    "month": ("month", 1),
    "year": ("month", 12),
    "percent": ("percent", 1),
    "kg": ("gram", 1000),
    "kilo": ("gram", 1000),
    "kilogram": ("gram", 1000),
    "gram": ("gram", 1),
    "metre": ("metre", 1),
    "meter": ("metre", 1),
    "cm": ("metre", 0.01),
    "centimetre": ("metre", 0.01),
    "millimetre": ("metre", 0.001),
    "mm": ("metre", 0.001),
    "km": ("metre", 1000),
    "degree": ("degree", 1),
    "litre": ("litre", 1),
    "ml": ("litre", 0.001),
    "millilitre": ("litre", 0.001),
    "time": ("times", 1),
    "dollar": ("money", 1),
    "cent": ("money", 0.01),
    "euro": ("money", 1),
}
_MONTHS = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
)
_RANGE = {"to", "and", "or"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit ("" for a bare count) and its place among the words."""

    value: float
    unit: str
    at: int


def number(word: str) -> float | None:
    """The value of a number in figures or as one word."""
    if word[0].isdigit() and word.isascii():
        plain = word.replace(",", "")
        # twenty digits are no quantity of daily life, and a float must not overflow
        return float(plain) if plain.count(".") <= 1 and len(plain) <= 20 else None
    return _WORDS.get(word)


def is_figure(word: str) -> bool:
    """Whether a word is a number, in figures or not."""
    return word in _MULTIPLES or number(word) is not None


def quantities(words: Sequence[str]) -> tuple[Quantity, ...]:
    """The quantities among the words, a range as its two ends."""
    found: list[Quantity] = []
    for at, word in enumerate(words):
        if word in _MULTIPLES:
            found.append(Quantity(_MULTIPLES[word], "times", at))
            continue
        value = number(word)
        if value is None or (word == "one" and _unit(words, at)[0] == "") or word == "second":
            continue
        unit, factor = _unit(words, at)
        # a date is worked out from a term more often than it is told
        dated = _MONTHS.intersection(words[max(0, at - 1) : at + 2])
        if unit == "" and (word == "half" or dated):
            continue
        found.append(Quantity(round(value * factor, 4), unit, at))
    return tuple(found)


def _unit(words: Sequence[str], at: int) -> tuple[str, float]:
    if at and words[at - 1] in "$€£":
        return "money", 1.0
    after = at + 1
    # "four to six working days": the unit stands after the second number
    if after + 1 < len(words) and number(words[after]) is not None:
        after += 1
    elif after + 1 < len(words) and words[after] in _RANGE and number(words[after + 1]) is not None:
        after += 2
    for word in words[after : after + 2]:
        if word in "%":
            return "percent", 1.0
        single = word[:-1] if word.endswith("s") else word
        if single in _UNITS:
            return _UNITS[single]
        if word not in ("full", "more", "further", "another", "calendar"):
            break
    return "", 1.0
