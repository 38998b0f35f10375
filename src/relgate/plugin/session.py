"""One pytest session with a manifest: collection, the loop, gates, exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

from relgate.domain.errors import InputError, RelgateError
from relgate.plugin import manifest_of
from relgate.plugin.items import CaseItem, SuiteFile
from relgate.plugin.lastfailed import merge_last_failed
from relgate.plugin.options import OPTIONS, setting
from relgate.plugin.places import golden_sets_folder, manifest_path
from relgate.plugin.planning import plan_lines
from relgate.plugin.reports import case_report, report_gate, report_status, skipped_case, teardown_report
from relgate.plugin.worker import WorkerSession, in_folder
from relgate.render.terminal import render_terminal
from relgate.usecases.options import DEFAULT_CONCURRENCY, RunOptions
from relgate.usecases.report import Report
from relgate.usecases.run_release import ReleaseRun

CASE_FILES = {"cases.jsonl": False, "regressions.jsonl": True}
INTERNAL_ERROR, USAGE_ERROR, NO_TESTS, HOLD = 3, 4, 5, 10


class RelgateSession:
    """Everything that relgate does in one pytest session."""

    def __init__(self, config: pytest.Config, run: ReleaseRun, *, advisory: bool) -> None:
        self.config = config
        self.run = run
        self.report: Report | None = None
        self._advisory = advisory
        self._suites = {plan.suite.path.parent.resolve(): plan.suite for plan in run.prepared.plans}
        self._all = {(s.name, c.id) for s in run.prepared.suites for c in s.all_cases}
        self._golden_sets = run.options.golden_sets.resolve()
        self._only_suites = False
        self._controlled: list[CaseItem] | None = None
        self._settled: str | None = None
        self._running = False
        self._node_ids: dict[tuple[str, str], str] = {}
        self._ran: set[tuple[str, str]] = set()
        self._old_handler = _install_sigterm()

    @classmethod
    def open(cls, config: pytest.Config) -> RelgateSession | WorkerSession:
        """Read and check everything; a worker of xdist gets a session that leaves the suites alone.

        Raises:
            pytest.UsageError: everything that the user wrote wrong, one line each (exit status 4).
        """
        manifest = manifest_of(config)
        assert manifest is not None
        golden_sets = golden_sets_folder(config, manifest)
        if hasattr(config, "workerinput"):
            return WorkerSession(golden_sets)
        for name, option in OPTIONS.items():
            if option.planned and config.getoption(option.dest, None):
                raise pytest.UsageError(
                    f"--{name.removeprefix('--relgate-')} is not built yet in this version"
                )
        options = _options(config, manifest, golden_sets)
        _importable(config, options.manifest)
        try:
            run = ReleaseRun(options, plugins=_catalog_plugins(config))
        except InputError as error:
            raise pytest.UsageError(*(str(problem) for problem in error.problems)) from None
        except RelgateError as error:
            raise pytest.UsageError(str(error)) from None
        return cls(config, run, advisory=bool(setting(config, "advisory")))

    @property
    def _collect_like(self) -> bool:
        option = self.config.option
        return bool(
            option.collectonly or getattr(option, "setupplan", False) or getattr(option, "setuponly", False)
        )

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
        if getattr(option, "dist", "no") == "no" or option.collectonly:
            return
        args = [
            arg
            for arg in self.config.args
            if in_folder(self.config, arg, self._golden_sets) or _holds(self.config, arg, self._golden_sets)
        ]
        self._controlled = []
        if not args:
            return
        self._only_suites = True
        try:
            session.perform_collect(args)
        finally:
            self._only_suites = False
        self._controlled = [item for item in session.items if isinstance(item, CaseItem)]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep other plugins from timing or repeating a case: relgate asks it as often as planned."""
        manager = self.config.pluginmanager
        guards = []
        if manager.hasplugin("timeout"):
            guards.append(pytest.mark.timeout(0))
        if manager.hasplugin("rerunfailures"):
            guards.append(pytest.mark.flaky(reruns=0))
        for item in items:
            if isinstance(item, CaseItem):
                for guard in guards:
                    item.add_marker(guard)

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Before any call: what will be compared, how many calls, and whether each gate can pass."""
        selected = {item.key for item in items if isinstance(item, CaseItem)}
        if not selected or self.config.option.verbose < -1:
            return []
        return plan_lines(self.run, selected, brief=self.config.option.verbose < 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Measure while pytest reports; then judge, record and render, all before the session ends."""
        if self._collect_like:
            return (yield)
        items = self._controlled
        if items is None:
            items = [item for item in session.items if isinstance(item, CaseItem)]
        self._node_ids = {item.key: item.nodeid for item in items}
        errors = session.testsfailed and not session.config.option.continue_on_collection_errors
        if not items or errors:
            return (yield)
        try:
            self._begin({item.key for item in items})
            if self._controlled is not None:
                self._run_controlled(session, items)
            result = yield
            if self._controlled is not None:
                session.testscollected += len(items)
            if session.shouldfail or session.shouldstop:
                return result
            self._conclude(session)
        finally:
            self.run.close()
        return result

    def _begin(self, selected: set[tuple[str, str]]) -> None:
        """Start the engine, unless everything was judged before.

        Ends the session with exit status 4 for the user's errors and 3 for services that do not start.
        """
        if selected == self._all:
            self._settled = self.run.settled
        if self._settled is not None:
            return
        try:
            self.run.start(selected)
        except InputError as error:
            for problem in error.problems:
                sys.stderr.write(f"ERROR: {problem}\n")
            pytest.exit("relgate: nothing was called", returncode=USAGE_ERROR)
        except RelgateError as error:
            _give_up(f"{error}; no verdict")
        self._running = True

    def _run_controlled(self, session: pytest.Session, items: list[CaseItem]) -> None:
        """Report the cases on the xdist controller, before its own loop starts."""
        session.testscollected = len(items)
        for item in items:
            self._report_case(item, None)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Report a case: look its outcome up, no fixtures, two reports."""
        if not isinstance(item, CaseItem):
            return None
        self._report_case(item, nextitem)
        return True

    def _report_case(self, item: CaseItem, nextitem: pytest.Item | None) -> None:
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        started = time.time()
        if self._settled is not None:
            call = skipped_case(item, self._settled)
        else:
            call = case_report(item, self._wait(item), started)
        self._ran.add(item.key)
        hook.pytest_runtest_logreport(report=call)
        hook.pytest_runtest_logreport(report=teardown_report(item, call))
        item.session._setupstate.teardown_exact(nextitem)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _wait(self, item: CaseItem) -> Any:
        """Wait for the engine; what a Python application prints meanwhile goes where pytest's capture goes."""
        capture = self.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.resume_global_capture()
        try:
            return self.run.case(*item.key)
        except RelgateError as error:
            failure = f"the engine failed: {error}; no verdict"
        finally:
            if capture is not None:
                capture.suspend_global_capture(in_=False)
                capture.read_global_capture()
        _give_up(failure)

    def _conclude(self, session: pytest.Session) -> None:
        """Judge, record and render; then report the gates as tests.

        A failure here ends the session with exit status 3: there is no verdict that was not recorded.
        """
        try:
            self.report = self.run.conclude() if self._settled is None else self.run.conclude_settled()
        except (RelgateError, OSError) as error:
            _give_up(f"the run could not be recorded: {error}; no verdict")
        paths = {plan.suite.name: plan.suite.path for plan in self.run.prepared.plans}
        session.testscollected += len(self.report.gates)
        maxfail = self.config.option.maxfail
        self.config.option.maxfail = 0
        try:
            for result in self.report.gates:
                report_gate(self.config, result, paths[result.suite])
        finally:
            self.config.option.maxfail = maxfail

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Letters and words of cases and gates."""
        return report_status(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        """Remember misses for ``--lf`` and set the exit status."""
        yield
        self.run.close()
        merge_last_failed(self.config, self.report, self._node_ids, self._ran)
        if self._collect_like:
            return
        status = int(session.exitstatus)
        if self.report is None:
            if status == 0:
                session.exitstatus = NO_TESTS
            return
        if status != 0:
            return
        if self.report.exit_status == HOLD and self._advisory:
            return
        session.exitstatus = self.report.exit_status

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The scorecard, verdict first."""
        if self.report is None:
            if self._running:
                terminalreporter.section("relgate")
                terminalreporter.write_line("no verdict: the run did not finish")
            return
        color = {"promote": "green", "hold": "yellow", "reject": "red"}[self.report.decision]
        terminalreporter.section("relgate", **{color: True})
        lines = render_terminal(self.report.scorecard).splitlines()
        if self.report.stored:
            lines.insert(
                1,
                f"judged before: this is the stored verdict of run {self.report.scorecard.run.id}; no call was made",
            )
        if self.config.option.verbose < -1:
            lines = lines[:1]
        terminalreporter.write_line(lines[0], bold=True, **{color: True})
        for line in lines[1:]:
            terminalreporter.write_line(line)
        if self.config.option.verbose >= -1:
            shown = [_shown(self.config, path) for path in self.report.files]
            terminalreporter.write_line(f"reports: {', '.join(shown)}")

    def pytest_unconfigure(self) -> None:
        """Close everything and give the signal handler back."""
        self.run.close()
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)


