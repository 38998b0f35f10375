"""What human labels do to a gate on a judged metric, and when they cannot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.judged import correct_judged
from relgate.decision.look_plan import gate_class
from relgate.decision.measurements import arrange
from relgate.decision.policy import Gate
from relgate.domain.case import Case, Label, ScorerSpec, Suite
from relgate.domain.gate import GateResult, GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score

METRIC = Metric("tone", "binary")


def judged(
    labelled: int, *, n: int = 400, measured: int = 400, human: float = 1.0, **suite: Any
) -> GateResult:
    """A judge that passes all answers of both sides but a few; people say the same but for ``human``."""
    cases = tuple(Case(f"c{i}", f"question {i}") for i in range(n))
    labels = [
        Label(f"c{i}", side, 0.0 if hits(i, side) else (human if side == "candidate" else 1.0), "ann")
        for i in range(labelled)
        for side in ("candidate", "baseline")
    ]
    data = arrange(
        Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("judge", {"as": "tone"}),), cases, (),
              labels=tuple(labels), **suite),
        {"tone": METRIC},
        [
            Measurement(
                side, "s", case.id, 0, Response("x"), (Score("tone", float(not hits(i, side)), "binary"),)
            )
            for i, case in enumerate(cases[:measured])
            for side in ("candidate", "baseline")
        ],
    )  # fmt: skip
    gate = Gate("g", "s", GateSpec("tone", "non_inferior", 0.1, "require"), METRIC)
    return correct_judged(judge_gate(gate, data, alpha=0.05), gate, data)


def hits(i: int, side: str) -> bool:
    """Which answers fail: other ones on each side, equally many."""
    return i % 20 == (3 if side == "candidate" else 7)


def test_without_labels_what_would_pass_holds_and_says_how_many_are_needed() -> None:
    found = judged(0)
    assert found.result == "hold"
    assert "needs 100 more random human labels" in found.message


@pytest.mark.parametrize("labelled", [60, 99, 100, 200])
def test_labels_that_agree_let_it_pass_by_ppi(labelled: int) -> None:
    found = judged(labelled)
    assert (found.result, found.method) == ("pass", f"PPI++ on {labelled} labels")


def test_fewer_than_fifty_labels_are_too_few() -> None:
    assert judged(49).result == "hold"


def test_people_who_see_harm_keep_it_from_passing_whatever_the_judge_says() -> None:
    found = judged(200, human=0.5)
    assert found.result == "hold"
    assert found.p_fail is not None
    assert found.p_fail < 0.001
    assert found.estimate is not None
    assert found.estimate < -0.3


def test_labels_correct_no_suite_that_counts_clusters() -> None:
    found = judged(200, clustered=True)
    assert found.result == "hold"
    assert "without hops and clusters" in found.message


def test_a_metric_that_no_model_judges_is_left_alone() -> None:
    result = GateResult("g", "s", "exact", "require", "non_inferior", "pass", "fine")
    cases = (Case("c", "?"),)
    data = arrange(
        Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("exact"),), cases, ()),
        {"exact": METRIC},
        [],
    )
    gate = Gate("g", "s", GateSpec("exact", "non_inferior", 0.1, "require"), replace(METRIC, name="exact"))
    assert correct_judged(result, gate, data) is result


def test_a_judged_metric_is_never_tested_early() -> None:
    specs = (ScorerSpec("judge", {"as": "tone"}), ScorerSpec("exact"))
    suite = Suite("s", "golden", Path("suite.yaml"), "s", specs, (), ())
    classes = [
        gate_class(
            Gate("g", "s", GateSpec(name, "non_inferior", 0.1), METRIC), suite, units=500, clustered=False
        )
        for name in ("tone", "exact")
    ]
    assert classes == ["N", "S"]
