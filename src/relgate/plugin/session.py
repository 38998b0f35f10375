"""One pytest session with a manifest: collection, the loop, gates, exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from relgate.domain.case import CaseKey
from relgate.domain.case_set import CaseSet
from relgate.domain.errors import InputError, RelgateError
from relgate.domain.long_cases import LongCases
from relgate.plugin import manifest_of
from relgate.plugin.case_loop import CaseLoop
from relgate.plugin.conftests import load_golden_set_conftests
from relgate.plugin.deselected import Deselected
from relgate.plugin.garbage import RareSearches, no_search, searched_at_last
from relgate.plugin.items import MeasuredItem, SuiteFile
from relgate.plugin.lastfailed import last_failed
from relgate.plugin.live_line import LiveLine
from relgate.plugin.options import setting
from relgate.plugin.planning import plan_lines
from relgate.plugin.progress import Progress
from relgate.plugin.protocol import ItemProtocol, give_up
from relgate.plugin.quiet import Quiet
from relgate.plugin.reports import report_gate, report_status
from relgate.plugin.settings import catalog_plugins, make_importable, registry_above, run_options
from relgate.plugin.sigterm import end_on_sigterm
from relgate.plugin.summary import summary_lines, write_summary
from relgate.plugin.usage import usage_text
from relgate.plugin.worker import CASE_FILES, may_hold_cases
from relgate.render.words import word_of
from relgate.usecases.preparing.plan_suite import in_order_of_calls
from relgate.usecases.report import Report
from relgate.usecases.reporting.step_summary import summarise_errors
from relgate.usecases.run_release import ReleaseRun

USAGE_ERROR, NO_TESTS, HOLD = 4, 5, 10


class RelgateSession:
    """Everything that relgate does in one pytest session."""

    def __init__(self, config: pytest.Config, run: ReleaseRun, *, advisory: bool) -> None:
        self.config = config
        self.run = run
        self.report: Report | None = None
        self._advisory = advisory
        self._suites = {plan.suite.path.parent.resolve(): plan.suite for plan in run.prepared.plans}
        self._golden_sets = run.options.golden_sets.resolve()
        self._only_suites = False
        self._controlled: list[MeasuredItem] | None = None
        self._items: list[MeasuredItem] = []
        self._selected = CaseSet()
        self._progress: Progress | None = None
        self._controlled_done = False
        self._settled: str | None = None
        self._running = False
        self._protocol: ItemProtocol | None = None
        self._last_failed: frozenset[str] = frozenset()
        self._summary: list[str] = []
        self._quiet = Quiet(config)
        self._searches = RareSearches()
        self._loop = CaseLoop()
        self._deselected = Deselected(config)
        config.pluginmanager.register(self._loop)
        config.pluginmanager.register(self._deselected)
        self._restore_sigterm = end_on_sigterm()

    @classmethod
    def open(cls, config: pytest.Config) -> RelgateSession:
        """Read and check everything.

        Raises:
            pytest.UsageError: everything that the user wrote wrong, one line each (exit status 4).
        """
        manifest = manifest_of(config)
        assert manifest is not None
        advisory = bool(setting(config, "advisory"))
        try:
            options = run_options(config, manifest)
            make_importable(config, options.manifest)
            unread = load_golden_set_conftests(config, options.golden_sets)
            with no_search():
                run = ReleaseRun(options, catalog_plugins(config), unread)
        except InputError as error:
            summarise_errors([str(problem) for problem in error.problems], os.environ)
            raise pytest.UsageError(usage_text(error.problems, options)) from None
        except RelgateError as error:
            summarise_errors([str(error)], os.environ)
            raise pytest.UsageError(str(error)) from None
        return cls(config, run, advisory=advisory)

    @property
    def _collect_like(self) -> bool:
        option = self.config.option
        return bool(
            option.collectonly or getattr(option, "setupplan", False) or getattr(option, "setuponly", False)
        )

    def pytest_report_header(self) -> list[str]:
        """Which registry is in use where it is not the rootdir's own: projects beside this one share it."""
        above = registry_above(self.run.options)
        return [f"relgate: registry {above}, found above the rootdir"] if above else []

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
        """Collect the case files of the run's suites."""
        regressions = CASE_FILES.get(file_path.name)
        if regressions is None:
            return None
        suite = self._suites.get(file_path.parent.resolve())
        if suite is None:
            return None
        return SuiteFile.from_parent(parent, path=file_path, suite=suite, regressions=regressions)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """On an xdist controller hide everything but the suites: workers collect ordinary tests."""
        if not self._only_suites or collection_path.is_dir():
            return None
        return True if collection_path.name not in CASE_FILES else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """On an xdist controller collect the suites here: cases are measured once, in this process."""
        option = self.config.option
        self._last_failed = last_failed(self.config)
        # --dist alone, as in addopts, distributes nothing: xdist looks for workers in tx as well
        distributes = getattr(option, "dist", "no") != "no" and bool(option.tx)
        if not distributes or option.collectonly:
            return
        args = [arg for arg in self.config.args if may_hold_cases(self.config, arg, self._golden_sets)]
        self._controlled = []
        if not args:
            return
        self._only_suites = True
        try:
            session.perform_collect(args)
        finally:
            self._only_suites = False
        self._controlled = [item for item in session.items if isinstance(item, MeasuredItem)]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep other plugins from timing or repeating a case: relgate asks it as often as planned.

        Cases are reported suite by suite as they are asked, so that no suite waits for one that comes later.
        """
        rank = {plan.suite.name: i for i, plan in enumerate(in_order_of_calls(self.run.prepared.plans))}
        places = [i for i, item in enumerate(items) if isinstance(item, MeasuredItem)]
        cases = sorted(
            (item for item in items if isinstance(item, MeasuredItem)), key=lambda c: rank[c.suite_name]
        )
        for place, case in zip(places, cases, strict=True):
            items[place] = case
        manager = self.config.pluginmanager
        guards = []
        if manager.hasplugin("timeout"):
            guards.append(pytest.mark.timeout(0))
        if manager.hasplugin("rerunfailures"):
            guards.append(pytest.mark.flaky(reruns=0))
        for item in items:
            if isinstance(item, MeasuredItem):
                for guard in guards:
                    item.add_marker(guard)

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Before any call: what will be compared, how many calls, and whether each gate can pass."""
        selected = _chosen(self.run, items)
        if not selected or self.config.option.verbose < -1:
            return []
        return plan_lines(self.run, selected, brief=self.config.option.verbose < 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Measure while pytest reports; then judge, record and render, all before the session ends."""
        items = self._controlled
        if items is None:
            items = [item for item in session.items if isinstance(item, MeasuredItem)]
        self._items = items
        if self._collect_like:
            result = yield
            session.testscollected += len(self._controlled or ())
            return result
        errors = session.testsfailed and not session.config.option.continue_on_collection_errors
        if not items or errors:
            return (yield)
        self._selected = _chosen(self.run, items)
        if self._selected == self.run.cases:
            self._settled = self.run.settled
        self._protocol = ItemProtocol(
            self.config, self.run, items, self._settled, self._last_failed, self._quiet.show
        )
        self._loop.lead(self._protocol)
        self._progress = self._expected(session, self._protocol)
        try:
            result = yield
            self._run_controlled()  # no worker lived to collect
            if session.shouldfail or session.shouldstop:
                return result
            self._progress.restore()
            with no_search():
                self._conclude(self._progress)
        finally:
            self._progress.end()
            self._end()
        return result

    def _expected(self, session: pytest.Session, protocol: ItemProtocol) -> Progress:
        """Everything that will be reported, counted before the first report."""
        silent = gates = 0
        if self._settled is None:
            plans = self.run.prepared.plans
            gates = sum(len(plan.gates) + bool(plan.suite.regressions) for plan in plans)
        else:
            silent = sum(map(protocol.is_silent, self._items))
            stored = self.run.prepared.stored
            gates = len(stored.scorecard.get("gates", [])) if stored is not None else 0
        cases = len(self._items) if self._controlled is not None else None
        return Progress(session, cases=cases, silent=silent, gates=gates)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Measure the cases once the number of ordinary tests is known, before xdist hands out the first."""
        if self._progress is not None:
            self._progress.before_xdist_counts(len(ids))
            self._run_controlled()
            self._progress.after_xdist_counted()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self) -> None:
        """Count what is relgate's again before the terminal reports an ordinary test."""
        if self._progress is not None:
            self._progress.restore()

    def _end(self) -> None:
        """Stop everything that may print, then let it print again."""
        if self._protocol is not None:
            self._protocol.end()
        self._searches.stop()
        try:
            self.run.close()
        finally:
            self._quiet.stop()

    def _begin(self) -> None:
        """Start the engine before the first case, unless everything was judged before.

        An ordinary test that stands before the cases and ends the run under ``-x`` costs no call.
        Ends the session with exit status 4 for the user's errors and 3 for services that do not start.
        """
        if self._running or self._settled is not None:
            return
        self._quiet.start()
        self._searches.start()
        try:
            self.run.start(self._selected)
        except InputError as error:
            self._quiet.stop()
            summarise_errors([str(problem) for problem in error.problems], os.environ)
            sys.stderr.write(f"ERROR: {usage_text(error.problems, self.run.options)}\n")
            pytest.exit("relgate: nothing was called", returncode=USAGE_ERROR)
        except RelgateError as error:
            give_up(f"{error}; no verdict")
        self._running = True
        assert self._protocol is not None
        self._protocol.line = LiveLine(self.config, self.run.status)

    def _run_controlled(self) -> None:
        """Report the cases on the xdist controller, once."""
        if self._controlled is None or self._controlled_done:
            return
        self._controlled_done = True
        self._own_line()
        for item in self._items:
            session = item.session
            self._report(item, None)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        self._quiet.stop()
        self._own_line()

    def _own_line(self) -> None:
        """Keep the progress of the cases apart from xdist's lines about its workers."""
        if not self.config.pluginmanager.hasplugin("terminalreporter"):
            return
        writer = self.config.get_terminal_writer()
        if writer.width_of_current_line:
            writer.line()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Report a case: look its outcome up, no fixtures, two reports."""
        if isinstance(item, MeasuredItem):
            if not self._collect_like:
                self._report(item, nextitem)
                self._loop.report_following(item)
            return True
        if self._running:
            self._settle_down()
        return None

    def _settle_down(self) -> None:
        """Wait for every case: a test that patches time or sockets must not touch a measurement."""
        assert self._protocol is not None
        self._protocol.wait_for_all()
        self._quiet.stop()
        self._searches.stop()

    def _report(self, item: MeasuredItem, nextitem: pytest.Item | None) -> None:
        assert self._protocol is not None
        self._begin()
        self._protocol.report(item, nextitem)

    def _conclude(self, progress: Progress) -> None:
        """Judge, record and render; then report the gates as tests.

        A failure here ends the session with exit status 3: there is no verdict that was not recorded.
        """
        try:
            self.report = self.run.conclude() if self._settled is None else self.run.conclude_settled()
            failures = self._protocol.failures if self._protocol is not None else 0
            self._summary = summary_lines(self.report, self.config, failures=failures)
        except RelgateError as error:
            give_up(f"the run could not be recorded: {error}; no verdict")
        finally:
            self._quiet.stop()
        paths = {plan.suite.name: plan.suite.path for plan in self.run.prepared.plans}
        progress.gates(len(self.report.gates))
        maxfail = self.config.option.maxfail
        self.config.option.maxfail = 0
        try:
            card = self.report.scorecard
            for result, part in zip(self.report.gates, card.gates, strict=True):
                word = word_of(part, card.alarms)
                report_gate(self.config, result, word, paths[result.suite], self.report.decision)
        finally:
            self.config.option.maxfail = maxfail

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Letters and words of cases and gates."""
        return report_status(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Remember misses for ``--lf`` and set the exit status."""
        self._end()
        yield
        if self._collect_like:
            return
        if self._protocol is not None:
            self._protocol.remember()
        if int(session.exitstatus) != 0:
            return
        if self.report is None:
            session.exitstatus = NO_TESTS
        elif self.report.exit_status != HOLD or not self._advisory:
            session.exitstatus = self.report.exit_status

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The scorecard, verdict first."""
        if not self._collect_like:
            why_none = "" if self._items else self._deselected.why_none
            write_summary(terminalreporter, self.report, self._summary, self.run.kept, why_none)

    def pytest_unconfigure(self) -> None:
        """Close everything and give the signal handler back."""
        self._end()
        self._restore_sigterm()
        searched_at_last()


def _chosen(run: ReleaseRun, items: Sequence[pytest.Item]) -> CaseSet:
    """The cases of these items."""
    keys: list[CaseKey] = []
    long: list[tuple[str, LongCases]] = []
    for item in items:
        if isinstance(item, MeasuredItem):
            if isinstance(item.cases, LongCases):
                long.append((item.suite_name, item.cases))
            else:
                keys += item.keys
    return CaseSet.chosen(run.prepared.suites, keys, long)
