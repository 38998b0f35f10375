"""The scorecard's tables: exact levels, intervals that the gates would show, slices, hops, worst cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate import stats
from relgate.decision.card import metric_parts, worst_cases
from relgate.decision.measurements import arrange
from relgate.domain.metric import Metric

UNIT = Metric("right", "unit")


def _parts(data: Any, metric: str = "right") -> Any:
    return {part.slice: part for part in metric_parts(data) if part.metric == metric}


def test_levels_are_exact_and_the_difference_has_tangos_interval(build: Any) -> None:
    candidate, baseline = [1.0] * 30 + [0.0] * 10, [1.0] * 25 + [0.0] * 15
    part = _parts(build.data(candidate, baseline))[""]
    interval = stats.tango_interval(stats.PairedCounts(25, 5, 0, 10))
    assert (part.candidate, part.baseline, part.n) == (0.75, 0.625, 40)
    assert (part.difference, part.lower, part.upper) == (0.125, interval.low, interval.high)


def test_where_lower_is_better_the_interval_keeps_the_direction_of_the_metric(build: Any) -> None:
    mistakes = Metric("right", "binary", higher_is_better=False)
    part = _parts(build.data([1.0] * 10 + [0.0] * 30, [0.0] * 40, metric=mistakes))[""]
    interval = stats.tango_interval(stats.PairedCounts(0, 10, 0, 30))
    assert (part.difference, part.lower, part.upper) == (
        0.25,
        pytest.approx(interval.low),
        pytest.approx(interval.high),
    )


def test_without_a_baseline_the_level_has_its_own_interval(build: Any) -> None:
    part = _parts(build.data([1.0] * 30 + [0.0] * 10))[""]
    assert (part.baseline, part.difference) == (None, None)
    assert (part.lower, part.upper) == (
        stats.clopper_pearson(30, 40).low,
        stats.clopper_pearson(30, 40).high,
    )


def test_few_clusters_show_no_interval(build: Any) -> None:
    data = build.data([1.0] * 40, [0.0] * 40, clusters=[f"k{i % 4}" for i in range(40)])
    assert (_parts(data)[""].lower, _parts(data)[""].upper) == (None, None)


def test_slices_and_hops_follow_the_whole(build: Any) -> None:
    suite = build.suite(4, kind="fallback", tags={"lang": ["de", "de", "en", "en"]}, slices=("lang",))
    rows = build.rows("candidate", suite, [1.0, 1.0, 0.0, 0.0], UNIT, "a/x")
    rows += build.rows("candidate", suite, [1.0, 0.0, 0.0, 0.0], UNIT, "b/y")
    data = arrange(suite, build.metrics(UNIT, suite), rows, hops=("a/x", "b/y"), paired=False)
    levels = {slice_: part.candidate for slice_, part in _parts(data).items()}
    assert levels == {"": 0.375, "lang=de": 0.75, "lang=en": 0.0, "hop=a/x": 0.5, "hop=b/y": 0.25}


def test_latency_is_shown_by_its_quantiles(build: Any) -> None:
    latency = Metric("right", "latency", higher_is_better=False)
    parts = metric_parts(build.data([float(i) for i in range(1, 101)], metric=latency))
    shown = {p.metric: p.candidate for p in parts}
    assert shown["right p50"] == pytest.approx(50.5, abs=0.1)
    assert shown["right p95"] == pytest.approx(95.3, abs=0.5)


def test_the_worst_regressions_come_first_and_are_at_most_ten(build: Any) -> None:
    candidate = [i / 20 for i in range(15)]
    data = build.data(candidate, [1.0] * 15, metric=UNIT)
    worst = worst_cases([data])
    assert [fall.case.id for fall in worst] == [f"c{i}" for i in range(10)]
    assert worst[0].metrics == {"right": -1.0}


def test_without_a_baseline_the_worst_cases_are_the_misses_critical_ones_first(build: Any) -> None:
    cells: list[Any] = [[1.0, 0.0, 1.0], 0.2, [0.0, 0.0, 0.0], 0.9, build.AWAY, build.JUDGE_FAILED, 0.1, 0.0]
    data = build.data(cells, metric=UNIT, critical={0: "never", 7: True})
    worst = worst_cases([data])
    assert [case.case.id for case in worst] == ["c7", "c0", "c2", "c6", "c1"]
    assert worst[3].metrics == {"right": pytest.approx(-0.9)}
    mistakes = Metric("right", "binary", higher_is_better=False)
    (worst_of_low,) = worst_cases([build.data([0.0, 1.0], metric=mistakes)])
    assert (worst_of_low.case.id, worst_of_low.metrics) == ("c1", {"right": -1.0})


def test_a_miss_of_both_sides_is_no_regression(build: Any) -> None:
    assert worst_cases([build.data([0.0], [0.0])]) == ()


def test_a_regression_case_that_came_back_without_a_fall_is_shown_with_how_far_it_is_off(build: Any) -> None:
    suite = build.suite(2)
    suite = replace(suite, cases=suite.cases[:1], regressions=(replace(suite.cases[1], regression=True),))
    (worst,) = worst_cases([build.data([1.0, [1.0, 0.0]], [1.0, [0.0, 1.0]], suite=suite)])
    assert (worst.case.id, worst.difference, worst.metrics) == ("c1", 0.0, {"right": -0.5})


def test_regressions_come_before_misses_and_both_are_ten_at_most(build: Any) -> None:
    paired = build.data([0.0] * 3, [1.0] * 3, suite=build.suite(3, name="paired"))
    first = build.data([0.0] * 20, suite=build.suite(20, critical={19: True}, name="first"))
    worst = worst_cases([first, paired])
    assert [case.suite for case in worst] == ["paired"] * 3 + ["first"] * 7
    assert worst[3].case.id == "c19"


def test_cases_of_what_failed_come_before_others_that_fell_as_far(build: Any) -> None:
    tags = {"topic": ["a", "a", "fines", "fines"]}
    data = build.data([0.0, 0.0, 0.4, 0.0], [1.0, 1.0, 1.0, 1.0], tags=tags)
    plain = [worst.case.id for worst in worst_cases([data])]
    blamed = [worst.case.id for worst in worst_cases([data], {("s", "topic=fines")})]
    assert plain[-1] == data.suite.cases[2].id
    assert blamed[:2] == [data.suite.cases[3].id, data.suite.cases[2].id]
    assert sorted(blamed) == sorted(plain)
