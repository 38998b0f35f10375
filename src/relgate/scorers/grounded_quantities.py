"""Numbers with their units in a sentence, as the scorer grounded compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SMALL_NUMBERS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = {word: value for value, word in enumerate(_SMALL_NUMBERS.split())} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "hundred": 100,
}

_MONTH_WORDS = """
    january february march april may june july august september october november december
"""
_MONTHS = tuple(_MONTH_WORDS.split())
_DAY_WORDS = """
    monday tuesday wednesday thursday friday saturday sunday
"""
_DAYS = tuple(_DAY_WORDS.split())

_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("minute", "minutes", "min", "mins"), ("time", 1.0)),
    **dict.fromkeys(("hour", "hours", "hrs"), ("time", 60.0)),
    **dict.fromkeys(("day", "days"), ("time", 1440.0)),
    **dict.fromkeys(("week", "weeks"), ("time", 10080.0)),
    **dict.fromkeys(("second", "seconds"), ("time", 1 / 60)),
    **dict.fromkeys(("month", "months"), ("months", 1.0)),
    **dict.fromkeys(("year", "years"), ("months", 12.0)),
    **dict.fromkeys(("percent", "per-cent", "%"), ("percent", 1.0)),
    **dict.fromkeys(("dollar", "dollars", "usd", "$"), ("$", 1.0)),
    **dict.fromkeys(("cent", "cents"), ("$", 0.01)),
    **dict.fromkeys(("euro", "euros", "eur", "€"), ("€", 1.0)),
    **dict.fromkeys(("pound", "pounds", "£"), ("£", 1.0)),
    **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms"), ("mass", 1000.0)),
    **dict.fromkeys(("g", "gram", "grams"), ("mass", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("length", 1e5)),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("length", 100.0)),
    **dict.fromkeys(("cm", "centimetre", "centimetres"), ("length", 1.0)),
    **dict.fromkeys(("mm", "millimetre", "millimetres"), ("length", 0.1)),
    **dict.fromkeys(("litre", "litres", "liter", "liters"), ("volume", 1000.0)),
    **dict.fromkeys(("ml", "millilitre", "millilitres"), ("volume", 1.0)),
    **dict.fromkeys(("degree", "degrees"), ("degrees", 1.0)),
    "times": ("times", 1.0),
    **dict.fromkeys(("a.m", "am"), ("clock", 60.0)),
    **dict.fromkeys(("p.m", "pm"), ("clock", 60.0)),
}


_DURATIONS = ("time", "months")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its dimension, in that dimension's smallest unit; ``count`` where no unit follows.

    ``written`` is the number as it stands in the text.
    """

    dimension: str
    value: float
    written: float


def quantities_of(tokens: list[str]) -> tuple[set[Quantity], set[int]]:
    """Quantities, and the positions of the tokens that they are made of."""
    found: set[Quantity] = set()
    used: set[int] = set()
    for index, token in enumerate(tokens):
        value = _number(token)
        if token in ("a", "an") and _UNITS.get(_next(tokens, index + 1), ("", 0.0))[0] in _DURATIONS:
            value = 1.0
        if value is None:
            if token in ("double", "twice"):
                found.add(Quantity("times", 2.0, 2.0))
            elif token == "half" or token in _DAYS or (token in _MONTHS and token != "may"):
                found.add(Quantity(token, 1.0, 1.0))
            continue
        if token == "one" and not _unit_at(tokens, index + 1):
            continue
        used.add(index)
        if index and tokens[index - 1] in ("$", "€", "£"):
            found.add(Quantity(tokens[index - 1], value, value))
            continue
        if ":" in token:
            late = 720.0 if _next(tokens, index + 1) in ("pm", "p.m") and value < 720 else 0.0
            found.add(Quantity("clock", value + late, value))
            continue
        found.add(_measured(tokens, index, value, used))
    return found, used


def ranges_of(tokens: list[str]) -> Iterator[tuple[float, float]]:
    """Both ends of every "10 to 30"."""
    for index, token in enumerate(tokens[1:-1], start=1):
        low, high = _number(tokens[index - 1]), _number(tokens[index + 1])
        if token == "to" and low is not None and high is not None:
            yield low, high


def _measured(tokens: list[str], index: int, value: float, used: set[int]) -> Quantity:
    """The number with the unit that follows it, a range's second number in between."""
    at = index + 1
    if _next(tokens, at) in ("to", "and", "or") and _number(_next(tokens, at + 1)) is not None:
        at += 2
    working = False
    if _next(tokens, at) in ("working", "business", "calendar", "full", "whole", "more", "-"):
        working = tokens[at] in ("working", "business")
        at += 1
    unit = _unit_at(tokens, at)
    if unit is None:
        return Quantity("count", value, value)
    used.add(at)
    dimension, size = unit
    if working and dimension == "time":
        return Quantity("working days", value * size / 1440.0, value)
    if dimension == "clock":
        late = tokens[at].startswith("p") and value < 12
        return Quantity("clock", value * 60.0 + (720.0 if late else 0.0), value)
    return Quantity(dimension, round(value * size, 6), value)


def _unit_at(tokens: list[str], index: int) -> tuple[str, float] | None:
    return _UNITS.get(_next(tokens, index).split("-")[0])


def _next(tokens: list[str], index: int) -> str:
    return tokens[index] if index < len(tokens) else ""


def _number(token: str) -> float | None:
    if not token:
        return None
    if token[0].isdigit():
        if ":" in token:
            hours, _, minutes = token.partition(":")
            return float(hours) * 60 + float(minutes.replace(":", "") or 0)
        plain = re.sub(r",(?=\d{3}(?!\d))", "", token).replace(",", ".")
        try:
            return float(plain)
        except ValueError:
            return None
    parts = token.split("-")
    known = [_NUMBER_WORDS[part] for part in parts if part in _NUMBER_WORDS]
    if known and len(known) == len(parts):
        return float(sum(known))
    return None
