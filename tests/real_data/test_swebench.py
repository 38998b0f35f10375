"""Two published agents on 500 repository issues: too few for a margin of two points, and it says how many."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from relgate import stats

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: resolved}
cluster: false
gates:
  - {metric: resolved, non_inferior: {margin: 0.02}}
"""
GATE = "resolved:non_inferior:0.02"

Rows = Callable[..., list[dict[str, Any]]]


def _scored(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"case_id": row["case_id"], "scores": {"resolved": row["score"]}} for row in rows]


@pytest.fixture
def agents(outputs_of: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    base = _scored(outputs_of("swebench-verified", "20240824_gru"))
    return base, _scored(outputs_of("swebench-verified", "20240924_solver"))


def _nam(agents: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> int:
    """Nam's n, written out from the two recordings: delta = 0, discordance at its upper 80 % bound."""
    base, cand = ({row["case_id"]: row["scores"]["resolved"] for row in side} for side in agents)
    differ = sum(base[case] != cand[case] for case in base)
    psi = stats.clopper_pearson(differ, len(base), alpha=0.2).high
    return stats.nam_n(0.02, psi, 0.0, alpha=0.05, power=0.8)


def test_a_small_margin_holds_and_says_how_many_more_cases(
    project: Any, cases_of: Rows, agents: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    project.suite(SUITE, cases_of("swebench-verified", tags=["repo"]))
    project.release("base", "1.0.0", agents[0])
    project.release("cand", "2.0.0", agents[1])
    done = project.run()
    assert done.verdict["decision"] == "hold", done.output
    assert done.status == 10
    gate = done.gate(GATE)
    assert gate["method"] == "Tango score test"
    assert gate["n"] == gate["units"] == 500
    found = re.search(r"(\d+) more cases \((\d+) in all\) would decide", gate["message"])
    assert found, gate["message"]
    further, total = int(found[1]), int(found[2])
    assert total == further + 500
    assert total == pytest.approx(_nam(agents), rel=0.10)
    assert done.verdict["next_step"] == f"add {further} cases to recorded, then run again"
    assert f"{further} more cases" in done.verdict["reason"]


def test_without_cluster_keys_the_verdict_is_the_same(
    project: Any, cases_of: Rows, agents: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    cases = [{k: v for k, v in case.items() if k != "cluster"} for case in cases_of("swebench-verified")]
    project.suite(SUITE.replace("cluster: false\n", ""), cases)
    project.release("base", "1.0.0", agents[0])
    project.release("cand", "2.0.0", agents[1])
    done = project.run()
    assert done.verdict["decision"] == "hold", done.output
    assert done.gate(GATE)["units"] == 500


def test_with_clusters_the_repositories_are_counted(
    project: Any, cases_of: Rows, agents: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    project.suite(SUITE.replace("cluster: false\n", ""), cases_of("swebench-verified"))
    project.release("base", "1.0.0", agents[0])
    project.release("cand", "2.0.0", agents[1])
    done = project.run()
    gate = done.gate(GATE)
    assert (gate["n"], gate["units"]) == (500, 12)
    assert gate["method"] == "CR2 over clusters, Bell-McCaffrey df"
    assert "only 12 clusters" in gate["message"]
    assert done.verdict["decision"] == "hold", done.output
