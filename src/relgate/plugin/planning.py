"""What is said before the first call: releases, calls, and whether each gate can pass at this n."""

from __future__ import annotations

from collections.abc import Collection

from relgate.usecases.plan_suite import SuitePlan
from relgate.usecases.prepare import Prepared
from relgate.usecases.run_release import ReleaseRun


def plan_lines(run: ReleaseRun, selected: Collection[tuple[str, str]], *, brief: bool) -> list[str]:
    """The plan in a few lines; ``brief`` leaves the gates out that can pass."""
    prepared = run.prepared
    against = f"against {prepared.baseline.label}" if prepared.baseline else "without a baseline"
    whole = len(selected) == sum(len(s.all_cases) for s in prepared.suites)
    settled = run.settled if whole else None
    lines = [f"relgate: {prepared.candidate.label} {against}"]
    if settled is not None:
        return [*lines, f"  {settled}; no call is made"]
    calls = run.planned_calls(selected)
    measured = f"{calls} calls to both releases" if calls and prepared.baseline else f"{calls} calls"
    lines.append(
        f"  {len(selected)} cases in {_suites(prepared)}, {measured if calls else 'read from recordings'}"
    )
    if calls:
        trials = {plan.suite.name: _trials(prepared, plan) for plan in prepared.plans}
        lines += [f"  {name}: {count} trials a case" for name, count in trials.items() if count > 1]
    lines += [f"  note: {note}" for note in prepared.notes]
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


def _suites(prepared: Prepared) -> str:
    count = len(prepared.plans)
    return "1 suite" if count == 1 else f"{count} suites"


def _trials(prepared: Prepared, plan: SuitePlan) -> int:
    return max(len(prepared.trials.trials("candidate", plan.suite, case)) for case in plan.suite.cases)
