"""The scorecard's tables: metrics of each suite with slices and hops, and the worst cases."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from relgate import stats
from relgate.decision.evidence import difference_interval, level_interval
from relgate.decision.judges.label_needs import judged_metrics
from relgate.decision.judges.labels import Reading, readings
from relgate.decision.long_suites.column_outcomes import NOTHING, furthest_off
from relgate.decision.measurements import SuiteData, tag_values
from relgate.decision.outcomes import case_outcome, hit_metrics
from relgate.decision.policy import ALPHA
from relgate.decision.sample import Sample
from relgate.decision.sample_drawing import draw_sample
from relgate.decision.sealing import open_data
from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.response import Side
from relgate.domain.scorecard import MetricPart
from relgate.late import np

WORST_SHOWN = 10
BY_PEOPLE = " by people"
"""What is appended to a metric's name where its labels, not the judge, say by how much a case fell."""


def metric_parts(data: SuiteData) -> list[MetricPart]:
    """Every metric overall, then by slice, then by hop; metrics without a score are left out."""
    parts: list[MetricPart] = []
    own = [m for name, m in data.metrics.items() if name != "regression"]
    for metric in own:
        parts += _parts(data, metric, "", {}, data.hop_keys)
    bounded = [m for m in own if m.bounded and m.name != "answered"]
    opened = open_data(data)  # a slice of few sealed cases would show them
    for tag in data.suite.slices:
        for value in tag_values(opened.suite, tag):
            for metric in bounded:
                parts += _parts(opened, metric, f"{tag}={value}", {tag: value}, data.hop_keys)
    for hop in data.hops:
        for metric in own:
            parts += _parts(data, metric, f"hop={hop}", {}, (hop,))
    return parts


def _parts(
    data: SuiteData, metric: Metric, slice_: str, only: Mapping[str, object], hops: tuple[str, ...]
) -> list[MetricPart]:
    if not any(data.series("candidate", metric.name, hop) for hop in hops):
        return []  # of most metrics of a response a recording holds nothing
    sample = draw_sample(data, metric.name, only=only, hops=hops, relative=data.paired)
    if sample.n == 0:
        return []
    if metric.kind == "latency":
        return [_quantile_part(sample, metric, slice_, q) for q in (0.5, 0.95)]
    return [_mean_part(sample, metric, slice_)]


def _mean_part(sample: Sample, metric: Metric, slice_: str) -> MetricPart:
    candidate = float(np.mean(sample.candidate))
    baseline = float(np.mean(sample.baseline)) if sample.baseline is not None else None
    shown = None
    if metric.bounded and sample.baseline is not None:
        shown = difference_interval(sample, metric, ALPHA)
    elif metric.bounded:
        shown = level_interval(sample, metric, ALPHA)
    return MetricPart(
        metric=metric.name,
        slice=slice_,
        candidate=candidate,
        baseline=baseline,
        difference=None if baseline is None else candidate - baseline,
        lower=shown.low if shown else None,
        upper=shown.high if shown else None,
        n=sample.n,
        kind=metric.kind,
    )


