"""Where a run may be looked at before its end: classes of gates, order of cases, looks (verdict.md 8)."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from relgate import stats
from relgate.decision.alarms import is_watched, watched_slices
from relgate.decision.duplicates import counts_clusters, units_of
from relgate.decision.evidence import LOW_CLUSTERS
from relgate.decision.judges.label_needs import judged_metrics
from relgate.decision.measurements import cases_in_scope, tag_values
from relgate.decision.planning.feasibility import planned_cases
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.ratio_evidence import MIN_RATIO_UNITS, quantile_minimum
from relgate.domain.case import Case, Suite

GateClass = Literal["S", "U", "N"]

LOOKS = 10
LEAST_CASES = 50
"""Cases below which a suite is not looked at: a look would come after every few of them."""

STAGES = (0.4, 0.7, 1.0)
"""Information fractions at which a gate of class U is tested."""


def gate_class(gate: Gate, suite: Suite, *, units: int, clustered: bool) -> GateClass:
    """S has a sequential method of its own, U only a p-value at a fixed n, N is never tested early.

    Args:
        gate: the gate.
        suite: its suite.
        units: independent units that it judges in all.
        clustered: whether these are clusters rather than cases.
    """
    spec = gate.spec
    listed = spec.form in ("non_inferior", "at_least", "at_most", "ratio_at_most")
    other = not listed or spec.against != "baseline" or spec.pooled is not None
    if suite.kind not in ("golden", "safety") or other:
        return "N"
    if spec.metric in judged_metrics(suite):
        return "N"
    if clustered:
        return "U" if units >= LOW_CLUSTERS else "N"
    return "U" if spec.form == "ratio_at_most" or spec.quantile is not None else "S"


@dataclass(frozen=True, slots=True)
class GatePlan:
    """How one gate is looked at.

    Attributes:
        gate: the gate.
        kind: its class.
        cases: ids of the cases that it judges.
        units: independent units among them.
        minimum: units below which a look at a gate of class U is skipped.
        weight: alpha of its fail side.
        passes_from: units below which a flawless run proves nothing, so that a look there spends no alpha on
            a pass; 1 for class U, whose looks have a ``minimum``.
    """

    gate: Gate
    kind: GateClass
    cases: frozenset[str]
    units: int
    minimum: int
    weight: float
    passes_from: int = 1

    @property
    def testable(self) -> bool:
        """Whether some look will ever test it."""
        return self.kind != "N" and self.units >= self.minimum


@dataclass(frozen=True, slots=True)
class SuiteLooks:
    """The plan of looks of one suite.

    Attributes:
        suite: the suite.
        order: ids of its cases in the order of the calls.
        ends: look number and how many cases it takes, ascending; the end of the suite is not among them.
        gates: require and guard gates.
        must_run: ids of the cases that run whatever is decided: critical ones, those of class N, and as many
            of every watched slice as an alarm needs.
        alpha: promote-side alpha of the attempt.
    """

    suite: Suite
    order: tuple[str, ...]
    ends: tuple[tuple[int, int], ...]
    gates: tuple[GatePlan, ...]
    must_run: frozenset[str]
    alpha: float

    def of(self, gate_id: str) -> GatePlan | None:
        """The plan of one gate; None for those that are not looked at."""
        return next((g for g in self.gates if g.gate.id == gate_id and g.kind != "N"), None)


def reject_weights(gates: Sequence[Gate]) -> Mapping[str, float]:
    """Alpha of the fail side of each gate of a role: half of alpha in equal parts (verdict.md 3)."""
    counted = {
        role: sum(g.spec.role == role and g.spec.form != "violations" for g in gates)
        for role in ("require", "guard")
    }
    return {role: ALPHA / 2 / max(1, count) for role, count in counted.items()}


def plan_looks(
    suite: Suite, gates: Sequence[Gate], *, alpha: float, weights: Mapping[str, float], seed: int
) -> SuiteLooks | None:
    """The looks of one suite; None where none could spare a call.

    A suite is looked at where every required gate of class S could pass on a flawless half of its cases,
    and every one of class U on 70 % of them: a smaller one keeps the whole alpha for its end.

    Args:
        suite: the suite.
        gates: its gates, spread over slices.
        alpha: promote-side alpha of this attempt.
        weights: alpha of the fail side per role (``reject_weights``).
        seed: of the order of the cases.
    """
    if suite.sealed:  # early stop inside a sealed verdict was not simulated (verdict.md 8)
        return None
    planned = [_plan_gate(g, suite, weights) for g in gates if g.spec.role != "report"]
    required = [g for g in planned if g.gate.spec.role == "require" and g.kind != "N"]
    if len(suite.cases) < LEAST_CASES or not required or not all(_can_pass_early(g, alpha) for g in required):
        return None
    must_run = frozenset(case.id for case in suite.cases if case.critical is not False).union(
        *(g.cases for g in planned if g.kind == "N")
    )
    order = case_order(suite, gates, seed)
    must_run |= _watched(suite, order)
    if len(must_run) == len(order):
        return None
    return SuiteLooks(
        suite, tuple(case.id for case in order), _ends(suite, order), tuple(planned), must_run, alpha
    )


def _watched(suite: Suite, order: Sequence[Case]) -> frozenset[str]:
    """The first cases of everything that alarms watch, as many as they need, lest an early end blind them."""
    subsets: list[Mapping[str, object]] = [{"harmful": False}] if suite.kind == "safety" else []
    # whichever metrics are watched on them, the slices of a suite have the same cases
    for (_, tag), only in watched_slices(suite, ("",)).items():
        subsets += [{**only, tag: value} for value in tag_values(suite, tag)]
    labels, found = units_of(suite), set[str]()
    for subset in subsets:
        inside = {case.id for case in cases_in_scope(suite, subset)}
        cases = [case.id for case in order if case.id in inside]
        clustered = counts_clusters(suite, [labels[one] for one in cases])
        units: set[str] = set()
        for number, case_id in enumerate(cases, start=1):
            units.add(labels[case_id])
            if is_watched(number, len(units), clustered=clustered):
                found.update(cases[:number])
                break
    return frozenset(found)


def _plan_gate(gate: Gate, suite: Suite, weights: Mapping[str, float]) -> GatePlan:
    cases = planned_cases(gate, suite)
    labels = units_of(suite)
    mine = [labels[case.id] for case in cases]
    units, clustered = len(set(mine)), counts_clusters(suite, mine)
    kind = gate_class(gate, suite, units=units, clustered=clustered)
    return GatePlan(
        gate=gate,
        kind=kind,
        cases=frozenset(case.id for case in cases),
        units=units,
        minimum=_minimum(gate, clustered=clustered),
        weight=weights[gate.spec.role],
        passes_from=passes_from(gate) if kind == "S" else 1,
    )


def _minimum(gate: Gate, *, clustered: bool) -> int:
    spec = gate.spec
    least = LOW_CLUSTERS if clustered else 1
    if spec.quantile is not None:
        if spec.limits_a_quantile:
            return max(least, stats.n_min(1.0 - spec.quantile, ALPHA))
        return max(least, quantile_minimum(spec.quantile))
    return max(least, MIN_RATIO_UNITS) if spec.form == "ratio_at_most" else least


def _can_pass_early(planned: GatePlan, alpha: float) -> bool:
    """Whether a flawless run passes at half (class S) or 70 % (class U) of the gate's cases."""
    spec = planned.gate.spec
    if planned.kind == "U" and planned.units * STAGES[1] < planned.minimum:
        return False
    if spec.form == "ratio_at_most" or spec.quantile is not None:
        return True
    room = _room(planned.gate)
    share = 0.5 if planned.kind == "S" else STAGES[1]
    if not 0.0 < room < 1.0:
        return False
    spent = stats.hsd_spent(share, alpha)
    return len(planned.cases) * share >= stats.n_min(room, spent)


