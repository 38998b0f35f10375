"""Whatever was measured: the verdict does not depend on order or names, and nothing missing ever helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.outcomes import critical_misses
from relgate.decision.policy import spread_gates
from relgate.decision.sample import Sample
from relgate.decision.sample_drawing import draw_sample
from relgate.decision.verdict import Findings, decide
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateResult, GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score, ScorerFailure, Side
from relgate.domain.verdict import Verdict

JUDGE_FAILED = -1.0
RIGHT = Metric("right", "binary")
GATES = (
    GateSpec("right", "non_inferior", 0.1),
    GateSpec("right", "at_least", 0.6),
    GateSpec("right", "at_most", 0.7, role="guard"),
    GateSpec("right", "non_inferior", 0.2, role="guard", by="topic"),
    GateSpec("right", "superior", 0.0, role="report"),
)

Pair = tuple[float, float, str, str]
"""Candidate, baseline, topic and cluster of one case."""

score = st.sampled_from([0.0, 1.0, 1.0, 1.0])
pair = st.tuples(
    score, score, st.sampled_from(["billing", "orders"]), st.sampled_from([f"k{i}" for i in range(12)])
)
pairs = st.lists(pair, min_size=1, max_size=90)
half_points = st.lists(
    st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 1.0])] * 2, st.just("billing"), st.just("k")),
    min_size=2,
    max_size=70,
)


def _suite(rows: Sequence[Pair], clustered: bool, gates: Sequence[GateSpec] = GATES) -> Suite:
    return Suite(
        name="s",
        kind="golden",
        path=Path("suite.yaml"),
        folder="s",
        scorers=(),
        cases=tuple(
            Case(
                id=f"c{i}",
                input=f"question {i}",
                tags={"topic": topic},
                cluster=cluster if clustered else None,
            )
            for i, (_, _, topic, cluster) in enumerate(rows)
        ),
        gates=tuple(gates),
        slices=("topic",),
        clustered=clustered,
    )


def _measured(side: Side, case: Case, value: float, metric: Metric) -> Measurement:
    made: Any = Score("right", value, metric.kind)
    if value == JUDGE_FAILED:
        made = ScorerFailure("right", "no number")
    return Measurement(side, "s", case.id, 0, Response("text"), (made,))


def _data(rows: Sequence[Pair], suite: Suite, metric: Metric = RIGHT) -> SuiteData:
    found = []
    for case, (candidate, baseline, _, _) in zip(suite.cases, rows, strict=True):
        found += [
            _measured("candidate", case, candidate, metric),
            _measured("baseline", case, baseline, metric),
        ]
    return arrange(suite, {"right": metric}, found)


def _judge(rows: Sequence[Pair], clustered: bool, order: Sequence[int] | None = None) -> Any:
    suite = _suite(rows, clustered)
    data = _data(rows, suite)
    if order is not None:
        suite = replace(suite, cases=tuple(suite.cases[i] for i in order))
        data = replace(data, suite=suite)
    gates = spread_gates(suite, data.metrics, (), has_baseline=True)
    results = weigh_fails([judge_gate(gate, data, alpha=0.05) for gate in gates])
    alarms = raise_alarms(watch([data])[0], [data])
    verdict = decide(Findings(gates=results, alarms=alarms, critical=critical_misses(data)))
    return verdict, results


def _numbers(results: Sequence[GateResult]) -> Any:
    return [
        (r.id, r.result, r.n, r.units, r.needed, *(_rounded(v) for v in (r.estimate, r.p_pass, r.p_fail)))
        for r in results
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 9)


def _one(rows: Sequence[Pair], spec: GateSpec, metric: Metric = RIGHT, clustered: bool = False) -> GateResult:
    suite = _suite(rows, clustered, (spec,))
    (gate,) = spread_gates(suite, {"right": metric}, (), has_baseline=True)
    return judge_gate(gate, _data(rows, suite, metric), alpha=0.05)


@settings(max_examples=40, deadline=None)
@given(pairs, st.booleans(), st.randoms(use_true_random=False))
def test_the_verdict_does_not_depend_on_the_order_of_the_cases(
    rows: list[Pair], clustered: bool, random: Any
) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    (before, gates), (after, moved) = _judge(rows, clustered), _judge(rows, clustered, order)
    assert before.decision == after.decision
    assert _numbers(gates) == _numbers(moved)


@settings(max_examples=40, deadline=None)
@given(pairs, st.permutations([f"k{i}" for i in range(12)]))
def test_the_verdict_does_not_depend_on_what_the_clusters_are_called(
    rows: list[Pair], names: list[str]
) -> None:
    swapped = [(c, b, topic, names[int(cluster[1:])]) for c, b, topic, cluster in rows]
    (before, gates), (after, renamed) = _judge(rows, True), _judge(swapped, True)
    assert before == after
    assert _numbers(gates) == _numbers(renamed)


ROLES = st.sampled_from(["require", "guard", "report"])
P = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def results(draw: Any) -> list[GateResult]:
    """Gates as judging leaves them: pass only where p_pass proves it, and never tested without numbers."""
    found = []
    for i in range(draw(st.integers(0, 8))):
        p = draw(P)
        outcome = (
            draw(st.sampled_from(["pass", "hold"]))
            if p is not None
            else draw(st.sampled_from(["hold", "error"]))
        )
        found.append(
            GateResult(
                id=f"gates::s[{i}]",
                suite="s",
                metric="right",
                role=draw(ROLES),
                form="non_inferior",
                result=outcome,
                message="the numbers",
                p_pass=p,
                p_fail=p if outcome != "error" else None,
            )
        )
    return found


@settings(max_examples=200, deadline=None)
@given(results(), st.booleans())
def test_a_promote_needs_every_required_gate_and_no_failing_guard(
    gates: list[GateResult], partial: bool
) -> None:
    weighed = weigh_fails(gates)
    verdict: Verdict = decide(Findings(gates=weighed, partial=partial))
    required = [g for g in weighed if g.role == "require"]
    if verdict.decision == "promote":
        assert required
        assert all(g.result == "pass" for g in required)
        assert not any(g.result == "fail" for g in weighed if g.role == "guard")
        assert not partial
    if any(g.result == "fail" and g.role != "report" for g in weighed):
        assert verdict.decision == ("hold" if partial else "reject")
    for before, after in zip(gates, weighed, strict=True):
        assert (after.result == "fail") <= (before.result == "hold"), "a gate never passes and fails"


@settings(max_examples=60, deadline=None)
@given(st.one_of(pairs, half_points), st.booleans())
def test_no_gate_proves_that_it_is_met_and_that_it_is_broken(rows: list[Pair], clustered: bool) -> None:
    metric = RIGHT if all(c in (0, 1) and b in (0, 1) for c, b, *_ in rows) else Metric("right", "unit")
    for spec in GATES[:3]:
        found = _one(rows, replace(spec, role="require"), metric, clustered)
        if found.p_pass is not None and found.p_fail is not None:
            assert not (found.p_pass <= 0.05 and found.p_fail <= 0.05)


steps = st.lists(
    st.tuples(
        st.sampled_from([0.5, 0.52, 0.55, 0.6, 0.75, 1.0]),
        st.sampled_from([0.0, 0.48, 0.5, 0.5, 0.5, 0.6]),
        st.just("billing"),
        st.sampled_from([f"k{i}" for i in range(12)]),
    ),
    min_size=1,
    max_size=90,
)
"""Scores of which the candidate's are mostly a little higher."""


