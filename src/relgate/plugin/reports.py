"""pytest's reports for cases and gates, with their JUnit properties."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from relgate.domain.gate import GateResult
from relgate.plugin.chunks import ChunkOutcome
from relgate.plugin.items import CaseItem, ChunkItem, MeasuredItem
from relgate.plugin.statuses import CASE_STATUS, FAILED_CASE, GATE_COLORS, Status
from relgate.render.words import ALARM, FAILED, HOLD, NOT_JUDGEABLE, NOT_JUDGED, GateWord
from relgate.usecases.report import CaseReport

Location = tuple[str, int | None, str]
LongRepr = str | tuple[str, int, str] | None
NOT_PASSED = (HOLD, ALARM, NOT_JUDGEABLE, NOT_JUDGED)
"""Gates that pytest reports as skipped, with their message."""

NOT_NEEDED = "relgate: not needed"


def case_report(item: CaseItem, found: CaseReport, started: float) -> pytest.TestReport:
    """The call report of one case: failed where it fails by itself, skipped when not measured."""
    outcome: str = "passed"
    longrepr: LongRepr = None
    properties: list[tuple[str, object]] = [
        ("relgate.outcome", found.outcome),
        *((f"relgate.score.{name}", f"{value:.6g}") for name, value in sorted(found.scores.items())),
        *([("relgate.trial", str(found.trials))] if found.trials else []),
    ]
    if found.failure:
        outcome, longrepr = "failed", found.failure
    elif found.outcome == "not_run":
        outcome, longrepr = "skipped", _skip(item.location, f"{NOT_NEEDED}: {found.message}")
    elif found.outcome == "failed":
        outcome, longrepr = "skipped", _skip(item.location, f"not measured: {found.message or 'no score'}")
    return _report(
        item.nodeid, item.location, "call", outcome, longrepr, started, properties, relgate_case=found.outcome
    )


def skipped_case(item: CaseItem, reason: str) -> pytest.TestReport:
    """The call report of a case that nobody needs to ask."""
    text = _skip(item.location, f"{NOT_NEEDED}: {reason}")
    return _report(
        item.nodeid, item.location, "call", "skipped", text, time.time(), [], relgate_case="not needed"
    )


def missed_before(item: CaseItem, message: str) -> pytest.TestReport:
    """The call report of a critical case that was missed when its stored verdict was judged."""
    return _report(
        item.nodeid, item.location, "call", "failed", message, time.time(), [], relgate_case="miss"
    )


def chunk_report(item: ChunkItem, found: ChunkOutcome, started: float) -> pytest.TestReport:
    """The call report of a chunk: failed where one of its cases is, skipped when none was measured."""
    outcome: str = "passed"
    longrepr: LongRepr = None
    properties: list[tuple[str, object]] = [
        (f"relgate.count.{name.replace(' ', '_')}", str(count)) for name, count in found.categories.items()
    ]
    if found.missed.count:
        properties.append(("relgate.missed", ", ".join(found.missed.lines())))
    if found.failure:
        outcome, longrepr = "failed", found.failure
    elif not found.measured:
        why = "not measured" if found.counts["failed"] else NOT_NEEDED
        outcome, longrepr = "skipped", _skip(item.location, f"{why}: {found.reason or 'no score'}")
    return _report(
        item.nodeid, item.location, "call", outcome, longrepr, started, properties, relgate_chunk=found
    )


def teardown_report(item: MeasuredItem, call: pytest.TestReport) -> pytest.TestReport:
    """The teardown report that JUnit and others wait for."""
    return _report(
        item.nodeid, item.location, "teardown", "passed", None, time.time(), list(call.user_properties)
    )


def report_gate(
    config: pytest.Config, result: GateResult, word: GateWord, suite_path: Path, decision: str
) -> None:
    """Send one gate through pytest's reporting as a test of its own, located in suite.yaml."""
    hook = config.hook
    location: Location = (_relative(config, suite_path), max(result.line - 1, 0), "")
    properties: list[tuple[str, object]] = [
        ("relgate.result", result.result),
        ("relgate.shown", word.word),
        ("relgate.decision", decision),
    ]
    for name in ("estimate", "lower", "upper", "boundary"):
        value = getattr(result, name)
        if value is not None:
            properties.append((f"relgate.{name}", f"{value:.10g}"))
    for name, p in (("p", result.p_pass), ("p_fail", result.p_fail)):
        if p is not None:
            properties.append((f"relgate.{name}", f"{p:.6g}"))
    properties.append(("relgate.n", str(result.n)))
    outcome: str = "passed"
    longrepr: LongRepr = None
    text = f"{result.id.removeprefix('gates::')}: {result.message}"
    if word == FAILED:
        outcome, longrepr = "failed", text
    elif word in NOT_PASSED:
        said = result.message.removeprefix(f"{word.word}: ")
        outcome, longrepr = "skipped", _skip(location, f"{word.word}: {said}")
    hook.pytest_runtest_logstart(nodeid=result.id, location=location)
    for when in ("setup", "call", "teardown"):
        call = when == "call"
        report = _report(
            result.id,
            location,
            when,
            outcome if call else "passed",
            longrepr if call else None,
            time.time(),
            properties,
            relgate_gate=(word.word, word.letter),
        )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=result.id, location=location)


def report_status(report: pytest.TestReport) -> Status | None:
    """Category, letter and word for relgate's own reports; None for everybody else's."""
    if report.when != "call":
        return None
    gate = getattr(report, "relgate_gate", None)
    if gate is not None:
        word, letter = gate
        color = {GATE_COLORS[word]: True}
        if word == FAILED.word:
            return "failed", letter, ("FAILED", color)
        return f"gate {word}", letter, (f"GATE {word.upper()}", color)
    chunk: ChunkOutcome | None = getattr(report, "relgate_chunk", None)
    if chunk is not None:
        return chunk.status()
    case = getattr(report, "relgate_case", None)
    if case is None:
        return None
    return FAILED_CASE if report.failed else CASE_STATUS[case]


def _skip(location: Location, reason: str) -> tuple[str, int, str]:
    return location[0], (location[1] or 0) + 1, f"Skipped: {reason}"


def _relative(config: pytest.Config, path: Path) -> str:
    try:
        return str(path.resolve().relative_to(config.rootpath))
    except ValueError:
        return str(path)


class _Report(pytest.TestReport):
    """A report whose headline is not its location's domain."""

    @property
    def head_line(self) -> str:
        """The case or the gate, over its failure."""
        return self.nodeid.removeprefix("gates::").rpartition("::")[2]


_make: Callable[..., pytest.TestReport] = _Report


def _report(
    nodeid: str,
    location: Location,
    when: str,
    outcome: str,
    longrepr: LongRepr,
    started: float,
    properties: list[tuple[str, object]],
    **extra: object,
) -> pytest.TestReport:
    stopped = time.time()
    return _make(
        nodeid=nodeid,
        location=location,
        keywords={nodeid: 1},
        outcome=outcome,
        longrepr=longrepr,
        when=when,
        sections=(),
        duration=max(0.0, stopped - started),
        start=started,
        stop=stopped,
        user_properties=properties,
        **extra,
    )
