"""A judge that gave no verdict once in 160 turns: a failure of the judge, never a score of -1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: quality}
gates:
  - {metric: quality, non_inferior: {margin: 0.05}}
"""
GATE = "quality:non_inferior:0.05"
FAILED = -1

Rows = Callable[..., list[dict[str, Any]]]


def _scored(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Grades of 1 to 10 as tenths; no verdict is no score."""
    return [
        {
            "case_id": row["case_id"],
            "scores": {"quality": None if row["score"] == FAILED else row["score"] / 10},
        }
        for row in rows
    ]


@pytest.fixture
def filled(project: Any, cases_of: Rows, outputs_of: Rows) -> Any:
    project.suite(SUITE, cases_of("routellm-mtbench"))
    project.release("base", "1.0.0", _scored(outputs_of("routellm-mtbench", "martian")))
    project.release("cand", "2.0.0", _scored(outputs_of("routellm-mtbench", "unify")))
    return project


def test_the_turn_without_a_verdict_is_a_failure_of_the_judge(filled: Any, outputs_of: Rows) -> None:
    unify = {row["case_id"]: row["score"] for row in outputs_of("routellm-mtbench", "unify")}
    assert list(unify.values()).count(FAILED) == 1
    done = filled.run()
    gate = done.gate(GATE)
    assert gate["n"] == 159, done.output
    assert "the scorer failed on 1 of 160 cases" in gate["message"]
    candidate, _ = done.accuracy("quality")
    assert f"{10 * candidate:.6f}" == "8.757862", "the published mean, which leaves the failure out"
    assert done.scorecard["cases"]["failed"] == 1


def test_it_passes_only_because_it_passes_at_worst_too(filled: Any) -> None:
    done = filled.run()
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"]) == ("promote", "pass"), done.output
    assert "at worst the difference is +3.9 points" in gate["message"]


def test_turns_of_one_question_are_one_unit(filled: Any) -> None:
    gate = filled.run().gate(GATE)
    assert gate["units"] == 80
    assert gate["method"] == "CR2 over clusters, Bell-McCaffrey df, one unseen unit"


def test_minus_one_as_a_score_is_refused_before_the_run(filled: Any, outputs_of: Rows) -> None:
    rows = outputs_of("routellm-mtbench", "unify")
    raw = [{"case_id": row["case_id"], "scores": {"quality": row["score"]}} for row in rows]
    filled.release("cand", "2.0.0", raw)
    done = filled.run()
    assert done.status == 4, done.output
    assert "'quality' lie outside [0, 1], -1 to 10" in done.output
