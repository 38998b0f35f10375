"""Early stop by simulation, through the functions that decide: size, false promotes and calls saved.

The short form runs in CI; ``RELGATE_CALIBRATION=long`` repeats it 20 times as often. Every figure is printed
(``-s``) beside the study's (statistics.md 7, verdict.md 8).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from relgate import stats
from relgate.decision.against_zero import harm_p
from relgate.decision.early_stop import looks as looking
from relgate.decision.early_stop.look_plan import plan_looks, reject_weights
from relgate.decision.policy import spread_gates
from relgate.decision.sample import Sample
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

LONG = os.environ.get("RELGATE_CALIBRATION") == "long"
RIGHT = Metric("right", "binary")


@dataclass(frozen=True)
class Seen:
    promoted: float
    rejected: float
    calls: float
    reps: int

    def within(self, value: float) -> float:
        return 2.0 * (value * (1.0 - value) / self.reps) ** 0.5


def _sample(candidate, baseline, trials):
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


def _plan(n, margin, *, guards):
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


def _alarmed(samples):
    """Alarms over the slices, tested once on the data in hand (verdict.md 3)."""
    p = np.array([harm_p(s, RIGHT)[0] for s in samples if s.n >= 15])
    return bool(p.size and stats.weighted_holm(p, np.ones(p.size), 0.05).any())


def _simulate(monkeypatch, plan, world, *, reps, trials=1, seed=1, guard_rule=True):
    """P(promote), P(a gate fails) and the share of cases called; guards raise alarms."""
    if not guard_rule:
        monkeypatch.setattr(looking, "guard_clear", lambda planned, sample, past: True)
    drawn: dict[str, Sample] = {}
    monkeypatch.setattr(looking, "sample_of", lambda gate, data: drawn[gate.id])
    rng = np.random.default_rng(seed)
    bad = np.array([case_id.endswith("0") for case_id in plan.order])
    member = {g.gate.id: np.array([c in g.cases for c in plan.order]) for g in plan.gates}
    n = len(plan.order)
    promoted = rejected = calls = 0.0
    for _ in range(reps):
        candidate, baseline = world(rng, bad)
        looks: tuple = ()
        # the last look tests at what is left of alpha
        for look, end in (*plan.ends, (10, n)):
            for gate_id, mine in member.items():
                chosen = mine.copy()
                chosen[end:] = False
                drawn[gate_id] = _sample(candidate[chosen], baseline[chosen], trials)
            found = looking.decide_look(plan, looks, None, look=look, ran=end)
            looks = found.looks
            if found.rejects or found.enough:
                break
        required = {g.gate.id for g in plan.gates if g.gate.spec.role == "require"}
        passed = {one.gate for one in looks if one.passes} >= required
        slices = [drawn[g.gate.id] for g in plan.gates if g.gate.spec.role == "guard"]
        promoted += passed and not found.rejects and not _alarmed(slices)
        rejected += bool(found.rejects)
        calls += end / n
    return Seen(promoted / reps, rejected / reps, calls / reps, reps)


def binary(delta, psi, *, in_bad=None):
    """Regressions and improvements at rates (psi -+ delta) / 2; ``in_bad`` moves the bad slice."""

    def world(rng, bad):
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


def _reps(count):
    return count * 20 if LONG else count


@pytest.mark.parametrize(("n", "margin", "psi"), [(200, 0.1, 0.2), (200, 0.05, 0.08), (500, 0.05, 0.15)])
def test_size_on_the_boundary_is_kept(monkeypatch, n, margin, psi):
    seen = _simulate(monkeypatch, _plan(n, margin, guards=0.0), binary(-margin, psi), reps=_reps(150), seed=n)
    print(f"\nboundary n={n} m={margin} psi={psi}: {seen}")
    assert seen.promoted <= 0.05 + seen.within(0.05)


@pytest.mark.parametrize(
    ("delta", "most_calls", "least_promoted"),
    [(0.0, 0.72, 0.78), (0.025, 0.52, 0.95)],
    ids=["equal", "better"],
)
def test_calls_saved_at_500_cases(monkeypatch, delta, most_calls, least_promoted):
    seen = _simulate(monkeypatch, _plan(500, 0.05, guards=0.0), binary(delta, 0.15), reps=_reps(80))
    print(f"\nn=500 delta={delta}: {seen}; statistics.md 7: equal .67 .861, better .45 .996")
    assert seen.calls <= most_calls
    assert seen.promoted >= least_promoted


def test_the_default_guards_of_a_golden_suite_cost_few_of_the_saved_calls(monkeypatch):
    for delta, most in ((0.0, 0.72), (0.03, 0.50)):
        seen = _simulate(monkeypatch, _plan(500, 0.05, guards=0.1), binary(delta, 0.11), reps=_reps(50))
        print(f"\nn=500 with guards, delta={delta}: {seen}; verdict.md 8: calls equal .61, better .39")
        assert seen.calls <= most


def test_a_far_worse_candidate_ends_the_run_early(monkeypatch):
    seen = _simulate(monkeypatch, _plan(500, 0.05, guards=0.1), binary(-0.20, 0.25), reps=_reps(50))
    print(f"\nn=500 at -4 margins: {seen}; verdict.md 8: .29 at alpha/8, here .025")
    assert seen.rejected >= 0.97
    assert seen.calls <= 0.33


def test_a_hidden_bad_slice_is_not_promoted_early(monkeypatch):
    """A slice of 10 % at -.30 under a better rest, n = 500; the guard rule is what holds it back."""
    world = binary(0.03, 0.15, in_bad=-0.30)
    plan = _plan(500, 0.05, guards=0.1)
    guarded = _simulate(monkeypatch, plan, world, reps=_reps(60))
    bare = _simulate(monkeypatch, plan, world, reps=_reps(60), guard_rule=False)
    print(f"\nhidden slice with the guard rule: {guarded}\nwithout: {bare}; verdict.md 8: .063 and .375")
    assert guarded.promoted <= 0.08 + guarded.within(0.08)
    assert bare.promoted > guarded.promoted


def test_case_means_of_three_trials_keep_their_size(monkeypatch):
    def world(rng, bad):
        n = bad.size
        p = np.where(rng.random(n) < 0.15, 0.5, 0.98)
        broken = rng.random(n) < 0.1 / p.mean()
        base = rng.binomial(3, p) / 3
        return rng.binomial(3, np.where(broken, 0.0, p)) / 3, base

    seen = _simulate(monkeypatch, _plan(200, 0.1, guards=0.0), world, reps=_reps(100), trials=3)
    print(f"\nthree trials, n=200 on the boundary: {seen}; statistics.md 7: .021-.036")
    assert seen.promoted <= 0.06 + seen.within(0.06)
