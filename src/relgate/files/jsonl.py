"""JSON lines with the place of everything: shared by cases and recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.case import LONG_SUITE
from relgate.domain.errors import Place, Problem
from relgate.files.jsontext import JsonError, key_column, parse_json
from relgate.files.reading import decode, read_bytes, shown
from relgate.files.wire import did_you_mean

MOST_PROBLEMS = 50
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Row:
    """One object of a JSON-lines file, with what is needed to name a place in it."""

    path: str
    line: int
    text: str
    value: dict[str, Any]

    def key_problem(self, key: str, what: str, remedy: str = "", value: str = "") -> Problem:
        """A problem at a key."""
        return Problem(Place(self.path, self.line, key_column(self.text, key)), what, value, remedy)

    def problem(self, key: str, what: str, remedy: str = "", value: str = "") -> Problem:
        """A problem at a key's value."""
        column = key_column(self.text, key, value=True)
        return Problem(Place(self.path, self.line, column), what, value, remedy)

    def missing(self, key: str) -> Problem:
        """The problem of a key that is not there."""
        return Problem(Place(self.path, self.line, 1), f"{key!r} is missing", remedy=f'add "{key}": ...')

    def unknown_keys(self, known: Collection[str]) -> list[Problem]:
        """A problem for each key that is not known."""
        return [
            self.key_problem(key, f"unknown key {key!r}", did_you_mean(key, known))
            for key in self.value
            if key not in known
        ]


def is_long(path: Path) -> bool:
    """Whether a file has more lines than a suite may have cases in memory; False of what cannot be read."""
    found = 0
    try:
        with path.open("rb") as file:
            while found <= LONG_SUITE and (block := file.read(_BLOCK_BYTES)):
                found += block.count(b"\n")
    except (OSError, ValueError):
        return False
    return found > LONG_SUITE


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number (from 1) and text of each line that is not blank.

    Raises:
        InputError: the file is missing, binary, not UTF-8, ...
    """
    text = decode(read_bytes(path), path)
    for number, line in enumerate(text.split("\n"), start=1):
        if line and not line.isspace():
            yield number, line.rstrip("\r")


def read_row(path: str, number: int, line: str) -> Row | Problem:
    """One line as an object, or what is wrong with it."""
    try:
        value = parse_json(line)
    except JsonError as problem:
        return Problem(Place(path, number, problem.position + 1), problem.what, problem.value)
    if not isinstance(value, dict):
        column = len(line) - len(line.lstrip()) + 1
        return Problem(
            Place(path, number, column), "should be an object", remedy='write {"key": value} on one line'
        )
    return Row(path, number, line, value)


def read_rows(path: Path) -> Iterator[Row | Problem]:
    """Every line that is not blank, as an object or as what is wrong with it.

    Raises:
        InputError: the file is missing, binary, not UTF-8, ...
    """
    name = shown(path)
    for number, line in read_lines(path):
        yield read_row(name, number, line)
