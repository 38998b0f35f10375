"""What the next run of these suites would cost, from the plan and the calls of this run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from relgate.decision.planning.feasibility import planned_cases
from relgate.decision.planning.next_step import Calls, SuitePrice
from relgate.domain.case import Case, CaseKey
from relgate.domain.response import Measurement, Response, Side
from relgate.usecases.judging.next_trials import next_trials
from relgate.usecases.measuring.measured_cases import long_of
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.traffic import sampled


def case_prices(
    prepared: Prepared,
    measured: Mapping[CaseKey, Sequence[Measurement]],
    judge_usd: float | None = None,
) -> dict[str, SuitePrice]:
    """Calls of every suite in the next run, of one more case and of one more trial, and the mean cost of the
    calls made.

    Args:
        prepared: the run.
        measured: everything measured.
        judge_usd: mean dollars of a call to a judge; None where it is not known.
    """
    later = replace(prepared, trials=next_trials(prepared, measured))
    return {plan.suite.name: _Priced(later, plan).price(measured, judge_usd) for plan in prepared.plans}


def judge_calls(prepared: Prepared, selected: Collection[CaseKey]) -> int:
    """The most calls to judges that these cases need in this run.

    Args:
        prepared: the run.
        selected: suite and id of each.
    """
    return sum(
        priced.present(case).judged
        for plan in prepared.plans
        if (priced := _Priced(prepared, plan)).judged
        for case in plan.suite.all_cases
        if (plan.suite.name, case.id) in selected
    )


class _Priced:
    """The calls of one suite; a recording is asked nothing, but its answers may be judged.

    Attributes:
        judged: whether a model judges any of its answers.
    """

    def __init__(self, prepared: Prepared, plan: SuitePlan) -> None:
        self._prepared, self._plan = prepared, plan
        self._hops = len(plan.hops) or 1
        self._recorded = prepared.candidate.application.kind == "recording"
        scorers = [plan.regression_scorer, *(s for side in plan.scorers.values() for s in side)]
        self.judged = any(scorer.asked is not None for scorer in scorers)

    @property
    def asks_nobody(self) -> bool:
        """Whether neither the application nor a judge is called for any case."""
        return self._recorded and not self.judged

    def price(self, measured: Mapping[CaseKey, Sequence[Measurement]], judge_usd: float | None) -> SuitePrice:
        """The suite's price."""
        suite, prepared = self._plan.suite, self._prepared
        present, trial = self._present_and_trial() if not self.asks_nobody else (Calls(), Calls())
        lines = sum(plan.suite.name == suite.name for plan, _ in sampled(prepared).values())
        line = Calls(0 if self._recorded else len(prepared.sides))
        return SuitePrice(
            present=present,
            case=self._further(suite.cases),
            case_of={
                gate.spec.metric: self._further(planned_cases(gate, suite))
                for gate in self._plan.gates
                if suite.kind == "safety"
            },
            trial=trial,
            traffic=line * lines,
            line=line,
            usd=_usd_per_call(self._plan, measured),
            judge_usd=judge_usd,
        )

    def _present_and_trial(self) -> tuple[Calls, Calls]:
        """All cases of this run with all their trials, and with one."""
        prepared, plan = self._prepared, self._plan
        cases, once = plan.suite.all_cases, dict.fromkeys(prepared.sides, 1)
        if self.judged:
            present = sum((self.present(case) for case in cases), Calls())
            return present, sum((self._calls(case, once) for case in cases), Calls())
        made = sum(prepared.calls_of(plan, case) for case in cases)
        return Calls(made), Calls(len(cases) * len(prepared.sides) * self._hops)

    def present(self, case: Case) -> Calls:
        """One case of this run with all its trials."""
        prepared, suite = self._prepared, self._plan.suite
        asked = {side: len(prepared.trials_of(side, suite, case)) for side in prepared.sides}
        made = 0 if self._recorded else prepared.calls_of(self._plan, case)
        return Calls(made, self._calls(case, asked).judged)

    def _further(self, like: Iterable[Case]) -> Calls:
        """One more case like the dearest of these."""
        if self.asks_nobody:
            return Calls()
        prepared, suite = self._prepared, self._plan.suite
        stored = prepared.stored_baseline
        alone = suite.name in prepared.untouched.claimed or (stored is not None and not stored.run.callable)
        sides: tuple[Side, ...] = ("candidate",) if alone else prepared.sides
        counted = ((len(prepared.trials.trials("candidate", suite, case)), case) for case in like)
        asked = counted if self.judged else dict(counted).items()  # the same for cases asked as often
        found = [self._calls(case, dict.fromkeys(sides, count)) for count, case in asked]
        return max(found, key=lambda calls: calls.made + calls.judged, default=Calls())

    def _calls(self, case: Case, trials: Mapping[Side, int]) -> Calls:
        """Calls of one case with so many trials a side; a judge of pairs is asked in both orders."""
        judged = 0
        for side, asked in trials.items() if self.judged else ():
            judges = [s.asked for s in self._plan.scorers_of(side, case) if s.asked is not None]
            judged += asked * sum(judge.judge is not None for judge in judges)
            if side == "candidate" and self._prepared.baseline is not None:
                judged += 2 * asked * sum(judge.prefer is not None for judge in judges)
        made = 0 if self._recorded else sum(trials.values())
        return Calls(made, judged) * self._hops


def _usd_per_call(plan: SuitePlan, measured: Mapping[CaseKey, Sequence[Measurement]]) -> float | None:
    long = long_of(measured, plan.suite.name)
    if long is not None:
        costs = [usd for side in long.sides for usd in long.costs(side)]
        return sum(costs) / len(costs) if costs else None
    costs = [
        row.outcome.cost_usd
        for case in plan.suite.cases
        for row in measured.get((plan.suite.name, case.id), ())
        if isinstance(row.outcome, Response) and row.outcome.cost_usd is not None and not row.stored
    ]
    return sum(costs) / len(costs) if costs else None
