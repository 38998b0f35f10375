"""Early stop of a live run: takes the looks as cases complete, and says which calls are not needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from relgate.decision.early_stop.look_plan import plan_looks, reject_weights
from relgate.decision.early_stop.looks import decide_look
from relgate.decision.early_stop.sequential import Looked
from relgate.decision.measurements import SuiteData, arrange
from relgate.domain.case import Case, CaseKey
from relgate.domain.gate import GateLook
from relgate.domain.response import Measurement
from relgate.usecases.measuring.case_failure import case_failure
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.plan_suite import SuitePlan, in_order_of_calls
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.traffic import sampled

Rows = Sequence[Measurement]


class EarlyStop:
    """Watches a run (``engine.executor.Watcher``).

    Only a run in which a suite is large enough for looks is watched: a smaller one runs whole.

    Args:
        prepared: the run.
        seed: of the order of the cases.
    """

    def __init__(self, prepared: Prepared, *, seed: int) -> None:
        self._paired = prepared.baseline is not None
        self._stored = prepared.stored_baseline
        self._suites = {plan.suite.name: plan for plan in in_order_of_calls(prepared.plans)}
        self._cases = {(s.name, case.id): case for s in prepared.suites for case in s.all_cases}
        weights = reject_weights([gate for plan in prepared.plans for gate in plan.gates])
        planned = {
            name: plan_looks(plan.suite, plan.gates, alpha=prepared.alpha, weights=weights, seed=seed)
            for name, plan in self._suites.items()
            if name not in prepared.untouched.claimed  # its baseline is asked too little for a look
        }
        self._plans = {name: plan for name, plan in planned.items() if plan is not None}
        self._sealed = prepared.sealed
        self._sampled = frozenset(sampled(prepared))
        self._results: dict[CaseKey, Rows] = {}
        self._complete = dict.fromkeys(self._plans, 0)
        self._looked = dict.fromkeys(self._plans, 0)
        self._looks: dict[str, tuple[GateLook, ...]] = dict.fromkeys(self._plans, ())
        self._enough: dict[str, str] = {}
        self._ended = ""

    @property
    def watches(self) -> bool:
        """Whether any suite is looked at."""
        return bool(self._plans)

    @property
    def tasks(self) -> list[CaseKey]:
        """Every case in the order of the calls: suite by suite, in the seeded order where it is looked at."""
        return [(name, case_id) for name, plan in self._suites.items() for case_id in self._order(name, plan)]

    def _order(self, name: str, plan: SuitePlan) -> tuple[str, ...]:
        looks = self._plans.get(name)
        if looks is None:
            return tuple(case.id for case in plan.suite.all_cases)
        return (*looks.order, *(case.id for case in plan.suite.regressions))

    def completed(self, key: CaseKey, result: Rows) -> bool:
        """Note a case with all its trials on both sides; whether a look is due."""
        if key not in self._cases:  # a sampled input: it belongs to no look
            return False
        self._results[key] = result
        plan, case = self._suites[key[0]], self._cases[key]
        if key in self._sealed:
            return False
        if not self._ended and (failure := case_failure(plan, self._alone(plan, case, result), case)):
            self._ended = f"{key[0]}: {failure}"
            return True
        if key[0] not in self._plans or key[0] in self._enough or self._ended:
            return False
        order, at = self._plans[key[0]].order, self._complete[key[0]]
        while at < len(order) and (key[0], order[at]) in self._results:
            at += 1
        self._complete[key[0]] = at
        return self._due(key[0]) is not None

    def _due(self, name: str) -> tuple[int, int] | None:
        """The latest look that is due: its number and how many cases it takes."""
        due = [
            (look, end)
            for look, end in self._plans[name].ends
            if self._looked[name] < look and end <= self._complete[name]
        ]
        return due[-1] if due else None

    def look(self) -> frozenset[CaseKey]:
        """Take every look that is due; the cases that need not be called any more."""
        for name, plan in self._plans.items():
            due = None if self._ended or name in self._enough else self._due(name)
            if due is None:
                continue
            number, end = due
            self._looked[name] = number
            data = self._first(name, end)
            decision = decide_look(plan, self._looks[name], data, look=number, ran=end)
            self._looks[name] = decision.looks
            if decision.rejects:
                self._ended = decision.reason
            elif decision.enough:
                self._enough[name] = decision.reason
        if self._ended:
            return frozenset(self._cases) | self._sampled
        return frozenset(
            (name, case_id)
            for name in self._enough
            for case_id in self._plans[name].order
            if case_id not in self._plans[name].must_run
        )

    def _first(self, name: str, end: int) -> SuiteData:
        """The first cases of the order, arranged; those that finished beyond them count in the next look."""
        plan = self._suites[name]
        chosen = set(self._plans[name].order[:end])
        suite = replace(
            plan.suite, cases=tuple(c for c in plan.suite.cases if c.id in chosen), regressions=()
        )
        rows = [row for case in suite.cases for row in self._results[name, case.id]]
        data = arrange(suite, plan.metrics, rows, hops=plan.hops, paired=self._paired)
        return data if self._stored is None else replace(data, unpaired=self._stored.unpaired(suite))

    def _alone(self, plan: SuitePlan, case: Case, rows: Rows) -> SuiteData:
        alone = replace(
            plan.suite, cases=() if case.regression else (case,), regressions=(case,) * case.regression
        )
        return arrange(alone, plan.metrics, rows, hops=plan.hops, paired=self._paired)

    @property
    def looked(self) -> Looked:
        """What was looked at so far, for the judgement."""
        return Looked(self._plans, dict(self._looks), dict(self._enough), self._ended)

    @property
    def gates_passed(self) -> tuple[int, int]:
        """Required gates that a look has passed, and those that are looked at; a guard can only fail."""
        passed = {one.gate for looks in self._looks.values() for one in looks if one.passes}
        required = {
            each.gate.id
            for plan in self._plans.values()
            for each in plan.gates
            if each.gate.spec.role == "require"
        }
        return len(passed & required), len(required)

    def spares(self, key: CaseKey) -> bool:
        """Whether a case that was not called was not needed."""
        return bool(self._ended) or key[0] in self._enough

    def why_not(self, suite: str) -> str:
        """Why a case of this suite was not called."""
        return f"early stop: {self._ended or self._enough.get(suite, '')}"

    def notes(self, measured: Collection[CaseKey]) -> list[str]:
        """One line per reason: how many cases of which suites were not called."""
        spared: dict[str, list[str]] = {}
        for name, plan in self._suites.items():
            total = len(plan.suite.all_cases)
            ran = sum((name, case.id) in measured for case in plan.suite.all_cases)
            why = self._ended or self._enough.get(name, "")
            if ran < total and why:
                spared.setdefault(why, []).append(f"{total - ran} of {total} cases of {name}")
        return [f"early stop: {', '.join(suites)} not needed: {why}" for why, suites in spared.items()]


def early_stop_of(prepared: Prepared, options: RunOptions, *, whole: bool) -> EarlyStop | None:
    """What may end the calls early, None where nothing may.

    Never those of a part of the cases, a screen or a recording; nor where scores from elsewhere are judged
    with them (a stored baseline that is probed, pooled runs), of which looks know nothing.

    Args:
        prepared: the run.
        options: what was asked for.
        whole: whether every case was selected.
    """
    recorded = any(rows is not None for rows in prepared.rows.values())
    probed = prepared.stored_baseline is not None and bool(prepared.stored_baseline.probes)
    if options.full or options.screen or recorded or probed or prepared.pooled.rows:
        return None
    if prepared.left_out or not whole:
        return None
    early = EarlyStop(prepared, seed=options.seed)
    return early if early.watches else None
