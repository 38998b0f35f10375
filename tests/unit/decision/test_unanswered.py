"""A call that the candidate's application failed never answered: failing fast keeps no ratio of times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.gates import judge_gate, sample_of
from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.planning.next_step import cheapest_step
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, Score

LATENCY = Metric("latency_ms", "latency", higher_is_better=False)
FAST = 1.0


def _measured(build: Any, failing: int, n: int = 200, *, worse: float = 1.0, **suite: Any) -> SuiteData:
    """Both sides answer alike, but for the candidate's first cases, which fail at once."""
    base = np.random.default_rng(5).lognormal(5.0, 0.3, n)
    made = build.suite(n, **suite)
    rows = []
    for at, case in enumerate(made.cases):
        for side, value in (("candidate", worse * base[at]), ("baseline", base[at])):
            failed = side == "candidate" and at < failing
            (row,) = build.rows(side, build.suite(1), [FAST if failed else value], LATENCY)
            changes = {"case_id": case.id} | ({"outcome": Failure("application", "boom")} if failed else {})
            rows.append(replace(row, **changes))
    return arrange(made, build.metrics(LATENCY, made), rows)


@pytest.mark.parametrize(("failing", "passes"), [(0, True), (4, True), (5, False), (12, False)])
def test_a_p95_is_kept_only_where_fewer_cases_failed_than_lie_beyond_it(
    build: Any, failing: int, passes: bool
) -> None:
    gate = build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.95)
    result = judge_gate(gate, _measured(build, failing), alpha=0.05)
    assert (stats.ceiling_p(failing, 200, 0.05) <= 0.05) == passes
    assert (result.result == "pass") == passes, result.message
    if failing:
        assert f"{failing} of 200 cases failed, which is slower than any answer" in result.message
    assert (result.upper == float("inf")) != passes


def test_who_fails_every_call_at_once_is_not_fast(build: Any) -> None:
    result = judge_gate(
        build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.5), _measured(build, 200), alpha=0.05
    )
    assert (result.result, result.p_pass) == ("hold", 1.0)
    assert result.p_fail is not None
    assert result.p_fail < 0.001


def test_a_mean_of_times_survives_no_call_without_an_end(build: Any) -> None:
    gate = build.gate("ratio_at_most", 1.5, LATENCY)
    assert judge_gate(gate, _measured(build, 0), alpha=0.05).result == "pass"
    result = judge_gate(gate, _measured(build, 1), alpha=0.05)
    assert (result.result, result.p_pass, result.needed) == ("hold", 1.0, None)
    assert (
        cheapest_step([result], {}) == "mend the calls that failed in s: `relgate show RUN` lists the cases"
    )
    slow = judge_gate(gate, _measured(build, 1, worse=3.0), alpha=0.05)
    assert slow.p_fail is not None
    assert slow.p_fail < 0.001, "what is too slow is seen all the same"


def test_a_failed_call_takes_as_long_as_the_slowest_on_either_side(build: Any) -> None:
    data = _measured(build, 3, worse=0.5)
    sample = sample_of(build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.5), data)
    assert sample.baseline is not None
    assert sample.candidate[:3].tolist() == [float(sample.baseline.max())] * 3
    assert (sample.n, sample.failed) == (200, 3)


def test_in_clusters_those_with_a_failed_call_are_counted(build: Any) -> None:
    clusters = [f"k{i % 40}" for i in range(200)]
    result = judge_gate(
        build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.95),
        _measured(build, 4, clusters=clusters),
        alpha=0.05,
    )
    assert result.p_pass == pytest.approx(stats.ceiling_p(4, 40, 0.05))


def test_a_failed_call_without_a_time_is_no_case_that_was_not_measured(build: Any) -> None:
    data = _measured(build, 3)
    rows = {case: held for case, held in data.series("candidate", "latency_ms").items() if case != "c0"}
    data = replace(data, values={**data.values, ("candidate", "latency_ms", ""): rows})
    assert sample_of(build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.5), data).n == 200


def test_a_failed_call_counts_for_times_alone(build: Any) -> None:
    suite = build.suite(60)
    rows = build.rows("candidate", suite, [1.0] * 60, build.RIGHT)
    rows += build.rows("baseline", suite, [1.0] * 60, build.RIGHT)
    failed = Measurement(
        "candidate", "s", "c0", 1, Failure("application", "boom"), (Score("right", 0.0, "binary"),)
    )
    data = arrange(suite, build.metrics(build.RIGHT, suite), [*rows, failed])
    assert sample_of(build.gate("non_inferior", 0.1), data).failed == 0
