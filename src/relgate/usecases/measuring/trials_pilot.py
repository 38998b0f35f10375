"""The pilot of ``trials: auto``: the baseline compared with itself, by 80 calls where no stored run tells."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection, Sequence

from relgate.decision.measurements import Trial
from relgate.decision.trials import DEFAULT_TRIALS, PILOT_CASES, pilot_of, trials_after
from relgate.domain.case import Case
from relgate.domain.response import Failure, Measurement, ScorerFailure
from relgate.usecases.measuring.shared_work import SharedWork
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.stored_pilot import pilot_note
from relgate.usecases.preparing.trials import TrialPlan

Ask = Callable[[SuitePlan, Case, int], Awaitable[Measurement]]
"""Asks the baseline for one trial of a case."""


class LivePilot:
    """Asks the baseline twice on 40 seeded cases of each suite that no stored run could settle.

    Whoever comes to measure a case of the suite helps, so the run's concurrency holds. The answers are the
    first trials of their cases; nothing is asked again.

    Args:
        trials: what is settled.
        plans: the suites that a pilot may be run for.
        ask: asks the baseline.
        settled: hears suite and trials once they are settled.
        seed: chooses the cases.
        alpha: promote-side alpha of this attempt.
    """

    def __init__(
        self,
        trials: TrialPlan,
        plans: Collection[SuitePlan],
        ask: Ask,
        settled: Callable[[str, int], None],
        *,
        seed: int,
        alpha: float,
    ) -> None:
        self._trials, self._ask, self._settled, self._alpha = trials, ask, settled, alpha
        self._work: dict[str, SharedWork] = {}
        self._rows: dict[str, dict[str, tuple[Measurement, Measurement]]] = {}
        for plan in plans:
            if trials.wants_pilot(plan.suite):
                chosen = random.Random(f"{seed}/pilot/{plan.suite.name}").sample(
                    plan.suite.cases, PILOT_CASES
                )
                self._work[plan.suite.name] = self._work_of(plan, chosen)

    def _work_of(self, plan: SuitePlan, chosen: Sequence[Case]) -> SharedWork:
        rows = self._rows.setdefault(plan.suite.name, {})

        async def ask(case: Case) -> None:
            rows[case.id] = (await self._ask(plan, case, 0), await self._ask(plan, case, 1))

        return SharedWork(chosen, ask, lambda: self._settle(plan))

    async def before(self, plan: SuitePlan) -> None:
        """Run the suite's pilot, or wait for it; at once where there is none or it is over."""
        if work := self._work.get(plan.suite.name):
            await work.help()

    def asked(self, plan: SuitePlan, case: Case, trial: int) -> Measurement | None:
        """The pilot's answer, where it asked for this trial."""
        rows = self._rows.get(plan.suite.name, {}).get(case.id)
        return rows[trial] if rows is not None and trial < len(rows) else None

    def _settle(self, plan: SuitePlan) -> None:
        rows = self._rows[plan.suite.name]
        pairs = [
            (trial_of(first), trial_of(second))
            for first, second in rows.values()
            if not is_away(first) and not is_away(second)
        ]
        found = pilot_of(pairs, plan.metrics)
        number = (
            DEFAULT_TRIALS if found is None else trials_after(found, plan.suite, plan.metrics, self._alpha)
        )
        self._trials.settle(plan.suite, number, pilot_note(plan, number, found), rows)
        self._settled(plan.suite.name, number)


def trial_of(row: Measurement) -> Trial:
    """A call that was answered."""
    return Trial(
        {s.metric: s.value for s in row.scores if not isinstance(s, ScorerFailure)},
        frozenset(s.metric for s in row.scores if isinstance(s, ScorerFailure)),
    )


def is_away(row: Measurement) -> bool:
    """Whether a call gave no answer for another reason than the application's failure."""
    return isinstance(row.outcome, Failure) and row.outcome.kind != "application"
