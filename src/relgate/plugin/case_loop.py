"""pytest's loop over the items, in which cases that are measured already share one call of its protocol.

The protocol's wrappers are pytest's own for the most part, do nothing with a case and cost more than its
report. What another plugin wraps around an item is called for each of them as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from relgate.plugin.items import CaseItem, MeasuredItem

AT_ONCE = 64
"""Cases of one call at the most: what pytest times or records in it lasts milliseconds."""

_LOOP = frozenset({"_pytest.main", "relgate.plugin.case_loop"})
_PASS_CASES_OVER = frozenset(
    {
        "_pytest.assertion",
        "_pytest.faulthandler",
        "_pytest.runner",
        "_pytest.unittest",
        "_pytest.warnings",
        "pytest_rerunfailures",
        "pytest_timeout",
        "relgate.plugin.session",
    }
)
"""Modules whose protocol does nothing with a case, or nothing that many could not share.

What is warned of while a case is reported comes from the engine's thread, from any case. A time limit is
switched off for cases by a marker; rerunfailures comes last and is not reached.
"""


class Reporter(Protocol):
    """Reports cases (``ItemProtocol``)."""

    def is_measured(self, item: CaseItem) -> bool:
        """Whether a case can be reported without a wait."""
        ...

    def report_following(self, item: CaseItem, nextitem: pytest.Item | None) -> None:
        """Report a case right after another one of its file."""
        ...


class CaseLoop:
    """Runs the items of a session as pytest does, once it is given who reports cases."""

    def __init__(self) -> None:
        self._reporter: Reporter | None = None
        self._items: Sequence[pytest.Item] = ()
        self._next = 0

    def lead(self, reporter: Reporter) -> None:
        """Take the loop over."""
        self._reporter = reporter

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the items, unless another plugin does so in its way."""
        hook = session.config.hook
        loops = [one for one in hook.pytest_runtestloop.get_hookimpls() if not _wraps(one)]
        if self._reporter is None or not _modules(loops) <= _LOOP:
            return None
        self._items = session.items
        while self._next < len(self._items):
            item, following = self._take()
            hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True

    def report_following(self, item: MeasuredItem) -> None:
        """Report the cases after this one too, as far as they are measured, within its protocol."""
        session = item.session
        reporter = self._reporter
        if reporter is None or not self._next or self._items[self._next - 1] is not item:
            return
        if not _modules(item.config.hook.pytest_runtest_protocol.get_hookimpls()) <= _PASS_CASES_OVER:
            return
        last = self._next + AT_ONCE
        while self._next < min(last, len(self._items)) and not (session.shouldfail or session.shouldstop):
            following = self._items[self._next]
            if not isinstance(following, CaseItem) or following.parent is not item.parent:
                return
            if not reporter.is_measured(following):
                return
            reporter.report_following(*self._take())

    def _take(self) -> tuple[Any, pytest.Item | None]:
        place = self._next
        self._next += 1
        return self._items[place], self._items[place + 1] if self._next < len(self._items) else None


def _wraps(implementation: Any) -> bool:
    return bool(implementation.wrapper or implementation.hookwrapper)


def _modules(implementations: Sequence[Any]) -> set[str]:
    return {one.function.__module__ for one in implementations}
