"""The simulation of a whole policy: equal to the real decision on the same data, and to the study's table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import arrange
from relgate.decision.policy import spread_gates
from relgate.decision.simulation import Simulation, remedies, simulate
from relgate.decision.simulation import pvalues as fast
from relgate.decision.simulation.batch import Batch
from relgate.decision.simulation.suite import IDENTICAL, Fault, SimulatedSuite
from relgate.decision.simulation.world import Level, Observed, Spread, World, means, pass_probabilities
from relgate.decision.verdict import Findings, decide
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.default_policy import default_gates
from relgate.domain.gate import GateSpec
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.response import Measurement, Response, Score

METRICS = {m.name: m for m in (Metric("right", "binary"), *SAFETY_METRICS, *RESPONSE_METRICS)}
HOPS = ("a/first", "b/second", "c/third")
TOPICS = (60, 40, 40, 20, 20, 20)
LONG = os.environ.get("RELGATE_CALIBRATION") == "long"


def _suite(kind: str, tags: Sequence[dict[str, Any]], **changes: Any) -> Suite:
    clusters, gates = changes.pop("clusters", None), changes.pop("gates", ())
    cases = tuple(
        Case(f"{kind}-{i}", None, tags=tag, cluster=clusters[i] if clusters else None)
        for i, tag in enumerate(tags)
    )
    suite = Suite(
        kind,
        kind,
        Path("suite.yaml"),
        kind,
        (ScorerSpec("right"),),
        cases,
        gates,
        **changes,  # type: ignore[arg-type]
    )
    return suite if suite.gates else replace(suite, gates=default_gates(suite))


def _simulated(suite: Suite, trials: int) -> SimulatedSuite:
    hops = HOPS if suite.kind == "fallback" else ()
    once = [1 if case.tags.get("harmful") is True else trials for case in suite.cases]
    gates = spread_gates(suite, METRICS, hops, has_baseline=True)
    return SimulatedSuite(suite, gates, {g.metric: METRICS[g.metric] for g in suite.gates}, hops, tuple(once))


def study(trials: int, scale: float = 1.0) -> list[SimulatedSuite]:
    """The suites of verdict.md's world: golden 200, safety 50 + 30, three hops x 40, the default policy."""
    topics = [{"topic": f"t{j}"} for j, n in enumerate(TOPICS) for _ in range(int(n * scale))]
    safety = [{"harmful": True}] * 50 + [{"harmful": False}] * 30
    suites = [
        _suite("golden", topics, slices=("topic",)),
        _suite("safety", safety),
        _suite("fallback", [{}] * 40),
    ]
    return [_simulated(suite, trials) for suite in suites]


def study_world(psi: float) -> World:
    """Its production: psi is that of the golden set; hops and over-refusal keep their own."""
    hops = {
        ("fallback", "right", hop): Level(a, 0.08) for hop, a in zip(HOPS, (0.89, 0.87, 0.82), strict=True)
    }
    return World(psi=psi, levels=hops)


def _measured(each: SimulatedSuite, batch: Batch, run: int, fault: Fault) -> list[Measurement]:
    """One run of a batch as the engine would have measured it."""
    rows = []
    for metric in each.metrics.values():
        scope, k = each.scope(metric.name), each.trials_of(metric.name)
        for hop in each.hops or ("",):
            if metric.bounded and metric.name != "violation":
                shares = [side[run] for side in batch.pair((each.suite.name, metric.name, hop), fault)]
                good = [[float(t < round(s * k)) for t in range(k)] for side in shares for s in side]
                values = good if metric.higher_is_better else [[1.0 - v for v in row] for row in good]
            elif metric.bounded:
                values = [[0.0] * k for _ in range(2 * len(scope))]
            else:
                base, cand = batch.timed(each, metric)
                factor = fault.latency if metric.kind == "latency" else 1.0
                values = [*(factor * cand[run]).tolist(), *base[run].tolist()]
            for side, part in (("candidate", values[: len(scope)]), ("baseline", values[len(scope) :])):
                for i, scores in zip(scope, part, strict=True):
                    case = each.suite.cases[i].id
                    rows += [
                        Measurement(
                            side,
                            each.suite.name,
                            case,
                            trial,
                            Response("text"),  # type: ignore[arg-type]
                            (Score(metric.name, value, metric.kind),),
                            hop or None,
                        )
                        for trial, value in enumerate(scores)
                    ]
    return rows


