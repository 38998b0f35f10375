"""Strict YAML: the 1.2 core schema, no aliases, no tags, no surprises, and a place for every value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from relgate.domain.errors import InputError, Place, Problem
from relgate.files.reading import decode, read_bytes, shown, tidy

Loc = tuple[str | int, ...]

SECRET_KEYS = frozenset({"api_key", "token", "secret", "password"})
"""Keys whose values are never shown."""

MAX_BYTES = 10_000_000
MAX_DEPTH = 50
_LARGEST_INT = 2**63

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_OLD_BOOL = re.compile(r"(?i:(yes|on)|no|off)")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OCTAL = re.compile(r"[-+]?0[0-9]+")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value and its key stand (counted from 1), and a plain scalar's text as written."""

    key: tuple[int, int]
    value: tuple[int, int]
    raw: str | None


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A YAML file as plain Python, with the place of everything in it.

    Attributes:
        path: the file, for the eye.
        value: dicts (keys are text, as written), lists, str, int, float, bool, None.
        text: the file's text.
    """

    path: str
    value: Any
    text: str = ""
    spots: dict[Loc, _Spot] = field(default_factory=dict, repr=False)

    def known(self, loc: Loc) -> Loc:
        """The parts of ``loc`` that stand in the document, others (union tags, missing keys) skipped."""
        found: Loc = ()
        for part in loc:
            if (*found, part) in self.spots:
                found = (*found, part)
        return found

    def place(self, loc: Loc = ()) -> Place:
        """Where the value stands; of something missing, where its parent stands."""
        spot = self.spots.get(self.known(loc))
        return Place(self.path, *spot.value) if spot else Place(self.path, 1, 1)

    def key_place(self, loc: Loc) -> Place:
        """Where the key stands; of a list's item, where the item stands."""
        spot = self.spots.get(self.known(loc))
        return Place(self.path, *spot.key) if spot else Place(self.path, 1, 1)

    def raw(self, loc: Loc) -> str | None:
        """A plain scalar's text as written (``1.10``), None for quoted text and collections."""
        spot = self.spots.get(loc)
        return spot.raw if spot else None


def load_yaml(path: Path, *, mapping: bool = True) -> YamlDocument:
    """Read a YAML file strictly.

    Args:
        path: the file.
        mapping: whether the top level must be a mapping.

    Raises:
        InputError: with every problem.
    """
    document, problems = parse_yaml(decode(read_bytes(path, limit=MAX_BYTES), path), path, mapping=mapping)
    if problems or document is None:
        raise InputError(tidy(problems))
    return document


def parse_yaml(
    text: str, path: Path | str, *, mapping: bool = True
) -> tuple[YamlDocument | None, list[Problem]]:
    """Read YAML text: the document, None when its syntax is broken, and every problem found."""
    name = shown(path)
    bad = _UNPRINTABLE.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        char = f"U+{ord(bad.group()):04X}"
        return None, [Problem(Place(name, line, column), "a control character", char, "remove it")]
    builder = _Builder(name)
    try:
        value = builder.document(_events(text))
    except yaml.YAMLError as error:
        return None, [*builder.problems, _syntax_problem(error, text, name)]
    except _StopError:
        return None, builder.problems
    if value is _EMPTY:
        remedy = "write key: value, or begin with what relgate init writes"
        return None, [Problem(Place(name, 1, 1), "is empty", remedy=remedy)]
    if mapping and not isinstance(value, dict):
        problem = Problem(
            Place(name, *builder.spots[()].value), "should be a mapping", remedy="write key: value"
        )
        return None, [*builder.problems, problem]
    return YamlDocument(name, value, text, builder.spots), list(_discreet(builder))


def _discreet(builder: _Builder) -> Iterator[Problem]:
    """The problems without the values that stand under a secret's key."""
    secret = {
        spot.value
        for loc, spot in builder.spots.items()
        if any(str(part).lower() in SECRET_KEYS for part in loc)
    }
    for problem in builder.problems:
        if (problem.place.line, problem.place.column) in secret:
            yield Problem(problem.place, "cannot be read as text", remedy="write it as ${NAME_OF_A_VARIABLE}")
        else:
            yield problem


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "context", None) or "cannot be read as YAML"
    if mark is None:
        return Problem(Place(name, 1, 1), "bad YAML", str(what))
    place = Place(name, mark.line + 1, mark.column + 1)
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: mark.column + 1].strip(" ").startswith("\t") and "\t" in line[: mark.column + 1]:
        column = line.index("\t") + 1
        return Problem(Place(name, mark.line + 1, column), "a tab in the indentation", remedy="use spaces")
    remedy = 'put "${...}" in quotes' if re.search(r"[^\"']\$\{", line) else ""
    return Problem(place, "bad YAML", str(what), remedy)


class _StopError(Exception):
    """Nothing more can be read."""


_EMPTY = object()


