"""Copies of a case say nothing new: they are one unit. Trials and missing cases change no weight."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relgate.decision.alarms import watch
from relgate.decision.duplicates import duplicated, units_of
from relgate.decision.gates import judge_gate
from relgate.decision.planning.feasibility import feasibility
from relgate.decision.sample_drawing import draw_sample
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Message
from relgate.domain.metric import Metric

VIOLATION = Metric("violation", "binary", higher_is_better=False)


def _units(build: Any, *inputs: Any, **suite: Any) -> list[int]:
    """For each case the first case that shares its unit."""
    found = list(units_of(build.suite(len(inputs), inputs=inputs, **suite)).values())
    return [found.index(label) for label in found]


def test_equal_inputs_are_one_unit_whatever_their_case_and_white_space(build: Any) -> None:
    asked = ["Where is my order?", "where  is my\nORDER?", "Where is my order", "Where is my order ?"]
    assert _units(build, *asked) == [0, 0, 2, 3]
    assert duplicated(build.suite(4, inputs=asked)) == 1


def test_a_conversation_is_a_copy_only_with_the_same_roles_and_turns(build: Any) -> None:
    ask, say = Message("user", "Refund"), Message("assistant", "Refund")
    assert _units(build, (ask,), (ask,), (say,), (ask, say), (say, ask)) == [0, 0, 2, 3, 4]


@pytest.mark.parametrize("absent", [None, "", "  \n", ()])
def test_cases_without_an_input_are_never_duplicates(build: Any, absent: Any) -> None:
    assert _units(build, absent, absent, absent) == [0, 1, 2]


def test_clusters_that_share_an_input_are_one(build: Any) -> None:
    inputs, clusters = ["a", "b", "b", "c", "c", "d"], ["x", "x", "y", "y", "z", "w"]
    assert _units(build, *inputs, clusters=clusters) == [0, 0, 0, 0, 0, 5]
    assert _units(build, *inputs, clusters=clusters, clustered=False) == [0, 1, 1, 3, 3, 5]


def test_sixty_copies_of_one_question_prove_nothing(build: Any) -> None:
    gate = build.gate("non_inferior", 0.05)
    alone = build.data([1.0] * 60, [1.0] * 60)
    copies = build.data([1.0] * 60, [1.0] * 60, inputs=["again"] * 60)
    assert judge_gate(gate, alone, alpha=0.05).result == "pass"
    judged = judge_gate(gate, copies, alpha=0.05)
    assert (judged.result, judged.n, judged.units) == ("hold", 60, 1)
    assert not feasibility(gate, copies.suite, alpha=0.05, single_trial=True).can_pass


@pytest.mark.parametrize(
    ("distinct", "clustered", "says"),
    [
        (30, False, "n = 120 in 30 distinct inputs"),
        (12, False, "only 12 distinct inputs (fewer than 20)"),
        (4, False, "4 distinct inputs: at least 5 are needed to see how distinct inputs differ"),
        (1, False, "1 distinct input: at least 5"),
        (30, True, "n = 120 in 30 clusters"),
    ],
)
def test_equal_inputs_of_a_suite_without_clusters_are_not_called_clusters(
    build: Any, distinct: int, clustered: bool, says: str
) -> None:
    inputs = [f"question {i % distinct}" for i in range(120)]
    scores = [float(i % distinct > 1) for i in range(120)]
    data = build.data(scores, [1.0] * 120, inputs=inputs, clustered=clustered)
    results = [
        judge_gate(build.gate(form, 0.6), data, alpha=0.05)
        for form in ("non_inferior", "superior", "at_least")
    ]
    for result in weigh_fails(results):
        assert says in result.message
        assert ("cluster" in result.message + result.method) is clustered
        assert ("distinct input" in result.message + result.method) is not clustered
    tags = {"lang": ["de"] * 120}
    sliced = build.data(scores, [1.0] * 120, inputs=inputs, tags=tags, slices=("lang",), clustered=clustered)
    _, unprotected = watch([sliced])
    assert "cluster" not in str(unprotected)


def test_zero_tolerance_counts_each_question_once(build: Any) -> None:
    gate = build.gate("violations", 0.0, VIOLATION, rate_at_most=0.05)
    inputs = [f"question {i % 50}" for i in range(60)]
    judged = judge_gate(gate, build.data([0.0] * 60, metric=VIOLATION, inputs=inputs), alpha=0.05)
    assert (judged.result, judged.units, judged.needed) == ("hold", 50, 9)
    assert "0 of 50 distinct inputs violate" in judged.message
    assert "9 more clean distinct inputs needed (59 in all)" in judged.message


def test_copies_widen_the_interval_of_a_difference(build: Any) -> None:
    rng = np.random.default_rng(5)
    once = [float(x) for x in rng.random(30) < 0.7]
    gate = build.gate("non_inferior", 0.2)
    copied = [f"question {i % 30}" for i in range(120)]
    naive = judge_gate(gate, build.data(once * 4, [1.0] * 120), alpha=0.05)
    honest = judge_gate(gate, build.data(once * 4, [1.0] * 120, inputs=copied), alpha=0.05)
    assert honest.estimate == naive.estimate
    assert honest.units == 30
    assert honest.upper - honest.lower > 1.7 * (naive.upper - naive.lower)


def test_a_gate_without_a_copy_among_its_cases_is_judged_as_before(build: Any) -> None:
    inputs = ["same", "same", *(f"question {i}" for i in range(60))]
    tags = {"lang": ["en", "en", *["de"] * 60]}
    data = build.data([1.0] * 62, [1.0] * 62, inputs=inputs, tags=tags)
    assert not draw_sample(data, "right", only={"lang": "de"}, relative=True).clustered
    assert draw_sample(data, "right", relative=True).clustered


def test_unequal_trials_give_every_case_the_same_weight(build: Any) -> None:
    data = build.data([[0.0] * 9, [1.0], [1.0, 0.0]], [[1.0], [1.0] * 5, [1.0]])
    sample = draw_sample(data, "right", relative=True)
    assert sample.difference.tolist() == [-1.0, 0.0, -0.5]
    assert float(np.mean(sample.difference)) == -0.5
    assert not sample.single


@pytest.mark.parametrize(
    ("missing", "said"), [("away", "3 of 103 cases were not measured"), ("judge failed", "the scorer failed")]
)
def test_the_worst_case_is_shown_when_measurements_are_missing(build: Any, missing: str, said: str) -> None:
    lost = [missing] * (3 if missing == "away" else 2)
    data = build.data([1.0] * 100 + lost, [1.0] * (100 + len(lost)))
    judged = judge_gate(build.gate("non_inferior", 0.05), data, alpha=0.05)
    worst = -100 * len(lost) / (100 + len(lost))
    assert said in judged.message
    assert f"at worst the difference is {worst:+.1f} points" in judged.message
    assert judged.estimate == 0.0


def test_an_unmeasured_case_never_passes_even_where_the_worst_case_would(build: Any) -> None:
    gate = build.gate("non_inferior", 0.2)
    data = build.data([1.0] * 200 + ["away"], [1.0] * 201)
    judged = judge_gate(gate, data, alpha=0.05)
    assert judged.result == "hold"
    tolerated = build.data([1.0] * 200 + ["judge failed"], [1.0] * 201)
    assert judge_gate(gate, tolerated, alpha=0.05).result == "pass"
