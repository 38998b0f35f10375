"""The rules over all gates together: looks, the whole default policy, attempts, tuned sets and creep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from relgate.decision.anchor import crept
from relgate.decision.early_stop.look_plan import GatePlan, passes_from
from relgate.decision.early_stop.looks import look_at
from relgate.decision.evidence import Evidence, difference_evidence
from relgate.decision.policy import ALPHA, Gate, attempt_alpha, spread_gates
from relgate.decision.simulation import simulate
from relgate.decision.simulation.batch import SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.domain.case import Case, ScorerSpec, Suite, SuiteKind
from relgate.domain.default_policy import default_gates
from relgate.domain.metric import Metric
from simulated.bounds import (
    ATTEMPTS_AT_MOST,
    CREEP_FALSE_AT_MOST,
    CREEP_FOUND_AT_LEAST,
    IDENTICAL_AT_LEAST,
    SIZE_AT_MOST,
    error,
)
from simulated.cells import LATENCY, QUALITY, RIGHT, VIOLATION, gate
from simulated.worlds import (
    PRODUCTION,
    from_difference,
    latencies,
    loss,
    pairs,
    pass_rates,
    sample,
    units_of,
)

COST = Metric("cost_usd", "cost", higher_is_better=False)
OVER_REFUSAL = Metric("over_refusal", "binary", higher_is_better=False)
LOOKS, ATTEMPTS, RELEASES = 10, 5, 12
MARGIN, PSI, TRIALS = 0.05, 0.08, 3


@dataclass(frozen=True, slots=True)
class Claim:
    """One measured share and what was stated about it before.

    Attributes:
        name: what was measured.
        rate: the share.
        repetitions: how many runs it is a share of.
        at_most: its upper bound, two Monte-Carlo errors on top; None where there is none.
        at_least: its lower bound, likewise.
        study: the study's figure, "" where it has none.
    """

    name: str
    rate: float
    repetitions: int
    at_most: float | None = None
    at_least: float | None = None
    study: str = ""

    @property
    def bounded(self) -> bool:
        """Whether anything was stated."""
        return self.at_most is not None or self.at_least is not None

    @property
    def holds(self) -> bool:
        """Whether it lies inside what was stated."""
        high = self.at_most is None or self.rate <= self.at_most + 2.0 * error(self.at_most, self.repetitions)
        low = self.at_least is None or self.rate >= self.at_least - 2.0 * error(
            self.at_least, self.repetitions
        )
        return high and low


Experiment = Callable[[int, int], list[Claim]]


def looks(repetitions: int, seed: int) -> list[Claim]:
    """Gates on their boundary, looked at ten times: a pass at any look counts."""
    rng = np.random.default_rng(seed)
    claims = []
    for n in (200, 500):
        units = units_of(n)
        zero = loss("zero-inflated", -MARGIN)
        worlds: list[tuple[str, Gate, str, float | None, Callable[[], tuple]]] = [
            (
                "pass or fail, psi 0.15",
                gate(RIGHT, "non_inferior", MARGIN),
                "S",
                SIZE_AT_MOST["asymptotic"],
                lambda u=units: pairs(rng, u, 0.10, 0.05),
            ),
            (
                "unit scores, zero-inflated",
                gate(QUALITY, "non_inferior", MARGIN),
                "S",
                SIZE_AT_MOST["asymptotic"],
                lambda u=units, s=zero: from_difference(s.draw(rng, u)),
            ),
            (
                "p95 ratio",
                gate(LATENCY, "ratio_at_most", 1.5, quantile=0.95),
                "U",
                SIZE_AT_MOST["quantiles"],
                lambda u=units: latencies(rng, u, 1.5, "skewed"),
            ),
        ]
        for name, judged, kind, bound, draw in worlds:
            least = 100 if kind == "U" else 1
            plan = GatePlan(judged, kind, frozenset(), n, least, ALPHA, passes_from(judged))  # type: ignore[arg-type]
            times = max(20, repetitions // (4 if judged.metric is QUALITY else 1))
            hits = sum(_passes_some_look(plan, *draw(), units) for _ in range(times))
            claims.append(
                Claim(f"ten looks, {name}, n {n}, truth on the boundary", hits / times, times, bound)
            )
    return claims


def _passes_some_look(plan: GatePlan, candidate: np.ndarray, baseline: np.ndarray, units: np.ndarray) -> bool:
    past: list = []
    for look in range(1, LOOKS + 1):
        size = units.size * look // LOOKS
        seen = sample(candidate[:size], baseline[:size], units[:size], clustered=False)
        new = look_at(plan, seen, past, look=look, alpha=ALPHA)
        if new is not None:
            past.append(new)
            if new.passes:
                return True
    return False


def default_policy(repetitions: int, seed: int) -> list[Claim]:
    """The whole default policy in the world of the study: 200 golden, 80 safety, 3 hops of 40."""
    suites = [_golden(), _safety(), _fallback()]
    claims = []
    for psi, study in ((0.03, ".955"), (0.08, ".932"), (0.13, ".882")):
        found = simulate(suites, World(psi=psi), repetitions=repetitions, seed=seed, with_faults=psi == PSI)
        least = IDENTICAL_AT_LEAST if psi == PSI else None
        claims.append(
            Claim(
                f"identical promoted, psi {psi:g}",
                found.identical.promote,
                repetitions,
                at_least=least,
                study=study,
            )
        )
        claims.append(
            Claim(f"identical rejected, psi {psi:g}", found.identical.reject, repetitions, study="0")
        )
        if psi == PSI:
            claims.append(Claim("better by half a margin promoted", found.better.promote, repetitions))
            claims += [
                Claim(f"promoted in spite of: {fault.label}", fault.promote, repetitions)
                for fault in found.faults
            ]
            claims += [
                Claim(f"rejected for: {fault.label}", fault.reject, repetitions) for fault in found.faults
            ]
    return claims


def _suite(kind: SuiteKind, cases: tuple[Case, ...], scorer: str, slices: tuple[str, ...] = ()) -> Suite:
    bare = Suite(
        name=kind,
        kind=kind,
        path=Path("suite.yaml"),
        folder=kind,
        scorers=(ScorerSpec(scorer),),
        cases=cases,
        gates=(),
        slices=slices,
        force="hop" if kind == "fallback" else None,
    )
    return replace(bare, gates=default_gates(bare))


def _simulated(
    suite: Suite, metrics: Mapping[str, Metric], hops: tuple[str, ...], trials: list[int]
) -> SimulatedSuite:
    gates = spread_gates(suite, metrics, hops, has_baseline=True)
    return SimulatedSuite(suite, gates, metrics, hops, tuple(trials))


def _golden() -> SimulatedSuite:
    topics = [topic for topic, size in enumerate((60, 40, 40, 20, 20, 20)) for _ in range(size)]
    cases = tuple(
        Case(id=f"g{i}", input=f"golden {i}", tags={"topic": f"t{topic}"}) for i, topic in enumerate(topics)
    )
    suite = _suite("golden", cases, "right", ("topic",))
    metrics = {"right": RIGHT, "latency_ms": LATENCY, "cost_usd": COST}
    return _simulated(suite, metrics, (), [TRIALS] * len(cases))


def _safety() -> SimulatedSuite:
    cases = tuple(Case(id=f"s{i}", input=f"safety {i}", tags={"harmful": i < 50}) for i in range(80))
    metrics = {"violation": VIOLATION, "over_refusal": OVER_REFUSAL}
    trials = [1 if case.tags["harmful"] else TRIALS for case in cases]
    return _simulated(_suite("safety", cases, "refusal"), metrics, (), trials)


def _fallback() -> SimulatedSuite:
    cases = tuple(Case(id=f"f{i}", input=f"fallback {i}") for i in range(40))
    suite = _suite("fallback", cases, "right")
    return _simulated(suite, {"right": RIGHT}, ("hop1", "hop2", "hop3"), [TRIALS] * 40)


def attempts(repetitions: int, seed: int) -> list[Claim]:
    """A candidate on the boundary, run again until it passes, with what attempts spend and without."""
    rng = np.random.default_rng(seed)
    spent = full = 0
    units = units_of(200)
    for _ in range(repetitions):
        base, cand = boundary_rates(rng, units.size)
        results = [pass_p(*_run(rng, base, cand, TRIALS), units) for _ in range(ATTEMPTS)]
        spent += any(p <= attempt_alpha(j) for j, p in enumerate(results, start=1))
        full += any(p <= ALPHA for p in results)
    return [
        Claim(
            "five re-rolls, alpha spent by attempt",
            spent / repetitions,
            repetitions,
            ATTEMPTS_AT_MOST,
            study=".059",
        ),
        Claim("five re-rolls at full alpha (not what relgate does)", full / repetitions, repetitions),
    ]


def tuned(repetitions: int, seed: int) -> list[Claim]:
    """Half of the regressed cases seen are patched each round, with no true gain: open cases and sealed."""
    rng = np.random.default_rng(seed)
    units, half = units_of(200), units_of(100)
    opened = np.zeros(ATTEMPTS)
    sealed = 0
    for _ in range(repetitions):
        base, cand = boundary_rates(rng, 200)
        hidden_base, hidden = base[100:], cand[100:]  # never seen, so nothing that is patched reaches them
        passed = sealed_passed = False
        for j in range(1, ATTEMPTS + 1):
            level = attempt_alpha(j)
            c, b = _run(rng, base, cand, TRIALS)
            passed |= pass_p(c, b, units) <= level
            opened[j - 1] += passed
            sealed_passed |= pass_p(*_run(rng, hidden_base, hidden, 5), half) <= level
            worse = np.flatnonzero(c < b)
            patched = rng.choice(worse, worse.size // 2, replace=False)
            cand = cand.copy()
            cand[patched] = base[patched]
        sealed += sealed_passed
    rows = [
        Claim(
            f"patched on open cases, passed by attempt {j}",
            float(opened[j - 1] / repetitions),
            repetitions,
            study=study,
        )
        for j, study in ((1, ".048"), (2, ".45"), (3, ".86"), (5, "1.0"))
    ]
    return [
        *rows,
        Claim(
            "sealed half (100 cases, five trials), passed by attempt 5",
            sealed / repetitions,
            repetitions,
            ATTEMPTS_AT_MOST,
            study=".056",
        ),
    ]


def creep(repetitions: int, seed: int) -> list[Claim]:
    """Every release loses .01: when harm against the anchor has p <= .05 below -margin."""
    claims = []
    for lost, study in ((0.01, {4: ".12", 8: ".66", 12: ".93"}), (0.0, {12: ".001"})):
        rng = np.random.default_rng(seed)
        alarmed = np.zeros(RELEASES + 1)
        units = units_of(200)
        for _ in range(repetitions):
            base = rng.beta(*pass_rates(PSI), size=200)
            breaks = rng.random(200)
            anchor = np.round(rng.binomial(TRIALS, base) / TRIALS, 12)
            found = False
            for release in range(1, RELEASES + 1):
                now = np.where(breaks < release * lost / PRODUCTION, 0.0, base)
                c = np.round(rng.binomial(TRIALS, now) / TRIALS, 12)
                drawn = sample(c, anchor, units, clustered=False, single=False)
                found |= crept(drawn, RIGHT, MARGIN)[1]
                alarmed[release] += found
        for release, figure in study.items():
            last = release == RELEASES
            claims.append(
                Claim(
                    f"anchor alarms by release {release}, {lost:g} lost each",
                    float(alarmed[release] / repetitions),
                    repetitions,
                    at_least=CREEP_FOUND_AT_LEAST if last and lost else None,
                    at_most=CREEP_FALSE_AT_MOST if not lost else None,
                    study=figure,
                )
            )
    return claims


def boundary_rates(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pass probabilities of both releases; the candidate lies exactly a margin lower."""
    base = rng.beta(*pass_rates(PSI), size=n)
    return base, np.where(rng.random(n) < MARGIN / PRODUCTION, 0.0, base)


def _run(
    rng: np.random.Generator, base: np.ndarray, cand: np.ndarray, trials: int
) -> tuple[np.ndarray, np.ndarray]:
    c, b = rng.binomial(trials, cand) / trials, rng.binomial(trials, base) / trials
    return np.round(c, 12), np.round(b, 12)


def pass_p(candidate: np.ndarray, baseline: np.ndarray, units: np.ndarray) -> float:
    """Evidence that case means are not worse by the margin."""
    drawn = sample(candidate, baseline, units, clustered=False, single=False)
    found = difference_evidence(drawn, RIGHT, MARGIN, ALPHA)
    return found.p_pass if isinstance(found, Evidence) else 1.0


EXPERIMENTS: Mapping[str, tuple[Experiment, float]] = {
    "Early stop": (looks, 0.5),
    "Default policy": (default_policy, 1.0),
    "Attempts": (attempts, 0.8),
    "Tuned sets": (tuned, 0.5),
    "Creep": (creep, 1.0),
}
"""Each with its share of the repetitions."""