def _give_up(message: str) -> NoReturn:
    pytest.exit(f"relgate: {message}", returncode=INTERNAL_ERROR)


def _options(config: pytest.Config, manifest: str, golden_sets: Path) -> RunOptions:
    trials = setting(config, "trials")
    if trials is not None and not 1 <= trials <= 100:
        raise pytest.UsageError(f"--trials must lie between 1 and 100, not {trials}")
    concurrency = setting(config, "concurrency") or DEFAULT_CONCURRENCY
    if concurrency < 1:
        raise pytest.UsageError(f"--concurrency must be at least 1, not {concurrency}")
    report_dir = setting(config, "report-dir")
    return RunOptions(
        manifest=manifest_path(config, manifest),
        manifest_given=manifest,
        golden_sets=golden_sets,
        rootdir=config.rootpath,
        folder=config.invocation_params.dir,
        registry=config.getoption(OPTIONS["--relgate-registry"].dest, None),
        report_dir=config.rootpath / report_dir if report_dir else None,
        baseline=setting(config, "baseline"),
        suites=tuple(setting(config, "suite") or ()),
        trials=trials,
        concurrency=concurrency,
        environment=dict(os.environ),
    )


def _importable(config: pytest.Config, manifest: Path) -> None:
    """Let ``python: "my_app:build"`` name modules beside the project's root or the manifest."""
    for folder in (str(config.rootpath), str(manifest.resolve().parent)):
        if folder not in sys.path:
            sys.path.insert(0, folder)


def _catalog_plugins(config: pytest.Config) -> list[object]:
    """The conftest.py modules and plugins that register something with relgate."""
    return [
        plugin
        for plugin in config.pluginmanager.get_plugins()
        if any(name.startswith("relgate_register_") for name in dir(plugin))
    ]


def _holds(config: pytest.Config, arg: str, folder: Path) -> bool:
    """Whether the argument is a folder that contains the golden sets."""
    path = (config.invocation_params.dir / arg.split("::", 1)[0]).resolve()
    return path in folder.parents


def _shown(config: pytest.Config, path: Path) -> str:
    return os.path.relpath(path, config.invocation_params.dir)


def _install_sigterm() -> Any:
    """SIGTERM ends a run as Ctrl-C does, so that nothing is left half written; returns the old handler."""
    if threading.current_thread() is not threading.main_thread():
        return None
    old = signal.getsignal(signal.SIGTERM)
    if old is not signal.SIG_DFL:
        return None

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt("SIGTERM")

    signal.signal(signal.SIGTERM, stop)
    return old
