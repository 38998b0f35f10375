"""Calls that the candidate's application failed, in a ratio of times: they never answered (statistics.md 13).

However fast it failed, such a call counts as the slowest that was seen on either side, and a quantile passes
only where fewer cases failed than lie beyond it (`ratio_evidence.quantile_evidence`): with more of them it
would be infinite. A mean does not survive a call without an end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from relgate.decision.long_suites.columns import Series
from relgate.decision.measurements import Cell, SuiteData
from relgate.decision.policy import Gate
from relgate.domain.metric import TIMES
from relgate.domain.response import Side
from relgate.late import np

_SIDES: tuple[Side, Side] = ("candidate", "baseline")


def counts_failures(gate: Gate, data: SuiteData) -> bool:
    """Whether a gate is a ratio of times that calls without an answer stand in."""
    spec = gate.spec
    times = spec.form == "ratio_at_most" and spec.metric in TIMES
    return times and (any(data.failed_calls.values()) or bool(data.columns and data.columns.crashed.size))


def as_slowest(data: SuiteData, metric: str) -> SuiteData:
    """The same data in which a case whose application failed took as long as the slowest call."""
    return _with(data, metric, _slowest(data, metric))


def marked(data: SuiteData, metric: str) -> SuiteData:
    """The same data in which the candidate has 1 where its application failed and 0 elsewhere."""
    if data.columns is not None:
        columns = data.columns
        own = columns.scores("candidate", metric)
        zeros = Series(own.first, np.zeros(own.scores.size))
        return _with(replace(data, columns=columns.with_scores("candidate", metric, zeros)), metric, 1.0)
    values = dict(data.values)
    for hop in data.hop_keys:
        cell: Cell = ("candidate", metric, hop)
        values[cell] = {case: (0.0,) * len(held) for case, held in values.get(cell, {}).items()}
    return _with(replace(data, values=values), metric, 1.0)


def _with(data: SuiteData, metric: str, value: float) -> SuiteData:
    """One score of this value in every case whose application failed."""
    if data.columns is not None:
        columns = data.columns
        found = _one_each(columns.scores("candidate", metric), columns.crashed, value)
        return replace(data, columns=columns.with_scores("candidate", metric, found))
    values, failures = dict(data.values), dict(data.judge_failures)
    for hop in data.hop_keys:
        cell: Cell = ("candidate", metric, hop)
        crashed = data.failed_calls.get(hop, frozenset())
        values[cell] = {**values.get(cell, {}), **dict.fromkeys(sorted(crashed), (value,))}
        failures[cell] = _without(failures.get(cell, {}), crashed)
    return replace(data, values=values, judge_failures=failures)


def _without(reasons: Mapping[str, str], cases: Collection[str]) -> dict[str, str]:
    return {case: why for case, why in reasons.items() if case not in cases}


def _one_each(series: Series, crashed: np.ndarray, value: float) -> Series:
    """The series with one score in each of these cases, shape of the cases kept."""
    counts = series.counts.astype(np.int64)
    owners = np.repeat(np.arange(counts.size), counts)
    kept = ~np.isin(owners, crashed)
    owners = np.concatenate([owners[kept], crashed])
    order = np.argsort(owners, kind="stable")
    scores = np.concatenate([series.scores[kept], np.full(crashed.size, value)])[order]
    counts[crashed] = 1
    return Series(np.concatenate(([0], np.cumsum(counts))), scores)


def _slowest(data: SuiteData, metric: str) -> float:
    if data.columns is not None:
        return max(float(data.columns.scores(side, metric).scores.max(initial=0.0)) for side in _SIDES)
    cells = [(side, metric, hop) for side in _SIDES for hop in data.hop_keys]
    return max((max(held) for cell in cells for held in data.values.get(cell, {}).values()), default=0.0)
