"""What became of each case: hit, miss, regressed or fixed, and the critical misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from relgate.decision.measurements import SuiteData
from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.response import Side
from relgate.domain.verdict import CriticalMiss

CaseOutcome = Literal["hit", "miss", "regressed", "fixed", "failed", "not_run"]

_DESCRIPTIVE = frozenset({"answered", "refusal"})

CONFIRMING_TRIALS = 3
"""A critical miss is judged on three trials, rejected when two of them miss (verdict.md 3)."""


def hit_metrics(metrics: Mapping[str, Metric]) -> tuple[Metric, ...]:
    """The metrics that make a case a hit.

    Every bounded one, except those that say what happened rather than whether it was right.
    """
    return tuple(m for name, m in metrics.items() if m.bounded and name not in _DESCRIPTIVE)


def trial_hits(scores: Mapping[str, float], metrics: Mapping[str, Metric]) -> bool:
    """Whether one trial is a hit: every bounded score on its good side of one half."""
    return all(
        (scores[m.name] >= 0.5) == m.higher_is_better or scores[m.name] == 0.5
        for m in hit_metrics(metrics)
        if m.name in scores
    )


def case_hits(data: SuiteData, case: Case, side: Side) -> bool | None:
    """Whether a case is a hit: every bounded metric's mean over trials and hops on its good side.

    None when it has no score on this side.
    """
    seen = False
    for metric in hit_metrics(data.metrics):
        scores = [s for hop in data.hop_keys for s in data.series(side, metric.name, hop).get(case.id, ())]
        if not scores:
            continue
        seen = True
        mean = sum(scores) / len(scores)
        if mean != 0.5 and (mean > 0.5) != metric.higher_is_better:
            return False
    return True if seen else None


def case_outcome(data: SuiteData, case: Case) -> CaseOutcome:
    """What became of a case; "failed" is a case without a usable score of the candidate."""
    mine = case_hits(data, case, "candidate")
    if mine is None:
        return "failed"
    theirs = case_hits(data, case, "baseline") if data.paired else None
    if mine:
        return "fixed" if theirs is False else "hit"
    return "regressed" if theirs is True else "miss"


def critical_misses(data: SuiteData) -> tuple[CriticalMiss, ...]:
    """Critical cases that the candidate missed, judged on three trials; ``never`` on any miss.

    A fallback case counts per hop: its worst hop is judged.
    """
    found: list[CriticalMiss] = []
    for case in data.suite.all_cases:
        if case.critical is False:
            continue
        judged = []
        for hop in data.hop_keys:
            rows = _hop_trials(data, case, hop)
            misses = sum(not trial_hits(row, data.metrics) for row in rows)
            if misses:
                judged.append(_judge_critical(data, case, misses, len(rows)))
        if judged:
            found.append(max(judged, key=lambda miss: (miss.confirmed, miss.misses)))
    return tuple(found)


def _hop_trials(data: SuiteData, case: Case, hop: str) -> list[Mapping[str, float]]:
    by_metric = {
        m.name: data.series("candidate", m.name, hop).get(case.id, ()) for m in hit_metrics(data.metrics)
    }
    count = max((len(scores) for scores in by_metric.values()), default=0)
    rows: list[Mapping[str, float]] = [
        {name: scores[i] for name, scores in by_metric.items() if i < len(scores)} for i in range(count)
    ]
    rows += data.confirmations.get((case.id, hop), ())
    return rows if case.critical == "never" else rows[:CONFIRMING_TRIALS]


def _judge_critical(data: SuiteData, case: Case, misses: int, trials: int) -> CriticalMiss:
    if case.critical == "never":
        confirmed, why = True, "it must never miss"
    elif trials < CONFIRMING_TRIALS and misses < 2:
        confirmed, why = False, f"{CONFIRMING_TRIALS} trials are needed to confirm it"
    else:
        confirmed = misses >= 2
        why = "confirmed: 2 of 3 reject" if confirmed else "not confirmed: 2 of 3 would reject"
    return CriticalMiss(
        suite=data.suite.name,
        case_id=case.id,
        misses=misses,
        trials=trials,
        confirmed=confirmed,
        message=f"critical case {case.id} missed {misses} of {trials} trials; {why}",
    )
