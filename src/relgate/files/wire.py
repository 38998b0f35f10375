"""From pydantic's errors to Problems: the right place, words a user knows, and what mends it."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from relgate.domain.errors import Problem
from relgate.files.yamldoc import SECRET_KEYS, Loc, YamlDocument

NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$"
NAME_REMEDY = "use letters, digits and . _ + - only, at most 100 characters"
PATH_PATTERN = r"^/"
POINTER_PATTERN = r"^(/[^/]*)+$"
_FORMS = {
    NAME_PATTERN: ("cannot be used as a name", NAME_REMEDY),
    PATH_PATTERN: ("should begin with /", ""),
    POINTER_PATTERN: ("should be a JSON pointer", "such as /answer/text"),
}
"""What a text that does not fit a pattern is told, and what mends it."""


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(min_length=1)]

M = TypeVar("M", bound="Wire")


class Wire(BaseModel):
    """Base of everything read from a user's file: unknown keys are errors, nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, regex_engine="python-re", defer_build=True
    )


def user_error(what: str, remedy: str = "") -> PydanticCustomError:
    """An error for a validator to raise, in the user's words."""
    return PydanticCustomError("relgate", "{what}", {"what": what, "remedy": remedy})


def did_you_mean(word: str, known: Iterable[str], *, none: str = "there are none") -> str:
    """``did you mean 'x'?``, else the known names."""
    names = sorted(set(known))
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(str(word).lower(), lower, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lower[close[0]]!r}?"
    if not names:
        return none
    listed = ", ".join(names[:25]) + (", ..." if len(names) > 25 else "")
    return f"known: {listed}"


def show(value: Any) -> str:
    """A value for the eye: cut at 60 characters, collections by their kind."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def dotted(loc: Loc) -> str:
    """``routes.answer.chain[1]``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def validate(
    model: type[M], document: YamlDocument, value: Any, *, within: Loc = ()
) -> tuple[M | None, list[Problem], list[Loc]]:
    """Check a YAML document, or a part of it, against a model.

    Args:
        model: what it should be.
        document: where it stands.
        value: the document's value, or the part of it to check.
        within: where the part stands in the document.

    Returns:
        The model (None when something is wrong), the problems, and the locations of what is wrong.
    """
    try:
        return model.model_validate(value), [], []
    except ValidationError as error:
        problems: list[Problem] = []
        wrong: list[Loc] = []
        for detail in error.errors(include_url=False):
            loc = document.known((*within, *detail["loc"]))
            if detail["type"] != "missing":
                wrong.append(loc)
            problems.append(_problem(detail, model, document, loc))
        return None, problems, wrong


def prune(value: Any, wrong: Iterable[Loc]) -> Any:
    """A copy of the value without what is wrong, so that the rest can still be checked.

    A wrong item takes its whole list with it: half a list would be checked for what it is not.
    """
    copy = _copy(value)
    for loc in wrong:
        while loc and isinstance(loc[-1], int):
            loc = loc[:-1]
        parent = copy
        for part in loc[:-1]:
            try:
                parent = parent[part]
            except (KeyError, IndexError, TypeError):
                parent = None
                break
        if loc and isinstance(parent, dict):
            parent.pop(loc[-1], None)
    return copy


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _problem(detail: ErrorDetails, model: type[Wire], document: YamlDocument, loc: Loc) -> Problem:
    kind = detail["type"]
    given = detail["loc"]
    where = dotted(loc)
    context = detail.get("ctx") or {}
    if kind == "missing":
        inside = f" in {where}" if where else ""
        key = str(given[-1])
        return Problem(document.place(loc), f"{key!r} is missing{inside}", remedy=f"add {key}: ...")
    if kind == "extra_forbidden":
        known = fields_at(model, given[:-1])
        key = str(given[-1])
        remedy = did_you_mean(key, known, none="this takes no keys")
        return Problem(document.key_place(loc), f"unknown key {key!r}", remedy=remedy)
    if given and given[-1] == "[key]":
        return Problem(document.key_place(loc), "this name cannot be used", repr(loc[-1]), NAME_REMEDY)
    if any(str(part).lower() in SECRET_KEYS for part in loc):
        return Problem(
            document.place(loc), f"{where} is not valid", remedy="write it as ${NAME_OF_A_VARIABLE}"
        )
    if kind == "relgate":
        what = f"{where} {context['what']}" if where else str(context["what"])
        return Problem(document.place(loc), what, _value(detail, document, loc), str(context["remedy"]))
    what, remedy = _words(detail, document, loc)
    if kind in ("dict_type", "model_type"):
        remedy = _as_mapping(model, document, loc, given) or remedy
    return Problem(document.place(loc), f"{where} {what}".strip(), _value(detail, document, loc), remedy)


