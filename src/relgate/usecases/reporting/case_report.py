"""What is told of one case as soon as it is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from relgate.decision.long_suites.column_outcomes import OUTCOMES
from relgate.decision.outcomes import (
    CaseOutcome,
    case_outcome,
    critical_misses,
    hit_metrics,
    outcome_of_calls,
)
from relgate.decision.sealing import HIDDEN
from relgate.domain.case import Case, CaseKey, Suite
from relgate.domain.long_cases import LongCases, Numbers, held_cases
from relgate.domain.response import Failure, Measurement, ScorerFailure
from relgate.late import np
from relgate.usecases.judging.judge_run import arrange_suite
from relgate.usecases.measuring.case_failure import case_failure
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.report import CaseReport

_SILENT: tuple[CaseOutcome, ...] = ("hit", "fixed")
"""What becomes of a case that nothing more is told of."""


class CaseReporter:
    """Tells of the cases of one run.

    Args:
        plans: its suites.
        sealed: cases of which nothing is told.
        paired: whether there is a baseline.
    """

    def __init__(self, plans: Collection[SuitePlan], sealed: Collection[CaseKey], *, paired: bool) -> None:
        self._sealed = sealed
        self._paired = paired
        self._plans = {plan.suite.name: plan for plan in plans}
        self._cases = {(p.suite.name, case.id): case for p in plans for case in held_cases(p.suite)}
        self._hit_metrics = {plan.suite.name: hit_metrics(plan.metrics) for plan in plans}
        self._forbidding = {plan.suite.name for plan in plans if _forbids(plan)}

    def report(self, key: CaseKey, rows: tuple[Measurement, ...], redact: Callable[[str], str]) -> CaseReport:
        """The report of one case.

        Args:
            key: suite and id.
            rows: every call of the case.
            redact: applied to every text.
        """
        if key in self._sealed:
            return CaseReport(HIDDEN, {}, 0, failure="", message="counted in its gates only")
        plan = self._plans[key[0]]
        case = self._cases[key] if key in self._cases else _read(plan.suite, key[1])
        mine = [row for row in rows if row.side == "candidate" and not row.confirmation]
        why = [row.outcome.message for row in mine if isinstance(row.outcome, Failure)][:1]
        failure, missed = "", ""
        if self._may_fail_by_itself(plan, case):
            alone = replace(
                plan.suite, cases=() if case.regression else (case,), regressions=(case,) * case.regression
            )
            data = arrange_suite(replace(plan, suite=alone), rows, paired=self._paired)
            outcome = case_outcome(data, case)
            missed = next((miss.message for miss in critical_misses(data)), "")
            failure = case_failure(plan, data, case)
        else:
            metrics = self._hit_metrics[plan.suite.name]
            outcome = outcome_of_calls(rows, metrics, plan.hops, paired=self._paired)
        return CaseReport(
            outcome,
            _mean_scores(mine),
            len(mine),
            failure=redact("; ".join([failure, *why])) if failure else "",
            message=redact("; ".join([*([missed] if missed else []), *why])) if missed or why else "",
        )

    def long_reports(
        self,
        long: LongSuite,
        cases: LongCases,
        wait: Callable[[int], None],
        redact: Callable[[str], str],
        quiet: Counter[str] | None = None,
    ) -> Iterator[tuple[str, CaseReport]]:
        """Id and report of some cases of a long suite, one after another.

        Args:
            long: the suite as it is measured.
            cases: the cases.
            wait: returns once the case with this number is measured.
            redact: applied to every text.
            quiet: where it is given, counts the cases of which nothing more is to be told than that they are
                a hit or fixed; they are left out.

        Raises:
            EngineError: the engine ended before one was measured.
        """
        if quiet is not None:
            cases = self._notable(long, cases, wait, quiet)
        plain = {name: CaseReport(name, {}, 0, failure="", message="") for name in OUTCOMES}
        looked_at = set(self._told_apart(long.plan, cases).tolist())
        for case_id, number in zip(cases.ids, cases.numbers.tolist(), strict=True):
            outcome = long.outcome(number)
            if outcome is None:
                wait(number)
                outcome = long.outcome(number)
            if outcome is None or outcome == "failed" or number in looked_at:
                yield case_id, self.report((long.plan.suite.name, case_id), long.rows(number), redact)
            else:
                yield case_id, plain[outcome]

    def _notable(
        self, long: LongSuite, cases: LongCases, wait: Callable[[int], None], quiet: Counter[str]
    ) -> LongCases:
        """The cases that ``quiet`` does not count."""
        waiting = cases.numbers
        while (waiting := waiting[long.codes(waiting) == len(OUTCOMES)]).size:
            wait(int(waiting[0]))
            waiting = waiting[1:]
        codes = long.codes(cases.numbers)
        loud = np.ones(len(cases), np.bool_)
        for name in _SILENT:
            loud[codes == OUTCOMES.index(name)] = False
        loud[np.searchsorted(cases.numbers, self._told_apart(long.plan, cases))] = True
        for name in _SILENT:
            quiet[name] += int(np.count_nonzero(codes[~loud] == OUTCOMES.index(name)))
        return cases.numbered(cases.numbers[loud])

    def _told_apart(self, plan: SuitePlan, cases: LongCases) -> Numbers:
        """Numbers of the cases of which more is to be told than what became of them."""
        return cases.numbers if plan.suite.name in self._forbidding else cases.critical.numbers

    def _may_fail_by_itself(self, plan: SuitePlan, case: Case) -> bool:
        return case.critical is not False or case.regression or plan.suite.name in self._forbidding


def _read(suite: Suite, case_id: str) -> Case:
    assert isinstance(suite.cases, LongCases)
    return suite.cases[suite.cases.find(case_id)]


def _forbids(plan: SuitePlan) -> bool:
    return any(gate.spec.form == "violations" for gate in plan.gates)


def _mean_scores(rows: list[Measurement]) -> dict[str, float]:
    if len(rows) == 1:
        single = [score for score in rows[0].scores if not isinstance(score, ScorerFailure)]
        means = {score.metric: 0.0 + score.value for score in single}  # as a sum is: never -0.0
        if len(means) == len(single):
            return means
    values: dict[str, list[float]] = {}
    for row in rows:
        for score in row.scores:
            if not isinstance(score, ScorerFailure):
                values.setdefault(score.metric, []).append(score.value)
    return {name: sum(found) / len(found) for name, found in values.items()}
