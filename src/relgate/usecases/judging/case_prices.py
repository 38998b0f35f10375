"""What one more case of each suite would cost, from the calls of this run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.next_step import CasePrice
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement, Response
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared


def case_prices(
    prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> dict[str, CasePrice]:
    """Calls and dollars of a case per suite: the planned trials, and the mean cost of the calls made."""
    recorded = prepared.candidate.application.kind == "recording"
    return {
        plan.suite.name: CasePrice(
            calls=0 if recorded else len(prepared.sides) * (len(plan.hops) or 1),
            trials=prepared.trials_at_most(plan),
            usd=_usd_per_call(plan, measured),
        )
        for plan in prepared.plans
    }


def _usd_per_call(plan: SuitePlan, measured: Mapping[CaseKey, Sequence[Measurement]]) -> float | None:
    costs = [
        row.outcome.cost_usd
        for case in plan.suite.cases
        for row in measured.get((plan.suite.name, case.id), ())
        if isinstance(row.outcome, Response) and row.outcome.cost_usd is not None and not row.stored
    ]
    return sum(costs) / len(costs) if costs else None
