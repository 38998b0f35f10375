"""Cases: hit, miss, regressed, fixed; critical misses by 2 of 3; regression cases by zero tolerance."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.measurements import arrange
from relgate.decision.outcomes import case_outcome, critical_misses
from relgate.decision.regressions import judge_regressions
from relgate.domain.case import Case
from relgate.domain.metric import Metric

RIGHT = Metric("right", "binary")


@pytest.mark.parametrize(
    ("candidate", "baseline", "outcome"),
    [
        (1.0, 1.0, "hit"),
        (1.0, 0.0, "fixed"),
        (0.0, 1.0, "regressed"),
        (0.0, 0.0, "miss"),
        ([1.0, 1.0, 0.0], 1.0, "hit"),
        ([1.0, 0.0, 0.0], 1.0, "regressed"),
        ("away", 1.0, "failed"),
        ("judge failed", 1.0, "failed"),
    ],
)
def test_a_case_is_told_against_its_baseline(build: Any, candidate: Any, baseline: Any, outcome: str) -> None:
    data = build.data([candidate], [baseline])
    assert case_outcome(data, data.suite.cases[0]) == outcome


def test_where_lower_is_better_a_hit_is_a_zero(build: Any) -> None:
    data = build.data([0.0, 1.0], metric=Metric("right", "binary", higher_is_better=False))
    assert [case_outcome(data, case) for case in data.suite.cases] == ["hit", "miss"]


AWAY, JUDGE = "away", "judge failed"


@pytest.mark.parametrize(
    ("critical", "trials", "found"),
    [
        (True, [1], None),
        (True, [1, 1, 1], None),
        (True, [0], (1, 1, False)),
        (True, [0, 0], (2, 2, True)),
        (True, [0, 1], (1, 2, False)),
        (True, [0, 1, 1], (1, 3, False)),
        (True, [1, 0, 0], (2, 3, True)),
        (True, [1, 1, 1, 0, 0], None),
        (True, [1, 1, 0, 0, 0], (3, 5, True)),
        (True, [0, 1, 1, 1, 0], (1, 3, False)),
        (True, [JUDGE], (0, 0, False)),
        (True, [JUDGE, 1, 1], None),
        (True, [JUDGE, 0, 0], (2, 3, True)),
        (True, [JUDGE, 0, 1], (1, 2, False)),
        (True, [AWAY], (0, 0, False)),
        (True, [1, AWAY, 1], None),
        ("never", [1, 1, 0], (1, 3, True)),
        ("never", [1, 1, 1], None),
        ("never", [1, 1, JUDGE], (0, 2, False)),
        ("never", [JUDGE, 0], (1, 2, True)),
        (False, [0, 0, 0], None),
    ],
)
def test_a_critical_case_rejects_on_2_of_3_and_never_on_any_miss(
    build: Any, critical: Any, trials: list[Any], found: tuple[int, int, bool] | None
) -> None:
    cells = [t if isinstance(t, str) else float(t) for t in trials]
    misses = critical_misses(build.data([cells], critical={0: critical}))
    assert [(m.misses, m.trials, m.confirmed) for m in misses] == ([found] if found else [])


def test_confirming_trials_complete_the_three_and_enter_no_gate(build: Any) -> None:
    suite = build.suite(1, critical={0: True})
    rows = [
        build.row("candidate", suite, "c0", trial, score, confirmation=trial > 0)
        for trial, score in enumerate([0.0, 1.0, 0.0])
    ]
    data = arrange(suite, build.metrics(RIGHT, suite), rows, paired=False)
    (miss,) = critical_misses(data)
    assert (miss.misses, miss.trials, miss.confirmed) == (2, 3, True)
    assert miss.message == "critical case c0 missed 2 of 3 trials (2 are enough to reject)"
    assert data.series("candidate", "right") == {"c0": (0.0,)}


@pytest.mark.parametrize(
    ("critical", "trials", "words"),
    [
        (True, [0, 0, 0], "missed 3 of 3 trials (2 are enough to reject)"),
        (True, [0, 1, 1], "missed 1 of 3 trials (2 would reject)"),
        (True, [0], "missed its only trial (three trials are needed to confirm it)"),
        ("never", [1, 0, 1], "missed 1 of 3 trials (it must never miss)"),
    ],
)
def test_a_critical_miss_says_how_often_it_missed_and_how_often_is_enough(
    build: Any, critical: Any, trials: list[int], words: str
) -> None:
    (miss,) = critical_misses(build.data([[float(t) for t in trials]], critical={0: critical}))
    assert miss.message == f"critical case c0 {words}"


def test_of_several_hops_the_worst_is_judged(build: Any) -> None:
    suite = build.suite(1, kind="fallback", critical={0: True})
    rows = build.rows("candidate", suite, [[0.0, 1.0, 1.0]], RIGHT, "a/x")
    rows += build.rows("candidate", suite, [[0.0, 0.0, 1.0]], RIGHT, "b/y")
    data = arrange(suite, build.metrics(RIGHT, suite), rows, hops=("a/x", "b/y"), paired=False)
    (miss,) = critical_misses(data)
    assert miss.confirmed
    assert miss.message.endswith("missed 2 of 3 trials on b/y (2 are enough to reject)")


def test_a_miss_of_the_baseline_is_no_critical_miss(build: Any) -> None:
    assert critical_misses(build.data([1.0], [0.0], critical={0: "never"})) == ()


@pytest.mark.parametrize(
    ("cells", "result", "words"),
    [
        ([1.0, 1.0], "pass", "none of 2 regression cases came back"),
        ([1.0, 0.0], "fail", "1 of 2 regression cases came back: r1"),
        ([[1.0, 1.0, 0.0], 1.0], "fail", "1 of 2 regression cases came back: r0"),
        ([0.0, AWAY], "fail", "1 of 1 regression cases came back: r0"),
        ([1.0, AWAY], "hold", "1 of 2 regression cases was not measured: r1"),
        ([1.0, JUDGE], "error", "1 of 2 regression cases could not be judged: r1"),
        ([AWAY, AWAY], "error", "2 of 2 regression cases could not be judged: r0, r1"),
    ],
)
def test_an_old_incident_may_not_come_back_on_any_trial(
    build: Any, cells: Any, result: str, words: str
) -> None:
    cases = tuple(Case(id=f"r{i}", input="?", regression=True) for i in range(2))
    suite = build.suite(0, regressions=cases)
    found = judge_regressions(build.data(cells, suite=suite))
    assert found is not None
    assert (found.result, found.role, found.form) == (result, "require", "violations")
    assert found.message == words


def test_a_suite_without_regression_cases_has_no_such_gate(build: Any) -> None:
    assert judge_regressions(build.data([1.0])) is None
