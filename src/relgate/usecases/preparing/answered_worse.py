"""A part of the cases that is answered worse than in an earlier whole run of the same candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from relgate.decision.measurements import primary_metrics
from relgate.decision.worsening import ALPHA, Again, worsening_p
from relgate.domain.case import CaseKey
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Score
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared


def answered_worse(prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]) -> tuple[str, ...]:
    """What was seen in the suites of which only some cases ran, one line per suite and metric.

    Args:
        prepared: the run, with what earlier ones measured of the same cases.
        measured: what this run measured; without what earlier ones did.
    """
    return tuple(
        line
        for plan in prepared.plans
        if not plan.hops and any((plan.suite.name, c.id) not in measured for c in plan.suite.all_cases)
        for line in _of_suite(plan, prepared, measured)
    )


def _of_suite(
    plan: SuitePlan, prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> Iterable[str]:
    names = [name for name in primary_metrics(plan.suite, plan.metrics) if plan.metrics[name].bounded]
    for name in names:
        metric = plan.metrics[name]
        cases = []
        for case in plan.suite.all_cases:
            key = (plan.suite.name, case.id)
            earlier = (row for rows in prepared.pooled.rows.get(key, ()) for row in rows)
            before, now = _scores(earlier, metric), _scores(measured.get(key, ()), metric)
            if before and now:
                cases.append(Again(before, now))
        p = worsening_p(cases) * len(names)  # Bonferroni over the metrics
        if p <= ALPHA:
            yield (
                f"{plan.suite.name}: {name} of {len(cases)} cases is worse than the same candidate had in "
                f"{', '.join(prepared.pooled.runs)} (p = {p:.2g})"
            )


def _scores(rows: Iterable[Measurement], metric: Metric) -> tuple[float, ...]:
    """The candidate's scores of one case, more is better; not of what was asked again after a miss."""
    asked = (row for row in rows if row.side == "candidate" and not row.confirmation)
    found = (row.score(metric.name) for row in asked)
    values = (score.value for score in found if isinstance(score, Score))
    return tuple(value if metric.higher_is_better else 1.0 - value for value in values)
