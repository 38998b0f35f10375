"""Gates from arrays give what `judge_gate` gives on the same cases."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relgate import stats
from relgate.decision.arrays import ScoreArrays, judge_slices
from relgate.decision.evidence import Evidence, Unable
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import ALPHA, spread_gates
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

RIGHT = Metric("m", "binary")
WRONG = Metric("m", "binary", higher_is_better=False)
QUALITY = Metric("m", "unit")
ERRORS = Metric("m", "unit", higher_is_better=False)
COST = Metric("m", "cost", higher_is_better=False)
CALLS = Metric("m", "count", higher_is_better=False)


def whole(metric, candidate, baseline, slices, spec):
    """The same cases as a suite: one gate per slice and one over all."""
    cases = tuple(
        Case(id=f"c{i}", input=f"case {i}", tags={"part": f"p{code}"})
        for i, code in enumerate(slices.tolist())
    )
    suite = Suite(
        name="s", kind="golden", path=Path("suite.yaml"), folder="s", scorers=(), cases=cases, gates=(spec,)
    )
    values = {
        (side, "m", ""): {f"c{i}": (float(x),) for i, x in enumerate(scores)}
        for side, scores in (("candidate", candidate), ("baseline", baseline))
    }
    if metric.kind == "unit":  # two equal trials: a mean, not a pass or fail
        values = {cell: {case: (*x, *x) for case, x in rows.items()} for cell, rows in values.items()}
    return SuiteData(
        suite=suite, metrics={"m": metric}, hops=(), values=values, judge_failures={}, unmeasured={}
    )


def judged(metric, candidate, baseline, slices, spec, count):
    data = whole(metric, candidate, baseline, slices, spec)
    (gate,) = spread_gates(data.suite, data.metrics, (), has_baseline=True)
    found = []
    for code in range(count):
        found.append(judge_gate(replace(gate, only={"part": f"p{code}"}), data, alpha=ALPHA))
    return [*found, judge_gate(gate, data, alpha=ALPHA)]


def columns(metric, rng, n):
    if metric.kind == "binary":
        return rng.random(n) < 0.91, rng.random(n) < 0.92
    if metric.kind == "unit":
        base = np.round(rng.beta(6, 1.5, n), 2)
        return np.clip(np.round(base + rng.normal(0, 0.1, n), 2), 0, 1), base
    if metric.kind == "count":
        return rng.poisson(0.02, n).astype(float), rng.poisson(0.012, n).astype(float)
    return 0.004 * rng.lognormal(0, 0.4, n), 0.003 * rng.lognormal(0, 0.4, n)


GATES = [
    (RIGHT, GateSpec("m", "non_inferior", 0.05)),
    (WRONG, GateSpec("m", "non_inferior", 0.05)),
    (RIGHT, GateSpec("m", "superior", 0.0)),
    (WRONG, GateSpec("m", "superior", 0.0)),
    (RIGHT, GateSpec("m", "at_least", 0.9)),
    (WRONG, GateSpec("m", "at_most", 0.9)),
    (QUALITY, GateSpec("m", "non_inferior", 0.05)),
    (QUALITY, GateSpec("m", "superior", 0.0)),
    (ERRORS, GateSpec("m", "superior", 0.0)),
    (QUALITY, GateSpec("m", "at_least", 0.75)),
    (QUALITY, GateSpec("m", "at_most", 0.85)),
    (COST, GateSpec("m", "ratio_at_most", 1.3)),
    (CALLS, GateSpec("m", "ratio_at_most", 1.05)),
    (CALLS, GateSpec("m", "ratio_at_most", 1.7)),
]


@pytest.mark.parametrize(
    ("metric", "spec"), GATES, ids=lambda x: x.name if isinstance(x, GateSpec) else x.kind
)
def test_arrays_and_judge_gate_agree_in_every_slice(metric, spec):
    rng = np.random.default_rng(20260101)
    # one slice above the limit of Gaffke's bound, one under n_min, one of a few hundred, and all together
    slices = np.repeat(np.arange(3), (stats.GAFFKE_UP_TO + 500, 25, 400))
    rng.shuffle(slices)
    candidate, baseline = columns(metric, rng, slices.size)
    fast = judge_slices(spec, ScoreArrays(metric, candidate, baseline, slices, 3), alpha=ALPHA)
    slow = judged(metric, candidate, baseline, slices, spec, 3)
    assert len(fast) == len(slow) == 4
    for mine, theirs in zip(fast, slow, strict=True):
        assert isinstance(mine, Evidence)
        assert mine.method == theirs.method
        numbers = (mine.estimate, mine.lower, mine.upper, mine.p_pass, mine.p_fail)
        expected = (theirs.estimate, theirs.lower, theirs.upper, theirs.p_pass, theirs.p_fail)
        assert numbers == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("metric", [QUALITY, ERRORS], ids=["higher is better", "lower is better"])
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
@pytest.mark.parametrize(
    ("differ", "step"),
    [(2500, 0.001), (2500, 0.01), (5, 1.0), (6, 1.0), (40, 0.5)],
    ids=["tiny gain", "small gain", "five differ", "six differ", "forty differ"],
)
def test_superiority_from_arrays_agrees_on_both_sides(metric, sign, alpha, differ, step):
    n = stats.GAFFKE_UP_TO + 500
    d = np.zeros(n)
    d[:differ] = sign * step * np.where(np.arange(differ) % 5 == 4, 2, 1) / 2
    base = np.full(n, 0.5)
    candidate, slices = np.round(base + d, 6), np.zeros(n, dtype=np.int64)
    spec = GateSpec("m", "superior", 0.0)
    fast = judge_slices(spec, ScoreArrays(metric, candidate, base, slices, 1), alpha=alpha)[-1]
    data = whole(metric, candidate, base, slices, spec)
    (gate,) = spread_gates(data.suite, data.metrics, (), has_baseline=True)
    slow = judge_gate(gate, data, alpha=alpha)
    assert isinstance(fast, Evidence)
    numbers = (fast.estimate, fast.lower, fast.upper, fast.p_pass, fast.p_fail)
    assert numbers == pytest.approx(
        (slow.estimate, slow.lower, slow.upper, slow.p_pass, slow.p_fail), rel=1e-9, abs=1e-12
    )
    assert fast.method == slow.method
    assert fast.caution in slow.message
    better = fast.lower > 0 if metric.higher_is_better else fast.upper < 0
    assert better == (fast.p_pass <= alpha) == (slow.result == "pass")


@pytest.mark.parametrize(
    ("metric", "form", "boundary"), [(QUALITY, "non_inferior", 0.05), (COST, "ratio_at_most", 1.3)]
)
def test_slices_without_a_spread_are_judged_on_their_cases(metric, form, boundary):
    n = stats.GAFFKE_UP_TO + 1
    same, slices = np.full(n, 0.25), np.zeros(n, dtype=np.int64)
    spec = GateSpec("m", form, boundary)
    fast = judge_slices(spec, ScoreArrays(metric, same, same, slices, 1), alpha=ALPHA)[-1]
    slow = judged(metric, same, same, slices, spec, 1)[-1]
    assert isinstance(fast, Evidence)
    assert (fast.p_pass, fast.p_fail) == (slow.p_pass, slow.p_fail)
    assert fast.upper > fast.lower


def test_a_slice_without_cases_decides_nothing():
    scores = ScoreArrays(RIGHT, np.ones(80, bool), np.ones(80, bool), np.zeros(80, dtype=np.int64), 2)
    found = judge_slices(GateSpec("m", "non_inferior", 0.05), scores, alpha=ALPHA)
    assert isinstance(found[0], Evidence)
    assert isinstance(found[1], Unable)
    assert found[0] == found[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slices": np.zeros(3, dtype=np.int64)}, "one row per case"),
        ({"slices": np.full(4, 2)}, "0 to 1"),
        ({"baseline": np.ones(4)}, "both sides"),
        ({"candidate": np.ones(0), "baseline": None, "slices": np.zeros(0, dtype=np.int64)}, "no case"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, message):
    given = {
        "candidate": np.ones(4, bool),
        "baseline": np.ones(4, bool),
        "slices": np.zeros(4, dtype=np.int64),
    }
    with pytest.raises(ValueError, match=message):
        ScoreArrays(RIGHT, slice_count=2, **{**given, **change})


@pytest.mark.parametrize(
    "spec",
    [GateSpec("m", "ratio_at_most", 1.5, quantile=0.95), GateSpec("m", "violations", 0.0)],
    ids=lambda spec: spec.form,
)
def test_what_needs_the_cases_themselves_is_refused(spec):
    scores = ScoreArrays(RIGHT, np.ones(4, bool), np.ones(4, bool), np.zeros(4, dtype=np.int64), 1)
    with pytest.raises(ValueError, match="needs the cases"):
        judge_slices(spec, scores, alpha=ALPHA)


def test_a_comparison_without_a_baseline_is_refused():
    scores = ScoreArrays(RIGHT, np.ones(4, bool), None, np.zeros(4, dtype=np.int64), 1)
    with pytest.raises(ValueError, match="needs a baseline"):
        judge_slices(GateSpec("m", "superior", 0.0), scores, alpha=ALPHA)


def test_the_benchmark_judges_every_gate_and_prints_time_and_memory():
    script = Path(__file__).resolve().parents[3] / "benchmarks" / "decision.py"
    command = [sys.executable, str(script), "--cases", "30000", "--metrics", "6", "--slices", "3"]
    done = subprocess.run(
        [*command, "--no-bootstrap"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "40 binary and mean gates" in done.stdout
    assert "peak memory" in done.stdout
    assert "p95 ratio" in done.stdout
