"""Early stop by simulation, through the functions that decide (statistics.md 7, verdict.md 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from relgate import stats
from relgate.decision.against_zero import harm_p
from relgate.decision.early_stop import looks as looking
from relgate.decision.early_stop.look_plan import SuiteLooks, plan_looks, reject_weights
from relgate.decision.policy import spread_gates
from relgate.decision.sample import Sample
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateLook, GateSpec
from relgate.domain.metric import Metric
from simulated.bounds import POWER_LESS
from simulated.policies import Claim

RIGHT = Metric("right", "binary")
LAST = 10

World = Callable[[np.random.Generator, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Scores of candidate and baseline, shape (cases,), of cases of which some lie in the bad slice."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Shares of the runs that were promoted and in which a gate failed, and of the cases that were called."""

    promoted: float
    rejected: float
    calls: float
    reps: int

    def within(self, value: float) -> float:
        """Two Monte-Carlo errors of a share."""
        return float(2.0 * (value * (1.0 - value) / self.reps) ** 0.5)


def plan_of(n: int, margin: float, *, guards: float = 0.0) -> SuiteLooks:
    """The looks of a golden suite with one required gate, and guards of this margin on five slices."""
    cases = tuple(
        Case(id=f"c{i:04}", input=f"q {i}", tags={"slice": "bad" if i % 10 == 0 else f"s{i % 4}"})
        for i in range(n)
    )
    gates = [GateSpec("right", "non_inferior", margin)]
    if guards:
        gates.append(GateSpec("right", "non_inferior", guards, role="guard", by="slice"))
    suite = Suite(
        name="s",
        kind="golden",
        path=Path("suite.yaml"),
        folder="s",
        scorers=(),
        cases=cases,
        gates=tuple(gates),
        slices=("slice",),
    )
    spread = spread_gates(suite, {"right": RIGHT}, (), has_baseline=True)
    plan = plan_looks(suite, spread, alpha=0.05, weights=reject_weights(spread), seed=7)
    assert plan is not None
    return plan


def binary(delta: float, psi: float, *, in_bad: float | None = None) -> World:
    """Regressions and improvements at rates (psi -+ delta) / 2; ``in_bad`` moves the bad slice."""

    def world(rng: np.random.Generator, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = bad.size
        shift = np.full(n, delta)
        if in_bad is not None:
            shift = np.where(bad, in_bad, delta)
        spread = np.maximum(psi, np.abs(shift))
        down, up = (spread - shift) / 2, (spread + shift) / 2
        u = rng.random(n)
        lost, won = u < down, (u >= down) & (u < down + up)
        both = rng.random(n) < 0.92
        return np.where(lost, 0.0, np.where(won, 1.0, both)), np.where(lost, 1.0, np.where(won, 0.0, both))

    return world


def simulate(
    plan: SuiteLooks, world: World, *, reps: int, trials: int = 1, seed: int = 1, guard_rule: bool = True
) -> Seen:
    """Runs of a suite that end where its looks say so; guards raise alarms, once, on what was called."""
    drawn: dict[str, Sample] = {}
    rng = np.random.default_rng(seed)
    bad = np.array([case_id.endswith("0") for case_id in plan.order])
    member = {g.gate.id: np.array([c in g.cases for c in plan.order]) for g in plan.gates}
    required = {g.gate.id for g in plan.gates if g.gate.spec.role == "require"}
    slices = [g.gate.id for g in plan.gates if g.gate.spec.role == "guard"]
    n = len(plan.order)
    promoted = rejected = calls = 0.0
    clear = looking.guard_clear if guard_rule else lambda planned, sample, past: True
    with (
        patch.object(looking, "sample_of", lambda gate, data: drawn[gate.id]),
        patch.object(looking, "guard_clear", clear),
    ):
        for _ in range(reps):
            candidate, baseline = world(rng, bad)
            looks: tuple[GateLook, ...] = ()
            # the last look tests at what is left of alpha
            for look, end in (*plan.ends, (LAST, n)):
                for gate_id, mine in member.items():
                    chosen = mine.copy()
                    chosen[end:] = False
                    drawn[gate_id] = _sample(candidate[chosen], baseline[chosen], trials)
                found = looking.decide_look(plan, looks, None, look=look, ran=end)  # type: ignore[arg-type]
                looks = found.looks
                if found.rejects or found.enough:
                    break
            passed = {one.gate for one in looks if one.passes} >= required
            promoted += passed and not found.rejects and not _alarmed([drawn[name] for name in slices])
            rejected += bool(found.rejects)
            calls += end / n
    return Seen(promoted / reps, rejected / reps, calls / reps, reps)


def _sample(candidate: np.ndarray, baseline: np.ndarray, trials: int) -> Sample:
    n = candidate.size
    units = np.arange(n)
    return Sample(
        candidate=candidate,
        baseline=baseline,
        units=units,
        clustered=False,
        single=trials == 1,
        candidate_rows=candidate,
        candidate_units=units,
        baseline_rows=baseline,
        baseline_units=units,
        expected=n,
        unmeasured=0,
        judge_failures=0,
        missing_units=units[:0],
    )


def _alarmed(samples: list[Sample]) -> bool:
    """Alarms over the slices, tested once on the data in hand (verdict.md 3)."""
    p = np.array([harm_p(s, RIGHT)[0] for s in samples if s.n >= 15])
    return bool(p.size and stats.weighted_holm(p, np.ones(p.size), 0.05).any())


TRUTHS = ("on the boundary", "equal", "better by half a margin", "worse by two", "worse by three")
STUDY = {
    (100, 0.10, 0.15): (0.038, 0.764, 0.976, 0.808, 0.997),
    (200, 0.10, 0.20): (0.044, 0.901, 0.998, 0.968, 1.0),
    (500, 0.05, 0.15): (0.043, 0.861, 0.996, 0.908, 1.0),
    (1000, 0.03, 0.12): (0.051, 0.821, 0.989, 0.864, 1.0),
}
"""Cases, margin and flip rate: the share decided per truth (statistics.md 7, HSD of ten looks)."""

SIZE = 0.05


def early_stop(repetitions: int, seed: int) -> list[Claim]:
    """Size and power with looks, and the share of the calls that is made.

    A gate rejects at .025 (``reject_weights``), where the study has .05: those powers are reported only.
    """
    claims = []
    for (n, margin, psi), figures in STUDY.items():
        plan = plan_of(n, margin)
        deltas = (-margin, 0.0, margin / 2, -2 * margin, -3 * margin)
        for truth, delta, figure in zip(TRUTHS, deltas, figures, strict=True):
            seen = simulate(plan, binary(delta, psi), reps=repetitions, seed=seed)
            worse = truth.startswith("worse")
            rate, verb = (seen.rejected, "rejected") if worse else (seen.promoted, "promoted")
            name = (
                f"{n} cases, margin {margin:g}, psi {psi:g}, {truth}: {verb}, {seen.calls:.2f} of the calls"
            )
            if truth == TRUTHS[0]:
                claims.append(Claim(name, rate, repetitions, at_most=SIZE, study=f"{figure:g}"))
                continue
            if worse:
                claims.append(Claim(name, rate, repetitions, study=f"{figure:g} at alpha .05, here .025"))
                continue
            least = figure - POWER_LESS
            claims.append(Claim(name, rate, repetitions, at_least=least, study=f"{figure:g}"))
    return claims
