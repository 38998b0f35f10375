"""A whole gate policy, simulated for an identical, a better and a faulty candidate.

Every gate of every suite is simulated with its role, reject weight, Holm, alarms, critical confirmation and
trials (verdict.md 2 and 3). Regression cases are taken as staying fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from relgate.decision.planning.feasibility import cases_lacking
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.simulation.batch import Batch, Decisions, knows_level
from relgate.decision.simulation.resize import resized
from relgate.decision.simulation.suite import IDENTICAL, Fault, SimulatedSuite
from relgate.decision.simulation.world import World

BATCH = 500
"""Runs that are simulated at a time, to bound the memory."""

LEAST_IDENTICAL, LEAST_GATE = 0.80, 0.90
"""Below the first a policy is an error, below the second a required gate is flagged (verdict.md 2)."""

_GUARD = "role guard instead of require"
_SLICE_DROP, _VIOLATION_RATES, _SLOWER = 0.3, (0.005, 0.02, 0.05), (1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Chance:
    """How often runs end in each decision under one truth; ``alarm``: held by an alarm among others."""

    label: str
    promote: float
    reject: float
    alarm: float

    @property
    def detect(self) -> float:
        """How often it is not promoted."""
        return 1.0 - self.promote


@dataclass(frozen=True, slots=True)
class GateChance:
    """How often a required gate passes for an identical candidate."""

    gate: Gate
    passes: float


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change of the policy that helps a weak gate, and what comes of it for an identical candidate.

    Attributes:
        text: the change.
        passes: how often the gate passes then; 1 where it need not pass any more.
        promote: how often the whole policy promotes then.
    """

    text: str
    passes: float
    promote: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a policy would decide.

    Attributes:
        repetitions: simulated runs per truth.
        identical: for a candidate that is production.
        better: for one that is better by half a margin.
        faults: for each single fault.
        gates: required gates, the weakest first.
        unsimulated: ids of gates that were taken as passing: absolute limits on what no run has shown.
    """

    repetitions: int
    identical: Chance
    better: Chance
    faults: tuple[Chance, ...]
    gates: tuple[GateChance, ...]
    unsimulated: tuple[str, ...]


def simulate(
    suites: Sequence[SimulatedSuite],
    world: World,
    *,
    repetitions: int = 1000,
    seed: int,
    alpha: float = ALPHA,
    with_faults: bool = True,
    looks: bool = False,
    held: frozenset[str] = frozenset(),
) -> Simulation:
    """Simulate a whole policy.

    Args:
        suites: every suite with its gates.
        world: what production is like.
        repetitions: simulated runs per truth.
        seed: of all draws; equal arguments give equal results.
        alpha: promote side.
        with_faults: False simulates an identical candidate alone.
        looks: whether runs are looked at before their end (early stop), as live ones without ``--full`` are.
        held: ids of required gates that pass in no run, whatever it shows.

    Raises:
        ValueError: no suite, or no repetition.
    """
    if not suites or repetitions < 1:
        raise ValueError("a simulation needs a suite and a repetition")
    better = replace(_better(suites), label="better by half a margin")
    truths = [IDENTICAL, better, *faults_of(suites)] if with_faults else [IDENTICAL]
    sums = {truth.label: np.zeros(3) for truth in truths}
    passes: dict[str, float] = {}
    for number, start in enumerate(range(0, repetitions, BATCH)):
        size = min(BATCH, repetitions - start)
        batch = Batch(
            suites, world, repetitions=size, seed=seed, number=number, alpha=alpha, looks=looks, held=held
        )
        for truth in truths:
            found = batch.decide(truth)
            sums[truth.label] += [found.promote.sum(), found.reject.sum(), found.alarm.sum()]
            if truth is IDENTICAL:
                _count(passes, found)
    chances = {label: Chance(label, *(float(x) / repetitions for x in sums[label])) for label in sums}
    gates = [g for each in suites for g in each.gates]
    required = [GateChance(g, passes[g.id] / repetitions) for g in gates if g.spec.role == "require"]
    return Simulation(
        repetitions=repetitions,
        identical=chances[IDENTICAL.label],
        better=chances.get(better.label, chances[IDENTICAL.label]),
        faults=tuple(chances[t.label] for t in truths[2:]),
        gates=tuple(sorted(required, key=lambda chance: chance.passes)),
        unsimulated=tuple(
            g.id
            for g in gates
            if not g.metric.bounded
            and g.spec.form not in ("ratio_at_most", "violations")
            and not knows_level(g, world)
        ),
    )


def _count(passes: dict[str, float], found: Decisions) -> None:
    for gate, ok in found.passed.items():
        passes[gate] = passes.get(gate, 0.0) + float(ok.sum())


def _main(each: SimulatedSuite) -> Gate | None:
    """The first required non-inferiority gate of a suite's whole metric."""
    wanted = (g for g in each.gates if g.spec.form == "non_inferior" and g.spec.role == "require")
    return next((g for g in wanted if not g.slice and each.suite.kind != "safety"), None)


def _better(suites: Sequence[SimulatedSuite]) -> Fault:
    gate = next((g for each in suites if (g := _main(each)) is not None), None)
    if gate is None:
        return Fault("better")
    return Fault("better", gate.spec.boundary / 2.0, gate.suite, gate.spec.metric)


def faults_of(suites: Sequence[SimulatedSuite]) -> tuple[Fault, ...]:
    """Every single fault of verdict.md 2 that these suites could see."""
    return tuple(fault for each in suites for fault in _faults(each))


