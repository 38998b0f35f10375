"""The anchor against creep: the older release that small losses must not add up against (verdict.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relgate.decision.against_zero import harm_p
from relgate.decision.evidence import oriented
from relgate.decision.gates import sample_of
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.sample import Sample
from relgate.decision.wording import p_value, points
from relgate.domain.metric import Metric
from relgate.late import np

RELEASES = 12
"""Releases that held production among which the best is the anchor, where none was set by hand."""


@dataclass(frozen=True, slots=True)
class AnchorData:
    """What one possible anchor answered, paired with the candidate.

    Attributes:
        release: ``name@version``.
        run: the run whose stored scores they are.
        by_hand: whether it was set by hand.
        data: per suite the candidate's measurements beside the anchor's, as its baseline.
    """

    release: str
    run: str
    by_hand: bool
    data: tuple[SuiteData, ...]


@dataclass(frozen=True, slots=True)
class AnchorResult:
    """One required non-inferiority gate held against its anchor.

    ``estimate`` is candidate minus anchor in the metric's own direction; ``p`` is evidence of harm against 0.
    """

    gate: str
    suite: str
    metric: str
    release: str
    run: str
    by_hand: bool
    estimate: float
    p: float
    n: int
    margin: float
    holds: bool
    message: str


def crept(sample: Sample, metric: Metric, margin: float) -> tuple[float, bool]:
    """p of harm against the anchor, and whether it holds: p <= .05 and the estimate below -margin.

    The estimate alone would hold one release in two that lost exactly a margin; harm alone would hold one
    identical release in twenty.
    """
    p, _ = harm_p(sample, metric)
    return p, p <= ALPHA and float(np.mean(oriented(sample, metric))) < -margin


def judge_anchor(gates: Sequence[Gate], anchors: Sequence[AnchorData]) -> tuple[AnchorResult, ...]:
    """Hold every required non-inferiority gate against its anchor; stored scores, no call.

    The anchor is the release set by hand, else per gate the best of those given, by its mean over the cases
    that are paired. A gate of which nothing is paired has no result.
    """
    chosen = [anchor for anchor in anchors if anchor.by_hand] or list(anchors)
    results = []
    for gate in gates:
        spec = gate.spec
        if spec.form != "non_inferior" or spec.role != "require" or spec.against != "baseline":
            continue
        drawn = [
            (anchor, sample_of(gate, data))
            for anchor in chosen
            for data in anchor.data
            if data.suite.name == gate.suite
        ]
        usable = [(anchor, sample) for anchor, sample in drawn if sample.n]
        if usable:
            best = max(usable, key=lambda pair: _level(pair[1], gate.metric))
            results.append(_result(gate, *best, among=len(chosen)))
    return tuple(results)


def _level(sample: Sample, metric: Metric) -> float:
    assert sample.baseline is not None
    mean = float(np.mean(sample.baseline))
    return mean if metric.higher_is_better else -mean


def _result(gate: Gate, anchor: AnchorData, sample: Sample, *, among: int) -> AnchorResult:
    margin = gate.spec.boundary
    p, holds = crept(sample, gate.metric, margin)
    estimate = float(np.mean(sample.difference))
    how = "set by hand"
    if not anchor.by_hand:
        how = (
            "which held production" if among == 1 else f"the best of the last {among} releases in production"
        )
    return AnchorResult(
        gate=gate.id,
        suite=gate.suite,
        metric=gate.metric.name,
        release=anchor.release,
        run=anchor.run,
        by_hand=anchor.by_hand,
        estimate=estimate,
        p=p,
        n=sample.n,
        margin=margin,
        holds=holds,
        message=(
            f"{points(estimate)} against the anchor {anchor.release} ({how}; {p_value(p)}, n = {sample.n}, "
            f"margin {100 * margin:g})"
        ),
    )
