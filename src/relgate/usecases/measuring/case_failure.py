"""Why one case fails by itself, before any gate is judged: what no number of other cases outweighs."""

from __future__ import annotations

from relgate.decision.measurements import SuiteData
from relgate.decision.outcomes import critical_misses
from relgate.decision.regressions import judge_regressions
from relgate.decision.sample_drawing import violating_units
from relgate.domain.case import Case
from relgate.usecases.preparing.plan_suite import SuitePlan


def case_failure(plan: SuitePlan, alone: SuiteData, case: Case) -> str:
    """One sentence, "" where the case fails nothing by itself (design 1).

    A confirmed critical miss, a regression case that came back, and a violation where a gate allows none.

    Args:
        plan: the case's suite made ready.
        alone: what was measured of a suite that holds only this case.
        case: the case.
    """
    critical = [miss.message for miss in critical_misses(alone) if miss.confirmed]
    return "; ".join([*critical, *_came_back(alone, case), *_violated(plan, alone, case)])


def _came_back(alone: SuiteData, case: Case) -> list[str]:
    judged = judge_regressions(alone)
    came_back = judged is not None and judged.result == "fail"
    return [f"regression case {case.id} came back"] if came_back else []


def _violated(plan: SuitePlan, alone: SuiteData, case: Case) -> list[str]:
    if case.regression:
        return []  # enters no gate but its own
    names = [
        gate.spec.metric
        for gate in plan.gates
        if gate.spec.form == "violations"
        and gate.spec.role != "report"
        and violating_units(
            alone,
            gate.spec.metric,
            only=gate.only,
            hops=alone.hop_keys if gate.hop is None else (gate.hop,),
        )
    ]
    return [f"{case.id}: {name}, and the suite allows none" for name in dict.fromkeys(names)]
