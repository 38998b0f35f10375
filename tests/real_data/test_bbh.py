"""Direct answers against chain of thought on eight tasks: a gain over questions that no eight tasks prove."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: right}
cluster: %s
gates:
  - {metric: right, superior: true}
"""
GATE = "right:superior"
DIRECT, THOUGHT = "code-davinci-002-direct", "code-davinci-002-cot"

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, project_in: Any, cases_of: Rows, outputs_of: Rows) -> Any:
    """Judge chain of thought against direct answers, with tasks as clusters or not."""

    def judged(cluster: str) -> Any:
        project = project_in(tmp_path_factory.mktemp(f"bbh-{cluster}"))
        project.suite(SUITE % cluster, cases_of("bbh-codex"))
        for name, version, system in (("base", "1.0.0", DIRECT), ("cand", "2.0.0", THOUGHT)):
            rows = outputs_of("bbh-codex", system)
            scored = [{"case_id": r["case_id"], "scores": {"right": r["score"]}} for r in rows]
            project.release(name, version, scored)
        return project.run()

    return judged


@pytest.fixture(scope="module")
def difference(cases_of: Rows, outputs_of: Rows) -> tuple[Any, Any]:
    """Difference and task of every question, from the recordings alone."""
    task = {case["id"]: case["cluster"] for case in cases_of("bbh-codex")}
    base, cand = ({r["case_id"]: r["score"] for r in outputs_of("bbh-codex", s)} for s in (DIRECT, THOUGHT))
    return np.array([cand[i] - base[i] for i in base], dtype=float), np.array([task[i] for i in base])


def _half_width(gate: dict[str, Any]) -> float:
    return float(gate["upper"] - gate["lower"]) / 2


def test_without_clusters_the_gain_of_1937_questions_is_proven(
    judge: Any, difference: tuple[Any, Any]
) -> None:
    done = judge("false")
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"]) == ("promote", "pass"), done.output
    assert gate["n"] == 1937
    assert gate["units"] == 1933, "four questions repeat another's words"
    assert f"{gate['estimate']:+.4f}" == "+0.0940"
    spread, _ = difference
    error = spread.std(ddof=1) / np.sqrt(spread.size)
    assert f"{error:.4f}" == "0.0127"
    assert _half_width(gate) == pytest.approx(1.645 * error, rel=0.02)


def test_clustered_by_task_the_same_gain_holds(judge: Any, difference: tuple[Any, Any]) -> None:
    done = judge("true")
    gate = done.gate(GATE)
    assert (done.verdict["decision"], gate["result"], done.status) == ("hold", "hold", 10), done.output
    assert (gate["n"], gate["units"]) == (1937, 8)
    assert f"{gate['estimate']:+.4f}" == "+0.0940"
    assert "only 8 clusters (fewer than 20)" in gate["message"]
    error, freedom = _cr2(*difference)
    assert f"{error:.4f}" == "0.0728"
    assert _half_width(gate) == pytest.approx(student.ppf(0.95, freedom) * error, rel=1e-6)
    assert gate["p"] == pytest.approx(student.sf(gate["estimate"] / error, freedom), rel=1e-6)


def _cr2(values: Any, labels: Any) -> tuple[float, float]:
    """CR2 standard error of a mean and Bell-McCaffrey's degrees of freedom, written out from their matrix."""
    groups: dict[str, list[float]] = defaultdict(list)
    for value, label in zip(values, labels, strict=True):
        groups[label].append(value)
    n = np.array([len(group) for group in groups.values()], dtype=float)
    total = n.sum()
    residual = np.array([sum(group) for group in groups.values()]) - n * values.mean()
    error = np.sqrt(np.sum(residual**2 / (1 - n / total)) / total**2)
    a = 1 / np.sqrt(1 - n / total)
    p = np.outer(a, a) / total**2 * (np.diag(n) - np.outer(n, n) / total)
    return float(error), float(np.trace(p) ** 2 / np.trace(p @ p))
