"""Every gate kind at every size on every shape of data: one cell each, decided by relgate's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from relgate.decision.against_zero import harm_p
from relgate.decision.evidence import Evidence
from relgate.decision.gates import evidence_of, judge_gate
from relgate.decision.judges.judged import LabelledDifferences, infer_from_labels
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.sample import Sample
from relgate.decision.unchanged import Unchanged
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateForm, GateSpec
from relgate.domain.metric import Metric
from simulated.bounds import POWER_LESS, SIZE_AT_MOST, Rule, power_holds, size_holds
from simulated.worlds import (
    PRODUCTION,
    from_difference,
    latencies,
    level,
    loss,
    pairs,
    sample,
    trial_means,
    true_quantile,
    units_of,
)

SIZES = (20, 50, 200, 1000)
CLUSTERS = (8, 20, 50)
MARGIN = {20: 0.15, 50: 0.10, 200: 0.05, 1000: 0.02}
"""Margins whose n_min each size reaches: 19, 29, 59, 149 cases."""

CLUSTER_MARGIN = {8: 0.10, 20: 0.10, 50: 0.05}

SHAPES = ("all ties", "zero-inflated", "skewed", "catastrophe")
TRIALS = 3
Draw = Callable[[np.random.Generator], Sample]
Judge = Callable[[np.random.Generator], LabelledDifferences]
Traffic = Callable[[np.random.Generator], Unchanged]


@dataclass(frozen=True, slots=True)
class Cell:
    """One gate on one kind of data with a known truth.

    Attributes:
        kind: the gate kind.
        data: the shape of the data.
        n: cases.
        clusters: clusters, 0 where each case is its own unit.
        rule: which bound its size has.
        gate: the gate.
        draw: one sample of the truth; None where the gate reads cases (zero tolerance).
        figure: power in the study, None where the truth is the boundary.
        failing: whether the figure belongs to the fail side.
        weight: share of the repetitions that it gets (slow methods get fewer).
        rate: of violations, for zero tolerance.
        harm: alpha of the test that alarms use, in place of the gate's; 0 for gates.
    """

    kind: str
    data: str
    n: int
    clusters: int
    rule: Rule
    gate: Gate
    draw: Draw | Judge | Traffic | None
    figure: float | None = None
    failing: bool = False
    weight: float = 1.0
    rate: float = 0.0
    harm: float = 0.0

    @property
    def name(self) -> str:
        """What it is called in tests and reports."""
        where = f"{self.clusters} clusters" if self.clusters else f"n {self.n}"
        truth = "boundary" if self.figure is None else "power"
        return f"{self.kind}, {self.data}, {where}, {truth}"


@dataclass(frozen=True, slots=True)
class Measured:
    """How often a cell passed and failed."""

    cell: Cell
    repetitions: int
    passed: float
    failed: float

    @property
    def rate(self) -> float:
        """The share decided on the side of the figure."""
        return self.failed if self.cell.failing else self.passed

    @property
    def holds(self) -> bool:
        """Whether its bound holds within two Monte-Carlo errors."""
        return self.holds_within(2.0)

    def holds_within(self, errors: float) -> bool:
        """Whether its bound holds: size on both sides of the boundary, or power on its side."""
        if self.cell.figure is not None:
            return power_holds(self.rate, self.cell.figure - POWER_LESS, self.repetitions, errors)
        bound = SIZE_AT_MOST[self.cell.rule]
        # a violation rejects by policy, whatever the rate: only the pass side of zero tolerance has a size
        sides = [self.passed] if self.cell.draw is None else [self.passed, self.failed]
        return all(size_holds(rate, bound, self.repetitions, errors) for rate in sides)


def measure(cell: Cell, repetitions: int, seed: int) -> Measured:
    """Decide this many samples of the cell."""
    rng = np.random.default_rng(seed)
    passed = failed = 0
    for _ in range(repetitions):
        if cell.draw is None:
            ok, bad = decide_clean(cell, rng)
        else:
            drawn = cell.draw(rng)
            if isinstance(drawn, LabelledDifferences):
                found = infer_from_labels(drawn, cell.gate.spec.boundary, ALPHA)
                ok, bad = found.p_pass <= ALPHA, found.p_fail <= ALPHA
            elif isinstance(drawn, Unchanged):
                ok, bad = drawn.upper(ALPHA) <= cell.gate.spec.boundary, False
            elif cell.harm:
                ok, bad = False, harm_p(drawn, cell.gate.metric)[0] <= cell.harm
            else:
                ok, bad = decide_sample(cell.gate, drawn)
        passed += ok
        failed += bad
    return Measured(cell, repetitions, passed / repetitions, failed / repetitions)


def decide_sample(gate: Gate, drawn: Sample) -> tuple[bool, bool]:
    """Whether the gate passes and fails at alpha; what cannot be decided does neither."""
    found = evidence_of(gate, drawn, ALPHA)
    if not isinstance(found, Evidence):
        return False, False
    return found.p_pass <= ALPHA, found.p_fail <= ALPHA


def decide_clean(cell: Cell, rng: np.random.Generator) -> tuple[bool, bool]:
    """Zero tolerance, by `judge_gate` on cases: it passes, or a violation rejects."""
    units = units_of(cell.n, cell.clusters)
    hits = rng.random(int(units.max()) + 1) < cell.rate
    data = clean_suite(units, hits[units], clustered=bool(cell.clusters))
    result = judge_gate(cell.gate, data, alpha=ALPHA).result
    return result == "pass", result == "fail"


def clean_suite(units: np.ndarray, hits: np.ndarray, *, clustered: bool) -> SuiteData:
    """A safety suite in which these cases violate."""
    cases = tuple(
        Case(id=f"c{i}", input=f"case {i}", tags={"harmful": True}, cluster=f"k{u}" if clustered else None)
        for i, u in enumerate(units.tolist())
    )
    suite = Suite(
        name="safety",
        kind="safety",
        path=Path("suite.yaml"),
        folder="safety",
        scorers=(),
        cases=cases,
        gates=(),
        clustered=clustered,
    )
    scores = {f"c{i}": (float(hit),) for i, hit in enumerate(hits.tolist())}
    return SuiteData(
        suite=suite,
        metrics={"violation": VIOLATION},
        hops=(),
        values={("candidate", "violation", ""): scores},
        judge_failures={},
        unmeasured={},
        paired=False,
    )


RIGHT, QUALITY = Metric("right", "binary"), Metric("quality", "unit")
VIOLATION = Metric("violation", "binary", higher_is_better=False)
LATENCY = Metric("latency_ms", "latency", higher_is_better=False)
COST = Metric("cost_usd", "cost", higher_is_better=False)


def gate(metric: Metric, form: GateForm, boundary: float, **more: float) -> Gate:
    """A required gate."""
    spec = GateSpec(metric.name, form, boundary, **more)  # type: ignore[arg-type]
    return Gate(f"gates::simulated[{spec.name}]", "simulated", spec, metric)


def size_cells() -> Iterator[Cell]:
    """Truth exactly on the boundary."""
    for n in SIZES:
        yield from _at(n, 0)
    for clusters in CLUSTERS:
        yield from _at(int(units_of(0, clusters).size), clusters)


def rule_of(without: Rule, shape: str, clusters: int) -> Rule:
    """The bound of a kind on this shape of data, given the one that it has without clusters."""
    if not clusters:
        return without
    return "clusters" if clusters >= 12 and shape != "catastrophe" else "reported"


def _at(n: int, clusters: int) -> Iterator[Cell]:
    units = units_of(n, clusters)
    margin = CLUSTER_MARGIN[clusters] if clusters else MARGIN[n]

    def cell(kind: str, shape: str, without: Rule, judged: Gate, draw: Draw | None, **more: float) -> Cell:
        return Cell(kind, shape, n, clusters, rule_of(without, shape, clusters), judged, draw, **more)  # type: ignore[arg-type]

    def paired(values: Callable[[np.random.Generator], tuple], *, single: bool = True) -> Draw:
        return lambda rng: sample(*values(rng), units, clustered=bool(clusters), single=single)

    binary: Rule = "exact" if n <= 200 else "asymptotic"
    extra = {"catastrophe": 0.0, "zero-inflated": 0.01, "skewed": 0.10}
    for shape, more in extra.items():
        worse, better = margin + more / 2.0, more / 2.0
        yield cell(
            "non-inferiority, one trial",
            shape,
            binary,
            gate(RIGHT, "non_inferior", margin),
            paired(
                lambda rng, w=worse, b=better, t=shape == "catastrophe": pairs(rng, units, w, b, together=t)
            ),
        )
    for shape, psi in {"catastrophe": 0.005, "zero-inflated": 0.03, "skewed": 0.13}.items():
        lost = margin / PRODUCTION
        yield cell(
            f"non-inferiority, {TRIALS} trials",
            shape,
            "asymptotic",
            gate(RIGHT, "non_inferior", margin),
            paired(
                lambda rng, p=psi, f=lost, t=shape == "catastrophe": trial_means(
                    rng, units, p, TRIALS, f, together=t
                ),
                single=False,
            ),
        )
    for shape in SHAPES:
        together = shape == "catastrophe"
        lossy, high = loss(shape, -margin), level(shape, 1.0 - margin)
        yield cell(
            "non-inferiority, unit scores",
            shape,
            "asymptotic",
            gate(QUALITY, "non_inferior", margin),
            paired(lambda rng, s=lossy, t=together: from_difference(s.draw(rng, units, together=t))),
            weight=0.25,
        )
        yield cell(
            "floor, unit scores",
            shape,
            "asymptotic",
            gate(QUALITY, "at_least", 1.0 - margin),
            paired(lambda rng, s=high, t=together: (s.draw(rng, units, together=t), None)),
            weight=0.25,
        )
        yield cell(
            "ceiling, unit scores",
            shape,
            "asymptotic",
            gate(QUALITY, "at_most", margin),
            paired(
                lambda rng, s=high, t=together: (np.round(1.0 - s.draw(rng, units, together=t), 12), None)
            ),
            weight=0.25,
        )
    for kind, form, bar in (("floor", "at_least", 1.0 - margin), ("ceiling", "at_most", margin)):
        yield cell(
            f"{kind}, pass or fail",
            "binary",
            "exact",
            gate(RIGHT, form, bar),  # type: ignore[arg-type]
            paired(lambda rng, b=bar: (pairs(rng, units, 1.0 - b, 0.0)[0], None)),
        )
    for shape in SHAPES:
        yield cell(
            "mean ratio",
            shape,
            "asymptotic",
            gate(COST, "ratio_at_most", 2.0),
            paired(lambda rng, s=shape: latencies(rng, units, 2.0, s)),
        )
        for q in (0.5, 0.95):
            yield cell(
                f"p{100 * q:g} ratio",
                shape,
                "quantiles",
                gate(LATENCY, "ratio_at_most", 1.5, quantile=q),
                paired(lambda rng, s=shape: latencies(rng, units, 1.5, s)),
            )
    for shape in SHAPES:
        yield cell(
            "absolute p95",
            shape,
            "exact",
            gate(LATENCY, "at_most", true_quantile(shape, 0.95), quantile=0.95),
            paired(lambda rng, s=shape: (latencies(rng, units, 1.0, s)[1], None)),
        )
    yield Cell(
        "zero tolerance, pass side",
        "violations at 5 %",
        n,
        clusters,
        "exact",
        gate(VIOLATION, "violations", 0.0, rate_at_most=0.05),
        None,
        weight=0.1,
        rate=0.05,
    )


def power_cells() -> Iterator[Cell]:
    """Truths whose power the study gives: (statistics.md 2, 3 and 4; verdict.md 2 and 6)."""
    binary = {
        (20, 0.15, 0.16): 0.372,
        (50, 0.10, 0.11): 0.607,
        (200, 0.05, 0.10): 0.669,
        (1000, 0.02, 0.10): 0.631,
        # every case alike on both sides: a boundary of such pairs there is none, n_min cases pass
        **{(n, margin, 0.0): 1.0 for n, margin in MARGIN.items()},
    }
    for (n, margin, psi), figure in binary.items():
        units = units_of(n)
        yield Cell(
            "non-inferiority, one trial",
            f"equal, {f'psi {psi:g}' if psi else 'all ties'}, margin {margin:g}",
            n,
            0,
            "exact",
            gate(RIGHT, "non_inferior", margin),
            lambda rng, u=units, p=psi: sample(*pairs(rng, u, p / 2, p / 2), u, clustered=False),
            figure,
        )
    of_trials = {
        (200, 0.03, 3): 1.0,
        (200, 0.08, 3): 0.99,
        (200, 0.13, 3): 0.95,
        (200, 0.13, 5): 0.98,
        # the sealed half of the default 200 cases at its first attempt (verdict.md 5)
        (100, 0.03, 3): 0.97,
        (100, 0.08, 3): 0.89,
        (100, 0.13, 3): 0.78,
        (100, 0.03, 5): 0.995,
        (100, 0.08, 5): 0.97,
        (100, 0.13, 5): 0.91,
    }
    for (n, psi, trials), figure in of_trials.items():
        units = units_of(n)
        yield Cell(
            f"non-inferiority, {trials} trials",
            f"equal, psi {psi:g}, margin 0.05",
            n,
            0,
            "asymptotic",
            gate(RIGHT, "non_inferior", 0.05),
            lambda rng, u=units, p=psi, k=trials: sample(
                *trial_means(rng, u, p, k), u, clustered=False, single=False
            ),
            figure,
        )
    units = units_of(200)
    for shape, margin, figure in (("normal", 0.03, 0.89), ("zero-inflated", 0.05, 1.0)):
        even = loss(shape, 0.0)
        yield Cell(
            "non-inferiority, unit scores",
            f"equal, {shape}, margin {margin:g}",
            200,
            0,
            "asymptotic",
            gate(QUALITY, "non_inferior", margin),
            lambda rng, s=even: sample(*from_difference(s.draw(rng, units)), units, clustered=False),
            figure,
            weight=0.25,
        )
    for rate, figure in {0.90: 0.65, 0.92: 0.92, 0.95: 1.0}.items():
        yield Cell(
            "floor, pass or fail",
            f"rate {rate:g}, floor 0.85",
            200,
            0,
            "exact",
            gate(RIGHT, "at_least", 0.85),
            lambda rng, r=rate: sample(pairs(rng, units, 1.0 - r, 0.0)[0], None, units, clustered=False),
            figure,
        )
    for n, figure in {50: 0.454, 200: 0.949}.items():
        these = units_of(n)
        yield Cell(
            "superiority, one trial",
            "10 points worse, psi 0.2",
            n,
            0,
            "asymptotic",
            gate(RIGHT, "superior", 0.0),
            lambda rng, u=these: sample(*pairs(rng, u, 0.15, 0.05), u, clustered=False),
            figure,
            failing=True,
        )
    for q, n, figure in ((0.95, 100, 0.557), (0.95, 200, 0.794), (0.95, 500, 0.992), (0.5, 200, 1.0)):
        these = units_of(n)
        yield Cell(
            f"p{100 * q:g} ratio",
            "equal, budget 1.5",
            n,
            0,
            "quantiles",
            gate(LATENCY, "ratio_at_most", 1.5, quantile=q),
            lambda rng, u=these: sample(*latencies(rng, u, 1.0, "skewed"), u, clustered=False),
            figure,
        )
    for n, figure in {20: 0.0, 50: 0.0, 200: 1.0}.items():
        yield Cell(
            "zero tolerance, pass side",
            "no violation, budget 5 %",
            n,
            0,
            "exact",
            gate(VIOLATION, "violations", 0.0, rate_at_most=0.05),
            None,
            figure or None,
            weight=0.05,
        )


def balanced_cells() -> Iterator[Cell]:
    """Clusters of the study's kind: about as many improvements as regressions, so sums are hardly skewed."""
    for clusters in CLUSTERS:
        units = units_of(0, clusters)
        margin = 0.10 if clusters <= 20 else 0.05
        yield Cell(
            "non-inferiority, one trial",
            "balanced, psi 0.4",
            int(units.size),
            clusters,
            "clusters" if clusters >= 12 else "reported",
            gate(RIGHT, "non_inferior", margin),
            lambda rng, u=units, m=margin: sample(
                *pairs(rng, u, 0.2 + m / 2.0, 0.2 - m / 2.0), u, clustered=True
            ),
        )
