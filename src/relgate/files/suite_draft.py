"""A suite as far as it can be read, and what is wrong in suite.yaml beside its grammar and its gates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.case import Case, ScorerSpec, Suite, SuiteKind, joined
from relgate.domain.errors import Place, Problem
from relgate.domain.gate import GateSpec
from relgate.files.reading import shown
from relgate.files.wire import did_you_mean
from relgate.files.yamldoc import Loc, YamlDocument

_LATER_KINDS = ("degraded", "retrieval", "contract")
_LATER_KEYS = ("hops", "limits", "down", "never")


@dataclass(frozen=True, slots=True)
class SuiteDraft:
    """A suite as far as it can be read, so that what is right in it can be checked further.

    Attributes:
        path: suite.yaml.
        folder: as ``Suite.folder``.
        document: suite.yaml with places; None when it is no YAML.
        problems: what is wrong in its files.
        suite: the suite, None when anything is wrong.
        name: None when it is missing or wrong; ``kind`` and ``route`` as well.
        scorers: every entry that has a name.
        cases: those that are right.
        regressions: those that are right.
        expects: whether any case says what it expects; None when that cannot be known.
        gates: those with a metric and one requirement.
        formless: gates of which only the metric can be checked.
    """

    path: Path
    folder: str
    document: YamlDocument | None
    problems: tuple[Problem, ...]
    suite: Suite | None = None
    name: str | None = None
    kind: SuiteKind | None = None
    route: str | None = None
    scorers: tuple[ScorerSpec, ...] = ()
    cases: Sequence[Case] = ()
    regressions: tuple[Case, ...] = ()
    expects: bool | None = None
    gates: tuple[GateSpec, ...] = ()
    formless: tuple[GateSpec, ...] = ()

    def place(self, loc: Loc) -> Place:
        """Where a value stands in suite.yaml."""
        return self.document.place(loc) if self.document else Place(shown(self.path))

    @property
    def all_cases(self) -> Sequence[Case]:
        """Cases and regression cases that are right, in the order of the files."""
        return joined(self.cases, self.regressions)


def later(document: YamlDocument) -> list[Problem]:
    """What the design has and this version does not: each is an error that names it."""
    value = document.value
    problems = []
    if value.get("kind") in _LATER_KINDS:
        what = f"suite kind {value['kind']!r} is not built yet in this version"
        problems.append(Problem(document.place(("kind",)), what, remedy="use golden, safety or fallback"))
    for key in _LATER_KEYS:
        if key in value:
            what = f"{key!r} is not built yet in this version"
            problems.append(Problem(document.key_place((key,)), what, remedy="remove it"))
    faults = value.get("faults")
    for index, fault in enumerate(faults if isinstance(faults, list) else []):
        if fault != "refuse":
            what = f"fault {str(fault)[:60]!r} is not built yet in this version"
            problems.append(Problem(document.place(("faults", index)), what, remedy="use refuse"))
    return problems


def kind_problems(document: YamlDocument) -> list[Problem]:
    """What a suite's kind needs, and what it has no use for."""
    value = document.value
    problems = []
    if value.get("sealed") is True and value.get("kind") in ("safety", "fallback"):
        place = document.key_place(("sealed",))
        problems.append(Problem(place, "'sealed' goes with kind golden only", remedy="remove it"))
    if value.get("kind") == "fallback":
        for key, remedy in (("force", "add force: hop"), ("route", "add route: and the route's name")):
            if value.get(key) is None:
                place = document.place(("kind",))
                problems.append(Problem(place, f"a fallback suite needs {key!r}", remedy=remedy))
                break
        if "unchanged" in value:
            place = document.key_place(("unchanged",))
            what = "'unchanged' goes with kind golden or safety"
            problems.append(Problem(place, what, remedy="remove it"))
    elif value.get("kind") in ("golden", "safety"):
        problems += [
            Problem(document.key_place((key,)), f"{key!r} goes with kind fallback only", remedy="remove it")
            for key in ("force", "faults")
            if key in value
        ]
    return problems


def read_scorers(document: YamlDocument) -> tuple[ScorerSpec, ...]:
    """Every scorer that is named, with the places of its options."""
    specs = []
    for loc, name, value in _named(document.value.get("scorers")):
        place = document.key_place(loc)
        options = value if isinstance(value, dict) else {} if value is None else {"value": value}
        short: Loc = () if isinstance(value, dict) else ("value",)
        spots = {
            (*short, *at[len(loc) :]): (spot.key, spot.value)
            for at, spot in document.spots.items()
            if at[: len(loc)] == loc
        }
        specs.append(ScorerSpec(name, options, place.line, place.column, spots))
    return tuple(specs)


def _named(written: Any) -> Iterator[tuple[Loc, str, Any]]:
    """Place, name and value of each scorer, where a list was forgotten or two share an entry as well."""
    listed = isinstance(written, list)
    for index, entry in enumerate(written if listed else [written]):
        loc: Loc = ("scorers", index) if listed else ("scorers",)
        if isinstance(entry, str) and entry:
            yield loc, entry, None
        elif isinstance(entry, dict):
            for name, value in entry.items():
                yield (*loc, name), name, value


def unknown_scorers(
    document: YamlDocument, scorers: Iterable[ScorerSpec], known: Collection[str] | None
) -> list[Problem]:
    """A problem for each scorer that the catalog lacks; none where the catalog is not known."""
    if known is None:
        return []
    return [
        Problem(
            Place(document.path, spec.line, spec.column),
            f"unknown scorer {spec.name!r}",
            remedy=did_you_mean(spec.name, known),
        )
        for spec in scorers
        if spec.name not in known
    ]


def unknown_slices(document: YamlDocument, tags: Collection[str] | None) -> list[Problem]:
    """A problem for each slice that no case has as a tag; none where the tags are not known."""
    written = document.value.get("slices")
    if tags is None or not isinstance(written, list):
        return []
    return [
        Problem(
            document.place(("slices", index)),
            f"no case has the tag {tag!r}",
            remedy=did_you_mean(tag, tags, none="the cases have no tags"),
        )
        for index, tag in enumerate(written)
        if isinstance(tag, str) and tag and tag not in tags
    ]
