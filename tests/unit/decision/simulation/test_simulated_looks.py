"""Simulated runs end where real ones end: the looks of early stop, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.early_stop.looks import decide_look
from relgate.decision.early_stop.sequential import Looked, crossed_gates, judge_looked
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.policy import ALPHA, spread_gates
from relgate.decision.simulation import simulate
from relgate.decision.simulation.batch import Batch
from relgate.decision.simulation.ends import plans_of
from relgate.decision.simulation.suite import IDENTICAL, Fault, SimulatedSuite
from relgate.decision.simulation.world import World
from relgate.decision.verdict import Findings, decide
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score

METRICS = {
    m.name: m for m in (Metric("right", "binary"), Metric("latency_ms", "latency", higher_is_better=False))
}
GATES = (
    GateSpec("right", "non_inferior", 0.06),
    GateSpec("right", "at_least", 0.85, role="guard"),
    GateSpec("right", "non_inferior", 0.15, role="guard", by="area"),
    GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.5, role="guard"),
)
RUNS = 8


def _suite(n: int, trials: int, areas: int = 3, gates: tuple[GateSpec, ...] = GATES) -> SimulatedSuite:
    names = "abcdefghijklmnopqrstuvwxyz"
    cases = tuple(Case(f"c{i}", f"question {i}", tags={"area": names[i % areas]}) for i in range(n))
    suite = Suite("golden", "golden", Path("suite.yaml"), "golden", (), cases, gates, slices=("area",))
    gates = spread_gates(suite, METRICS, (), has_baseline=True)
    return SimulatedSuite(suite, gates, METRICS, (), (trials,) * n)


def _rows(each: SimulatedSuite, batch: Batch, run: int, fault: Fault) -> list[Measurement]:
    """What the engine would have measured in one run of a batch."""
    cand, base = batch.pair(("golden", "right", ""), fault)
    slow_base, slow_cand = batch.timed(each, METRICS["latency_ms"])
    rows = []
    for side, shares, times in (
        ("candidate", cand, fault.latency * slow_cand),
        ("baseline", base, slow_base),
    ):
        for i, case in enumerate(each.suite.cases):
            k = each.trials[i]
            for trial in range(k):
                right = float(trial < round(shares[run, i] * k))
                scores = (
                    Score("right", right, "binary"),
                    Score("latency_ms", float(times[run, i, trial]), "latency"),
                )
                rows.append(
                    Measurement(side, "golden", case.id, trial, Response("text"), scores, None, False)
                )  # type: ignore[arg-type]
    return rows


def _first(each: SimulatedSuite, rows: list[Measurement], ids: frozenset[str]) -> SuiteData:
    suite = replace(each.suite, cases=tuple(c for c in each.suite.cases if c.id in ids))
    return arrange(suite, each.metrics, [row for row in rows if row.case_id in ids])


def _really(each: SimulatedSuite, plan: Any, rows: list[Measurement]) -> tuple[str, int, Mapping[str, str]]:
    """The verdict of a run that is looked at, how many cases it took, and what became of its gates."""
    looks: tuple[Any, ...] = ()
    ran, found = len(plan.order), None
    for look, size in plan.ends:
        found = decide_look(
            plan, looks, _first(each, rows, frozenset(plan.order[:size])), look=look, ran=size
        )
        looks = found.looks
        if found.enough or found.rejects:
            ran = size
            break
    assert found is not None
    hand = frozenset(plan.order[:ran]) | (plan.must_run if found.enough else frozenset())
    data = _first(each, rows, hand)
    ended = "a gate failed" if found.rejects else ""
    looked = Looked(plans={"golden": plan}, looks={"golden": looks}, ended=ended)
    results = []
    for gate in each.gates:
        planned = looked.plan_of(gate)
        if planned is None:
            results.append(judge_gate(gate, data, alpha=ALPHA))
        else:
            whole = ran == len(plan.order)
            results.append(judge_looked(planned, data, looked.of(gate), alpha=ALPHA, whole=whole))
    gates = weigh_fails(results, crossed_gates(results, looked), ended=bool(ended))
    watched, _ = watch([data])
    verdict = decide(Findings(gates=gates, alarms=raise_alarms(watched, [data])))
    return verdict.decision, len(hand), {g.id: g.result for g in gates}


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize(
    "fault",
    [
        IDENTICAL,
        Fault("better", 0.03, "golden", "right"),
        Fault("worse", -0.05, "golden", "right"),
        Fault("far worse", -0.2, "golden", "right"),
        Fault("slice", -0.3, "golden", "right", {"area": "a"}),
        Fault("slow", latency=1.45),
    ],
    ids=lambda fault: fault.label,
)
def test_simulated_runs_decide_and_end_as_real_ones_do(fault: Fault, trials: int) -> None:
    each = _suite(240, trials)
    batch = Batch([each], World(accuracy=0.93, psi=0.08), repetitions=RUNS, seed=11, looks=True)
    plan = plans_of([each], ALPHA, 11)["golden"]
    found = batch.decide(fault)
    [ended] = batch.ends(fault).values()
    others = 0
    for run in range(RUNS):
        decision, ran, results = _really(each, plan, _rows(each, batch, run, fault))
        simulated = "promote" if found.promote[run] else "reject" if found.reject[run] else "hold"
        assert simulated == decision, run
        if decision != "reject":
            sizes = [len(within) for within, those in ended.early if those[run]]
            others += (sizes or [len(plan.order)]) != [ran]
            for gate in each.gates:
                if gate.spec.role == "require":
                    assert (results[gate.id] == "pass") == found.passed[gate.id][run], (gate.id, run)
    # Gaffke's bound is a saddlepoint here and 20,000 draws there: a p beside its level may fall either way
    assert others <= 1


def test_a_slice_that_an_alarm_watches_is_still_watched_where_its_suite_ends_early() -> None:
    """Fifteen slices of twenty, one of them broken, under a gate that the others pass early."""
    each = _suite(300, 1, areas=15, gates=(GateSpec("right", "non_inferior", 0.15),))
    fault = Fault("slice", -0.92, "golden", "right", {"area": "c"})
    batch = Batch([each], World(accuracy=0.95, psi=0.04), repetitions=4, seed=5, looks=True)
    plan = plans_of([each], ALPHA, 5)["golden"]
    found, ends = batch.decide(fault), batch.ends(fault)["golden"]
    assert any(those.any() for _, those in ends.early)
    for within, _ in ends.early:
        held = [case.tags["area"] for case in each.suite.cases if case.id in within]
        assert min(held.count(area) for area in set(held)) >= 15
        assert len(within) < 300
    assert not found.promote.any()
    for run in range(4):
        assert _really(each, plan, _rows(each, batch, run, fault))[0] == "hold"


def test_looks_cost_an_identical_candidate_little_and_find_a_far_worse_one_all_the_same() -> None:
    each, world = _suite(240, 1), World(accuracy=0.92, psi=0.10)
    whole, looked = (simulate([each], world, repetitions=400, seed=3, looks=looks) for looks in (False, True))
    assert whole.identical.promote - 0.06 < looked.identical.promote < whole.identical.promote
    assert max(fault.promote for fault in looked.faults if "-12 points" in fault.label) < 0.05


def test_a_suite_that_is_too_small_for_looks_runs_whole() -> None:
    each, world = _suite(40, 3), World()
    whole, looked = (simulate([each], world, repetitions=100, seed=3, looks=looks) for looks in (False, True))
    assert np.isclose(whole.identical.promote, looked.identical.promote)