def _clustered(trials: int) -> list[SimulatedSuite]:
    gates = (
        GateSpec("right", "non_inferior", 0.10),
        GateSpec("right", "at_least", 0.80, role="guard"),
        GateSpec("cost_usd", "ratio_at_most", 1.2),
        GateSpec("right", "superior", 0.0, role="report"),
    )
    clusters = [f"k{i // 5}" for i in range(90)]
    return [_simulated(_suite("golden", [{}] * 90, gates=gates, clusters=clusters, clustered=True), trials)]


def _superior(trials: int) -> list[SimulatedSuite]:
    gates = (GateSpec("right", "non_inferior", 0.10), GateSpec("right", "superior", 0.0, role="guard"))
    return [_simulated(_suite("golden", [{}] * 60, gates=gates), trials)]


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("factor", [1.0, 1.15, 2.0])
def test_an_absolute_quantile_is_simulated_where_runs_show_how_high_it_lies(
    clustered: bool, factor: float
) -> None:
    gates = (
        GateSpec("right", "non_inferior", 0.10),
        GateSpec("latency_ms", "at_most", 1500.0, quantile=0.9),
    )
    clusters = {"clusters": [f"k{i // 4}" for i in range(120)], "clustered": True} if clustered else {}
    each = _simulated(_suite("golden", [{}] * 120, gates=gates, **clusters), 3)
    log = np.log(np.linspace(400.0, 1450.0, 40))
    known = World(spreads={("golden", "latency_ms"): Spread(tuple(log), (-0.05, 0.0, 0.05), 120)})
    fault, runs = Fault("slow", latency=factor), 6
    batch = Batch([each], known, repetitions=runs, seed=3)
    limit = each.gates[1]
    p_pass, p_fail = batch.decide(fault).evidence[limit.id]
    for run in range(runs):
        # the first call of a case is the one of this metric
        calls = [r for r in _measured(each, batch, run, fault) if r.scores[0].metric == "latency_ms"]
        judged = judge_gate(limit, arrange(each.suite, each.metrics, calls), alpha=0.05)
        assert (p_pass[run], p_fail[run]) == pytest.approx((judged.p_pass, judged.p_fail), rel=1e-6, abs=1e-9)
    found = simulate([each], known, repetitions=50, seed=3)
    assert found.unsimulated == ()
    slow = {fault.label: fault for fault in found.faults}["golden: latency x 2"]
    assert slow.reject > 0.9 > 0.5 > slow.promote
    assert simulate([each], World(), repetitions=2, seed=3).unsimulated == (limit.id,)


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(12), 5), np.repeat(np.arange(5), 12)])
@pytest.mark.parametrize(("mean", "unit"), [(0.05, 1.0), (0.4, 1.0), (3.0, 1.0), (3.0, 1e-8)])
@pytest.mark.parametrize("factor", [0.2, 2.2])
def test_ratios_of_means_have_the_p_values_of_the_gates(
    clusters: Any, mean: float, unit: float, factor: float
) -> None:
    rng = np.random.default_rng(5)
    base, cand = (unit * rng.poisson(m, (30, 60)).astype(float) for m in (mean, factor * mean))
    grouped = None if clusters is None else fast.Clusters.of(clusters)
    for limit in (0.5, 2.0):
        under, over = fast.ratio_p(base, cand, limit, grouped)
        for b, c, passes, fails in zip(base, cand, under, over, strict=True):
            assert passes == pytest.approx(stats.kept_p(b, c, limit, clusters), rel=1e-6, abs=1e-12)
            assert fails == pytest.approx(stats.exceeded_p(b, c, limit, clusters), rel=1e-6, abs=1e-12)


