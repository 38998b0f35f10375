"""Reading a scorer's options: strict, and every problem in one sentence for the user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Options(BaseModel):
    """Base of the options of a scorer: unknown names and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NoOptions(Options):
    """For scorers that take none."""


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(model: type[OptionsT], options: Mapping[str, Any]) -> OptionsT:
    """Options as a suite writes them, validated.

    Raises:
        ValueError: an option is unknown, missing or wrong; the text names all of them.
    """
    known = [field.alias or name for name, field in model.model_fields.items()]
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        raise ValueError("; ".join(dict.fromkeys(_sentences(error, known)))) from None


def _sentences(error: ValidationError, known: list[str]) -> Iterable[str]:
    for problem in error.errors(include_url=False, include_context=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            yield f"unknown option {name!r}{suggest(name, known)}"
        elif problem["type"] == "missing":
            yield f"option {name!r} is missing"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            yield f"option {name!r}: {message} (is {problem['input']!r})" if name else message


def suggest(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` where a known name is near, else a list of what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f", there is {', '.join(names)}" if names else ", it takes none"
