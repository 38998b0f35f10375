"""Two prompts of one judge on 239 pairs: equal, and too few pairs for a margin of one point."""

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
  - recorded: {name: right}
cluster: false
gates:
  - {metric: right, non_inferior: {margin: 0.01}}
"""
GATE = "right:non_inferior:0.01"

Rows = Callable[..., list[dict[str, Any]]]


def test_239_pairs_cannot_prove_a_margin_of_one_point(project: Any, cases_of: Rows, outputs_of: Rows) -> None:
    project.suite(SUITE, cases_of("llmbar-judges"))
    for name, version, system in (
        ("base", "1.0.0", "GPT-4/Vanilla"),
        ("cand", "2.0.0", "GPT-4/Metrics_Reference"),
    ):
        rows = outputs_of("llmbar-judges", system)
        project.release(
            name, version, [{"case_id": r["case_id"], "scores": {"right": r["score"]}} for r in rows]
        )
    done = project.run()
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"], done.status) == ("hold", "hold", 10), done.output
    assert gate["n"] == gate["units"] == 239 < stats.n_min(0.01) == 299
    assert gate["method"] == "Gaffke on case means"
    assert f"{gate['estimate']:+.4f}" == "+0.0042"
    assert gate["p"] > 0.05
