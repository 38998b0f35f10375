"""Four published systems on 1319 grade-school questions: full texts, exact match after the last "A:"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - exact: {after: "A:"}
  - recorded: {name: published}
slices: [steps]
gates:
  - {metric: exact, non_inferior: {margin: 0.05}}
  - {metric: exact, superior: true, role: report}
"""
NON_INFERIOR = "exact:non_inferior:0.05"
SUPERIOR = "exact:superior"

Cases = Callable[..., list[dict[str, Any]]]


def _judge(project: Any, cases_of: Cases, outputs_of: Cases, base: str, cand: str) -> Any:
    project.suite(SUITE, cases_of("gsm8k-openai", tags=["steps"]))
    for name, version, system in (("base", "1.0.0", base), ("cand", "2.0.0", cand)):
        rows = outputs_of("gsm8k-openai", system)
        project.release(
            name,
            version,
            [
                {"case_id": r["case_id"], "output": r["output"], "scores": {"published": r["score"]}}
                for r in rows
            ],
        )
    return project.run()


def test_a_true_gain_is_promoted_and_proven_superior(
    project: Any, cases_of: Cases, outputs_of: Cases
) -> None:
    done = _judge(project, cases_of, outputs_of, "6b_finetuning", "6b_verification")
    assert done.verdict["decision"] == "promote", done.output
    assert done.status == 0
    assert done.gate(NON_INFERIOR)["result"] == "pass"
    assert done.gate(NON_INFERIOR)["method"] == "Tango score test"
    assert done.gate(SUPERIOR)["result"] == "pass"
    assert [f"{value:.4f}" for value in done.accuracy("exact")] == ["0.3904", "0.2168"]
    assert done.gate(NON_INFERIOR)["n"] == 1319
    assert done.accuracy("exact") == done.accuracy("published")


def test_a_true_loss_is_rejected(project: Any, cases_of: Cases, outputs_of: Cases) -> None:
    done = _judge(project, cases_of, outputs_of, "175b_verification", "175b_finetuning")
    assert done.verdict["decision"] == "reject", done.output
    assert done.status == 1
    gate = done.gate(NON_INFERIOR)
    assert gate["result"] == "fail"
    assert gate["upper"] < -0.05
    assert gate["p_fail"] < 1e-6
    assert done.verdict["reason"].startswith("recorded[exact:non_inferior:0.05] failed: ")
    assert "n = 1319" in done.verdict["reason"]
    assert [f"{value:.4f}" for value in done.accuracy("exact")] == ["0.3472", "0.5625"]
    assert done.accuracy("exact") == done.accuracy("published")