def _value(detail: ErrorDetails, document: YamlDocument, loc: Loc) -> str:
    raw = document.raw(loc)
    if raw is not None and detail["input"] is not None and not isinstance(detail["input"], str):
        return raw if len(raw) <= 60 else raw[:57] + "..."
    return show(detail["input"])


def _as_mapping(model: type[Wire], document: YamlDocument, loc: Loc, given: Loc) -> str:
    """The mapping that was meant by a plain value, where it has one key that it needs: ``{margin: 0.05}``."""
    needed = fields_at(model, given, required=True)
    raw = document.raw(loc)
    return f"write {{{needed[0]}: {raw}}}" if raw is not None and len(needed) == 1 else ""


_TYPES = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
}


def _words(detail: ErrorDetails, document: YamlDocument, loc: Loc) -> tuple[str, str]:
    kind = detail["type"]
    context = detail.get("ctx") or {}
    if kind in _TYPES:
        remedy = ""
        raw = document.raw(loc)
        if kind == "string_type" and raw:
            remedy = f'write "{raw}" in quotes'
        elif kind in ("float_type", "int_type") and isinstance(detail["input"], str):
            remedy = "write it without quotes" if raw is None else "write a number"
        elif kind == "bool_type":
            remedy = "write true or false"
        elif kind == "list_type":
            remedy = "write [a, b]"
        elif kind in ("dict_type", "model_type"):
            remedy = "write key: value"
        return f"should be {_TYPES[kind]}", remedy
    if kind == "literal_error":
        expected = str(context["expected"]).replace("True", "true").replace("False", "false")
        known = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
        hint = did_you_mean(str(detail["input"]), known)
        return "should be " + " or ".join(known), hint if hint.startswith("did") else ""
    limits = {"greater_than": ("gt", "greater than"), "greater_than_equal": ("ge", "at least")}
    limits |= {"less_than": ("lt", "less than"), "less_than_equal": ("le", "at most")}
    if kind in limits:
        key, words = limits[kind]
        given = detail["input"]
        in_points = context[key] == 1 and isinstance(given, int | float) and 1 <= given <= 100
        remedy = f"a share: {given:g} points are {given / 100:g}" if in_points else ""
        return f"should be {words} {context[key]:g}", remedy
    if kind in ("string_too_short", "too_short"):
        return "should not be empty", ""
    if kind == "string_pattern_mismatch":
        return _FORMS[context["pattern"]]
    return "is not valid", str(detail["msg"]).lower()


def fields_at(model: type[BaseModel], loc: Iterable[str | int], *, required: bool = False) -> list[str]:
    """The keys that may stand, or must stand, at a location, over every member of a union."""
    current: list[Any] = [model]
    for part in loc:
        below = [found for each in current for found in _below(each, part)]
        current = below or current  # a union's tag stands for no level of the document
    return [
        info.alias or name
        for each in current
        for option in _members(each)
        if isinstance(option, type) and issubclass(option, BaseModel)
        for name, info in option.model_fields.items()
        if info.is_required() or not required
    ]


def _members(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for arg in get_args(annotation) for member in _members(arg)]
    return [annotation]


def _below(annotation: Any, part: str | int) -> list[Any]:
    found: list[Any] = []
    for option in _members(annotation):
        origin = get_origin(option)
        if isinstance(option, type) and issubclass(option, BaseModel):
            found += [i.annotation for n, i in option.model_fields.items() if part in (n, i.alias)]
        elif origin is dict and isinstance(part, str):
            found.append(get_args(option)[1])
        elif origin is list and isinstance(part, int):
            found.append(get_args(option)[0])
    return found
