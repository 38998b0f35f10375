"""Reading a scorer's options: strict, every problem at once, each with where it stands in the options."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class OptionProblem:
    """One wrong option.

    Attributes:
        what: a sentence for the user.
        at: where it stands, counted from the scorer's options; empty for the scorer as a whole.
        key: whether the option's name is wrong, not its value.
    """

    what: str
    at: Loc = ()
    key: bool = False


class OptionError(ValueError):
    """Options of a scorer are wrong; carries every problem found."""

    def __init__(self, problems: Iterable[OptionProblem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("; ".join(problem.what for problem in self.problems))


class Options(BaseModel):
    """Base of the options of a scorer: unknown names and wrong types are errors.

    What one option needs is a validator of its field; ``conflicts`` says what is wrong between options.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What is wrong between the options that are given (those that are null are not)."""
        yield from ()

    @classmethod
    def gives_one_of(cls, given: Mapping[str, Any], names: Collection[str]) -> bool:
        """Whether exactly one of these options is given; an unknown one may be meant as it."""
        known = {field.alias or name for name, field in cls.model_fields.items()}
        written = sum(name in given for name in names)
        return written == 1 or (not written and not set(given) <= known)


class NoOptions(Options):
    """For scorers that take none."""


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(
    model: type[OptionsT], options: Mapping[str, Any], *, folder: Path | None = None
) -> OptionsT:
    """Options as a suite writes them, validated.

    Args:
        model: what they should be.
        options: as written.
        folder: what files that an option names are relative to.

    Raises:
        OptionError: options are unknown, missing or wrong: all of them.
    """
    known = [field.alias or name for name, field in model.model_fields.items()]
    problems: list[OptionProblem] = []
    settings: OptionsT | None = None
    try:
        settings = model.model_validate(dict(options), context={"folder": folder})
    except ValidationError as error:
        problems += _problems(error, options, known)
    problems += model.conflicts({name: value for name, value in options.items() if value is not None})
    if problems or settings is None:
        raise OptionError(problems)
    return settings


def _problems(
    error: ValidationError, options: Mapping[str, Any], known: list[str]
) -> Iterator[OptionProblem]:
    wrong: dict[Loc, tuple[list[str], Any]] = {}
    for problem in error.errors(include_url=False, include_context=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            yield OptionProblem(f"unknown option {name!r}{suggest(name, known)}", (name,), key=True)
        elif problem["type"] == "missing":
            yield OptionProblem(f"option {name!r} is missing")
        else:
            at, value = _written(problem["loc"], options)
            shown = "" if problem["type"] == "value_error" else f" (is {value!r})"  # ours quote it already
            wrong.setdefault(at, ([], shown))[0].append(problem["msg"].removeprefix("Value error, "))
    for at, (messages, shown) in wrong.items():
        if any(other[: len(at)] == at for other in wrong if len(other) > len(at)):
            continue  # the union's other members: what is wrong lies deeper
        first, *others = dict.fromkeys(messages)
        text = " or ".join([first, *(message.removeprefix("Input should be ") for message in others)])
        yield OptionProblem(f"option {str(at[0])!r}: {text}{shown}" if at else text, at)


def _written(loc: Loc, options: Mapping[str, Any]) -> tuple[Loc, Any]:
    """The parts of a location that stand in the options (a union's tags do not), and the value there."""
    at: Loc = ()
    value: Any = options
    for part in loc:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        at = (*at, part)
    return at, value


def suggest(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` where a known name is near, else a list of what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f", there is {', '.join(names)}" if names else ", it takes none"
