"""Re-runs and top-ups pool their data: a candidate that is measured again cannot pick its favourite run.

verdict.md 5.3: both are attempts, so what is pooled is judged at the alpha of a later attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from relgate.decision.measurements import LATER
from relgate.domain.case import CaseKey
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Score
from relgate.domain.run import SuiteRecord

SHARE_KEPT = 0.95
"""Share of an earlier run's golden cases that must be there still for a larger set to be its top-up."""


def is_top_up(before: Iterable[SuiteRecord], now: Iterable[SuiteRecord]) -> bool:
    """Whether the golden cases are those of an earlier run with others added: the same set, continued.

    A case is the same by its id, so that another wording or another label makes nobody a fresh set.
    """
    earlier, present = _golden(before), _golden(now)
    return bool(earlier) and len(earlier & present) >= SHARE_KEPT * len(earlier)


def _golden(suites: Iterable[SuiteRecord]) -> set[CaseKey]:
    read = list(suites)
    golden = [suite for suite in read if suite.kind == "golden"] or read
    return {(suite.suite, case.id) for suite in golden for case in suite.cases}


def pooled(
    present: Sequence[Measurement],
    earlier: Sequence[Sequence[Measurement]],
    metrics: Mapping[str, Metric],
    *,
    alone: bool = False,
) -> tuple[Measurement, ...]:
    """A case's calls of this run with those of earlier runs behind them, marked as stored.

    A run counts with both sides or not at all: only what was asked side by side is free of drift. Where the
    baseline is not asked in this run either, the candidate's calls count alone. Scores of unbounded metrics
    (latency, cost, tokens) stay out, for they belong to the machine and the day; so do those of a scorer that
    failed on the case, on both sides: it measured nothing. Confirming trials say of a critical case what
    their own run confirmed.

    Args:
        present: this run's calls of the case.
        earlier: per earlier run its calls of the same version of the case.
        metrics: the suite's metrics.
        alone: whether the candidate's calls count without the baseline's.
    """
    wanted = {frozenset({"candidate", "baseline"})} | ({frozenset({"candidate"})} if alone else set())
    found = list(present)
    for number, rows in enumerate(earlier, start=1):
        asked = [row for row in rows if not row.confirmation]
        if frozenset(row.side for row in asked) not in wanted:
            asked = []
        failed = {s.metric for row in asked for s in row.scores if not isinstance(s, Score)}
        found += [
            replace(
                row,
                trial=row.trial + number * LATER,
                stored=True,
                scores=tuple(
                    s
                    for s in row.scores
                    if isinstance(s, Score) and s.metric not in failed and _is_bounded(s, metrics)
                ),
            )
            for row in (*asked, *(row for row in rows if row.confirmation and row.side == "candidate"))
        ]
    return tuple(found)


def _is_bounded(score: Score, metrics: Mapping[str, Metric]) -> bool:
    metric = metrics.get(score.metric)
    return metric is not None and metric.bounded
