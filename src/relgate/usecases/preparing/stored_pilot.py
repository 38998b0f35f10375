"""The pilot of ``trials: auto`` from stored runs: the baseline compared with itself, without a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from relgate.decision.measurements import Trial
from relgate.decision.trials import PILOT_CASES, Pilot, pilot_of, trials_after
from relgate.decision.wording import count
from relgate.domain.case import Suite
from relgate.domain.kept import AskedTrials
from relgate.domain.metric import Metric
from relgate.domain.release import Release
from relgate.domain.run import MeasurementRow, ReleaseRow
from relgate.store import Registry
from relgate.usecases.preparing.trials import TrialPlan

_RUNS_LOOKED_AT = 3
"""Stored runs of the baseline that asked cases more than once and are read, newest first."""

_RUNS_SEARCHED = 500
"""The newest runs among which these are looked for."""


class Piloted(Protocol):
    """A suite with every metric that its scorers report."""

    @property
    def suite(self) -> Suite:
        """The suite."""

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Its metrics by name."""


def settle_from_registry(
    trials: TrialPlan,
    plans: Sequence[Piloted],
    baseline: Release | ReleaseRow,
    registry: Registry,
    alpha: float,
) -> None:
    """Settle what whole stored runs of the baseline can: 40 cases or more with two trials each."""
    wanting = [plan for plan in plans if trials.wants_pilot(plan.suite)]
    if not wanting:
        return
    sides = [
        (run.id, "candidate" if run.release.digest == baseline.digest else "baseline")
        for run in registry.runs(release=baseline.name)
        # a part of a run is gone on with: its answers must not change how often the rest is asked
        if not run.partial
        and baseline.digest in (run.release.digest, run.baseline.digest if run.baseline else "")
    ]
    repeating = registry.repeating_runs(
        [run_id for run_id, _ in sides[:_RUNS_SEARCHED]], [plan.suite.name for plan in wanting]
    )
    read = [(run_id, side) for run_id, side in sides if run_id in repeating]
    for run_id, side in read[:_RUNS_LOOKED_AT]:
        rows = [row for row in registry.measurements(run_id) if row.side == side and not row.confirmation]
        for plan in wanting:
            found = _stored_pilot(plan, rows) if trials.wants_pilot(plan.suite) else None
            if found is not None:
                number = trials_after(found, plan.suite, plan.metrics, alpha)
                trials.settle(plan.suite, number, pilot_note(plan, number, found, f"in run {run_id}"))
                trials.flip_rates[plan.suite.name] = found.upper_rate


def settle_as_replayed(trials: TrialPlan, suites: Iterable[Suite], asked: AskedTrials) -> None:
    """Ask cases as often as the run did whose answers are replayed; stored runs here may know otherwise."""
    for suite in suites:
        if (number := asked.suites.get(suite.name)) is not None and trials.wants_pilot(suite):
            note = f"{suite.name}: {count(number, 'trial')}, as in the run whose answers are replayed"
            trials.settle(suite, number, note)
        if (rate := asked.flip_rates.get(suite.name)) is not None:
            trials.flip_rates[suite.name] = rate


def _stored_pilot(plan: Piloted, rows: Sequence[MeasurementRow]) -> Pilot | None:
    own = {case.id for case in plan.suite.cases}
    found: dict[str, dict[int, Trial]] = {}
    for row in rows:
        if row.suite == plan.suite.name and row.case_id in own and row.outcome in ("response", "application"):
            trial = Trial(
                {name: value for name, value in row.scores.items() if value is not None},
                frozenset(name for name, value in row.scores.items() if value is None),
            )
            found.setdefault(row.case_id, {})[row.trial] = trial
    return pilot_of(((seen[0], seen[1]) for seen in found.values() if {0, 1} <= seen.keys()), plan.metrics)


def pilot_note(plan: Piloted, number: int, found: Pilot | None, where: str = "") -> str:
    """How many trials a suite takes after its pilot, and what that rests on."""
    asked = f"{plan.suite.name}: {count(number, 'trial')}"
    if found is None:
        return f"{asked}: the pilot could not be judged on all of its {PILOT_CASES} cases"
    place = f" {where}" if where else ""
    why = "; the suite has cases enough for one" if number == 1 and not found.is_calm else ""
    return f"{asked}: the pilot's flip rate was {found.rate:.2f} ({count(found.cases, 'case')}{place}){why}"
