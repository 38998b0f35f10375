"""Whether a project's gates would promote what is in production already, and which cases tell nothing."""

from __future__ import annotations

import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from relgate.catalog import Catalog
from relgate.decision.policy import ALPHA
from relgate.decision.simulation import LEAST_GATE, LEAST_IDENTICAL
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.decision.trials import PILOT_CASES, trials_after
from relgate.decision.trials import Pilot as FlipRate
from relgate.domain.case import Case
from relgate.domain.errors import Problem, Refusal
from relgate.domain.release import Release
from relgate.stats import clopper_pearson
from relgate.store.registry import Registry
from relgate.usecases.plan_power import Power, measured_sources, powered, simulated_suite
from relgate.usecases.preparing.baseline import Baseline
from relgate.usecases.preparing.inputs import Sources, read_inputs
from relgate.usecases.preparing.plan_suite import hops_of
from relgate.usecases.preparing.trials import TrialPlan
from relgate.usecases.production import Production, read_production

SATURATED_RUNS = 3
"""Whole runs in which a case must never have failed to be called never-failing."""

ALIKE = 92.0
"""Similarity, 0 to 100, from which two inputs are near duplicates (rapidfuzz's token_sort_ratio)."""

MOST_COMPARED = 3000
"""Cases of a suite beyond which inputs are compared by their tokens only."""

_ARMED_AT_MOST = 0.05
"""How often production's own violations may reject an identical candidate."""

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class ViolationRate:
    """Production's own violations on a suite that allows none.

    Attributes:
        suite: its name.
        calls: stored calls of production on those cases.
        violations: how many of them violated.
        upper: upper bound of the rate at 95 %.
        rejects: how often an identical candidate would be rejected by a violation, 1 - (1 - v)^n.
    """

    suite: str
    calls: int
    violations: int
    upper: float
    rejects: float


@dataclass(frozen=True, slots=True)
class Cases:
    """Case ids of a suite that tell little.

    Attributes:
        suite: its name.
        saturated: hit on every trial of every stored run, on both sides.
        never_failing: those among them that were measured in several runs.
        flaky: trials of one run disagree.
        alike: pairs of near duplicates.
    """

    suite: str
    saturated: tuple[str, ...]
    never_failing: tuple[str, ...]
    flaky: tuple[str, ...]
    alike: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found.

    Attributes:
        power: the simulated policy.
        errors: what makes the exit status 1.
        warnings: what should be looked at.
        violations: production's own violations per suite.
        cases: per suite.
        compared_by: how near duplicates were looked for.
    """

    power: Power
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    violations: tuple[ViolationRate, ...]
    cases: tuple[Cases, ...]
    compared_by: str

    def document(self) -> dict[str, Any]:
        """The JSON value."""
        return {
            "errors": list(self.errors),
            "warnings": list(self.warnings),
            **self.power.document(),
            "violations": [
                {
                    "suite": v.suite,
                    "calls": v.calls,
                    "violations": v.violations,
                    "upper": v.upper,
                    "rejects": v.rejects,
                }
                for v in self.violations
            ],
            "cases": [
                {
                    "suite": c.suite,
                    "saturated": list(c.saturated),
                    "never_failing": list(c.never_failing),
                    "flaky": list(c.flaky),
                    "near_duplicates": [list(pair) for pair in c.alike],
                }
                for c in self.cases
            ],
            "compared_by": self.compared_by,
        }


def examine(
    manifest: Path,
    *,
    golden_sets: Path,
    environment: Mapping[str, str],
    catalog: Catalog,
    problems: Iterable[Problem],
    registry: Registry | None,
    repetitions: int,
    seed: int,
) -> Diagnosis:
    """Simulate the policy of a project from its stored runs; nothing is called.

    Args:
        manifest: the release whose line and hops count.
        golden_sets: the golden-set folder.
        environment: variables.
        catalog: what plugins registered.
        problems: plugins that could not be loaded.
        registry: where stored runs are looked up; None where there is no registry.
        repetitions: simulated runs per truth.
        seed: of all draws.

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
    suites = []
    for suite, judging in zip(inputs.suites, inputs.judgings, strict=True):
        gated = {gate.metric: judging.metrics[gate.metric] for gate in suite.gates}
        made = simulated_suite(suite, gated, hops_of(candidate, suite), trials=None, deterministic=False)
        trials = tuple(len(plan.trials("candidate", suite, case)) for case in suite.cases)
        suites.append(SimulatedSuite(suite, made.gates, gated, made.hops, trials))
    if not suites:
        raise Refusal(f"no suite.yaml below {golden_sets}; name the folder with --golden-sets")
    assumed = _assumed(candidate)
    production = (
        Production() if registry is None else read_production(registry, suites, assumed, candidate.name)
    )
    suites = [_with_auto_trials(each, plan, production) for each in suites]
    told = (
        measured_sources(production, assumed, suites)
        if production.runs
        else (
            f"assumed, for no run of {candidate.name} is stored: accuracy {assumed.accuracy:g}, "
            f"psi {assumed.psi:g}; run pytest --manifest {manifest} first",
        )
    )
    power = powered(suites, production.world(assumed), repetitions, seed, told)
    violations = tuple(_violation_rates(suites, production))
    by = "rapidfuzz" if importlib.util.find_spec("rapidfuzz") is not None else "normalised tokens"
    return Diagnosis(
        power=power,
        errors=tuple(_errors(power)),
        warnings=tuple(_warnings(power, violations)),
        violations=violations,
        cases=tuple(_cases(each, production, fuzzy=by == "rapidfuzz") for each in suites),
        compared_by=by,
    )


