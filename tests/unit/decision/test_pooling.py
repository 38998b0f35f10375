"""Pooling (verdict.md 5.3): what the same candidate answered before counts, and cannot be chosen away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate.decision.measurements import arrange
from relgate.decision.outcomes import critical_misses
from relgate.decision.pooling import is_top_up, pooled
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score, ScorerFailure, Side
from relgate.domain.run import CaseRecord, SuiteRecord

METRICS = {"right": Metric("right", "binary"), "latency_ms": Metric("latency_ms", "latency")}


def _row(side: Side, trial: int = 0, score: float = 1.0, *, confirmation: bool = False) -> Measurement:
    scores = (Score("right", score, "binary"), Score("latency_ms", 12.0, "latency"))
    return Measurement(side, "s", "c0", trial, Response("text"), scores, confirmation=confirmation)


PRESENT = (_row("candidate"), _row("baseline"))


def test_earlier_calls_stand_behind_the_present_ones_as_stored_and_without_unbounded_metrics() -> None:
    earlier = (_row("candidate", score=0.0), _row("baseline"))
    found = pooled(PRESENT, [earlier, earlier], METRICS)
    assert found[:2] == PRESENT
    assert [row.stored for row in found] == [False, False, True, True, True, True]
    assert [[s.metric for s in row.scores] for row in found[2:]] == [["right"]] * 4
    keys = {(row.side, row.trial) for row in found}
    assert len(keys) == 6
    assert max(row.trial for row in PRESENT) < min(row.trial for row in found[2:])


@pytest.mark.parametrize("sides", [("candidate",), ("baseline",), ()])
def test_a_run_with_one_side_of_a_case_alone_is_not_free_of_drift(sides: tuple[Side, ...]) -> None:
    assert pooled(PRESENT, [tuple(_row(side) for side in sides)], METRICS) == PRESENT


def test_confirming_trials_stay_what_they_are() -> None:
    earlier = (
        _row("candidate"),
        _row("baseline"),
        _row("candidate", 1, 0.0, confirmation=True),
        _row("baseline", 1, confirmation=True),
    )
    found = pooled(PRESENT, [earlier], METRICS)
    assert len(found) == 5, "a fingerprint of the baseline is of its own day"
    assert [row.side for row in found if row.confirmation] == ["candidate"]


def test_asking_again_undoes_no_confirmed_miss_of_a_critical_case(build: Any) -> None:
    suite = build.suite(1, critical={0: True})

    def rows(score: float, *, confirmed: bool = False) -> list[Measurement]:
        calls = [
            build.row("candidate", suite, "c0", trial, score, confirmation=confirmed and trial > 0)
            for trial in range(3)
        ]
        return [*calls, build.row("baseline", suite, "c0", 0, 1.0)]

    for confirmed in (False, True):
        metrics = build.metrics(METRICS["right"], suite)
        both = pooled(rows(1.0), [rows(0.0, confirmed=confirmed)], metrics)
        (miss,) = critical_misses(arrange(suite, metrics, both, paired=True))
        assert miss.confirmed
        assert "in an earlier run that is pooled" in miss.message


def _suite(ids: range, name: str = "s", kind: Any = "golden", version: str = "a") -> SuiteRecord:
    return SuiteRecord(name, kind, (), tuple(CaseRecord(f"c{i}", version, False, False) for i in ids))


@pytest.mark.parametrize(
    ("before", "now", "continued"),
    [
        ([_suite(range(100))], [_suite(range(100))], True),
        ([_suite(range(100))], [_suite(range(400))], True),
        ([_suite(range(100))], [_suite(range(5, 400))], True),
        ([_suite(range(100))], [_suite(range(6, 400))], False),
        ([_suite(range(100))], [_suite(range(100), version="b")], True),
        ([_suite(range(100))], [_suite(range(100), name="other")], False),
        ([_suite(range(9)), _suite(range(99), "x", "safety")], [_suite(range(9))], True),
        ([_suite(range(9), "x", "safety")], [_suite(range(9), "x", "safety")], True),
        ([], [_suite(range(9))], False),
    ],
)
def test_when_a_golden_set_is_an_earlier_one_continued(before: Any, now: Any, continued: bool) -> None:
    assert is_top_up(before, now) == continued


def test_what_a_broken_scorer_did_not_score_is_no_data_on_either_side(build: Any) -> None:
    """A judge that was down once must not make its candidate unjudgeable for ever."""
    broken = replace(_row("candidate"), scores=(ScorerFailure("right", "the judge was down"),))
    found = pooled(PRESENT, [(broken, _row("baseline"))], METRICS)
    assert [row.scores for row in found[2:]] == [(), ()]
    suite = replace(build.suite(1), name="s")
    assert not any(arrange(suite, METRICS, found).judge_failures.values())


def test_the_candidates_calls_count_alone_where_the_baseline_is_not_asked() -> None:
    found = pooled(PRESENT, [(_row("candidate", score=0.0),)], METRICS, alone=True)
    assert [(row.side, row.stored) for row in found[2:]] == [("candidate", True)]
    assert pooled(PRESENT, [(_row("baseline"),)], METRICS, alone=True) == PRESENT