def _quantile_part(sample: Sample, metric: Metric, slice_: str, quantile: float) -> MetricPart:
    candidate = stats.harrell_davis(sample.candidate_rows, quantile)
    baseline = stats.harrell_davis(sample.baseline_rows, quantile) if sample.baseline is not None else None
    return MetricPart(
        metric=f"{metric.name} p{100 * quantile:g}",
        slice=slice_,
        candidate=candidate,
        baseline=baseline,
        difference=None if baseline is None else candidate - baseline,
        lower=None,
        upper=None,
        n=sample.n,
        kind=metric.kind,
    )


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A case that fell or missed, by how much in all, and on which metrics.

    Without a baseline it is measured against the best score, as is a regression case that came back without
    a fall (its ``difference`` is 0). Where people read both answers, what they say
    stands in place of the judge's score, under the metric's name and ``BY_PEOPLE``.
    """

    suite: str
    case: Case
    difference: float
    metrics: Mapping[str, float]


def worst_cases(
    data: Sequence[SuiteData],
    blamed: Collection[tuple[str, str]] = (),
    violating: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> tuple[WorstCase, ...]:
    """The cases that a reader should look at first, at most ten.

    Those that violate what rejects any violation, then those that fell against the baseline on bounded
    metrics and regression cases that both sides missed, then, of suites without a baseline, those that
    missed. Within each: critical cases first, then
    regression cases, then those of what failed, then those that are furthest off.

    Args:
        data: the suites.
        blamed: suite and slice ("" for all of it) of what failed or raised an alarm.
        violating: by suite and case the metric of which no violation is allowed, of the cases with one.
    """
    fallen: list[WorstCase] = []
    missed: list[WorstCase] = []
    for suite_data in data:
        found, look = (fallen, _falls_in(suite_data)) if suite_data.paired else (missed, _shortfalls)
        for case in _worth_a_look(suite_data, blamed):
            if any(case.id in cases for cases in suite_data.unmeasured.values()):
                continue
            off = look(suite_data, case)
            if (metric := violating.get((suite_data.suite.name, case.id))) and metric not in off:
                off = {metric: -(_mean(suite_data, "candidate", metric, case) or 0.0), **off}
            difference = sum(off.values())
            if not off and case.regression:
                off = _shortfalls(suite_data, case)
            if off:
                found.append(WorstCase(suite_data.suite.name, case, difference, off))

    def urgency(worst: WorstCase) -> tuple[bool, bool, bool, float, str, str]:
        case = worst.case
        own = {(worst.suite, ""), *((worst.suite, f"{tag}={value}") for tag, value in case.tags.items())}
        beside = own.isdisjoint(blamed)
        return case.critical is False, not case.regression, beside, worst.difference, worst.suite, case.id

    ordered = [*sorted(fallen, key=urgency), *sorted(missed, key=urgency)]
    return tuple(sorted(ordered, key=lambda w: (w.suite, w.case.id) not in violating)[:WORST_SHOWN])


def _worth_a_look(data: SuiteData, blamed: Collection[tuple[str, str]]) -> Iterable[Case]:
    if data.columns is None:
        return data.suite.all_cases
    name, metrics = data.suite.name, data.metrics
    long = furthest_off(data.columns, name, metrics, blamed, paired=data.paired, count=WORST_SHOWN)
    return chain(long, data.suite.regressions)


def _falls_in(data: SuiteData) -> Callable[[SuiteData, Case], dict[str, float]]:
    """``_falls`` with what people said of the suite's answers."""
    labelled = bool(data.suite.labels)
    read = {name: readings(data, name) for name in judged_metrics(data.suite).values() if labelled}
    return lambda suite_data, case: _falls(suite_data, case, read)


def _falls(
    data: SuiteData, case: Case, read: Mapping[str, Mapping[tuple[Side, str], Reading]]
) -> dict[str, float]:
    falls: dict[str, float] = {}
    for name, metric in data.metrics.items():
        if not metric.bounded or name == "answered":
            continue
        said = read.get(name, {})
        ours, theirs = said.get(("candidate", case.id)), said.get(("baseline", case.id))
        mine: float | None
        before: float | None
        if ours is not None and theirs is not None:
            shown, mine, before = f"{name}{BY_PEOPLE}", ours.human, theirs.human
        else:
            shown = name
            mine, before = (_mean(data, side, name, case) for side in ("candidate", "baseline"))
        if mine is None or before is None:
            continue
        fall = (mine - before) * (1 if metric.higher_is_better else -1)
        if fall < -NOTHING:
            falls[shown] = fall
    return falls


def _shortfalls(data: SuiteData, case: Case) -> dict[str, float]:
    """How far a missed case is from the best score; a critical or regression one misses by any trial."""
    if case.critical is False and not case.regression and case_outcome(data, case) != "miss":
        return {}
    off: dict[str, float] = {}
    for metric in hit_metrics(data.metrics):
        mean = _mean(data, "candidate", metric.name, case)
        if mean is None:
            continue
        short = mean - 1.0 if metric.higher_is_better else -mean
        if short < -NOTHING:
            off[metric.name] = short
    return off


def _mean(data: SuiteData, side: Side, metric: str, case: Case) -> float | None:
    scores = [s for hop in data.hop_keys for s in data.series(side, metric, hop).get(case.id, ())]
    return float(np.mean(scores)) if scores else None