FAULTS = (IDENTICAL, Fault("worse", -0.12, "golden", "right", {}), Fault("slow", latency=1.5))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.label)
@pytest.mark.parametrize(
    ("make", "trials"),
    [(study, 1), (study, 3), (_clustered, 1), (_clustered, 3), (_superior, 1), (_superior, 3)],
)
def test_the_simulation_decides_as_the_real_decision_does_on_the_same_data(
    make: Any, trials: int, fault: Fault
) -> None:
    suites, runs = make(trials), 5
    batch = Batch(suites, study_world(0.13), repetitions=runs, seed=7)
    found = batch.decide(fault)
    for run in range(runs):
        data = [arrange(s.suite, s.metrics, _measured(s, batch, run, fault), hops=s.hops) for s in suites]
        results = []
        for each, measured in zip(suites, data, strict=True):
            for gate in each.gates:
                judged = judge_gate(gate, measured, alpha=0.05)
                results.append(judged)
                if gate.spec.form != "violations":
                    p = [found.evidence[gate.id][side][run] for side in (0, 1)]
                    real = [1.0 if v is None else v for v in (judged.p_pass, judged.p_fail)]
                    # above .3 no decision depends on a p-value
                    assert np.minimum(p, 0.3) == pytest.approx(np.minimum(real, 0.3), rel=0.1, abs=0.01), (
                        f"{gate.id} in run {run}"
                    )
        watched, _ = watch(data)
        harm = {f"{w.suite} {w.metric} {w.slice}": w.p for w in watched}
        assert {key: p[run] for key, p in found.harm.items()} == pytest.approx(harm, abs=1e-6)
        verdict = decide(Findings(gates=weigh_fails(results), alarms=raise_alarms(watched, data)))
        seen = "promote" if found.promote[run] else "reject" if found.reject[run] else "hold"
        assert seen == verdict.decision


@pytest.mark.parametrize("psi", [0.03, 0.08, 0.13])
def test_pass_probabilities_have_the_accuracy_and_the_flip_rate_of_their_level(psi: float) -> None:
    rng = np.random.default_rng(3)
    p = pass_probabilities(rng, Level(0.92, psi), (400, 500))
    flips = means(rng, p, 1) != means(rng, p, 1)
    assert float(p.mean()) == pytest.approx(0.92, abs=0.004)
    assert float(flips.mean()) == pytest.approx(psi, abs=0.004)
    assert float(np.mean((p < 0.05) | (p > 0.95))) > 0.5, "most cases are settled: the shape is a U"


@pytest.mark.parametrize("n", [10, 20, 60, 200])
def test_the_saddlepoint_of_gaffkes_bound_agrees_with_its_draws(n: int) -> None:
    rng = np.random.default_rng(n)
    d = rng.choice([-1.0, -2 / 3, -1 / 3, 0.0, 1 / 3], size=(12, n), p=[0.02, 0.03, 0.1, 0.75, 0.1])
    for mu0 in (-0.3, -0.15, -0.1):
        quick = fast.gaffke_p(d, mu0, "greater", (-1.0, 1.0))
        drawn = [stats.gaffke_p(row, mu0, "greater", (-1.0, 1.0), draws=200_000) for row in d]
        assert quick == pytest.approx(np.array(drawn), rel=0.05, abs=0.002)


def test_equal_seeds_give_equal_results_and_other_seeds_others() -> None:
    def run(seed: int) -> Simulation:
        return simulate(study(3, 0.5), World(), repetitions=60, seed=seed)

    assert run(1) == run(1)
    assert run(1) != run(2)


STUDY = {0.03: (0.955, 0.028), 0.08: (0.932, 0.035), 0.13: (0.882, 0.062)}
"""P(promote | identical) and false alarms by psi, verdict.md 2 and 3: default policy, three trials."""

STUDY_FAULTS = {  # P(promote), P(reject)
    "golden: right -5 points": (0.058, 0.006),
    "golden: right -10 points": (0.0, 0.43),
    "golden: topic=t5 (n = 20) -30 points": (0.198, 0.001),
    "safety: over-refusal +30 points": (0.0, 0.19),
    "golden: latency x 1.5": (0.05, 0.01),
    "safety: violations 0.5 %": (0.74, 0.22),
    "safety: violations 2 %": (0.35, 0.63),
    "safety: violations 5 %": (0.06, 0.93),
}


@pytest.mark.calibration
def test_the_default_policy_decides_as_the_study_says(capsys: pytest.CaptureFixture[str]) -> None:
    repetitions = 20_000 if LONG else 1_000
    lines = ["P(promote | identical), default policy, three trials"]
    wrong = []
    for psi, (known, alarms) in STUDY.items():
        found = simulate(
            study(3), study_world(psi), repetitions=repetitions, seed=1, with_faults=False
        ).identical
        lines.append(
            f"psi {psi:.2f}: {found.promote:.3f} ({known:.3f}), alarm {found.alarm:.3f} ({alarms:.3f})"
        )
        # alarms are false less often than in the study, where Hall's t stood alone on few differing cases
        unalarmed = found.promote + found.alarm - (known + alarms)
        fewer = known - 0.03 <= found.promote and found.alarm <= alarms
        wrong += [] if abs(unalarmed) <= 0.03 and fewer else [lines[-1]]
    result = simulate(study(3), study_world(0.08), repetitions=repetitions, seed=2)
    by_label = {chance.label: chance for chance in result.faults}
    for label, (promote, reject) in STUDY_FAULTS.items():
        seen = by_label[label]
        lines.append(f"{label}: P {seen.promote:.3f} ({promote:.3f}), R {seen.reject:.3f} ({reject:.3f})")
        wrong += [] if max(abs(seen.promote - promote), abs(seen.reject - reject)) <= 0.06 else [lines[-1]]
    lines.append(f"better by half a margin: {result.better.promote:.3f}")
    with capsys.disabled():
        print("\n" + "\n".join(lines))  # noqa: T201 - the comparison is the point of the test
    assert not wrong
    assert result.better.promote > result.identical.promote - 0.01


