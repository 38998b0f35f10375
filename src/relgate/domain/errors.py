"""The tree of errors that relgate raises on purpose.

RelgateError
├── InputError          something the user wrote is wrong: every problem at once, each with its place
├── Refusal             a command was understood and refused (no promote verdict, unknown release, ...)
├── NotBuilt            asked for something that this version does not have yet; it names it
├── MissingExtra        an optional dependency is not installed; it names the extra
├── FileChanged         a file is not what it was when the run began
├── ServiceError        a service that a release needs did not start
├── CatalogError        a plugin cannot be loaded, fails, or registers a name that is taken
├── RegistryError       the registry cannot be opened, read or written
│   └── AttemptMoved    another run was recorded meanwhile: judge again as a later attempt
└── ProviderOutage      a provider could not be reached: raised by applications, never a score
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; line and column count from 1, 0 means unknown."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        return f"{self.path}:{self.line}:{self.column or 1}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, what, with which value, and what mends it."""

    place: Place
    what: str
    value: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        parts = [self.what, self.value, self.remedy]
        return f"{self.place}: " + ", ".join(part for part in parts if part)


class RelgateError(Exception):
    """Base of every error that relgate raises on purpose."""


class InputError(RelgateError):
    """Something that the user wrote is wrong; carries every problem found, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("an InputError needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FileChanged(RelgateError):
    """A file that is read again is not what it was when the run began."""


class Refusal(RelgateError):
    """A command was understood and refused; the text says why and what would let it.

    Attributes:
        what: why.
        remedy: what would let it, "" where the reason tells it.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}" if remedy else what)


class NotBuilt(RelgateError):
    """The user asked for a part that this version does not have yet."""


class MissingExtra(RelgateError):
    """An optional dependency is missing; the text names the extra that brings it."""


class ServiceError(RelgateError):
    """A service that a release needs for its run did not start or is not healthy."""


class CatalogError(RelgateError):
    """A plugin cannot be loaded, fails, or registers a name that is taken; the text names who did what."""


class RegistryError(RelgateError):
    """The registry cannot be opened, read or written."""


class AttemptMoved(RegistryError):
    """Another run of the line was recorded meanwhile: this one is a later attempt than it was judged as."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"another run of this line was recorded meanwhile: this is attempt {number} now")


class ProviderOutage(RelgateError):
    """A provider was refused, reset, rate limited, failing or silent after the retries: not measured."""
