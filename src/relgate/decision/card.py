"""The scorecard's tables: metrics of each suite with slices and hops, and the worst regressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relgate import stats
from relgate.decision.evidence import difference_interval, level_interval
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import ALPHA
from relgate.decision.sample import Sample, draw_sample
from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.scorecard import MetricPart

WORST_SHOWN = 10


def metric_parts(data: SuiteData) -> list[MetricPart]:
    """Every metric overall, then by slice, then by hop; metrics without a score are left out."""
    parts: list[MetricPart] = []
    own = [m for name, m in data.metrics.items() if name != "regression"]
    for metric in own:
        parts += _parts(data, metric, "", {}, data.hop_keys)
    bounded = [m for m in own if m.bounded and m.name != "answered"]
    for tag in data.suite.slices:
        for value in sorted({str(case.tags[tag]) for case in data.suite.cases if tag in case.tags}):
            for metric in bounded:
                parts += _parts(data, metric, f"{tag}={value}", {tag: value}, data.hop_keys)
    for hop in data.hops:
        for metric in own:
            parts += _parts(data, metric, f"hop={hop}", {}, (hop,))
    return parts


def _parts(
    data: SuiteData, metric: Metric, slice_: str, only: Mapping[str, object], hops: tuple[str, ...]
) -> list[MetricPart]:
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
    )


@dataclass(frozen=True, slots=True)
class Regression:
    """A case that fell, by how much in all, and on which metrics."""

    suite: str
    case: Case
    difference: float
    metrics: Mapping[str, float]


def worst_regressions(data: Sequence[SuiteData]) -> tuple[Regression, ...]:
    """The cases that fell against the baseline on bounded metrics, at most ten.

    Critical cases first, then regression cases, then those that fell most.
    """
    found: list[Regression] = []
    for suite_data in data:
        if not suite_data.paired:
            continue
        for case in suite_data.suite.all_cases:
            falls = _falls(suite_data, case)
            if falls:
                found.append(Regression(suite_data.suite.name, case, sum(falls.values()), falls))
    found.sort(
        key=lambda r: (r.case.critical is False, not r.case.regression, r.difference, r.suite, r.case.id)
    )
    return tuple(found[:WORST_SHOWN])


def _falls(data: SuiteData, case: Case) -> dict[str, float]:
    falls: dict[str, float] = {}
    if any(case.id in cases for cases in data.unmeasured.values()):
        return falls
    for name, metric in data.metrics.items():
        if not metric.bounded or name == "answered":
            continue
        sides = []
        for side in ("candidate", "baseline"):
            scores = [s for hop in data.hop_keys for s in data.series(side, name, hop).get(case.id, ())]
            sides.append(float(np.mean(scores)) if scores else None)
        if sides[0] is None or sides[1] is None:
            continue
        fall = (sides[0] - sides[1]) * (1 if metric.higher_is_better else -1)
        if fall < -1e-12:
            falls[name] = fall
    return falls
