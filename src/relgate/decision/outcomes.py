"""What became of each case: hit, miss, regressed or fixed, and the critical misses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal

from relgate.decision.measurements import SuiteData, Trial
from relgate.domain.case import Case, Suite
from relgate.domain.long_cases import LongCases
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, Score, Side
from relgate.domain.verdict import CriticalMiss

CaseOutcome = Literal["hit", "miss", "regressed", "fixed", "failed", "not_run", "sealed"]

_DESCRIPTIVE = frozenset({"answered", "refusal"})

CONFIRMING_TRIALS = 3
"""A critical miss is judged on three trials, rejected when two of them miss (verdict.md 3)."""

CONFIRMING_MISSES = 2


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


def trial_outcome(trial: Trial, metrics: Mapping[str, Metric]) -> bool | None:
    """Whether a trial is a hit; None when a scorer that could have found a miss failed, or none applied."""
    if not trial_hits(trial.scores, metrics):
        return False
    names = {metric.name for metric in hit_metrics(metrics)}
    if names & trial.failed or not names & trial.scores.keys():
        return None
    return True


def case_hits(data: SuiteData, case: Case, side: Side) -> bool | None:
    """Whether a case is a hit: at every hop, every bounded metric's mean over trials on its good side.

    None when it has no score on this side.
    """
    return _hits(
        (metric, sum(scores) / len(scores))
        for metric in hit_metrics(data.metrics)
        for hop in data.hop_keys
        if (scores := data.series(side, metric.name, hop).get(case.id, ()))
    )


def _hits(means: Iterable[tuple[Metric, float]]) -> bool | None:
    seen = False
    for metric, mean in means:
        seen = True
        if mean != 0.5 and (mean > 0.5) != metric.higher_is_better:
            return False
    return True if seen else None


def case_outcome(data: SuiteData, case: Case) -> CaseOutcome:
    """What became of a case; "failed" is a case without a usable score of the candidate."""
    mine = case_hits(data, case, "candidate")
    return _outcome(mine, case_hits(data, case, "baseline") if data.paired else None)


def outcome_of_calls(
    rows: Iterable[Measurement], metrics: Sequence[Metric], hops: Sequence[str], *, paired: bool
) -> CaseOutcome:
    """The same of a case whose calls are not arranged yet, without the cost of arranging them.

    Args:
        rows: every call of the case.
        metrics: those that make a case a hit (``hit_metrics``).
        hops: the targets measured one by one, empty outside fallback suites.
        paired: whether a baseline was measured.
    """
    wanted = {metric.name for metric in metrics}
    values: dict[tuple[Side, str, str], list[tuple[int, float]]] = {}
    for row in rows:
        if row.confirmation or (isinstance(row.outcome, Failure) and row.outcome.kind != "application"):
            continue
        for score in row.scores:
            if score.metric in wanted and isinstance(score, Score):
                cell = (row.side, score.metric, row.hop or "")
                values.setdefault(cell, []).append((row.trial, score.value))

    def hits(side: Side) -> bool | None:
        return _hits(
            (metric, _mean_in_order(found))
            for metric in metrics
            for hop in hops or ("",)
            if (found := values.get((side, metric.name, hop)))
        )

    return _outcome(hits("candidate"), hits("baseline") if paired else None)


def _mean_in_order(found: list[tuple[int, float]]) -> float:
    """The mean of trials' values, summed in the order of the trials."""
    if len(found) == 1:
        return found[0][1]
    return sum(value for _, value in sorted(found)) / len(found)


def _outcome(mine: bool | None, theirs: bool | None) -> CaseOutcome:
    if mine is None:
        return "failed"
    if mine:
        return "fixed" if theirs is False else "hit"
    return "regressed" if theirs is True else "miss"