@settings(max_examples=80, deadline=None)
@given(st.one_of(pairs, half_points, steps), st.booleans(), st.booleans(), st.booleans())
def test_a_superior_gate_passes_where_its_interval_lies_above_zero_and_nowhere_else(
    rows: list[Pair], higher: bool, swapped: bool, clustered: bool
) -> None:
    binary = all(c in (0, 1) and b in (0, 1) for c, b, *_ in rows)
    metric = Metric("right", "binary" if binary else "unit", higher_is_better=higher)
    if swapped:
        rows = [(b, c, topic, cluster) for c, b, topic, cluster in rows]
    found = _one(rows, GateSpec("right", "superior", 0.0), metric, clustered)
    if found.p_pass is None:
        return
    # a gate that was tested has all its numbers, which its type does not tell
    better, worse = (found.lower, -found.upper) if higher else (-found.upper, found.lower)  # type: ignore[operator]
    assert (found.result == "pass") == (better > 0.0)  # type: ignore[operator]
    assert (found.p_fail <= 0.05) == (worse > 0.0)  # type: ignore[operator]


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(pairs, half_points),
    st.tuples(st.floats(0.02, 0.4), st.floats(0.02, 0.4)).map(sorted),
    st.booleans(),
)
def test_a_wider_margin_never_turns_a_pass_into_a_hold(
    rows: list[Pair], margins: list[float], clustered: bool
) -> None:
    metric = RIGHT if all(c in (0, 1) and b in (0, 1) for c, b, *_ in rows) else Metric("right", "unit")
    narrow, wide = (_one(rows, GateSpec("right", "non_inferior", m), metric, clustered) for m in margins)
    assert not (narrow.result == "pass" and wide.result != "pass")
    if narrow.p_pass is not None and wide.p_pass is not None and clustered:
        assert wide.p_pass <= narrow.p_pass + 1e-12
        assert wide.p_fail is not None
        assert narrow.p_fail is not None
        assert wide.p_fail >= narrow.p_fail - 1e-12


