"""Duplicated inputs are clusters: cases that ask the same thing are one unit (statistics.md 13)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from relgate.domain.case import Case, Message, Suite
from relgate.domain.digest import digest_json


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


def duplicated(suite: Suite) -> int:
    """How many cases repeat the input of an earlier one."""
    seen = [asked for case in suite.cases if (asked := _fingerprint(case.input)) is not None]
    return len(seen) - len(set(seen))


def counts_clusters(suite: Suite, labels: list[str]) -> bool:
    """Whether units are more than cases: the suite says so, or these cases share a unit."""
    return suite.clustered or len(set(labels)) < len(labels)


def _own_unit(suite: Suite, case: Case) -> str:
    if suite.clustered and case.cluster is not None:
        return f"cluster {case.cluster}"
    return f"case {case.id}"


def _root(joined: Mapping[str, str], unit: str) -> str:
    while unit in joined:
        unit = joined[unit]
    return unit


@lru_cache(maxsize=100_000)  # every gate asks for the same inputs again
def _fingerprint(asked: str | tuple[Message, ...] | None) -> str | None:
    """Digest of the normalised input; None where there is none."""
    messages = (
        [("", asked or "")]
        if asked is None or isinstance(asked, str)
        else [(message.role, message.content) for message in asked]
    )
    words = [[role, *content.casefold().split()] for role, content in messages]
    if not any(len(line) > 1 for line in words):
        return None
    return digest_json(words)
