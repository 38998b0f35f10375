"""How often the next run will ask each case: what this run's baseline shows is its pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.trials import Pilot, pilot_of, trials_after
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement
from relgate.usecases.measuring.trials_pilot import is_away, trial_of
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.trials import TrialPlan


def next_trials(prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]) -> TrialPlan:
    """The trials of the next run, so that its price is that of the calls that it will make.

    Args:
        prepared: this run.
        measured: everything measured.
    """
    numbers = {}
    for plan in prepared.plans:
        found = _pilot(plan, measured) if prepared.trials.is_settled(plan.suite) else None
        if found is not None:
            numbers[plan.suite.name] = trials_after(found, plan.suite, plan.metrics, prepared.next_alpha)
    return prepared.trials.settled_anew(numbers)


def _pilot(plan: SuitePlan, measured: Mapping[CaseKey, Sequence[Measurement]]) -> Pilot | None:
    pairs = []
    for case in plan.suite.cases:
        trials = {
            row.trial: row
            for row in measured.get((plan.suite.name, case.id), ())
            if row.side == "baseline" and not (row.confirmation or row.stored or is_away(row))
        }
        if {0, 1} <= trials.keys():
            pairs.append((trial_of(trials[0]), trial_of(trials[1])))
    return pilot_of(pairs, plan.metrics)