@settings(max_examples=60, deadline=None)
@given(
    st.lists(pair, min_size=60, max_size=110),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from([0, 1, 2]),
    st.integers(0, 2**32 - 1),
)
def test_a_judge_failure_never_helps_to_pass_and_never_helps_to_fail(
    rows: list[Pair], failures: int, clustered: bool, form: int, seed: int
) -> None:
    hidden = np.random.default_rng(seed).choice(len(rows), failures, replace=False)
    short = [(JUDGE_FAILED, *row[1:]) if i in hidden else row for i, row in enumerate(rows)]
    spec = replace(GATES[form], role="require")
    # rows hold scores, or the mark of a judge that failed in one's place
    full, missing = _one(rows, spec, clustered=clustered), _one(short, spec, clustered=clustered)  # type: ignore[arg-type]
    without = [row for i, row in enumerate(rows) if i not in hidden]
    left = _one(without, spec, clustered=clustered)
    assert not (missing.result == "pass" and left.result != "pass"), "leaving cases out would be stricter"
    assert not (missing.result == "pass" and full.result != "pass"), "any score there would be better"
    if missing.p_fail is not None and left.p_fail is not None:
        assert missing.p_fail >= left.p_fail - 1e-12


KINDS = st.sampled_from(
    [
        RIGHT,
        Metric("right", "binary", higher_is_better=False),
        Metric("right", "unit"),
        Metric("right", "cost", higher_is_better=False),
        Metric("right", "latency", higher_is_better=False),
    ]
)
BOUNDED = (
    GateSpec("right", "non_inferior", 0.05),
    GateSpec("right", "superior", 0.0),
    GateSpec("right", "at_least", 0.85),
    GateSpec("right", "at_most", 0.1),
)
UNBOUNDED = (
    GateSpec("right", "ratio_at_most", 1.5),
    GateSpec("right", "ratio_at_most", 1.5, quantile=0.5, slack=0.5),
    GateSpec("right", "ratio_at_most", 0.9, quantile=0.95),
)


