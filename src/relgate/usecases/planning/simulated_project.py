"""What a simulation is told of a project: its suites as a run would judge them, and its application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from relgate.catalog import Catalog
from relgate.decision.policy import ALPHA, spread_gates
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.decision.trials import PILOT_CASES, trials_after
from relgate.decision.trials import Pilot as FlipRate
from relgate.domain.case import Suite
from relgate.domain.errors import InputError, Problem, Refusal
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.release import Release
from relgate.files import find_suites, load_suites
from relgate.store import Registry
from relgate.usecases.planning.production import Production
from relgate.usecases.preparing.attempt_count import next_attempt
from relgate.usecases.preparing.baseline import PRODUCTION, Baseline, find_baseline
from relgate.usecases.preparing.inputs import Sources, read_inputs
from relgate.usecases.preparing.plan_suite import hops_of
from relgate.usecases.preparing.stored_baseline import from_row
from relgate.usecases.preparing.stored_pilot import settle_from_registry
from relgate.usecases.preparing.trials import TrialPlan, trial_count

ASSUMED_HOPS = ("hop 1", "hop 2", "hop 3")
"""The hops of a fallback suite where no manifest says which there are."""

_KNOWN = {metric.name: metric for metric in (*RESPONSE_METRICS, *SAFETY_METRICS)}


@dataclass(frozen=True, slots=True)
class ScoredSuite:
    """A suite with every metric that its scorers report."""

    suite: Suite
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class SimulatedProject:
    """What is simulated.

    Attributes:
        suites: with their gates, hops and trials.
        assumed: production where no stored run says otherwise.
        application: how the application was taken, one sentence.
        line: the release's name; "" where no manifest was read.
        plan: the trials of its manifest; None where none was read.
        scored: its suites with every metric, for the pilot of the trials.
        live: whether the application is asked, so that a run may end early; a recording is read.
        candidate: the release of its manifest; None where none was read.
        baseline_in: finds what a run of it would be compared with.
    """

    suites: tuple[SimulatedSuite, ...]
    assumed: World
    application: str
    line: str = ""
    plan: TrialPlan | None = None
    scored: tuple[ScoredSuite, ...] = ()
    live: bool = True
    candidate: Release | None = None
    baseline_in: Callable[[Registry], Baseline] = lambda _: Baseline(None)

    def settled(self, production: Production) -> tuple[SimulatedSuite, ...]:
        """The suites with what stored runs say: the hops where no manifest does, the trials of ``auto``."""
        if self.plan is None:
            return tuple(_with_known_hops(each, production) for each in self.suites)
        return tuple(_with_auto_trials(each, self.plan, production) for each in self.suites)

    def next_attempt(self, registry: Registry) -> int:
        """Which attempt the next candidate on these golden cases would be; 1 where no manifest was read."""
        if self.candidate is None:
            return 1
        try:
            baseline = self.baseline_in(registry)
        except InputError:  # whoever runs the tests is told why; the count goes by what is in production
            holder = registry.alias(PRODUCTION, self.line)
            baseline = Baseline(None if holder is None else from_row(holder))
        return next_attempt(registry, self.candidate, baseline, [each.suite for each in self.suites])

    def settle_trials(self, registry: Registry, alpha: float) -> None:
        """Take the pilot that a run against the release in production would take from stored runs."""
        holder = registry.alias(PRODUCTION, self.line) if self.line else None
        if self.plan is not None and holder is not None:
            settle_from_registry(self.plan, self.scored, holder, registry, alpha)


def project_of_manifest(
    manifest: Path,
    *,
    golden_sets: Path,
    environment: Mapping[str, str],
    catalog: Catalog,
    problems: Iterable[Problem] = (),
    margin: float | None = None,
) -> SimulatedProject:
    """The suites, metrics, hops and trials of a manifest; nothing is called.

    Args:
        manifest: the release whose application counts.
        golden_sets: the golden-set folder.
        environment: variables.
        catalog: what plugins registered.
        problems: plugins that could not be loaded.
        margin: of every required non-inferiority gate but those of safety suites; None leaves them.

    Raises:
        InputError: with every problem of the manifest and its suites.
        Refusal: there is no suite.
    """
    unread = tuple(problems)
    sources = Sources(manifest, golden_sets, environment, catalog, whole_catalog=not unread)
    inputs = read_inputs(sources, lambda release: Baseline(None), unread)
    candidate = inputs.releases["candidate"]
    rows = {str(side): found for side, found in inputs.rows.items()}
    plan = TrialPlan(deterministic=candidate.deterministic, override=None, rows=rows)
    suites: list[SimulatedSuite] = []
    scored = []
    for given, judging in zip(inputs.suites, inputs.judgings, strict=True):
        suite = _with_margin(given, margin)
        metrics = {gate.metric: judging.metrics[gate.metric] for gate in suite.gates}
        hops = hops_of(candidate, suite)
        trials = tuple(len(plan.trials("candidate", suite, case)) for case in suite.cases)
        gates = spread_gates(suite, metrics, hops, has_baseline=True)
        suites.append(SimulatedSuite(suite, gates, metrics, hops, trials))
        scored.append(ScoredSuite(suite, judging.metrics))
    if not suites:
        raise Refusal(f"no suite.yaml below {golden_sets}; name the folder with --golden-sets")
    kind = candidate.application.kind + ", deterministic" * candidate.deterministic
    # a deterministic application never flips, on critical cases neither
    assumed = World(psi=0.0, critical_accuracy=1.0) if candidate.deterministic else World()
    return SimulatedProject(
        suites=tuple(suites),
        assumed=assumed,
        application=f"application of {manifest}: {kind}",
        line=candidate.name,
        plan=plan,
        scored=tuple(scored),
        live=candidate.application.kind != "recording",
        candidate=candidate,
        baseline_in=lambda registry: find_baseline(
            candidate,
            None,
            registry,
            base=manifest.parent,
            environment=environment,
            golden_sets=golden_sets,
            artifact_kinds=catalog.artifact_kinds,
        ),
    )


def project_of_suites(golden_sets: Path, *, margin: float | None = None, why: str = "") -> SimulatedProject:
    """The suites below the golden-set folder, where there is no manifest to say what answers.

    Args:
        golden_sets: the golden-set folder.
        margin: as in ``project_of_manifest``.
        why: why no manifest was read.

    Raises:
        InputError: with every problem of the suites.
        Refusal: there is no suite.
    """
    suites = load_suites(find_suites(golden_sets), golden_sets=golden_sets)
    if not suites:
        raise Refusal(f"no suite.yaml below {golden_sets}; name the folder with --golden-sets")
    application = (
        f"{why or 'no manifest was read'}: assumed an application that may answer otherwise each time"
    )
    return SimulatedProject(
        tuple(_alone(_with_margin(suite, margin)) for suite in suites), World(), application
    )


def _alone(suite: Suite) -> SimulatedSuite:
    metrics = {gate.metric: _KNOWN.get(gate.metric, Metric(gate.metric, "binary")) for gate in suite.gates}
    hops = ASSUMED_HOPS if suite.kind == "fallback" else ()
    trials = tuple(trial_count(suite, case, deterministic=False) for case in suite.cases)
    gates = spread_gates(suite, metrics, hops, has_baseline=True)
    return SimulatedSuite(suite, gates, metrics, hops, trials)


def with_trials(each: SimulatedSuite, trials: int) -> SimulatedSuite:
    """Every case asked so often, but those that allow no violation."""
    safety = each.suite.kind == "safety"
    asked = tuple(
        now if safety and case.tags.get("harmful") is True else trials
        for case, now in zip(each.suite.cases, each.trials, strict=True)
    )
    return replace(each, trials=asked)


def _with_known_hops(each: SimulatedSuite, production: Production) -> SimulatedSuite:
    """The hops that stored runs measured, where they measured any."""
    known = tuple(
        dict.fromkeys(hop for suite, _, hop in production.levels if suite == each.suite.name and hop)
    )
    if not each.hops or not known:
        return each
    gates = spread_gates(each.suite, each.metrics, known, has_baseline=True)
    return replace(each, hops=known, gates=gates)


def _with_auto_trials(each: SimulatedSuite, plan: TrialPlan, production: Production) -> SimulatedSuite:
    """The trials that ``trials: auto`` takes once stored runs know the flip rate (verdict.md 6)."""
    if plan.is_settled(each.suite):
        asked = tuple(len(plan.trials("candidate", each.suite, case)) for case in each.suite.cases)
        return replace(each, trials=asked)
    cell = (each.suite.name, each.own[0], "") if each.own else None
    if cell is None or not plan.wants_pilot(each.suite) or production.pairs.get(cell, 0) < PILOT_CASES:
        return each
    cases, psi = production.pairs[cell], production.levels[cell].psi
    known = FlipRate(round(psi * cases), cases, psi)
    number = trials_after(known, each.suite, each.metrics, ALPHA)
    return replace(each, trials=(number,) * len(each.trials))


def _with_margin(suite: Suite, margin: float | None) -> Suite:
    if margin is None or suite.kind == "safety":
        return suite
    gates = tuple(
        replace(g, boundary=margin) if g.form == "non_inferior" and g.role == "require" else g
        for g in suite.gates
    )
    return replace(suite, gates=gates)
