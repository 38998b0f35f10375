"""What is said before the first call: releases, calls, and whether each gate can pass at this n."""

from __future__ import annotations

from collections.abc import Sequence

from relgate.domain.case_set import CaseSet
from relgate.files.reading import shown
from relgate.render.commands import next_step
from relgate.usecases.judging.case_prices import judge_calls
from relgate.usecases.preparing.estimate import estimate
from relgate.usecases.run_release import ReleaseRun

PILOT = "; 1, 3 or 5 once its first cases tell how often answers change, and more or fewer calls with it"


def _once(kinds: Sequence[str]) -> str:
    return f", {' and '.join(kinds)} cases once" if kinds else ""


def plan_lines(run: ReleaseRun, selected: CaseSet, *, brief: bool) -> list[str]:
    """The plan in a few lines; ``brief`` leaves the gates out that can pass."""
    prepared = run.prepared
    against = f"against {prepared.baseline.label}" if prepared.baseline else "without a baseline"
    whole = len(selected) == sum(len(s.all_cases) for s in prepared.suites)
    settled = run.settled if whole else None
    lines = [f"relgate: {prepared.candidate.label} {against}"]
    if settled is not None:
        return [*lines, f"  {settled}; no call is made"]
    calls = run.planned_calls(selected)
    chosen = {name for name, _ in selected.short} | selected.long.keys()
    counted = f"{_count(len(selected), 'case')} in {_count(len(chosen), 'suite')}"
    lines.append(f"  {counted}, {_answered_by(run, selected, calls)}")
    if run.options.replay is None:
        lines += _costs(run, selected, calls)
    if calls:
        plans = [plan for plan in prepared.plans if plan.suite.name in chosen]
        lines += [
            f"  {plan.suite.name}: {count} trials a case{_once(prepared.trials.asked_once(plan.suite))}"
            f"{PILOT * prepared.trials.wants_pilot(plan.suite)}"
            for plan in plans
            if (count := prepared.trials_at_most(plan)) > 1
        ]
    if whole:
        lines += [
            f"  {plan.suite.name}: {_count(len(plan.suite.traffic), 'sampled input')} to compare outputs on"
            for plan in prepared.plans
            if plan.suite.traffic
        ]
    lines += [f"  note: {note}" for note in prepared.notes_of(attempt=whole and not prepared.left_out)]
    lines += [f"  ! {changed}" for changed in run.changed_judges]
    if whole and not prepared.screen:
        label = prepared.candidate.label
        lines += [
            f"  ! holds, whatever it shows: {reason}; {next_step(step, 'RUN', None, label)}"
            for reason, step in prepared.holds
        ]
    defaults = [s.name for s in prepared.suites if s.default_policy]
    if defaults:
        lines.append(f"  gates filled in from the default policy: {', '.join(defaults)}")
    if not whole:
        return [
            *lines,
            "  only a part of the cases: incomplete suites are not judged, nothing is promoted",
        ]
    for one in prepared.feasibility:
        if brief and one.can_pass:
            continue
        mark = " " if one.can_pass or one.role != "require" else "!"
        lines.append(f"  {mark} {one.gate.removeprefix('gates::')} ({one.role}) {one.text}")
    lines += [
        f"    {suite.name}[regressions:zero] (require) n = {len(suite.regressions)}: none may come back"
        for suite in prepared.suites
        if suite.regressions and not brief
    ]
    return lines


def _answered_by(run: ReleaseRun, selected: CaseSet, calls: int) -> str:
    """Where the answers come from."""
    if not calls:
        return "read from recordings"
    if run.options.replay is not None:
        return f"{_count(calls, 'answer')} taken from {shown(run.options.replay)}; nobody is called"
    return _count(calls, "call") + " to both releases" * run.prepared.baseline_is_asked(selected)


def _costs(run: ReleaseRun, selected: CaseSet, calls: int) -> list[str]:
    """What the calls to judges and to the releases will cost."""
    lines = []
    if judged := judge_calls(run.prepared, selected):
        lines.append(f"  at most {_count(judged, 'call')} to judges")
    if calls and (cost := estimate(run.prepared, run.registry, selected)) is not None:
        lines.append(f"  {cost}")
    if calls and run.options.reuse == "always":
        lines.append("  fewer as answers are kept from before: --reuse always takes these first")
    return lines


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
