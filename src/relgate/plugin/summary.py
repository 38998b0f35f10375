"""The scorecard in pytest's terminal summary, verdict first."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest

from relgate.plugin.options import setting, source_of
from relgate.render.terminal import render_terminal
from relgate.usecases.report import Report

COLORS: Mapping[str, str] = {"promote": "green", "hold": "yellow", "reject": "red"}


def summary_lines(report: Report, config: pytest.Config, *, failures: int = 0) -> list[str]:
    """What the terminal will show; made inside the loop, where an error still is an error of the run.

    Args:
        report: the finished run.
        config: pytest's.
        failures: cases that failed by themselves, which pytest counts apart from their outcome.
    """
    name = report.files[0].name if report.files else "`relgate show`"
    lines = render_terminal(report.scorecard, report=name, registry=_named_registry(config)).splitlines()
    if getattr(config.option, "verbose", 0) < -1:  # defined by pytest's terminal plugin
        return lines[:1]
    if report.stored:
        run = report.scorecard.run.id
        lines.insert(1, f"judged before: this is the stored verdict of run {run}; no call was made")
        if idle := [f"--{name}" for name in ("record", "full", "reuse") if _given(config, name)]:
            lines.insert(2, f"{', '.join(idle)}: without effect, for nothing that is judged has changed")
    if failures:
        lines.append(f"cases that pytest counts as failed, whatever their outcome above: {failures}")
    shown = [os.path.relpath(path, config.invocation_params.dir) for path in report.files]
    lines += [f"reports: {', '.join(shown)}"] if shown else []
    lines += [f"warning: {problem}" for problem in report.unwritten]
    if report.decision == "hold" and not report.scorecard.verdict.clear and setting(config, "advisory"):
        lines.append("advisory: a hold exits 0 in this run")
    return lines


def _given(config: pytest.Config, name: str) -> bool:
    return bool(setting(config, name)) and source_of(config, name) == "option"


def _named_registry(config: pytest.Config) -> str:
    """The registry's file as it was named on the command line; a URL may hold a password."""
    named = str(setting(config, "registry")) if source_of(config, "registry") == "option" else ""
    return "" if "://" in named else named


def write_summary(
    terminal: Any, report: Report | None, lines: list[str], kept: str, why_none: str = ""
) -> None:
    """Write the section; a run without a verdict says so, and what became of its answers.

    Args:
        terminal: pytest's reporter.
        report: the finished run, None where it has no verdict.
        lines: what a verdict is shown with.
        kept: what became of the answers of a run without one.
        why_none: why no case was selected, "" where one was.
    """
    if report is None or not lines:
        terminal.section("relgate")
        terminal.write_line(f"no verdict: {why_none or 'the run did not finish, or measured nothing'}")
        if kept:
            terminal.write_line(kept)
        return
    color = {COLORS["promote" if report.scorecard.verdict.clear else report.decision]: True}
    if (
        any(terminal.stats.get(kind) for kind in ("failed", "error"))
        and terminal.config.option.tbstyle != "no"
    ):
        terminal.write_line("")  # pytest leaves one before its summary, but none after its failures
    terminal.section("relgate", **color)
    terminal.write_line(lines[0], bold=True, **color)
    for line in lines[1:]:
        terminal.write_line(line)
