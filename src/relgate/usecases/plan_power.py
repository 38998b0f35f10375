"""What the gates of a project can prove: the whole policy simulated from given or stored values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from relgate.decision.policy import spread_gates
from relgate.decision.simulation import LEAST_GATE, Remedy, Simulation, remedies, simulate
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.domain.case import Suite
from relgate.domain.errors import Refusal
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.files import find_suites, load_suites
from relgate.store.registry import Registry
from relgate.usecases.preparing.trials import trial_count
from relgate.usecases.production import Production, read_production

ASSUMED_HOPS = ("hop 1", "hop 2", "hop 3")
"""The hops of a fallback suite where no manifest says which there are."""

_KNOWN = {metric.name: metric for metric in (*RESPONSE_METRICS, *SAFETY_METRICS)}


@dataclass(frozen=True, slots=True)
class PowerOptions:
    """What to simulate; None takes what stored runs say, else the default.

    Attributes:
        golden_sets: the golden-set folder.
        psi: flip rate of every metric.
        accuracy: of every metric.
        trials: of every case but those that allow no violation.
        margin: of every required non-inferiority gate but over-refusal's.
        seed: of all draws.
        repetitions: simulated runs per truth.
    """

    golden_sets: Path
    seed: int
    repetitions: int
    psi: float | None = None
    accuracy: float | None = None
    trials: int | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """What was simulated and what came out.

    Attributes:
        simulation: the chances.
        remedies: what would help each required gate that passes too seldom, by gate id.
        sources: which values are assumed and which measured, one sentence each.
    """

    simulation: Simulation
    remedies: dict[str, tuple[Remedy, ...]]
    sources: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        found = self.simulation
        return {
            "repetitions": found.repetitions,
            "identical": _chance(found.identical),
            "better": _chance(found.better),
            "faults": [_chance(fault) for fault in found.faults],
            "gates": [
                {
                    "id": each.gate.id,
                    "passes": each.passes,
                    "remedies": [asdict(remedy) for remedy in self.remedies.get(each.gate.id, ())],
                }
                for each in found.gates
            ],
            "not_simulated": list(found.unsimulated),
            "sources": list(self.sources),
        }


def _chance(chance: Any) -> dict[str, Any]:
    return asdict(chance) | {"detect": chance.detect}


def plan_power(options: PowerOptions, registry: Registry | None) -> Power:
    """Simulate the gates of every suite below the golden-set folder.

    Args:
        options: what to simulate.
        registry: where stored runs are looked up; None where there is no registry.

    Raises:
        InputError: with every problem of the suites.
        Refusal: there is no suite.
    """
    suites = load_suites(find_suites(options.golden_sets), golden_sets=options.golden_sets)
    if not suites:
        raise Refusal(f"no suite.yaml below {options.golden_sets}; name the folder with --golden-sets")
    simulated = [_simulated(_with_margin(suite, options.margin), options.trials) for suite in suites]
    assumed = World()
    if options.psi is not None:
        assumed = replace(
            assumed, psi=options.psi, over_refusal=replace(assumed.over_refusal, psi=options.psi)
        )
    if options.accuracy is not None:
        assumed = replace(assumed, accuracy=options.accuracy)
    production = Production() if registry is None else read_production(registry, simulated, assumed)
    world = production.world(assumed)
    levels = {
        cell: replace(
            level,
            psi=level.psi if options.psi is None else options.psi,
            accuracy=level.accuracy if options.accuracy is None else options.accuracy,
        )
        for cell, level in world.levels.items()
    }
    if production.runs and any(each.hops for each in simulated):
        simulated = [_with_known_hops(each, production) for each in simulated]
    world = replace(world, levels=levels)
    return powered(
        simulated, world, options.repetitions, options.seed, _sources(options, production, simulated, assumed)
    )


def powered(
    suites: Sequence[SimulatedSuite], world: World, repetitions: int, seed: int, sources: tuple[str, ...]
) -> Power:
    """Simulate, and look for remedies of every required gate that passes too seldom."""
    found = simulate(suites, world, repetitions=repetitions, seed=seed)
    helped = {
        each.gate.id: remedies(each.gate, suites, world, repetitions=min(repetitions, 500), seed=seed)
        for each in found.gates
        if each.passes < LEAST_GATE
    }
    return Power(found, helped, sources)


def _simulated(suite: Suite, trials: int | None) -> SimulatedSuite:
    metrics = {gate.metric: _KNOWN.get(gate.metric, Metric(gate.metric, "binary")) for gate in suite.gates}
    hops = ASSUMED_HOPS if suite.kind == "fallback" else ()
    return simulated_suite(suite, metrics, hops, trials=trials, deterministic=False)


def simulated_suite(
    suite: Suite,
    metrics: dict[str, Metric],
    hops: tuple[str, ...],
    *,
    trials: int | None,
    deterministic: bool,
) -> SimulatedSuite:
    """A suite as a run would judge it; a number of trials leaves cases that allow no violation alone."""
    each = tuple(
        trial_count(suite, case, deterministic=deterministic)
        if trials is None or (suite.kind == "safety" and case.tags.get("harmful") is True)
        else trials
        for case in suite.cases
    )
    gates = spread_gates(suite, metrics, hops, has_baseline=True)
    return SimulatedSuite(suite, gates, metrics, hops, each)


def _with_known_hops(each: SimulatedSuite, production: Production) -> SimulatedSuite:
    """The hops that stored runs measured, where they measured any."""
    known = tuple(
        dict.fromkeys(hop for suite, _, hop in production.levels if suite == each.suite.name and hop)
    )
    if not each.hops or not known:
        return each
    gates = spread_gates(each.suite, each.metrics, known, has_baseline=True)
    return replace(each, hops=known, gates=gates)


def _with_margin(suite: Suite, margin: float | None) -> Suite:
    if margin is None or suite.kind == "safety":
        return suite
    gates = tuple(
        replace(g, boundary=margin) if g.form == "non_inferior" and g.role == "require" else g
        for g in suite.gates
    )
    return replace(suite, gates=gates)


def _sources(
    options: PowerOptions, production: Production, suites: Sequence[SimulatedSuite], assumed: World
) -> tuple[str, ...]:
    given = [
        f"{name} {value:g}"
        for name, value in (
            ("psi", options.psi),
            ("accuracy", options.accuracy),
            ("trials", options.trials),
            ("margin", options.margin),
        )
        if value is not None
    ]
    found = ["given: " + ", ".join(given)] if given else []
    if production.runs:
        return (*found, *measured_sources(production, assumed, suites))
    guessed = [f"accuracy {assumed.accuracy:g}"] * (options.accuracy is None)
    guessed += [f"psi {assumed.psi:g}"] * (options.psi is None)
    if any(each.hops for each in suites):
        drops = ", ".join(f"{100 * drop:g}" for drop in assumed.hop_drop)
        guessed.append(f"three hops {drops} points below that accuracy")
    if any("over_refusal" in each.metrics for each in suites):
        guessed.append(f"{100 * (1 - assumed.over_refusal.accuracy):g} % of benign cases refused")
    guessed.append(f"latency lognormal with sigma {assumed.latency_sigma:g}")
    guessed.append("no violation in production")
    if any(case.critical is True for each in suites for case in each.suite.cases):
        guessed.append(f"critical cases right in {100 * assumed.critical_accuracy:g} % of trials")
    return (*found, f"assumed, for there are no stored runs: {', '.join(guessed)}")


def measured_sources(
    production: Production, assumed: World, suites: Sequence[SimulatedSuite]
) -> tuple[str, ...]:
    """One sentence per cell that stored runs know, and what is assumed beside them."""
    runs = f"{len(production.runs)} stored run{'s' * (len(production.runs) != 1)}"
    found = [f"from {runs}, the newest {production.runs[0][:15]}"]
    for (suite, metric, hop), level in sorted(production.levels.items()):
        where = f"{suite} {metric}" + (f" on {hop}" if hop else "")
        pairs = production.pairs.get((suite, metric, hop))
        psi = f"psi {level.psi:.3f} assumed, for no trials were repeated"
        if pairs:
            psi = f"psi {level.psi:.3f} from {pairs} cases with repeated trials"
        elif assumed.psi == 0.0:
            psi = "psi 0, for it is deterministic"
        found.append(f"{where}: accuracy {level.accuracy:.3f}, {psi}")
    known = {(suite, metric) for suite, metric, _ in production.levels}
    missing = [
        f"{each.suite.name} {name}"
        for each in suites
        for name, metric in each.metrics.items()
        if metric.bounded and name != "violation" and (each.suite.name, name) not in known
    ]
    if missing:
        values = f"accuracy {assumed.accuracy:g}, psi {assumed.psi:g}"
        found.append(f"assumed, for no stored run measured it: {values} of {', '.join(missing)}")
    if production.latency is None:
        found.append(f"assumed: latency lognormal with sigma {assumed.latency_sigma:g}")
    return tuple(found)
