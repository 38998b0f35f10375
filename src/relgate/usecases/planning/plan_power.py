"""What the gates of a project can prove: the whole policy simulated from given or stored values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from relgate.decision.judges.label_needs import labels_missing
from relgate.decision.policy import ALPHA, attempt_alpha
from relgate.decision.simulation import LEAST_GATE, Remedy, Simulation, remedies, simulate
from relgate.decision.simulation.resize import resized
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.decision.wording import plain_rate
from relgate.store.registry import Registry
from relgate.usecases.planning.production import Production, read_production
from relgate.usecases.planning.simulated_project import SimulatedProject, with_trials
from relgate.usecases.planning.spreads import in_words

PSI = "psi is the share of cases whose single-trial score flips between two identical runs"


@dataclass(frozen=True, slots=True)
class PowerOptions:
    """What to simulate; None takes what the project and its stored runs say, else the default.

    Attributes:
        seed: of all draws.
        repetitions: simulated runs per truth.
        psi: flip rate of every metric.
        accuracy: of every metric.
        trials: of every case but those that allow no violation.
        margin: of every required non-inferiority gate but over-refusal's, as the project was read with it.
        cases: of every suite, its slices in proportion.
        attempt: which attempt on the same golden sets this is; it sets the promote-side alpha.
        full: whether runs make every call, as with ``--full``.
    """

    seed: int
    repetitions: int
    psi: float | None = None
    accuracy: float | None = None
    trials: int | None = None
    margin: float | None = None
    cases: int | None = None
    attempt: int = 1
    full: bool = False


@dataclass(frozen=True, slots=True)
class Power:
    """What was simulated and what came out.

    Attributes:
        simulation: the chances.
        remedies: what would help each required gate that passes too seldom, by gate id.
        sources: which values are assumed and which measured, one sentence each.
        suites: the suites that were simulated.
        production: what stored runs say.
        alpha: promote side.
        unlabelled: by id the required gates on a judge that hold whatever a run shows, with what they need;
            they pass in no simulated run. The simulation takes other judges at their word.
    """

    simulation: Simulation
    remedies: dict[str, tuple[Remedy, ...]]
    sources: tuple[str, ...]
    suites: tuple[SimulatedSuite, ...]
    production: Production
    alpha: float
    unlabelled: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        found = self.simulation
        return {
            "repetitions": found.repetitions,
            "alpha": self.alpha,
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
            "unlabelled": list(self.unlabelled.values()),
        }


def _chance(chance: Any) -> dict[str, Any]:
    return asdict(chance) | {"detect": chance.detect}


def plan_power(options: PowerOptions, project: SimulatedProject, registry: Registry | None) -> Power:
    """Simulate the gates of every suite, and look for remedies of every required gate that passes too seldom.

    Args:
        options: what to simulate.
        project: its suites and its application.
        registry: where stored runs are looked up; None where there is no registry.
    """
    assumed = project.assumed
    if options.psi is not None:
        assumed = replace(
            assumed, psi=options.psi, over_refusal=replace(assumed.over_refusal, psi=options.psi)
        )
    if options.accuracy is not None:
        assumed = replace(assumed, accuracy=options.accuracy)
    production = Production()
    if registry is not None:
        production = read_production(registry, project.suites, assumed, project.line)
        project.settle_trials(registry, attempt_alpha(options.attempt))
    world = production.world(assumed)
    levels = {
        cell: replace(
            level,
            psi=level.psi if options.psi is None else options.psi,
            accuracy=level.accuracy if options.accuracy is None else options.accuracy,
        )
        for cell, level in world.levels.items()
    }
    world = replace(world, levels=levels)
    suites = project.settled(production)
    if options.trials is not None:
        suites = tuple(with_trials(each, options.trials) for each in suites)
    if options.cases is not None:
        suites = tuple(resized(each, options.cases) for each in suites)
    alpha = attempt_alpha(options.attempt)
    looks = project.live and not options.full
    unlabelled = dict(_unlabelled(suites, alpha))
    held = frozenset(unlabelled)
    found = simulate(
        suites,
        world,
        repetitions=options.repetitions,
        seed=options.seed,
        alpha=alpha,
        looks=looks,
        held=held,
    )
    tried = min(options.repetitions, 500)
    helped = {
        each.gate.id: remedies(
            each.gate,
            suites,
            world,
            repetitions=tried,
            seed=options.seed,
            alpha=alpha,
            looks=looks,
            held=held,
        )
        for each in found.gates
        if each.passes < LEAST_GATE and each.gate.id not in held
    }
    sources = _sources(options, production, suites, assumed, project)
    return Power(found, helped, sources, suites, production, alpha, unlabelled)


def _unlabelled(suites: Sequence[SimulatedSuite], alpha: float) -> Iterator[tuple[str, str]]:
    for each in suites:
        for gate in each.gates:
            if gate.spec.role == "require" and (why := labels_missing(gate, each.suite, alpha)):
                yield gate.id, f"{gate.id.removeprefix('gates::')} cannot pass: {why}"


def _sources(
    options: PowerOptions,
    production: Production,
    suites: Sequence[SimulatedSuite],
    assumed: World,
    project: SimulatedProject,
) -> tuple[str, ...]:
    given = [
        f"{name} {value:g}"
        for name, value in (
            ("psi", options.psi),
            ("accuracy", options.accuracy),
            ("trials", options.trials),
            ("margin", options.margin),
            ("cases", options.cases),
        )
        if value is not None
    ]
    found = ["given: " + ", ".join(given)] if given else []
    if production.runs:
        found += measured_sources(options, production, assumed, suites)
    else:
        found.append(_assumed(options, suites, assumed, project.line))
    found.append(f"{PSI} ({_psi_source(options, production, assumed)})")
    found.append("trials a case: " + ", ".join(map(_asked, suites)))
    if project.live:
        looks = "looks before the end, as a live run takes them"
        found.append("every call is made, as with --full" if options.full else looks)
    found.append(project.application)
    if options.attempt > 1:
        found.append(
            f"attempt {options.attempt}: promote-side alpha {plain_rate(attempt_alpha(options.attempt))} "
            f"instead of {ALPHA:g}"
        )
    return tuple(found)


def _psi_source(options: PowerOptions, production: Production, assumed: World) -> str:
    if options.psi is not None:
        return "given"
    if assumed.psi == 0.0:
        return "0 for a deterministic application"
    return "from stored runs" if production.pairs else "assumed: no stored run repeated a trial"


def _asked(each: SimulatedSuite) -> str:
    """``desk 3``, ``safe 1 or 3``."""
    return f"{each.suite.name} {' or '.join(map(str, sorted(set(each.trials))))}"


def _assumed(options: PowerOptions, suites: Sequence[SimulatedSuite], assumed: World, line: str) -> str:
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
    why = f"no run of {line} is stored" if line else "there are no stored runs"
    return f"assumed, for {why}: {', '.join(guessed)}"


def _psi(options: PowerOptions, stored: float, pairs: int | None, assumed: World) -> str:
    """The flip rate of a cell that stored runs know, and where it comes from."""
    if options.psi is not None:
        return f"psi {options.psi:.3f} given"
    if pairs:
        return f"psi {stored:.3f} from {pairs} cases with repeated trials"
    if assumed.psi == 0.0:
        return "psi 0, for it is deterministic"
    return f"psi {stored:.3f} assumed, for no trials were repeated"


def measured_sources(
    options: PowerOptions, production: Production, assumed: World, suites: Sequence[SimulatedSuite]
) -> tuple[str, ...]:
    """One sentence per cell that stored runs know, and what is assumed beside them."""
    runs = f"{len(production.runs)} stored run{'s' * (len(production.runs) != 1)}"
    found = [f"from {runs}, the newest {production.runs[0][:15]}"]
    for (suite, metric, hop), level in sorted(production.levels.items()):
        where = f"{suite} {metric}" + (f" on {hop}" if hop else "")
        psi = _psi(options, level.psi, production.pairs.get((suite, metric, hop)), assumed)
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
    judged = {
        (each.suite.name, gate.metric.name, gate.metric.kind)
        for each in suites
        for gate in each.gates
        if not gate.metric.bounded and gate.spec.role != "report"
    }
    for suite, metric, kind in sorted(judged):
        spread = production.spreads.get((suite, metric))
        if spread is None:
            sigma = assumed.latency_sigma if kind == "latency" else assumed.cost_sigma
            found.append(f"assumed: {metric} of {suite} lognormal with sigma {sigma:g}")
        else:
            found.append(f"{suite} {metric}: {in_words(spread)}")
    return tuple(found)
