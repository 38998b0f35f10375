"""How items are reported: no fixtures, two reports each, outcomes looked up in the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

import pytest

from relgate.domain.errors import RelgateError
from relgate.plugin.chunks import ChunkOutcome
from relgate.plugin.items import CaseItem, ChunkItem, MeasuredItem
from relgate.plugin.last_line import LastLine
from relgate.plugin.lastfailed import MISSED, merge_last_failed
from relgate.plugin.live_line import LiveLine
from relgate.plugin.reports import case_report, chunk_report, missed_before, skipped_case, teardown_report
from relgate.plugin.starts import starts_are_read
from relgate.plugin.teardowns import teardown_is_read
from relgate.usecases.report import CaseReport
from relgate.usecases.run_release import ReleaseRun

INTERNAL_ERROR = 3


class ItemProtocol:
    """Reports the items of one run.

    Args:
        config: pytest's.
        run: the run.
        items: the items of the run.
        settled: why nothing needs to be called, None where something does.
        remembered: node ids of what failed before.
        show: lets out what was reported; called before a wait.

    Attributes:
        line: progress while cases are waited for, None before the engine starts.
        outcomes: node id of a case -> what became of it. Of the cases of a chunk only those that ``--lf``
            runs again or ran before.
        failures: cases that failed by themselves.
    """

    def __init__(
        self,
        config: pytest.Config,
        run: ReleaseRun,
        items: Sequence[MeasuredItem],
        settled: str | None,
        remembered: frozenset[str],
        show: Callable[[], None],
    ) -> None:
        self._config = config
        self._run = run
        self._items = items
        self._settled = settled
        self._remembered = remembered
        self._show = show
        self._last_line = LastLine(config)
        config.pluginmanager.register(self._last_line)
        self._teardown_is_read = teardown_is_read(config)
        self._starts_are_read = starts_are_read(config)
        self._hook = config.hook
        self.line: LiveLine | None = None
        self.outcomes: dict[str, str] = {}
        self.failures = 0

    def report(self, item: MeasuredItem, nextitem: pytest.Item | None) -> None:
        """Wait for the cases of an item and report them."""
        self._hook = item.ihook
        self._starts_are_read = starts_are_read(self._config)  # a plugin may have come
        self._report(item, nextitem, named=not self.is_silent(item), torn_down=True)

    def report_following(self, item: CaseItem, nextitem: pytest.Item | None) -> None:
        """Report a case that is measured, right after another one of its file.

        The hooks are those of that file, its name was printed, and nothing was set up in between.
        """
        unread = self._settled is None and not self._starts_are_read
        self._report(
            item,
            nextitem,
            named=not unread and not self.is_silent(item),
            torn_down=nextitem is None or nextitem.parent is not item.parent,
        )

    def is_measured(self, item: CaseItem) -> bool:
        """Whether a case can be reported without a wait."""
        return self._settled is not None or self._run.is_measured(item.key)

    def _report(
        self, item: MeasuredItem, nextitem: pytest.Item | None, *, named: bool, torn_down: bool
    ) -> None:
        hook, node_id, location = self._hook, item.nodeid, item.location
        if named:  # the terminal names a file when a test of it starts
            hook.pytest_runtest_logstart(nodeid=node_id, location=location)
        if isinstance(item, CaseItem):  # of its own type, and so found at once
            call = self._case(item)
        else:
            assert isinstance(item, ChunkItem)
            call = self._chunk(item)
        self.end()
        hook.pytest_runtest_logreport(report=call)
        if self._teardown_is_read:
            hook.pytest_runtest_logreport(report=teardown_report(item, call))
        self._last_line.count(call)
        if torn_down:
            item.session._setupstate.teardown_exact(nextitem)
        if named:
            hook.pytest_runtest_logfinish(nodeid=node_id, location=location)

    def is_silent(self, item: MeasuredItem) -> bool:
        """Whether nothing is printed of an item: nobody is asked, and it did not carry the stored verdict."""
        if self._settled is None:
            return False
        before = self._run.missed_before
        return not before or before.keys().isdisjoint(item.keys)

    def wait_for_all(self) -> None:
        """Wait until every case is measured."""
        for item in self._items:
            for _ in self._reports(item):
                pass

    def end(self) -> None:
        """Take the line of progress away."""
        if self.line is not None:
            self.line.clear()

    def remember(self) -> None:
        """Correct what pytest remembers for ``--lf``."""
        chunks = [item.nodeid for item in self._items if isinstance(item, ChunkItem)]
        cases = [item.nodeid for item in self._items if not isinstance(item, ChunkItem)]
        merge_last_failed(self._config, self._remembered, cases, self.outcomes, chunks)

    def _case(self, item: CaseItem) -> pytest.TestReport:
        started = time.time()
        if self._settled is not None:
            message = self._run.missed_before.get(item.key)
            return skipped_case(item, self._settled) if message is None else missed_before(item, message)
        found = self._wait(*item.key)
        self._note(item.nodeid, found)
        return case_report(item, found, started)

    def _chunk(self, item: ChunkItem) -> pytest.TestReport:
        """Wait for case after case; ``--maxfail`` counts cases and ends the run within the chunk."""
        session, started = item.session, time.time()
        outcome = ChunkOutcome(len(item.cases), reason=self._settled or "")
        maxfail = self._config.option.maxfail
        before = self._run.missed_before if self._settled is not None else {}
        if self._settled is not None:
            for key in item.keys:
                outcome.settle(key[1], before.get(key))
                if key in before:
                    self.outcomes[item.node_id_of(key[1])] = "failed"
                if maxfail and session.testsfailed + outcome.failing.count >= maxfail:
                    break
        # a case that is only counted is no reason to stop, and nothing that is remembered of it goes away
        quiet = outcome.counts if not maxfail and not self._remembered else None
        for case_id, found in self._reports(item, quiet) if self._settled is None else ():
            outcome.add(case_id, found)
            self._note(item.node_id_of(case_id), found, one_of_many=True)
            if maxfail and session.testsfailed + outcome.failing.count >= maxfail:
                break
        if outcome.failing.count > 1:
            session.testsfailed += outcome.failing.count - 1  # pytest counts the chunk itself
        return chunk_report(item, outcome, started)

    def _note(self, node_id: str, found: CaseReport, *, one_of_many: bool = False) -> None:
        self.failures += bool(found.failure)
        if found.outcome == "not_run":
            return
        outcome = "failed" if found.failure else found.outcome
        if not one_of_many or outcome in MISSED or node_id in self._remembered:
            self.outcomes[node_id] = outcome

    def _wait(self, suite: str, case_id: str) -> CaseReport:
        try:
            return self._run.case(suite, case_id, beat=self._beat)
        except RelgateError as error:
            give_up(f"the engine failed: {error}; no verdict")

    def _reports(
        self, item: MeasuredItem, quiet: Counter[str] | None = None
    ) -> Iterator[tuple[str, CaseReport]]:
        try:
            yield from self._run.reports(item.suite_name, item.cases, self._beat, quiet)
        except RelgateError as error:
            give_up(f"the engine failed: {error}; no verdict")

    def _beat(self) -> None:
        """A moment of waiting: show what was reported, and how far the run is."""
        self._show()
        if self.line is not None:
            self.line.beat()


def give_up(message: str) -> NoReturn:
    """End the session with the exit status for an error of relgate's own."""
    pytest.exit(f"relgate: {message}", returncode=INTERNAL_ERROR)
