"""A smaller model on 29 subjects: rejected with subjects as clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: right}
gates:
  - {metric: right, non_inferior: {margin: 0.05}}
"""
GATE = "right:non_inferior:0.05"

Rows = Callable[..., list[dict[str, Any]]]


def test_a_loss_of_13_points_over_29_subjects_is_rejected(project: Any, outputs_of: Rows) -> None:
    sides = [outputs_of("routellm-mmlu", system) for system in ("gpt-4-1106", "mixtral-8x7b")]
    ids = [row["case_id"] for row in sides[0]]
    subjects = [name.removeprefix("mmlu-").rpartition("-")[0] for name in ids]
    project.suite(SUITE, [{"id": i, "cluster": c} for i, c in zip(ids, subjects, strict=True)])
    for name, version, rows in (("base", "1.0.0", sides[0]), ("cand", "2.0.0", sides[1])):
        project.release(
            name, version, [{"case_id": r["case_id"], "scores": {"right": r["score"]}} for r in rows]
        )
    done = project.run()
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"], done.status) == ("reject", "fail", 1), done.output
    assert (gate["n"], gate["units"]) == (7658, 29)
    assert [f"{value:.4f}" for value in done.accuracy("right")] == ["0.7031", "0.8312"]
    assert gate["method"] == "CR2 over clusters, Bell-McCaffrey df, one unseen unit"
    assert gate["p_fail"] < 0.005
    assert gate["upper"] < -0.05