class _Builder:
    """Builds plain Python from YAML events: without recursion, so no depth can break it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.spots: dict[Loc, _Spot] = {}

    def document(self, events: Iterator[Any]) -> Any:
        """The value of the only document, or ``_EMPTY``."""
        top: Any = _EMPTY
        documents = 0
        stack: list[_Open] = []
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._add(event, "a second document", "---", "keep one document per file")
                    raise _StopError
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
            elif isinstance(event, yaml.NodeEvent):
                self._refuse_decorations(event)
                parent = stack[-1] if stack else None
                if parent is not None and parent.wants_key:
                    self._key(event, parent, stack)
                    continue
                value, raw = self._value(event)
                loc, key_mark = parent.next_loc() if parent else ((), None)
                mark = _position(event)
                if parent is None:
                    top = value
                elif loc is not None:
                    parent.put(value)
                if loc is not None:
                    self.spots[loc] = _Spot(key_mark or mark, mark, raw)
                if isinstance(value, (dict, list)):
                    if len(stack) >= MAX_DEPTH:
                        self._add(event, f"is nested deeper than {MAX_DEPTH} levels")
                        raise _StopError
                    stack.append(_Open(value, loc))
        if top is None and documents == 1 and self.spots[()].raw == "":
            return _EMPTY
        return top

    def _add(self, event: Any, what: str, value: str = "", remedy: str = "") -> None:
        self.problems.append(Problem(Place(self.name, *_position(event)), what, value, remedy))

    def _refuse_decorations(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._add(event, "aliases are not allowed", f"*{event.anchor}", "write the value out")
        elif event.anchor:
            self._add(event, "anchors are not allowed", f"&{event.anchor}", "write the value out")
        elif getattr(event, "tag", None):
            self._add(event, "tags are not allowed", str(event.tag), "remove it; put text in quotes instead")

    def _key(self, event: Any, parent: _Open, stack: list[_Open]) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self._add(event, "a key should be text")
            if isinstance(event, yaml.AliasEvent):
                parent.skip()
                return
            raise _StopError
        key = event.value
        if key == "<<" and not event.style:
            self._add(event, "merge keys are not allowed", "<<", "write the keys out")
            parent.skip()
        elif key in parent.value:
            first = self.spots[(*parent.loc, key)].key[0] if parent.loc is not None else 0
            first_line = f"the first is on line {first}" if first else ""
            self._add(event, "duplicate key", repr(key), first_line)
            parent.skip()
        else:
            parent.key = (key, _position(event))

    def _value(self, event: Any) -> tuple[Any, str | None]:
        if isinstance(event, yaml.MappingStartEvent):
            return {}, None
        if isinstance(event, yaml.SequenceStartEvent):
            return [], None
        if isinstance(event, yaml.AliasEvent):
            return None, None
        text = str(event.value)
        if event.style or event.tag:
            if any("\ud800" <= char <= "\udfff" for char in text):
                self._add(event, "holds half of a character (a lone surrogate)")
            return text, None
        return self._plain(event, text), text

    def _plain(self, event: Any, text: str) -> Any:
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        quoted = f'write "{text}" in quotes'
        old = _OLD_BOOL.fullmatch(text)
        if old:
            meant = "true" if old.group(1) else "false"
            self._add(event, "means different things to different YAML readers", text, f"{quoted} or {meant}")
        elif _OCTAL.fullmatch(text):
            number = str(int(text[:40])) if len(text) < 40 else "the number"
            self._add(event, "a number with a leading zero", text, f"{quoted} or {number}")
        elif _UNDERSCORES.fullmatch(text):
            self._add(event, "a number with underscores", text, f"{quoted} or {text.replace('_', '')}")
        elif _NOT_FINITE.fullmatch(text):
            self._add(event, "is not a finite number", text, f"{quoted} or a number")
        elif _INT.fullmatch(text):
            number_value = int(text, 0) if len(text) < 25 else _LARGEST_INT
            if abs(number_value) >= _LARGEST_INT:
                self._add(event, "a number too large", text[:60], "put it in quotes if it is text")
            return number_value
        elif _FLOAT.fullmatch(text):
            return self._float(event, text)
        return text

    def _float(self, event: Any, text: str) -> Any:
        value = float(text)
        if not math.isfinite(value):
            self._add(event, "a number too large", text[:60], "put it in quotes if it is text")
            return text
        if "." not in text:
            plain = repr(value)
            remedy = (
                f'write "{text}" in quotes or {plain}' if "e" not in plain else f'write "{text}" in quotes'
            )
            self._add(event, "a number with an exponent and no dot", text, remedy)
        return value


class _Open:
    """A collection that is being filled; ``loc`` is None below something that is dropped."""

    __slots__ = ("key", "loc", "skipping", "value")

    def __init__(self, value: dict[str, Any] | list[Any], loc: Loc | None) -> None:
        self.value = value
        self.loc = loc
        self.key: tuple[str, tuple[int, int]] | None = None
        self.skipping = False

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None and not self.skipping

    def skip(self) -> None:
        self.skipping = True

    def next_loc(self) -> tuple[Loc | None, tuple[int, int] | None]:
        """Where the next value goes and where its key stands; a skipped value goes nowhere."""
        if self.skipping:
            self.skipping = False
            return None, None
        if isinstance(self.value, list):
            return (None if self.loc is None else (*self.loc, len(self.value))), None
        assert self.key is not None
        key, mark = self.key
        if self.loc is None:
            self.value[key] = None
            self.key = None
            return None, None
        return (*self.loc, key), mark

    def put(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        else:
            assert self.key is not None
            self.value[self.key[0]] = value
            self.key = None


def _position(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
