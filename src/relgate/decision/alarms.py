"""Alarms: proven harm in a slice, a hop or over-refusal turns a promote into a hold (verdict.md 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relgate import stats
from relgate.decision.against_zero import harm_p
from relgate.decision.evidence import FEW_CLUSTERS, oriented
from relgate.decision.measurements import SuiteData, primary_metrics, tag_values
from relgate.decision.policy import ALPHA
from relgate.decision.sample import Sample
from relgate.decision.sample_drawing import draw_sample
from relgate.domain.case import Suite
from relgate.domain.verdict import Alarm
from relgate.late import np

UNPROTECTED_BELOW = 15
"""Cases below which a slice cannot be watched; it is printed as unprotected."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One slice, hop or subset under watch, with its sample."""

    suite: str
    metric: str
    slice: str
    sample: Sample
    p: float


def watch(data: Sequence[SuiteData]) -> tuple[tuple[Watch, ...], tuple[str, ...]]:
    """Everything that alarms look at, and the slices that are too small to be looked at."""
    watched: list[Watch] = []
    unprotected: list[str] = []
    for suite_data in data:
        if not suite_data.paired:
            continue
        for metric, slice_, sample in _samples(suite_data):
            if not is_watched(sample.n, sample.unit_count, clustered=sample.clustered):
                size = f"n = {sample.n}" + f" in {sample.counted_units}" * sample.clustered
                unprotected.append(f"{suite_data.suite.name} {slice_ or metric} ({size})")
                continue
            p, _ = harm_p(sample, suite_data.metrics[metric])
            watched.append(Watch(suite_data.suite.name, metric, slice_, sample, p))
    return tuple(watched), tuple(dict.fromkeys(unprotected))


def is_watched(cases: int, units: int, *, clustered: bool) -> bool:
    """Whether so many cases, and of clusters so many units, are enough for an alarm."""
    return cases >= UNPROTECTED_BELOW and not (clustered and units < FEW_CLUSTERS)


def _samples(data: SuiteData) -> list[tuple[str, str, Sample]]:
    """Metric, slice and sample of everything watched: slices, hops and over-refusal."""
    suite = data.suite
    found: list[tuple[str, str, Sample]] = []

    def add(metric: str, slice_: str, hops: tuple[str, ...], only: Mapping[str, object]) -> None:
        sample = draw_sample(data, metric, only=only, hops=hops, relative=True)
        if sample.expected:
            found.append((metric, slice_, sample))

    own = () if suite.kind == "safety" else primary_metrics(suite, data.metrics)
    if suite.kind == "safety" and "over_refusal" in data.metrics:
        add("over_refusal", "", data.hop_keys, {})
    for (metric, tag), only in watched_slices(suite, own).items():
        for value in tag_values(suite, tag):
            add(metric, f"{tag}={value}", data.hop_keys, {**only, tag: value})
    for metric in own:
        for hop in data.hops:
            add(metric, f"hop={hop}", (hop,), {})
    return found


def watched_slices(suite: Suite, own: Sequence[str]) -> dict[tuple[str, str], Mapping[str, object]]:
    """Metric and tag of every watched slicing: the suite's slices, and those that a gate is spread over.

    A report gate raises no alarm (verdict.md 1).
    """
    sliced: dict[tuple[str, str], Mapping[str, object]] = {(m, tag): {} for m in own for tag in suite.slices}
    for gate in suite.gates:
        if gate.form == "non_inferior" and gate.by not in (None, "hop") and gate.role != "report":
            sliced.setdefault((gate.metric, str(gate.by)), gate.only)
    return sliced


def raise_alarms(watched: Sequence[Watch], data: Sequence[SuiteData]) -> tuple[Alarm, ...]:
    """The watches whose harm is proven, Holm over all of them together."""
    if not watched:
        return ()
    p = np.array([w.p for w in watched], dtype=np.float64)
    hit = stats.weighted_holm(p, np.ones(len(watched)), ALPHA)
    metrics = {d.suite.name: d.metrics for d in data}
    alarms = []
    for w, raised in zip(watched, hit, strict=True):
        if not raised:
            continue
        metric = metrics[w.suite][w.metric]
        change = float(np.mean(oriented(w.sample, metric)))
        subject = f"slice {w.slice}" if w.slice and not w.slice.startswith("hop=") else w.slice or w.metric
        on = f" on {w.metric}" if w.slice else ""
        direction = "fell" if metric.higher_is_better else "rose"
        alarms.append(
            Alarm(
                suite=w.suite,
                metric=w.metric,
                slice=w.slice,
                estimate=change if metric.higher_is_better else -change,
                n=w.sample.n,
                p=w.p,
                message=f"{subject} {direction} {abs(100 * change):.1f} points{on} (n = {w.sample.n})",
            )
        )
    return tuple(alarms)
