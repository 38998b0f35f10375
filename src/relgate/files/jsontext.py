"""Strict JSON: no duplicate keys, no NaN, no half characters; errors carry line and column."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from relgate.domain.errors import InputError, Place, Problem
from relgate.files.reading import BOM, shown

_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """Text that is not strict JSON."""

    def __init__(self, what: str, position: int = 0, value: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.position = position
        self.value = value


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        JsonError: with the offset of what is wrong, 0 where that is unknown.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonError("bad JSON", error.pos, error.msg[:1].lower() + error.msg[1:]) from None
    except RecursionError:
        raise JsonError("is nested too deep") from None
    except JsonError as problem:
        if problem.value:
            problem.position = max(text.find(problem.value), 0)
        raise
    except ValueError:  # the interpreter's limit on the digits of a whole number
        raise JsonError("a number too large") from None
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise JsonError("holds half of a character (a lone surrogate)", text.find("\\u"))
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonError("duplicate key", value=json.dumps(twice, ensure_ascii=False))
    return value


def _constant(name: str) -> NoReturn:
    raise JsonError("is not JSON", value=name)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError("a number too large", value=text)
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float)


def load_json_text(text: str, path: Path) -> Any:
    """The value of a JSON file's text.

    Raises:
        InputError: with line and column.
    """
    text = text.removeprefix(BOM)
    try:
        return parse_json(text)
    except JsonError as problem:
        line = text.count("\n", 0, problem.position) + 1
        column = problem.position - text.rfind("\n", 0, problem.position)
        raise InputError([Problem(Place(shown(path), line, column), problem.what, problem.value)]) from None


def key_column(line: str, key: str, *, value: bool = False) -> int:
    """The column (from 1) of a top-level key of a JSON object on one line, or of its value."""
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', line):
        text = token.group()
        if text in "[{":
            depth += 1
        elif text in "]}":
            depth -= 1
        elif depth == 1 and (colon := re.compile(r"\s*:\s*").match(line, token.end())):
            try:
                found = json.loads(text) == key
            except ValueError:
                found = False
            if found:
                return (colon.end() if value else token.start()) + 1
    return 1
