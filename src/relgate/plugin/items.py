"""Suite files and their items: an item is one measured case, or a chunk of many; it looks outcomes up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from relgate.domain.case import LONG_SUITE, Case, CaseKey, Suite
from relgate.domain.long_cases import LongCases
from relgate.plugin.naming import names_one_by_one

CASE_ITEMS_AT_MOST = LONG_SUITE
"""A file of more cases is collected in chunks: pytest keeps kilobytes of each item."""

CHUNK = 1000
CHUNK_NAME = "cases"


class MeasuredItem(pytest.Item):
    """One or more cases of a suite.

    Attributes:
        suite_name: the suite.
        cases: the cases, in the order of the file.
    """

    def __init__(self, *, suite_name: str, cases: Sequence[Case], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suite_name = suite_name
        self.cases = cases

    @property
    def keys(self) -> Iterator[CaseKey]:
        """Suite and case id of each: a case's identity, never the node id."""
        return ((self.suite_name, case_id) for case_id in ids_of(self.cases))

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """As pytest finds it for any item; the file is found once for all of its cases."""
        file = self.parent
        if isinstance(file, SuiteFile) and file.shown_path is not None:
            return file.shown_path, self.cases[0].line - 1, ""
        found = super().location
        if isinstance(file, SuiteFile):
            file.shown_path = found[0]
        return found

    def runtest(self) -> None:
        """Never called: relgate reports its items itself (``pytest_runtest_protocol``)."""
        raise AssertionError("relgate reports its case items itself")

    def reportinfo(self) -> tuple[Path, int, str]:
        """The first case's line in its file; no domain, for the terminal shows the dots of one as ``::``."""
        return self.path, self.cases[0].line - 1, ""


class CaseItem(MeasuredItem):
    """One case of a suite."""

    @property
    def key(self) -> CaseKey:
        """Suite and case id."""
        return self.suite_name, self.cases[0].id

    @property
    def keys(self) -> Iterator[CaseKey]:
        """The only one."""
        return iter((self.key,))


class ChunkItem(MeasuredItem):
    """Neighbouring cases of a long file; those that the session names one by one have items of their own."""

    def node_id_of(self, case_id: str) -> str:
        """The node id of one of its cases, by which pytest can be asked for it alone."""
        assert self.parent is not None
        return f"{self.parent.nodeid}::{case_id}"


class SuiteFile(pytest.File):
    """``cases.jsonl`` or ``regressions.jsonl`` of a suite that was read before collection.

    Attributes:
        shown_path: the file as pytest shows it, None until the first of its cases was located.
    """

    def __init__(self, *, suite: Suite, regressions: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._suite = suite
        self._regressions = regressions
        self.shown_path: str | None = None

    def collect(self) -> Iterable[MeasuredItem]:
        """One item a case, or a chunk where there are too many, in the order of the file."""
        cases = self._suite.regressions if self._regressions else self._suite.cases
        # pytest takes file::cases for every item called cases[...]
        if len(cases) <= CASE_ITEMS_AT_MOST or CHUNK_NAME in ids_of(cases):
            yield from map(self._single, cases)
            return
        named = names_one_by_one(self.config, self)
        for begin in range(0, len(cases), CHUNK):
            part = cases[begin : begin + CHUNK]
            alone = set() if named is None else {case_id for case_id in ids_of(part) if named(case_id)}
            yield from (self._single(case) for case in part if case.id in alone) if alone else ()
            if len(alone) < len(part):
                yield ChunkItem.from_parent(
                    self,
                    name=f"{CHUNK_NAME}[{begin + 1}-{begin + len(part)}]",
                    suite_name=self._suite.name,
                    cases=_without(part, alone),
                )

    def _single(self, case: Case) -> CaseItem:
        return CaseItem.from_parent(self, name=case.id, suite_name=self._suite.name, cases=(case,))


def ids_of(cases: Sequence[Case]) -> Sequence[str]:
    """The id of each case."""
    return cases.ids if isinstance(cases, LongCases) else [case.id for case in cases]


def _without(cases: Sequence[Case], alone: Collection[str]) -> Sequence[Case]:
    if not isinstance(cases, LongCases):
        return tuple(case for case in cases if case.id not in alone)
    if not alone:
        return cases
    return cases.numbered(cases.numbers[[case_id not in alone for case_id in cases.ids]])