@settings(max_examples=150, deadline=None)
@given(st.data(), KINDS, st.integers(1, 120), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_whatever_was_measured_every_gate_has_numbers_or_says_why_not(
    data: Any, metric: Metric, n: int, trials: int, base_trials: int, clustered: bool
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    level = data.draw(st.sampled_from([0.0, 0.3, 0.95, 1.0]))
    specs = BOUNDED if metric.bounded else UNBOUNDED
    rows: list[Pair] = [(0.0, 0.0, "billing", f"k{i % 7}") for i in range(n)]
    suite = _suite(rows, clustered, specs)
    found = []
    for side, count in (("candidate", trials), ("baseline", base_trials)):
        for case in suite.cases:
            for trial in range(count):
                value = float(rng.random() < level)
                value = value * round(rng.random(), 2) if metric.kind not in ("binary",) else value
                if rng.random() < 0.005:
                    value = JUDGE_FAILED
                row = _measured(side, case, value, metric)  # type: ignore[arg-type]  # a score or a failure
                found.append(replace(row, trial=trial))
    measured = arrange(suite, {"right": metric}, found)
    gates = spread_gates(suite, measured.metrics, (), has_baseline=True)
    for result in weigh_fails([judge_gate(gate, measured, alpha=0.05) for gate in gates]):
        assert result.message
        assert "nan" not in result.message
        assert result.result in ("pass", "hold", "fail", "error")
        if result.p_pass is None:
            assert result.result in ("hold", "error")
            continue
        assert 0.0 <= result.p_pass <= 1.0
        assert 0.0 <= (result.p_fail or 0.0) <= 1.0
        if result.lower is None or result.upper is None:
            assert result.form == "ratio_at_most"
            assert " in every case, " in result.message
        else:
            assert result.lower < result.upper, "an interval of no width claims certainty"
        assert result.needed is None or result.needed > 0


LATENCY = Metric("right", "latency", higher_is_better=False)
UNIT = Metric("right", "unit")
FORMS = st.sampled_from(
    [
        (GateSpec("right", "non_inferior", 0.1), RIGHT),
        (GateSpec("right", "non_inferior", 0.1), Metric("right", "binary", higher_is_better=False)),
        (GateSpec("right", "non_inferior", 0.1), UNIT),
        (GateSpec("right", "superior", 0.0), RIGHT),
        (GateSpec("right", "superior", 0.0), UNIT),
        (GateSpec("right", "at_least", 0.8), RIGHT),
        (GateSpec("right", "at_least", 0.8), UNIT),
        (GateSpec("right", "at_most", 0.8), RIGHT),
        (GateSpec("right", "ratio_at_most", 1.2), LATENCY),
        (GateSpec("right", "ratio_at_most", 1.2, quantile=0.5), LATENCY),
        (GateSpec("right", "ratio_at_most", 1.2, quantile=0.95, slack=0.1), LATENCY),
        (GateSpec("right", "at_most", 2.0, quantile=0.5), LATENCY),
        (GateSpec("right", "at_most", 4.0, quantile=0.95), LATENCY),
    ]
)
"""Every form of a gate that has a boundary, with a metric that it fits."""

Answers = dict[Side, list[list[float]]]
"""Per side one list of trials a case."""


@st.composite
def answers(draw: Any) -> tuple[GateSpec, Metric, Answers, list[str]]:
    """A gate, and what both sides scored on the same cases: equal, better, worse or catastrophic."""
    spec, metric = draw(FORMS)
    n, trials = draw(st.integers(2, 130)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    clusters = draw(st.sampled_from([0, 4, 7, 25]))
    names = [f"k{i % clusters}" for i in range(n)] if clusters else []
    level = draw(st.sampled_from([0.5, 0.8, 0.95, 1.0]))
    shift = draw(st.sampled_from([-0.3, -0.05, 0.0, 0.05]))
    fallen = rng.random(clusters or n) < draw(st.sampled_from([0.0, 0.05, 0.3]))
    found: Answers = {"candidate": [], "baseline": []}
    for i in range(n):
        ease = rng.beta(8 * level + 0.1, 8 * (1 - level) + 0.1)
        for side, mine in found.items():
            share = ease if side == "baseline" else 0.0 if fallen[i % fallen.size] else ease + shift
            share = min(1.0, max(0.0, share))
            if metric.kind == "binary":
                mine.append([float(rng.random() < share) for _ in range(trials)])
            elif metric.kind == "unit":
                mine.append([round(share * rng.choice([1.0, 0.75, 1.0]), 2) for _ in range(trials)])
            else:
                mine.append([round(float(np.exp(1 - share + rng.normal(0, 0.3))), 3) for _ in range(trials)])
    return spec, metric, found, names


def _judged(
    spec: GateSpec, metric: Metric, found: Answers, names: list[str], order: Sequence[int] | None = None
) -> GateResult:
    """The gate on these answers; ``order`` puts the cases into another one."""
    rows: list[Pair] = [
        (0.0, 0.0, "billing", names[i] if names else "k") for i in range(len(found["candidate"]))
    ]
    suite = _suite(rows, bool(names), (spec,))
    measured = [
        replace(_measured(side, case, value, metric), trial=trial)
        for side in found
        for case, scores in zip(suite.cases, found[side], strict=True)
        for trial, value in enumerate(scores)
    ]
    if order is not None:
        suite = replace(suite, cases=tuple(suite.cases[i] for i in order))
    data = arrange(suite, {"right": metric}, measured)
    (gate,) = spread_gates(suite, {"right": metric}, (), has_baseline=True)
    return judge_gate(gate, data, alpha=0.05)


def _swapped(found: Answers) -> Answers:
    return {"candidate": found["baseline"], "baseline": found["candidate"]}


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None or np.isinf(one) or np.isinf(other):
        return one == other
    return abs(one - other) <= 1e-9 * max(1.0, abs(one))


@settings(max_examples=150, deadline=None)
@given(answers())
def test_pass_and_fail_exclude_each_other_and_the_interval_holds_the_estimate(
    made: tuple[GateSpec, Metric, Answers, list[str]],
) -> None:
    result = _judged(*made)
    if result.p_pass is None:
        return
    assert not (result.p_pass <= 0.05 and (result.p_fail or 0.0) <= 0.05)
    assert result.lower is not None
    assert result.estimate is not None
    assert result.upper is not None
    assert result.lower - 1e-9 <= result.estimate <= result.upper + 1e-9


@settings(max_examples=100, deadline=None)
@given(answers(), st.sampled_from([0.02, 0.1, 0.3]))
def test_an_easier_boundary_never_takes_a_pass_away_and_never_makes_a_fail(
    made: tuple[GateSpec, Metric, Answers, list[str]], step: float
) -> None:
    spec, metric, found, names = made
    if spec.form == "superior":
        return
    step = -min(step, 0.15) if spec.form == "at_least" else min(step, 0.15) if spec.quantile is None else step
    strict, easy = (
        _judged(one, metric, found, names) for one in (spec, replace(spec, boundary=spec.boundary + step))
    )
    assert not (strict.result == "pass" and easy.result != "pass")
    if strict.p_fail is not None and easy.p_fail is not None:
        assert not (easy.p_fail <= 0.05 and strict.p_fail > 0.05)


@settings(max_examples=100, deadline=None)
@given(answers(), st.randoms(use_true_random=False))
def test_no_gate_depends_on_the_order_of_its_cases(
    made: tuple[GateSpec, Metric, Answers, list[str]], random: Any
) -> None:
    order = list(range(len(made[2]["candidate"])))
    random.shuffle(order)
    first, second = _judged(*made), _judged(*made, order)
    assert first.result == second.result
    for name in ("estimate", "lower", "upper", "p_pass", "p_fail", "p_harm"):
        assert _same(getattr(first, name), getattr(second, name)), name


@settings(max_examples=100, deadline=None)
@given(answers())
def test_swapping_the_sides_turns_every_comparison_around(
    made: tuple[GateSpec, Metric, Answers, list[str]],
) -> None:
    spec, metric, found, names = made
    if spec.form in ("at_least", "at_most") or spec.slack:
        return  # these look at the candidate alone, or give it a slack
    here = _judged(spec, metric, found, names)
    if spec.form == "non_inferior":  # worse by less than the margin, of the side for which less is better
        turned = replace(metric, higher_is_better=not metric.higher_is_better)
        there = _judged(spec, turned, _swapped(found), names)
        pairs = [(here.p_pass, there.p_pass), (here.p_fail, there.p_fail), (here.p_harm, there.p_harm)]
        signs = -1.0
    elif spec.form == "superior":
        there = _judged(spec, metric, _swapped(found), names)
        pairs, signs = [(here.p_pass, there.p_fail), (here.p_fail, there.p_pass)], -1.0
    else:
        there = _judged(replace(spec, boundary=1.0 / spec.boundary), metric, _swapped(found), names)
        pairs, signs = [(here.p_pass, there.p_fail), (here.p_fail, there.p_pass)], 0.0
        if spec.quantile is None:  # to reject asks for more than to pass: Hall's test, a baseline that spends
            for passed, failed in ((here.p_pass, there.p_fail), (there.p_pass, here.p_fail)):
                assert (passed is None) == (failed is None)
                assert passed is None or failed is None or passed <= failed + 1e-9
            return
    assert all(_same(one, other) for one, other in pairs), pairs
    if signs and here.estimate is not None and here.lower is not None and there.upper is not None:
        assert there.estimate is not None
        assert _same(here.estimate, signs * there.estimate)
        assert _same(here.lower, signs * there.upper)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0, 1 / 3, 0.1]),
            st.sampled_from([0.0, 1.0, 2 / 3]),
            st.sampled_from(["billing", "orders"]),
            st.sampled_from(["k1", "k2"]),
        ),
        max_size=40,
    ),
    clustered=st.booleans(),
    relative=st.booleans(),
    topic=st.sampled_from([None, "billing", "nobody"]),
    asked=st.lists(st.integers(0, 5), min_size=40, max_size=40),
)
def test_one_score_a_case_is_drawn_at_once_as_it_is_drawn_case_by_case(
    rows: list[Pair], clustered: bool, relative: bool, topic: str | None, asked: list[int]
) -> None:
    suite = _suite(rows, clustered)
    cases = tuple(replace(case, input=f"question {n}") for case, n in zip(suite.cases, asked, strict=False))
    data = _data(rows, replace(suite, cases=cases))
    away = {"a case of nobody": "away"}
    slow = replace(data, unmeasured={("candidate", ""): away, ("baseline", ""): away})
    only = {"topic": topic} if topic else {}
    one, other = (draw_sample(each, "right", only=only, relative=relative) for each in (data, slow))
    for field in fields(Sample):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(theirs, np.ndarray):
            assert mine.dtype == theirs.dtype, field.name
            assert mine.tolist() == theirs.tolist(), field.name
        else:
            assert mine == theirs, field.name