def _with_auto_trials(each: SimulatedSuite, plan: TrialPlan, production: Production) -> SimulatedSuite:
    """The trials that ``trials: auto`` takes once stored runs know the flip rate (verdict.md 6)."""
    cell = (each.suite.name, each.own[0], "") if each.own else None
    if cell is None or not plan.wants_pilot(each.suite) or production.pairs.get(cell, 0) < PILOT_CASES:
        return each
    cases = production.pairs[cell]
    known = FlipRate(round(production.levels[cell].psi * cases), cases)
    number = trials_after(known, each.suite, each.metrics, ALPHA)
    return replace(each, trials=(number,) * len(each.trials))


def _assumed(candidate: Release) -> World:
    """A deterministic application never flips, on critical cases neither."""
    return World(psi=0.0, critical_accuracy=1.0) if candidate.deterministic else World()


def _errors(power: Power) -> Iterator[str]:
    found = power.simulation
    if found.identical.promote >= LEAST_IDENTICAL:
        return
    held = round(100 * (1.0 - found.identical.promote))
    weakest = ", ".join(f"{g.gate.id.removeprefix('gates::')} {g.passes:.2f}" for g in found.gates[:2])
    weak = f"weakest: {weakest}" if weakest else "no gate is required"
    rejected = (
        f" ({round(100 * found.identical.reject)} of them rejected)"
        if found.identical.reject >= 0.005
        else ""
    )
    yield f"this policy holds an identical candidate {held} times in 100{rejected}; {weak}"


def _warnings(power: Power, violations: Sequence[ViolationRate]) -> Iterator[str]:
    for each in power.simulation.gates:
        if each.passes >= LEAST_GATE:
            continue
        ways = "; ".join(f"{r.text} ({r.promote:.2f})" for r in power.remedies.get(each.gate.id, ()))
        name = each.gate.id.removeprefix("gates::")
        yield (
            f"{name} passes {100 * each.passes:.0f} % of identical candidates; "
            f"remedies with P(promote | identical): {ways}"
        )
    for rate in violations:
        if rate.rejects > _ARMED_AT_MOST:
            yield (
                f"{rate.suite}: production itself violates {rate.violations} times in {rate.calls} calls, so "
                f"zero tolerance rejects an identical candidate {100 * rate.rejects:.0f} % of the time: mend "
                "these cases before it is armed"
            )


def _violation_rates(suites: Sequence[SimulatedSuite], production: Production) -> Iterator[ViolationRate]:
    for each in suites:
        name = each.suite.name
        armed = [g for g in each.gates if g.spec.form == "violations" and g.spec.role != "report"]
        if not armed or name not in production.violations:
            continue
        calls, hits = production.violations[name]
        asked = len(each.scope("violation")) * each.trials_of("violation") * max(1, len(each.hops))
        rate = hits / calls
        upper = clopper_pearson(hits, calls).high
        yield ViolationRate(name, calls, hits, upper, 1.0 - (1.0 - rate) ** asked)


def _cases(each: SimulatedSuite, production: Production, *, fuzzy: bool) -> Cases:
    name = each.suite.name
    known = [case.id for case in each.suite.cases if (name, case.id) in production.trials]
    saturated = tuple(i for i in known if all(production.trials[name, i]))
    return Cases(
        suite=name,
        saturated=saturated,
        never_failing=tuple(i for i in saturated if len(production.seen[name, i]) >= SATURATED_RUNS),
        flaky=tuple(i for i in known if (name, i) in production.disagree),
        alike=near_duplicates(each.suite.cases, fuzzy=fuzzy),
    )


def near_duplicates(cases: Sequence[Case], *, fuzzy: bool) -> tuple[tuple[str, str], ...]:
    """Pairs of cases that ask nearly the same; those of one ``pair`` are alike on purpose.

    Args:
        cases: of one suite.
        fuzzy: compare by rapidfuzz (which must be installed), else by equal normalised tokens in any order.
    """
    asked = [(case, " ".join(_WORD.findall(case.text.casefold()))) for case in cases]
    asked = [(case, text) for case, text in asked if text]
    if fuzzy and len(asked) <= MOST_COMPARED:
        pairs = _fuzzy([text for _, text in asked])
    else:
        pairs = _by_tokens([text for _, text in asked])
    found = [(asked[i][0], asked[j][0]) for i, j in pairs]
    return tuple((a.id, b.id) for a, b in found if a.pair is None or a.pair != b.pair)


def _fuzzy(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    from rapidfuzz import fuzz, process

    for i, text in enumerate(texts):
        rest = texts[i + 1 :]
        for _, _, j in process.extract(
            text, rest, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE, limit=None
        ):
            yield i, i + 1 + j


def _by_tokens(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for j, text in enumerate(texts):
        same = first[tuple(sorted(text.split()))]
        yield from ((i, j) for i in same)
        same.append(j)
