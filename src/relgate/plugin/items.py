"""Suite files and case items: a case item is a measurement, it looks its own outcome up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from relgate.domain.case import Case, Suite


class CaseItem(pytest.Item):
    """One case of a suite.

    Attributes:
        suite_name: the suite.
        case: the case.
    """

    def __init__(self, *, suite_name: str, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suite_name = suite_name
        self.case = case

    @property
    def key(self) -> tuple[str, str]:
        """Suite and case id: the case's identity, never the node id."""
        return self.suite_name, self.case.id

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        """As pytest finds it for any item; the file is found once for all of its cases."""
        file = self.parent
        if isinstance(file, SuiteFile) and file.shown_path is not None:
            return file.shown_path, self.case.line - 1, ""
        found = super().location
        if isinstance(file, SuiteFile):
            file.shown_path = found[0]
        return found

    def runtest(self) -> None:
        """Never called: relgate reports its items itself (``pytest_runtest_protocol``)."""
        raise AssertionError("relgate reports its case items itself")

    def reportinfo(self) -> tuple[Path, int, str]:
        """The case's line in its file; no domain, for the terminal shows the dots of one as ``::``."""
        return self.path, self.case.line - 1, ""


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

    def collect(self) -> Iterable[CaseItem]:
        """One item a case, in the order of the file."""
        cases = self._suite.regressions if self._regressions else self._suite.cases
        for case in cases:
            yield CaseItem.from_parent(self, name=case.id, suite_name=self._suite.name, case=case)