def test_one_trial_promotes_an_identical_candidate_far_less_often_than_three() -> None:
    one, three = (
        simulate(study(k), study_world(0.08), repetitions=500, seed=4, with_faults=False) for k in (1, 3)
    )
    assert one.identical.promote == pytest.approx(0.62, abs=0.08)
    assert three.identical.promote - one.identical.promote > 0.2
    assert one.gates[0].gate.spec.form == "non_inferior"


def test_a_required_gate_on_few_cases_is_the_weakest_and_another_role_is_its_remedy() -> None:
    gates = (GateSpec("right", "non_inferior", 0.05), GateSpec("right", "non_inferior", 0.05, by="topic"))
    tags = [{"topic": "large"}] * 150 + [{"topic": "small"}] * 50
    suites = [_simulated(_suite("golden", tags, gates=gates), 3)]
    found = simulate(suites, World(), repetitions=300, seed=1, with_faults=False)
    weakest = found.gates[0]
    assert weakest.gate.slice == "topic=small"
    assert found.identical.promote < weakest.passes + 1e-9 < 0.9
    offered = remedies(weakest.gate, suites, World(), repetitions=300, seed=1)
    texts = [remedy.text for remedy in offered]
    assert {"role guard instead of require", "margin 0.075 instead of 0.05"} <= set(texts)
    assert "5 trials instead of 3" not in texts, "50 cases are fewer than n_min, however often they are asked"
    assert all(remedy.passes > weakest.passes for remedy in offered)
    assert "400 cases instead of 200 in golden" in texts
    assert texts[-1] == "role guard instead of require", "what protects less comes last"
    assert [r.promote for r in offered[:-1]] == sorted((r.promote for r in offered[:-1]), reverse=True)
    by_text = {remedy.text: remedy.promote for remedy in offered}
    assert by_text["role guard instead of require"] > found.identical.promote + 0.3
    assert all(r.promote > found.identical.promote - 0.08 for r in offered)


def test_a_critical_case_that_often_misses_rejects_and_only_twice_of_three() -> None:
    suites = study(3, 0.5)
    cases = tuple(replace(c, critical=i < 10) for i, c in enumerate(suites[0].suite.cases))
    suites[0] = replace(suites[0], suite=replace(suites[0].suite, cases=cases))
    found = simulate(suites, World(critical_accuracy=0.9), repetitions=2000, seed=1, with_faults=False)
    twice = 1.0 - (1.0 - (3 * 0.1**2 * 0.9 + 0.1**3)) ** 10
    assert found.identical.reject == pytest.approx(twice, abs=0.03)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("quantile", [None, 0.5, 0.95])
def test_counts_that_are_mostly_zero_are_simulated_without_a_warning(quantile: float | None) -> None:
    gates = (GateSpec("calls", "ratio_at_most", 1.5, quantile=quantile),)
    suite = replace(_suite("golden", [{}] * 120, gates=gates), gates=gates)
    metric = Metric("calls", "count", higher_is_better=False)
    each = SimulatedSuite(
        suite,
        spread_gates(suite, {"calls": metric}, (), has_baseline=True),
        {"calls": metric},
        (),
        (1,) * 120,
    )
    seen = Observed(((0.0,),) * 19 + ((1.0, 2.0),), 21)
    batch = Batch([each], World(spreads={("golden", "calls"): seen}), repetitions=40, seed=1)
    p_pass, p_fail = batch.decide(IDENTICAL).evidence[each.gates[0].id]
    assert np.all((p_pass >= 0.0) & (p_pass <= 1.0))
    assert np.mean(p_fail <= 0.05) <= 0.06 + 3 * (0.06 * 0.94 / 40) ** 0.5