def _room(gate: Gate) -> float:
    """Rate of failures that the boundary of a mean leaves."""
    spec = gate.spec
    return 1.0 - spec.boundary if spec.form == "at_least" else spec.boundary


def passes_from(gate: Gate) -> int:
    """Cases below which a flawless run does not prove a gate's mean: `n_min`; 1 for other gates."""
    if gate.spec.form == "ratio_at_most" or gate.spec.quantile is not None:
        return 1
    room = _room(gate)
    return stats.n_min(room, ALPHA) if 0.0 < room < 1.0 else 1


def case_order(suite: Suite, gates: Sequence[Gate], seed: int) -> tuple[Case, ...]:
    """The cases in a seeded order: every slice evenly spread, whole clusters together.

    It depends on the seed, the tags and the ids alone, never on a stored score.
    """
    keys = sorted({*suite.slices, *(key for gate in gates for key in gate.only or ()), "harmful"})
    labels_of = units_of(suite)
    units: dict[str, list[Case]] = {}
    for case in sorted(suite.cases, key=lambda case: case.id):
        units.setdefault(labels_of[case.id], []).append(case)
    strata: dict[tuple[str, ...], list[str]] = {}
    for label, cases in units.items():
        strata.setdefault(tuple(str(cases[0].tags.get(key)) for key in keys), []).append(label)
    draw = random.Random(f"order of cases/{seed}/{suite.name}")
    placed: list[tuple[float, float, str]] = []
    for _, labels in sorted(strata.items()):
        draw.shuffle(labels)
        offset = draw.random()
        placed += [((i + offset) / len(labels), draw.random(), label) for i, label in enumerate(labels)]
    return tuple(case for _, _, label in sorted(placed) for case in units[label])


def _ends(suite: Suite, order: Sequence[Case]) -> tuple[tuple[int, int], ...]:
    """Look number and number of cases, whole clusters only."""
    labels_of = units_of(suite)
    labels = [labels_of[case.id] for case in order]
    ends: dict[int, int] = {}
    for look in range(1, LOOKS):
        end = math.ceil(look * len(order) / LOOKS)
        while end < len(order) and labels[end] == labels[end - 1]:
            end += 1
        if end < len(order):
            ends[end] = look
    return tuple((look, end) for end, look in ends.items())
