"""The same agent twice on 50 tasks: too few for a margin of five points, and it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relgate import stats

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: solved}
cluster: false
gates:
  - {metric: solved, non_inferior: {margin: 0.05}}
"""
GATE = "solved:non_inferior:0.05"

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def judged(shared_project: Any, cases_of: Rows, outputs_of: Rows) -> Any:
    shared_project.suite(SUITE, cases_of("tau-airline"))
    for name, version, trial in (("base", "1.0.0", 0), ("cand", "2.0.0", 1)):
        rows = outputs_of("tau-airline", "gpt-4o-TC", repeat=trial)
        shared_project.release(
            name, version, [{"case_id": r["case_id"], "scores": {"solved": r["score"]}} for r in rows]
        )
    return shared_project.run()


def test_an_identical_agent_holds_on_50_tasks(judged: Any) -> None:
    gate = judged.gate(GATE)
    assert (judged.verdict["decision"], gate["result"], judged.status) == ("hold", "hold", 10), judged.output
    assert gate["n"] == gate["units"] == 50
    assert f"{gate['estimate']:+.2f}" == "+0.02"
    assert gate["method"] == "exact unconditional, Tango interval"
    assert "would decide" in gate["message"]
    assert "no number of trials helps: 50 cases may all miss a failure" in gate["message"]
    # more cases are a further attempt, at alpha .0125
    assert stats.n_min(0.05, 0.0125) == 86
    assert "86 cases may not" in gate["message"]
