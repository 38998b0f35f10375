"""The traffic samples of a run: which are asked, and what became of them (verdict.md 4, ``unchanged``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.unchanged import Unchanged, count_changes
from relgate.domain.case import Case, CaseKey
from relgate.domain.response import Measurement
from relgate.usecases.preparing.plan_suite import SuitePlan, traffic_key
from relgate.usecases.preparing.prepare import Prepared


def sampled(prepared: Prepared) -> dict[CaseKey, tuple[SuitePlan, Case]]:
    """Every sampled input that both releases are asked once in a run of all cases, by its key.

    None where nothing is compared live: without a baseline, against stored scores, in a screen; and none of
    a suite that nothing changed can reach.
    """
    if prepared.baseline is None or prepared.stored_baseline is not None or prepared.screen:
        return {}
    return {
        traffic_key(plan.suite.name, case.id): (plan, case)
        for plan in prepared.plans
        if plan.suite.name not in prepared.untouched.claimed
        for case in plan.suite.traffic
    }


def changes_found(
    prepared: Prepared, answers: Mapping[CaseKey, Sequence[Measurement]]
) -> tuple[Unchanged, ...]:
    """What changed in each suite's sample, of those that were asked.

    Args:
        prepared: the run.
        answers: both sides' calls by the key of the sampled input.
    """
    return tuple(
        count_changes(
            plan.suite,
            {case.id: answers.get(traffic_key(plan.suite.name, case.id), ()) for case in plan.suite.traffic},
        )
        for plan in prepared.plans
        if any(traffic_key(plan.suite.name, case.id) in answers for case in plan.suite.traffic)
    )