def critical_misses(data: SuiteData) -> tuple[CriticalMiss, ...]:
    """Critical cases that the candidate missed, or that could not be judged.

    ``True`` is judged on the first three trials, and rejected as well where more than half of all miss;
    ``never`` on all of them. A fallback case counts per hop:
    its worst hop is reported. A case of which nothing was tried is left out: its suite is incomplete.
    """
    found: list[CriticalMiss] = []
    for case in critical_cases(data.suite):
        judged = [miss for hop in data.hop_keys if (miss := _judge_critical(data, case, hop)) is not None]
        if judged:
            found.append(max(judged, key=lambda miss: (miss.confirmed, miss.misses)))
    return tuple(found)


def critical_cases(suite: Suite) -> Iterable[Case]:
    """The cases that may not miss, regression cases among them, in the order of the files."""
    if isinstance(suite.cases, LongCases):
        return chain(suite.cases.critical, filter(_is_critical, suite.regressions))
    return filter(_is_critical, suite.all_cases)


def _is_critical(case: Case) -> bool:
    return case.critical is not False


def _judge_critical(data: SuiteData, case: Case, hop: str) -> CriticalMiss | None:
    trials = data.trials.get((hop, case.id), ())
    outcomes = [trial_outcome(trial, data.metrics) for trial in trials]
    misses, hits = outcomes.count(False), outcomes.count(True)
    where = f" on {hop}" if hop else ""
    if case.critical is True:
        if len(trials) > CONFIRMING_TRIALS and misses > len(trials) / 2:
            return _miss(data, case, misses, len(trials), True, where, "more than half reject")
        if (before := _confirmed_before(trials, outcomes)) is not None:
            return _miss(data, case, *before, True, where, "in an earlier run that is pooled; 2 are enough")
        trials, outcomes = trials[:CONFIRMING_TRIALS], outcomes[:CONFIRMING_TRIALS]
        misses, hits = outcomes.count(False), outcomes.count(True)
    away = data.unmeasured.get(("candidate", hop), {}).get(case.id)
    open_ = away is not None or None in outcomes
    if case.critical == "never":
        if misses:
            return _miss(data, case, misses, len(trials), True, where, "it must never miss")
        return _unjudged(data, case, hits, away, where) if open_ else None
    if misses >= CONFIRMING_MISSES:
        return _miss(data, case, misses, len(trials), True, where, "2 are enough to reject")
    if hits >= CONFIRMING_MISSES or not (misses or open_):
        return _miss(data, case, misses, len(trials), False, where, "2 would reject") if misses else None
    if misses:
        return _miss(data, case, misses, hits + misses, False, where, "three trials are needed to confirm it")
    return _unjudged(data, case, hits, away, where)


def _confirmed_before(trials: Sequence[Trial], outcomes: Sequence[bool | None]) -> tuple[int, int] | None:
    """Misses and trials of a pooled run that confirmed a miss: asking again undoes none."""
    for run in sorted({trial.earlier for trial in trials} - {0}):
        found = [hit for trial, hit in zip(trials, outcomes, strict=True) if trial.earlier == run]
        first = found[:CONFIRMING_TRIALS]
        if first.count(False) >= CONFIRMING_MISSES:
            return first.count(False), len(first)
    return None


def _miss(
    data: SuiteData, case: Case, misses: int, trials: int, confirmed: bool, where: str, why: str
) -> CriticalMiss:
    times = f"{misses} of {trials} trials" if trials > 1 else "its only trial"
    return CriticalMiss(
        suite=data.suite.name,
        case_id=case.id,
        misses=misses,
        trials=trials,
        confirmed=confirmed,
        message=f"critical case {case.id} missed {times}{where} ({why})",
    )


def _unjudged(data: SuiteData, case: Case, hits: int, away: str | None, where: str) -> CriticalMiss:
    why = f"not measured ({away})" if away is not None else "not judged: no scorer could tell"
    return CriticalMiss(
        suite=data.suite.name,
        case_id=case.id,
        misses=0,
        trials=hits,
        confirmed=False,
        message=f"critical case {case.id} was {why}{where}",
    )
