"""What the hooks get to register with, and the shelves that it ends on."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, get_args

from relgate.domain.application import Responder
from relgate.domain.errors import CatalogError
from relgate.domain.metric import LOWER_IS_BETTER_KINDS, MetricKind
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.scorer import Judge, ScorerContext
from relgate.scorers import Factory
from relgate.scorers.options import NoOptions, read_options, suggest

OWN = "relgate"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

ApplicationFactory = Callable[[ApplicationSpec, Release], Responder]
"""Makes an application of a registered kind ready for a release."""

Renderer = Callable[[Mapping[str, Any]], str]
"""The document of scorecard.json in, the text of one report file out."""

T = TypeVar("T")


class Shelf(Generic[T]):
    """Things of one sort by name, each with the name of who registered it."""

    def __init__(self, noun: str, reserved: Iterable[str] = ()) -> None:
        self.noun = noun
        self._items: dict[str, tuple[T, str]] = {}
        self._reserved = frozenset(reserved)

    def add(self, name: str, item: T, owner: str) -> None:
        """Put a thing on the shelf.

        Raises:
            CatalogError: the name is malformed or taken; the text names both owners.
        """
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise CatalogError(
                f"{owner} registers the {self.noun} {name!r}: a name is a letter, then letters, digits, _ . -"
            )
        taken = OWN if name in self._reserved else self.owner(name) if name in self._items else None
        if taken is not None:
            raise CatalogError(f"{owner} registers the {self.noun} {name!r}, which {taken} registered before")
        self._items[name] = (item, owner)

    def owner(self, name: str) -> str:
        """Who registered this name."""
        return self._items[name][1]

    def mapping(self) -> dict[str, T]:
        """Name to thing."""
        return {name: item for name, (item, _) in self._items.items()}


class Register(Generic[T]):
    """What a plugin's hook gets: ``register(name, thing)``."""

    def __init__(self, shelf: Shelf[T], owner: str) -> None:
        self._shelf = shelf
        self._owner = owner

    def __call__(self, name: str, item: T) -> None:
        """Register a thing under a name."""
        wanted = callable(item) or (isinstance(item, str) and self._shelf.noun == "artifact kind")
        if not wanted:
            raise CatalogError(
                f"{self._owner} registers {item!r} as {self._shelf.noun} {name!r}: not a function"
            )
        self._shelf.add(name, item, self._owner)


class ScorerEntry:
    """A registered scorer: what makes its judge and what it reports."""

    def __init__(self, factory: Factory, kind: MetricKind, higher_is_better: bool, forbids: bool) -> None:
        self.factory = factory
        self.kind = kind
        self.higher_is_better = higher_is_better
        self.forbids = forbids


class ScorerRegister:
    """What ``relgate_register_scorers`` gets."""

    def __init__(self, shelf: Shelf[ScorerEntry], owner: str) -> None:
        self._shelf = shelf
        self._owner = owner

    def __call__(
        self,
        name: str,
        judge: Judge,
        *,
        kind: MetricKind = "binary",
        higher_is_better: bool | None = None,
        forbids: bool = False,
    ) -> None:
        """Register a scorer without options.

        Args:
            name: the scorer's name, and its metric's.
            judge: ``(case, response) -> float | bool | None``.
            kind: binary, unit, count, latency or cost.
            higher_is_better: default: not for count, latency and cost.
            forbids: in a safety suite a score of 0 is a violation.
        """
        self._check(name, judge, "(case, response)")

        def factory(options: Mapping[str, Any], context: ScorerContext) -> Judge:
            read_options(NoOptions, options)
            return judge

        self._add(name, factory, kind, higher_is_better, forbids)

    def factory(
        self,
        name: str,
        factory: Factory,
        *,
        kind: MetricKind = "binary",
        higher_is_better: bool | None = None,
        forbids: bool = False,
    ) -> None:
        """Register a scorer with options: ``(options, context) -> judge``; the rest is as for a plain one.

        The factory may return a whole ``Scorer`` where the options choose the metric.
        """
        self._check(name, factory, "(options, context)")
        self._add(name, factory, kind, higher_is_better, forbids)

    def _check(self, name: str, function: object, form: str) -> None:
        if not callable(function) or inspect.iscoroutinefunction(function) or not _takes_two(function):
            raise CatalogError(
                f"{self._owner} registers the scorer {name!r}: it must be a function {form}, not async"
            )

    def _add(
        self, name: str, factory: Factory, kind: MetricKind, higher_is_better: bool | None, forbids: bool
    ) -> None:
        if kind not in get_args(MetricKind):
            remedy = suggest(str(kind), get_args(MetricKind))
            raise CatalogError(f"{self._owner} registers the scorer {name!r} of kind {kind!r}{remedy}")
        better = kind not in LOWER_IS_BETTER_KINDS if higher_is_better is None else higher_is_better
        if forbids and (kind != "binary" or not better):
            raise CatalogError(
                f"{self._owner} registers the scorer {name!r} with forbids: it must be binary, 0 when it hits"
            )
        self._shelf.add(name, ScorerEntry(factory, kind, better, forbids), self._owner)


def _takes_two(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True
