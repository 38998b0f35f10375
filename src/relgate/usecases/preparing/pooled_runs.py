"""Earlier whole runs of the same candidate against the same baseline, to be pooled with this one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relgate.decision.measurements import cases_in_scope
from relgate.decision.outcomes import critical_cases
from relgate.decision.pairing import pair_cases
from relgate.decision.pooling import pooled
from relgate.domain.case import Case, CaseKey, Suite
from relgate.domain.response import Measurement, Side
from relgate.domain.run import MeasurementRow, SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.baseline import Baseline
from relgate.usecases.preparing.case_records import as_scored_then, scored_alike
from relgate.usecases.preparing.own_answers import OwnAnswers, models_of, of_these_models
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.scored_anew import scored_anew
from relgate.usecases.preparing.stored_baseline import measurement_of, stored_of

SIDES: tuple[Side, Side] = ("candidate", "baseline")


@dataclass(frozen=True, slots=True)
class PooledRuns:
    """What earlier runs measured.

    Attributes:
        runs: their ids, newest first.
        rows: per case the calls of each of these runs that asked the same version of it.
        alone: whether the candidate's calls count without the baseline's.
        unpaired: the cases in which they do anyway, for a violation is the candidate's alone.
        recalled: per case the candidate's calls of other runs that count: the verdict stands on it alone.
    """

    runs: tuple[str, ...] = ()
    rows: Mapping[CaseKey, tuple[tuple[Measurement, ...], ...]] = field(default_factory=dict)
    alone: bool = False
    unpaired: frozenset[CaseKey] = frozenset()
    recalled: Mapping[CaseKey, tuple[tuple[Measurement, ...], ...]] = field(default_factory=dict)

    @property
    def remembered(self) -> Mapping[CaseKey, int]:
        """Per case how many calls are recalled: they may be the very answers that were kept, taken once."""
        return {
            key: sum(not row.confirmation for calls in found for row in calls)
            for key, found in self.recalled.items()
        }

    def join(
        self, plans: Sequence[SuitePlan], measured: Mapping[CaseKey, tuple[Measurement, ...]]
    ) -> Mapping[CaseKey, tuple[Measurement, ...]]:
        """This run's calls with those of the earlier ones, but for copies and what another model answered."""
        if not (self.rows or self.recalled):
            return measured
        metrics = {plan.suite.name: plan.metrics for plan in plans}
        present = [row for rows in measured.values() for row in rows]
        own, models = OwnAnswers(present), models_of(present)
        return {
            key: pooled(
                rows,
                [
                    *(of_these_models(own.fresh(calls), models) for calls in self.rows.get(key, ())),
                    *self.recalled.get(key, ()),
                ],
                metrics[key[0]],
                alone=self.alone or key in self.unpaired,
            )
            for key, rows in measured.items()
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """Which runs are pooled; none where there is nothing to."""
        cases = self.rows.keys() | self.recalled.keys()
        if not cases:
            return ()
        named = ", ".join(self.runs)
        return (f"pooled with {named}: what the same candidate answered on {len(cases)} cases before counts",)


def find_pooled(
    registry: Registry,
    runs: Sequence[str],
    others: Sequence[str],
    plans: Sequence[SuitePlan],
    records: tuple[SuiteRecord, ...],
    baseline: Baseline,
) -> PooledRuns:
    """What these runs measured of cases that are still the same.

    Where the baseline is not asked (there is none, its scores are stored, or its answers are recorded), the
    candidate's calls count without its own. A recording stands in this run with all of its answers, so what
    it said in earlier runs is left out: it would say nothing new, or what an older file said.

    Of a case that the verdict stands on alone, what the candidate said counts in any case: a run that ended
    early for it did not ask the baseline any more, one of a part of the cases, or a screen, is no attempt,
    and one against another baseline says nothing of this one. Where such a case is critical or keeps an
    incident from coming back, this is no score, and still says that it missed; of one that a zero-tolerance
    gate judges only that gate's metric counts.

    What scores a suite now scores these answers as well where something else scored them: a case is the same
    by what it asks and expects. A run in which the candidate's application failed in every call says nothing
    of what it answers, and is left out; so are answers that a later run scored again.

    Args:
        registry: where runs are.
        runs: earlier whole runs of the candidate, newest first.
        others: its other runs, newest first: parts of the cases, screens, and those against other baselines.
        plans: the suites.
        records: the suites as they are now.
        baseline: what the candidate is compared with.
    """
    if not (runs or others):
        return PooledRuns()
    release = baseline.release
    recorded = release is not None and release.application.kind == "recording"
    alone = release is None or baseline.stored is not None or recorded
    present = _Present(plans, records)
    tried = _keys(plans, lambda suite: (*critical_cases(suite), *suite.regressions))
    zero = _zero_tolerance(plans)
    rows: dict[CaseKey, list[tuple[Measurement, ...]]] = {}
    own = OwnAnswers()
    recalled: dict[CaseKey, list[tuple[Measurement, ...]]] = {}
    used = []
    for run_id in (*runs, *(others if tried or zero else ())):
        candidate, other = (stored_of(registry, run_id, side, confirming=True) for side in SIDES)
        if candidate.silent:
            continue
        sides = (candidate,) if recorded else (candidate, other)
        held: Collection[CaseKey] = ()
        if run_id not in others:
            held = candidate.calls.keys() if alone else candidate.calls.keys() & other.calls.keys()
        single = candidate.calls.keys() & (tried | zero.keys())
        same = present.same_cases(candidate.suites, {*held, *single})
        otherwise = present.scored_otherwise(candidate.suites)
        judges = _judges(registry, run_id) if otherwise else {}
        told: dict[CaseKey, tuple[Measurement, ...]] = {}
        for key in same:
            asked = sides if key in held else (candidate,)
            calls = [row for stored in asked for row in stored.calls.get(key, ())]
            found = present.measurements(key, calls, run_id)
            if key[0] in otherwise:
                found = present.scored(key, found, None if key in single else judges)
            if key not in held:
                found = _alone(found, None if key in tried else zero[key], confirming=key not in zero)
                recalled.setdefault(key, []).append(tuple(found))
            else:
                told[key] = tuple(found)
        for key, heard in told.items():
            rows.setdefault(key, []).append(own.fresh(heard))
        own.add(row for heard in told.values() for row in heard)
        used += [run_id] if same else []
    kept, others_said = ({key: tuple(found) for key, found in of.items()} for of in (rows, recalled))
    return PooledRuns(tuple(used), kept, alone, frozenset(zero), others_said)


class _Present:
    """The suites of this run, over which what earlier ones measured is laid.

    Args:
        plans: the suites.
        records: the same as the registry keeps them, in the same order.
    """

    def __init__(self, plans: Sequence[SuitePlan], records: tuple[SuiteRecord, ...]) -> None:
        self._plans = {plan.suite.name: plan for plan in plans}
        self._records = records
        self._cases = {(plan.suite.name, case.id): case for plan in plans for case in plan.suite.all_cases}

    def same_cases(self, before: Sequence[SuiteRecord], measured: Collection[CaseKey]) -> frozenset[CaseKey]:
        """The measured cases of an earlier run that ask and expect the same, whatever scored them."""
        then = as_scored_then(self._records, [plan.suite for plan in self._plans.values()], before)
        return pair_cases(before, then, measured).paired & self._cases.keys()

    def scored_otherwise(self, before: Sequence[SuiteRecord]) -> frozenset[str]:
        """The suites that something else scored in an earlier run."""
        now = {record.suite: record.settings for record in self._records}
        return frozenset(s.suite for s in before if not scored_alike(now.get(s.suite), s.settings))

    def measurements(self, key: CaseKey, calls: Iterable[MeasurementRow], run_id: str) -> list[Measurement]:
        """The stored calls of a case as measurements of this run."""
        return [measurement_of(row, self._plans[key[0]], run_id, side=row.side) for row in calls]

    def scored(
        self, key: CaseKey, rows: Iterable[Measurement], judges: Mapping[tuple[str, str], str] | None
    ) -> list[Measurement]:
        """The calls of a case with the scores that they get now.

        Args:
            key: the case.
            rows: its calls.
            judges: digests of the models that judged them, by suite and metric: where another one would judge
                now, what was said is left out. None keeps what any model said.
        """
        plan, case = self._plans[key[0]], self._cases[key]
        judged = {
            scorer.metric.name
            for scorer in plan.scorers["candidate"]
            if scorer.asked is not None
            and (judges is None or judges.get((key[0], scorer.metric.name)) == scorer.asked.digest)
        }
        return [scored_anew(row, plan, case, judged) for row in rows]


def _judges(registry: Registry, run_id: str) -> dict[tuple[str, str], str]:
    """The judges of a run by suite and metric."""
    parts = registry.scorecard(run_id).get("judges", ())
    return {(part["suite"], part["metric"]): part["digest"] for part in parts}


def _keys(plans: Sequence[SuitePlan], chosen: Callable[[Suite], Iterable[Case]]) -> frozenset[CaseKey]:
    return frozenset((plan.suite.name, case.id) for plan in plans for case in chosen(plan.suite))


def _zero_tolerance(plans: Sequence[SuitePlan]) -> dict[CaseKey, frozenset[str]]:
    """The cases that a gate without any tolerance judges, with the metrics of such gates."""
    found: dict[CaseKey, frozenset[str]] = {}
    for plan in plans:
        for spec in plan.suite.gates:
            if spec.form == "violations" and spec.role != "report":
                for case in cases_in_scope(plan.suite, spec.only):
                    key = (plan.suite.name, case.id)
                    found[key] = found.get(key, frozenset()) | {spec.metric}
    return found


def _alone(
    rows: Iterable[Measurement], metrics: Collection[str] | None, *, confirming: bool
) -> list[Measurement]:
    """What the candidate said of a case without the baseline beside it.

    Args:
        rows: its calls.
        metrics: those that count; None for all.
        confirming: whether they say that it missed and are no score.
    """
    return [
        replace(
            row,
            scores=tuple(s for s in row.scores if metrics is None or s.metric in metrics),
            confirmation=row.confirmation or confirming,
        )
        for row in rows
    ]
