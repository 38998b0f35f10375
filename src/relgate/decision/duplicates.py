"""Duplicated inputs are clusters: cases that ask the same thing are one unit (statistics.md 13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from relgate.domain.case import Case, Message, Suite
from relgate.domain.digest import digest_bytes, digest_json
from relgate.domain.long_cases import LongCases, Numbers, distinct
from relgate.late import np

Unit = TypeVar("Unit", str, int)


class _SameCases:
    """The cases of a long file as a key: any part of them stands for all."""

    __slots__ = ("cases",)

    def __init__(self, cases: LongCases) -> None:
        self.cases = cases

    def __hash__(self) -> int:
        return id(self.cases.id_hashes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameCases) and other.cases.id_hashes is self.cases.id_hashes


class _Same:
    """A suite as a key: itself, not what is equal to it."""

    __slots__ = ("suite",)

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    def __hash__(self) -> int:
        return id(self.suite)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.suite is self.suite


def units_of(suite: Suite) -> Mapping[str, str]:
    """The label of the independent unit of each case, by case id; regression cases have none.

    A case belongs to its cluster where the suite counts clusters, else it stands for itself. Units that
    share an input (case and white space apart) are one, whether or not the suite counts clusters: a copy
    says nothing new, and counting it would inflate n. Cases without an input are never duplicates.
    """
    return _units_of(_Same(suite))


@lru_cache(maxsize=16)  # every gate and table asks for those of its suite
def _units_of(same: _Same) -> Mapping[str, str]:
    suite = same.suite
    own = {case.id: _own_unit(suite, case) for case in suite.cases}
    joined: dict[str, str] = {}
    first: dict[str, str] = {}
    for case in suite.cases:
        asked = _fingerprint(case.input)
        if asked is None:
            continue
        mine = _root(joined, own[case.id])
        other = _root(joined, first.setdefault(asked, mine))
        if mine != other:
            joined[mine] = other
    return {case_id: _root(joined, unit) for case_id, unit in own.items()} if joined else own


@dataclass(frozen=True, slots=True)
class LongUnits:
    """The independent units of a long file's cases.

    Attributes:
        codes: of each case's unit, equal where the unit is, shape (cases,); None where each is a unit.
        duplicated: how many cases repeat the input of an earlier one.
    """

    codes: Numbers | None
    duplicated: int

    def of(self, numbers: Numbers) -> Numbers:
        """Codes of the units of these cases."""
        return numbers if self.codes is None else self.codes[numbers]


def long_units(suite: Suite, cases: LongCases) -> LongUnits:
    """The units of a suite whose cases stay in their file: those that ``units_of`` names."""
    return _long_units(_SameCases(cases), suite.clustered)


@lru_cache(maxsize=4)
def _long_units(same: _SameCases, clustered: bool) -> LongUnits:
    cases = same.cases
    own = np.arange(cases.total, dtype=np.int64)
    if clustered and cases.clusters is not None:
        own = np.where(cases.clusters >= 0, cases.total + cases.clusters, own)
    joined: dict[int, int] = {}
    duplicated = 0
    for numbers in _same_inputs(cases):
        duplicated += len(numbers) - 1
        for number in numbers[1:]:
            mine, other = _root(joined, int(own[number])), _root(joined, int(own[numbers[0]]))
            if mine != other:
                joined[mine] = other
    if joined:
        codes, places = np.unique(own, return_inverse=True)
        own = np.array([_root(joined, code) for code in codes.tolist()], dtype=np.int64)[places]
    distinct = not joined and not (clustered and cases.clusters is not None)
    return LongUnits(None if distinct else own, duplicated)


def _same_inputs(cases: LongCases) -> Iterator[list[int]]:
    """Numbers of the cases with one input, for each input that several have."""
    hashes = cases.input_hashes
    ascending = np.sort(hashes)
    if not np.any((ascending[1:] == ascending[:-1]) & (ascending[1:] != 0)):
        return
    order = np.argsort(hashes, kind="stable")
    ascending = hashes[order]
    again = (ascending[1:] == ascending[:-1]) & (ascending[1:] != 0)
    begins = np.flatnonzero(again & ~np.concatenate(([False], again[:-1])))
    for begin in begins.tolist():
        end = begin + 1
        while end < again.size and again[end]:
            end += 1
        numbers = np.sort(order[begin : end + 1])
        groups: dict[str | None, list[int]] = defaultdict(list)
        for number, case in zip(numbers.tolist(), cases.numbered(numbers), strict=True):
            groups[_fingerprint(case.input)].append(number)
        yield from (group for asked, group in groups.items() if asked is not None and len(group) > 1)


def unit_count(suite: Suite, cases: Sequence[Case]) -> tuple[int, bool]:
    """How many units some cases are, and whether units are more than cases (``counts_clusters``)."""
    if isinstance(cases, LongCases):
        known = long_units(suite, cases)
        units = len(cases) if known.codes is None else distinct(known.of(cases.numbers)).size
        return units, suite.clustered or units < len(cases)
    labels = units_of(suite)
    mine = [labels[case.id] for case in cases]
    return len(set(mine)), counts_clusters(suite, mine)


def duplicated(suite: Suite) -> int:
    """How many cases repeat the input of an earlier one."""
    if isinstance(suite.cases, LongCases):
        return long_units(suite, suite.cases).duplicated
    seen = [asked for case in suite.cases if (asked := _fingerprint(case.input)) is not None]
    return len(seen) - len(set(seen))


def counts_clusters(suite: Suite, labels: list[str]) -> bool:
    """Whether units are more than cases: the suite says so, or these cases share a unit."""
    return suite.clustered or len(set(labels)) < len(labels)


def _own_unit(suite: Suite, case: Case) -> str:
    if suite.clustered and case.cluster is not None:
        return f"cluster {case.cluster}"
    return f"case {case.id}"


def _root(joined: Mapping[Unit, Unit], unit: Unit) -> Unit:
    while unit in joined:
        unit = joined[unit]
    return unit


@lru_cache(maxsize=100_000)  # every gate asks for the same inputs again
def _fingerprint(asked: str | tuple[Message, ...] | None) -> str | None:
    """Digest of the normalised input; None where there is none."""
    if asked is None or isinstance(asked, str):
        words = (asked or "").casefold().split()
        return digest_bytes(" ".join(words).encode("utf-8", "surrogatepass")) if words else None
    lines = [[message.role, *message.content.casefold().split()] for message in asked]
    return digest_json(lines) if any(len(line) > 1 for line in lines) else None
