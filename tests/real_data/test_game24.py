"""100 puzzles with 20 samples each: the standard error is that of 100 puzzles, never of 2000 rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from relgate.stats import hall_interval

pytestmark = pytest.mark.shared_data

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: solved}
trials: 20
cluster: false
gates:
  - {metric: solved, non_inferior: {margin: 0.05}}
"""
GATE = "solved:non_inferior:0.05"

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def judged(shared_project: Any, cases_of: Rows, outputs_of: Rows) -> Any:
    shared_project.suite(SUITE, cases_of("tot-game24"))
    for name, version, system in (("base", "1.0.0", "gpt4-io"), ("cand", "2.0.0", "gpt4-cot")):
        rows = outputs_of("tot-game24", system)
        assert len(rows) == 2000
        shared_project.release(
            name,
            version,
            [{"case_id": r["case_id"], "trial": r["repeat"], "scores": {"solved": r["score"]}} for r in rows],
        )
    return shared_project.run()


def _errors(outputs_of: Rows) -> tuple[np.ndarray, float, float]:
    """Difference per puzzle, the mean's standard error over puzzles and over rows, from recordings alone."""
    sides = []
    for system in ("gpt4-io", "gpt4-cot"):
        by_case: dict[str, dict[int, float]] = defaultdict(dict)
        for row in outputs_of("tot-game24", system):
            by_case[row["case_id"]][row["repeat"]] = row["score"]
        sides.append(np.array([[by_case[i][k] for k in range(20)] for i in sorted(by_case)]))
    rows = sides[1] - sides[0]
    puzzles = rows.mean(axis=1)
    assert rows.shape == (100, 20)
    return (
        puzzles,
        float(puzzles.std(ddof=1) / np.sqrt(100)),
        float(rows.std(ddof=1) / np.sqrt(2000)),
    )


def test_the_unit_is_the_puzzle(judged: Any, outputs_of: Rows) -> None:
    gate = judged.gate(GATE)
    assert (gate["n"], gate["units"]) == (100, 100), judged.output
    assert gate["method"] == "min(Hall, Gaffke) on case means", "100 puzzles are more than 1.5 n_min"
    puzzles, of_puzzles, of_rows = _errors(outputs_of)
    estimate = float(puzzles.mean())
    assert gate["estimate"] == pytest.approx(estimate)
    assert of_puzzles > 2.5 * of_rows
    # Hall's bounds are skewed, but 2 x 1.66 standard errors of 100 puzzles wide; those in the table of
    # metrics are at least as far away as the share of full losses that 100 puzzles may all miss
    hall = hall_interval(puzzles)
    assert hall.width == pytest.approx(2 * 1.66 * of_puzzles, rel=0.15)
    (row,) = (
        m for m in judged.scorecard["suites"][0]["metrics"] if m["metric"] == "solved" and not m["slice"]
    )
    unseen = 1.0 - 0.05 ** (1 / 100)
    down, up = (min(1.0, 1.0 + sign * estimate) * unseen for sign in (1, -1))
    assert row["lower"] == pytest.approx(min(hall.low, estimate - down))
    assert row["upper"] == pytest.approx(max(hall.high, estimate + up))
    assert (gate["lower"], gate["upper"]) == pytest.approx((row["lower"], row["upper"])), "Gaffke's are wider"


def test_what_2000_rows_would_call_decided_100_puzzles_hold(judged: Any, outputs_of: Rows) -> None:
    puzzles, of_puzzles, of_rows = _errors(outputs_of)
    estimate = float(puzzles.mean())
    assert estimate - 1.66 * of_rows > -0.05 > estimate - 1.66 * of_puzzles
    assert (judged.verdict["decision"], judged.gate(GATE)["result"]) == ("hold", "hold"), judged.output
    assert judged.status == 10
