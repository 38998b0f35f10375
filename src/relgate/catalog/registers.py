"""What the hooks get to register with, and the shelves that it ends on."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, get_args

from relgate.applications.python import takes
from relgate.catalog.blame import Blame
from relgate.domain.application import Responder
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

    def put(self, name: str, item: T) -> None:
        """Put a thing of relgate's own on the shelf."""
        self._items[name] = (item, OWN)

    def add(self, name: str, item: T, blame: Blame) -> None:
        """Put a plugin's thing on the shelf; a name that is malformed or taken is blamed on the plugin."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            remedy = "a name is a letter, then letters, digits, _ . -"
            blame.calling(f"registers the {self.noun} {name!r}", remedy)
            return
        taken = OWN if name in self._reserved else self.owner(name) if name in self._items else None
        if taken is not None:
            before = "this file" if taken == blame.owner else taken
            blame.calling(f"registers the {self.noun} {name!r}, which {before} registered before")
            return
        self._items[name] = (item, blame.owner)

    def owner(self, name: str) -> str:
        """Who registered this name."""
        return self._items[name][1]

    def mapping(self) -> dict[str, T]:
        """Name to thing."""
        return {name: item for name, (item, _) in self._items.items()}


class Register(Generic[T]):
    """What a plugin's hook gets: ``register(name, thing)``."""

    def __init__(self, shelf: Shelf[T], blame: Blame) -> None:
        self._shelf = shelf
        self._blame = blame

    def __call__(self, name: str, item: T) -> None:
        """Register a thing under a name."""
        wanted = callable(item) or (isinstance(item, str) and self._shelf.noun == "artifact kind")
        if wanted:
            self._shelf.add(name, item, self._blame)
        else:
            what = f"registers the {self._shelf.noun} {name!r} as {type(item).__name__}"
            self._blame.calling(what, "give a function")


class ScorerEntry:
    """A registered scorer: what makes its judge and what it reports."""

    def __init__(self, factory: Factory, kind: MetricKind, higher_is_better: bool, forbids: bool) -> None:
        self.factory = factory
        self.kind = kind
        self.higher_is_better = higher_is_better
        self.forbids = forbids


class ScorerRegister:
    """What ``relgate_register_scorers`` gets."""

    def __init__(self, shelf: Shelf[ScorerEntry], blame: Blame) -> None:
        self._shelf = shelf
        self._blame = blame

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

        def factory(options: Mapping[str, Any], context: ScorerContext) -> Judge:
            read_options(NoOptions, options)
            return judge

        if self._fits(name, judge, "(case, response)"):
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
        if self._fits(name, factory, "(options, context)"):
            self._add(name, factory, kind, higher_is_better, forbids)

    def _fits(self, name: str, function: object, form: str) -> bool:
        if callable(function) and not inspect.iscoroutinefunction(function) and takes(function, 2):
            return True
        self._blame.calling(f"registers the scorer {name!r}", f"it must be a function {form}, not async")
        return False

    def _add(
        self, name: str, factory: Factory, kind: MetricKind, higher_is_better: bool | None, forbids: bool
    ) -> None:
        if kind not in get_args(MetricKind):
            remedy = suggest(str(kind), get_args(MetricKind)).removeprefix(", ")
            self._blame.calling(f"registers the scorer {name!r} of kind {kind!r}", remedy)
            return
        better = kind not in LOWER_IS_BETTER_KINDS if higher_is_better is None else higher_is_better
        if forbids and (kind != "binary" or not better):
            what = f"registers the scorer {name!r} with forbids"
            self._blame.calling(what, "it must be binary, 0 when it hits")
            return
        self._shelf.add(name, ScorerEntry(factory, kind, better, forbids), self._blame)
