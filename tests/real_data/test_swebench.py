"""Two published agents on 500 repository issues: too few for a margin of two points, and it says how many."""

from __future__ import annotations

import json
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


Agents = tuple[list[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def agents(outputs_of: Rows) -> Agents:
    base = _scored(outputs_of("swebench-verified", "20240824_gru"))
    return base, _scored(outputs_of("swebench-verified", "20240924_solver"))


def _filled(project: Any, suite: str, cases: list[dict[str, Any]], agents: Agents) -> Any:
    project.suite(suite, cases)
    project.release("base", "1.0.0", agents[0])
    project.release("cand", "2.0.0", agents[1])
    return project


@pytest.fixture(scope="module")
def without_clusters(shared_project: Any, cases_of: Rows, agents: Agents) -> Any:
    return _filled(shared_project, SUITE, cases_of("swebench-verified", tags=["repo"]), agents)


@pytest.fixture(scope="module")
def held(without_clusters: Any) -> Any:
    return without_clusters.run(registry="first.db")


def _nam(agents: Agents) -> int:
    """Nam's n, written out from the two recordings: delta = 0, discordance at its upper 80 % bound."""
    base, cand = ({row["case_id"]: row["scores"]["resolved"] for row in side} for side in agents)
    differ = sum(base[case] != cand[case] for case in base)
    psi = stats.clopper_pearson(differ, len(base), alpha=0.2).high
    return stats.nam_n(0.02, psi, 0.0, alpha=0.0125, power=0.8)  # more cases are a further attempt


def test_a_small_margin_holds_and_says_how_many_more_cases(held: Any, agents: Agents) -> None:
    assert held.verdict["decision"] == "hold", held.output
    assert held.status == 10
    gate = held.gate(GATE)
    assert gate["method"] == "Tango score test"
    assert gate["n"] == gate["units"] == 500
    found = re.search(r"([\d,]+) more cases \(([\d,]+) in all\) would decide", gate["message"])
    assert found, gate["message"]
    further, total = (int(number.replace(",", "")) for number in found.groups())
    assert total == further + 500
    assert total == pytest.approx(_nam(agents), rel=0.10)
    assert held.verdict["next_step"] == f"add {further:,} cases to recorded, then run again"
    assert f"{further:,} more cases" in held.verdict["reason"]


def _timeless(raw: str) -> str:
    document = json.loads(raw)
    for key in ("id", "started", "finished"):
        document["run"][key] = ""
    return json.dumps(document, indent=2)


def test_the_same_recordings_give_the_same_scorecard_byte_for_byte(held: Any, without_clusters: Any) -> None:
    again = without_clusters.run(registry="second.db")
    assert held.raw
    assert held.scorecard["run"]["id"] != again.scorecard["run"]["id"]
    assert _timeless(held.raw) == _timeless(again.raw)


def test_with_clusters_the_repositories_are_counted(project: Any, cases_of: Rows, agents: Agents) -> None:
    suite = SUITE.replace("cluster: false\n", "")
    done = _filled(project, suite, cases_of("swebench-verified"), agents).run()
    gate = done.gate(GATE)
    assert (gate["n"], gate["units"]) == (500, 12)
    assert gate["method"] == "CR2 over clusters, Bell-McCaffrey df, one unseen unit"
    assert "only 12 clusters" in gate["message"]
    assert done.verdict["decision"] == "hold", done.output


def test_an_agent_that_improved_is_promoted_with_repositories_as_clusters(
    project: Any, cases_of: Rows, outputs_of: Rows
) -> None:
    old, new = (_scored(outputs_of("swebench-verified", f"2024{day}_emergent")) for day in (1023, 1223))
    suite = SUITE.replace("cluster: false\n", "")
    done = _filled(project, suite, cases_of("swebench-verified"), (old, new)).run()
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"], done.status) == ("promote", "pass", 0), done.output
    assert (gate["n"], gate["units"]) == (500, 12)
    assert f"{gate['estimate']:+.3f}" == "+0.106"
    assert gate["lower"] > -0.02
    assert "only 12 clusters" in gate["message"]
