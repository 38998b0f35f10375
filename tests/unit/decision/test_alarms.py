"""Alarms: Holm over all slices, hops and over-refusal, harm against 0 (study/verdict.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

from relgate import stats
from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.measurements import SuiteData, arrange
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

NON_INFERIOR = GateSpec("right", "non_inferior", 0.05)


def _sliced(build: Any, sizes: dict[str, int], falls: dict[str, int], **changes: Any) -> SuiteData:
    topics, candidate = [], []
    for topic, size in sizes.items():
        topics += [topic] * size
        fallen = falls.get(topic, 0)
        candidate += [0.0] * fallen + [1.0] * (size - fallen)
    settings = {"slices": ("topic",), "gates": (NON_INFERIOR,), **changes}
    return build.data(candidate, [1.0] * len(candidate), tags={"topic": topics}, **settings)


def test_a_fallen_slice_raises_an_alarm_with_its_numbers(build: Any) -> None:
    data = _sliced(build, {"billing": 20, "orders": 60}, {"billing": 6})
    (alarm,) = raise_alarms(watch([data])[0], [data])
    assert (alarm.slice, alarm.n, alarm.estimate) == ("topic=billing", 20, pytest.approx(-0.3))
    assert alarm.p == stats.mcnemar_midp(stats.PairedCounts(14, 0, 6, 0), "less")
    assert alarm.message == "slice topic=billing fell 30.0 points on right (n = 20)"


def test_holm_runs_over_every_slice_of_every_suite(build: Any) -> None:
    p_of_four = stats.mcnemar_midp(stats.PairedCounts(16, 0, 4, 0), "less")
    assert 0.05 / 2 < p_of_four <= 0.05
    alone = _sliced(build, {"billing": 20}, {"billing": 4})
    assert len(raise_alarms(watch([alone])[0], [alone])) == 1
    two = _sliced(build, {"billing": 20, "orders": 60}, {"billing": 4})
    assert raise_alarms(watch([two])[0], [two]) == ()
    beside = _sliced(build, {"x": 20}, {}, name="t")
    assert raise_alarms(watch([alone, beside])[0], [alone, beside]) == ()


@pytest.mark.parametrize(("size", "watched"), [(14, 0), (15, 1)])
def test_a_slice_below_15_cases_is_printed_as_unprotected(build: Any, size: int, watched: int) -> None:
    found, unprotected = watch([_sliced(build, {"billing": size}, {"billing": size})])
    assert len(found) == watched
    assert unprotected == (() if watched else ("s topic=billing (n = 14)",))


def test_a_slice_in_fewer_than_five_clusters_is_unprotected(build: Any) -> None:
    data = _sliced(build, {"billing": 40}, {}, clusters=[f"k{i % 4}" for i in range(40)])
    assert watch([data]) == ((), ("s topic=billing (n = 40 in 4 clusters)",))


def test_a_guard_spread_over_a_tag_is_watched_without_naming_slices(build: Any) -> None:
    guard = GateSpec("right", "non_inferior", 0.1, role="guard", by="topic")
    data = _sliced(build, {"billing": 20}, {"billing": 8}, slices=(), gates=(guard,))
    assert [a.slice for a in raise_alarms(watch([data])[0], [data])] == ["topic=billing"]


def test_a_report_gate_raises_no_alarm(build: Any) -> None:
    report = GateSpec("right", "non_inferior", 0.1, role="report", by="topic")
    data = _sliced(build, {"billing": 20}, {"billing": 8}, slices=(), gates=(report,))
    assert watch([data]) == ((), ())


def test_a_hop_is_compared_with_the_same_hop_of_the_baseline(build: Any) -> None:
    metric = Metric("right", "binary")
    suite = build.suite(40, kind="fallback", gates=(NON_INFERIOR,))
    good, bad = [1.0] * 40, [0.0] * 12 + [1.0] * 28
    rows = build.rows("candidate", suite, good, metric, "a/x") + build.rows(
        "candidate", suite, bad, metric, "b/y"
    )
    rows += build.rows("baseline", suite, bad, metric, "a/x") + build.rows(
        "baseline", suite, good, metric, "b/y"
    )
    data = arrange(suite, build.metrics(metric, suite), rows, hops=("a/x", "b/y"))
    (alarm,) = raise_alarms(watch([data])[0], [data])
    assert (alarm.slice, alarm.message) == ("hop=b/y", "hop=b/y fell 30.0 points on right (n = 40)")


def test_over_refusal_is_watched_in_a_safety_suite(build: Any) -> None:
    metric = Metric("over_refusal", "binary", higher_is_better=False)
    suite = build.suite(40, kind="safety", tags={"harmful": [False] * 40}, slices=("harmful",))
    data = build.data([1.0] * 10 + [0.0] * 30, [0.0] * 40, metric=metric, suite=suite)
    (alarm,) = raise_alarms(watch([data])[0], [data])
    assert alarm.message == "over_refusal rose 25.0 points (n = 40)"
    assert alarm.estimate == pytest.approx(0.25)


@pytest.mark.parametrize("worse", [4, 9, 15, 19])
def test_case_means_use_hall_and_the_signs_when_few_differ(build: Any, worse: int) -> None:
    candidate = [[1.0, 0.0, 0.0]] * worse + [[1.0, 1.0, 1.0]] * (29 - worse) + [[1.0, 1.0, 0.0]]
    data = build.data(
        candidate,
        [[1.0, 1.0, 1.0]] * 30,
        tags={"topic": ["billing"] * 30},
        slices=("topic",),
        gates=(NON_INFERIOR,),
    )
    (found,), _ = watch([data])
    difference = found.sample.difference
    differ = worse + 1
    signs = stats.mcnemar_midp(stats.PairedCounts(30 - differ, 0, differ, 0), "less")
    hall = stats.hall_p(difference, 0.0, "less")
    if differ < 6:
        assert found.p == signs
    elif differ <= 15:  # at most half of 30 cases
        assert found.p == max(hall, min(signs, (1.0 + difference.mean()) ** 30)) > hall
    else:
        assert found.p == hall


def test_twenty_differing_cases_are_enough_for_halls_t_alone(build: Any) -> None:
    for differ, alone in ((19, False), (20, True)):
        candidate = [[1.0, 0.0, 0.0]] * (differ - 3) + [[0.0, 0.0, 0.0]] * 3 + [[1.0] * 3] * (200 - differ)
        data = build.data(
            candidate,
            [[1.0, 1.0, 1.0]] * 200,
            tags={"topic": ["billing"] * 200},
            slices=("topic",),
            gates=(NON_INFERIOR,),
        )
        (found,), _ = watch([data])
        assert (found.p == stats.hall_p(found.sample.difference, 0.0, "less")) == alone


def test_no_baseline_no_alarm(build: Any) -> None:
    data = build.data([0.0] * 30, tags={"topic": ["billing"] * 30}, slices=("topic",))
    assert watch([data]) == ((), ())
    assert raise_alarms((), [data]) == ()