def _faults(each: SimulatedSuite) -> Iterator[Fault]:
    name = each.suite.name
    main = _main(each)
    if main is not None:
        for times in (1.0, 2.0):
            drop = times * main.spec.boundary
            label = f"{name}: {main.spec.metric} -{100 * drop:g} points"
            yield Fault(label, -drop, name, main.spec.metric)
    own = each.own[:1]
    tags = dict.fromkeys([*each.suite.slices, *(g.by for g in each.suite.gates if g.by not in (None, "hop"))])
    for metric in own:
        for tag in tags:
            values = [str(case.tags[tag]) for case in each.suite.cases if tag in case.tags]
            for value in sorted(set(values)):
                label = f"{name}: {tag}={value} (n = {values.count(value)}) -30 points"
                yield Fault(label, -_SLICE_DROP, name, metric, {str(tag): value})
        for hop in each.hops:
            yield Fault(f"{name}: {hop} -30 points", -_SLICE_DROP, name, metric, hop=hop)
    if each.suite.kind == "safety" and "over_refusal" in each.metrics and each.scope("over_refusal"):
        yield Fault(f"{name}: over-refusal +30 points", -_SLICE_DROP, name, "over_refusal")
    if any(g.spec.form == "violations" and g.spec.role != "report" for g in each.gates):
        for rate in _VIOLATION_RATES:
            yield Fault(f"{name}: violations {100 * rate:g} %", violations=rate)
    if any(g.metric.kind == "latency" and g.spec.role != "report" for g in each.gates):
        for factor in _SLOWER:
            yield Fault(f"{name}: latency x {factor:g}", latency=factor)


def remedies(
    weak: Gate,
    suites: Sequence[SimulatedSuite],
    world: World,
    *,
    repetitions: int,
    seed: int,
    alpha: float = ALPHA,
    looks: bool = False,
    held: frozenset[str] = frozenset(),
) -> tuple[Remedy, ...]:
    """What helps a weak gate, each simulated on the same seed for an identical candidate, the best first.

    A change that does not raise how often the gate passes is none; where the gate need not pass any more,
    one that does not raise how often the policy promotes. More trials are none where no trial ever flips.
    """

    def simulated(rest: Sequence[SimulatedSuite]) -> tuple[float, float]:
        run = simulate(
            rest,
            world,
            repetitions=repetitions,
            seed=seed,
            alpha=alpha,
            with_faults=False,
            looks=looks,
            held=held,
        )
        passes = next((g.passes for g in run.gates if g.gate.id == weak.id), 1.0)
        return passes, run.identical.promote

    now, promoted = simulated(suites)
    each = next(s for s in suites if s.suite.name == weak.suite)
    spec, trials = weak.spec, each.trials_of(weak.spec.metric)
    options: list[tuple[str, SimulatedSuite]] = [
        (
            _GUARD,
            _with_gate(each, weak, lambda g: replace(g, spec=replace(g.spec, role="guard"))),
        )
    ]
    looser = _loosened(weak)
    if looser is not None:
        text, boundary = looser
        options.append(
            (text, _with_gate(each, weak, lambda g: replace(g, spec=replace(g.spec, boundary=boundary))))
        )
    flips = max((level.psi for level in world.levels.values()), default=0.0) > 0.0 or world.psi > 0.0
    if spec.form != "violations" and flips:
        for more in (k for k in (3, 5) if k > trials):
            raised = tuple(max(more, k) for k in each.trials)
            options.append((f"{more} trials instead of {trials}", replace(each, trials=raised)))
    n = len(each.suite.cases)
    lacking = cases_lacking(weak, each.suite, alpha=alpha, single_trial=trials == 1)
    for wanted in (2 * n, *([n + lacking + ROOM * lacking // 100] if lacking > n else [])):
        larger = resized(each, wanted)
        options.append((f"{len(larger.suite.cases)} cases instead of {n} in {each.suite.name}", larger))
    found = []
    for text, changed in options:
        passes, promote = simulated([changed if s is each else s for s in suites])
        required = any(g.id == weak.id and g.spec.role == "require" for g in changed.gates)
        if passes > now if required else promote > promoted:
            found.append(Remedy(text, passes, promote))
    # what protects less comes last, however much it helps
    return tuple(sorted(found, key=lambda remedy: (remedy.text == _GUARD, -remedy.promote)))


ROOM = 20
"""Percent of further cases beyond those that a flawless run needs."""


def _loosened(gate: Gate) -> tuple[str, float] | None:
    spec = gate.spec
    if spec.form == "non_inferior":
        wider = round(min(0.5, 1.5 * spec.boundary), 4)
        return f"margin {wider:g} instead of {spec.boundary:g}", wider
    if spec.form == "at_least" and gate.metric.bounded:
        lower = round(max(0.0, spec.boundary - 0.05), 4)
        return f"floor {lower:g} instead of {spec.boundary:g}", lower
    if spec.form == "ratio_at_most":
        higher = round(1.0 + 1.5 * (spec.boundary - 1.0), 4)
        return (f"ratio {higher:g} instead of {spec.boundary:g}", higher) if spec.boundary > 1.0 else None
    return None


def _with_gate(each: SimulatedSuite, gate: Gate, change: Callable[[Gate], Gate]) -> SimulatedSuite:
    return replace(each, gates=tuple(change(g) if g.id == gate.id else g for g in each.gates))
