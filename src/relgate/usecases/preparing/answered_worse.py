"""Cases that a candidate answers worse than it did when an earlier run promoted it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, takewhile

from relgate.decision.measurements import primary_metrics
from relgate.decision.wording import count
from relgate.decision.worsening import ALPHA, Again, worsening_p
from relgate.domain.case import CaseKey
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Score
from relgate.store import Registry, RunRow
from relgate.usecases.preparing.baseline import Baseline
from relgate.usecases.preparing.pooled_runs import find_pooled
from relgate.usecases.preparing.prepare import Prepared

_Calls = Mapping[CaseKey, Sequence[Measurement]]
_Cell = tuple[str, str | None]
"""A case and the hop that answered it."""
_Scores = Mapping[_Cell, Sequence[float]]


def answered_worse(prepared: Prepared, registry: Registry, measured: _Calls) -> tuple[str, ...]:
    """What got worse since the candidate's last promote, one line per suite and metric.

    What this run measured counts, and together with it what was measured since then, be it a part of the
    cases, a screen or beside another baseline: parts that are each too small to say anything add up.

    Args:
        prepared: the run.
        registry: where earlier runs are.
        measured: what this run measured; without what earlier ones did.
    """
    digest = prepared.candidate.digest
    runs = [run for run in registry.runs(release=prepared.candidate.name) if run.release.digest == digest]
    since = [run.id for run in takewhile(lambda run: not _measured_a_promote(run), runs)]
    if len(since) == len(runs):
        return ()
    promoted = runs[len(since)].id
    before, later = _calls_of(prepared, registry, [promoted]), _calls_of(prepared, registry, since)
    lines: list[str] = []
    for plan in prepared.plans:
        suite = plan.suite.name
        names = [name for name in primary_metrics(plan.suite, plan.metrics) if plan.metrics[name].bounded]
        for name in names:
            then, after, now = (
                _scores(calls, suite, plan.metrics[name]) for calls in (before, later, measured)
            )
            if not now:
                continue
            looks = [_compared(then, now), _compared(then, now, after)][: 1 + bool(after)]
            p, cells = min((worsening_p(cells), len(cells)) for cells in looks)
            p *= len(names) * len(looks)  # Bonferroni
            if p <= ALPHA:
                lines.append(
                    f"{suite}: {name} of {count(cells, 'case')} is worse than the same candidate had in "
                    f"{promoted} (p = {p:.2g})"
                )
    return tuple(lines)


def _measured_a_promote(run: RunRow) -> bool:
    """Whether a run promoted by its answers; who is compared with itself is promoted without any."""
    itself = run.baseline is not None and run.baseline.digest == run.release.digest
    return run.decision == "promote" and not run.partial and not itself


def _compared(then: _Scores, *since: _Scores) -> list[Again]:
    return [
        Again(tuple(scores), tuple(again))
        for cell, scores in then.items()
        if (again := [score for found in since for score in found.get(cell, ())])
    ]


def _calls_of(prepared: Prepared, registry: Registry, runs: Sequence[str]) -> _Calls:
    """The candidate's calls of earlier runs, to cases that are the same, scored by what scores now."""
    found = find_pooled(registry, runs, (), prepared.plans, prepared.records, Baseline(None))
    return {key: tuple(chain.from_iterable(rows)) for key, rows in found.rows.items()}


def _scores(calls: _Calls, suite: str, metric: Metric) -> dict[_Cell, list[float]]:
    """The candidate's scores, more is better; not of what was asked again after a miss."""
    found: dict[_Cell, list[float]] = defaultdict(list)
    for row in _candidate(calls, suite):
        score = row.score(metric.name)
        if isinstance(score, Score):
            value = score.value if metric.higher_is_better else 1.0 - score.value
            found[row.case_id, row.hop].append(value)
    return found


def _candidate(calls: _Calls, suite: str) -> Iterable[Measurement]:
    return (
        row
        for (of, _), rows in calls.items()
        if of == suite
        for row in rows
        if row.side == "candidate" and not row.confirmation
    )
