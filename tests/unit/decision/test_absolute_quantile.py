"""An absolute limit on a quantile: exact by order statistics, one call a case, failures as the slowest."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from relgate import stats
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import arrange
from relgate.decision.planning.feasibility import feasibility
from relgate.decision.weighing import weigh_fails
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, ScorerFailure

LATENCY = Metric("right", "latency", higher_is_better=False)
LIMIT = 4000.0


def _spec(quantile: float = 0.95, limit: float = LIMIT, **more: Any) -> GateSpec:
    return GateSpec("right", "at_most", limit, quantile=quantile, **more)


def _judged(build: Any, cells: Any, baseline: Any = None, alpha: float = 0.05, **changes: Any) -> Any:
    spec = changes.pop("spec", _spec())
    more = {key: getattr(spec, key) for key in ("quantile", "role", "only") if getattr(spec, key)}
    gate = build.gate("at_most", spec.boundary, LATENCY, **more)
    data = build.data(cells, baseline, metric=LATENCY, gates=(spec,), **changes)
    return weigh_fails([judge_gate(gate, data, alpha=alpha)])[0]


def _with_failures(build: Any, values: list[float | None], took: float | None = 5.0) -> Any:
    """Judge calls of which None failed, as quickly as ``took`` says."""
    suite = build.suite(len(values), gates=(_spec(),))
    rows = []
    for i, value in enumerate(values):
        row = build.row("candidate", suite, f"c{i}", 0, 0.0 if value is None else value, LATENCY)
        if value is None:
            scores = row.scores[1:] if took is not None else (ScorerFailure("right", "no response"),)
            failure = Failure("application", "ValueError: no answer", took)
            row = Measurement("candidate", "s", f"c{i}", 0, failure, scores)
        rows.append(row)
    data = arrange(suite, build.metrics(LATENCY, suite), rows, paired=False)
    return weigh_fails([judge_gate(build.gate("at_most", LIMIT, LATENCY, quantile=0.95), data, alpha=0.05)])[
        0
    ]


@pytest.mark.parametrize(
    ("n", "slow", "result"), [(59, 0, "pass"), (59, 1, "hold"), (93, 1, "pass"), (92, 1, "hold")]
)
def test_it_passes_where_the_exact_order_statistic_is_below_the_limit(
    build: Any, n: int, slow: int, result: str
) -> None:
    judged = _judged(build, [5000.0 + i for i in range(slow)] + [100.0 + i for i in range(n - slow)])
    rank = stats.order_stat_upper(n, 0.95)
    assert rank is not None
    assert (
        judged.upper
        == sorted([5000.0 + i for i in range(slow)] + [100.0 + i for i in range(n - slow)])[rank - 1]
    )
    assert (judged.result, judged.upper < LIMIT) == (result, result == "pass")
    assert judged.p_pass == pytest.approx(binom.cdf(slow, n, 0.05))
    assert judged.method == "order statistic, exact, one call a case"


@pytest.mark.parametrize(("slow", "result"), [(13, "hold"), (14, "fail")])
def test_it_fails_where_the_lower_order_statistic_is_above_the_limit(
    build: Any, slow: int, result: str
) -> None:
    judged = _judged(build, [5000.0] * slow + [100.0] * (150 - slow))
    assert judged.p_fail == pytest.approx(binom.sf(slow - 1, 150, 0.05))
    assert judged.result == result
    assert (judged.lower > LIMIT) == (judged.p_fail <= 0.05)


def test_58_calls_cannot_pass_and_say_59(build: Any) -> None:
    judged = _judged(build, [100.0 + i for i in range(58)])
    assert (judged.result, judged.upper) == ("hold", inf)
    assert "p95 needs 59 cases to pass, 1 more" in judged.message
    assert judged.needed == 1
    assert "p95 155 ms [" in judged.message
    assert "unbounded], limit 4,000 ms, n = 58" in judged.message


def test_few_calls_can_prove_it_broken(build: Any) -> None:
    judged = _judged(build, [9000.0 + i for i in range(20)], spec=_spec(role="guard"))
    assert judged.result == "fail"
    assert "needs 59" not in judged.message


def test_p50_has_its_own_minimum(build: Any) -> None:
    results = [_judged(build, [100.0 + i for i in range(n)], spec=_spec(0.5)).result for n in (4, 5)]
    assert results == ["hold", "pass"]


def test_a_quantile_exactly_on_the_limit_neither_passes_nor_fails(build: Any) -> None:
    judged = _judged(build, [LIMIT] * 500)
    assert (judged.result, judged.p_pass, judged.p_fail) == ("hold", 1.0, 1.0)


def test_a_later_attempt_takes_its_alpha_on_the_pass_side_only(build: Any) -> None:
    values = [100.0 + i for i in range(70)]
    first, later = (_judged(build, values, alpha=alpha) for alpha in (0.05, 0.0125))
    assert (first.result, later.result) == ("pass", "hold")
    assert first.p_fail == later.p_fail


@pytest.mark.parametrize("took", [5.0, None], ids=["failed quickly", "of unknown time"])
def test_a_failed_call_is_slower_than_any_limit(build: Any, took: float | None) -> None:
    judged = _with_failures(build, [None] * 2 + [100.0] * 98, took)
    assert judged.p_pass == pytest.approx(binom.cdf(2, 100, 0.05))
    assert (judged.n, judged.estimate, judged.upper) == (100, 100.0, inf)
    assert "2 calls failed and count as over it" in judged.message


def test_a_few_failures_do_not_keep_a_quantile_from_passing_and_many_break_it(build: Any) -> None:
    assert _with_failures(build, [None] * 2 + [100.0] * 198).result == "pass"
    many = _with_failures(build, [None] * 40 + [100.0] * 160)
    assert (many.result, many.estimate) == ("fail", inf)
    assert "p95 unbounded [unbounded, unbounded]" in many.message


def test_an_outage_is_not_measured_and_never_passes(build: Any) -> None:
    judged = _judged(build, [build.AWAY] * 2 + [100.0] * 198)
    assert judged.result == "hold"
    assert "2 of 200 cases were not measured" in judged.message
    assert "at worst the quantile is 100 ms" in judged.message
    assert "failed and count" not in judged.message


def test_calls_that_no_scorer_could_time_count_as_over_the_limit_for_passing_only(build: Any) -> None:
    passing = _judged(build, [build.JUDGE_FAILED] * 2 + [100.0] * 198)
    assert passing.result == "pass"
    assert _judged(build, [build.JUDGE_FAILED] + [100.0] * 70).result == "hold"
    known = _judged(build, [9000.0] * 12 + [100.0] * 100)
    unknown = _judged(build, [9000.0] * 12 + [100.0] * 100 + [build.JUDGE_FAILED] * 2)
    assert unknown.p_fail > known.p_fail


def test_one_answer_without_a_time_keeps_the_gate_from_passing_and_counts_as_under_it_for_failing(
    build: Any,
) -> None:
    timed = Metric("latency_ms", "latency", higher_is_better=False)
    spec = GateSpec("latency_ms", "at_most", LIMIT, quantile=0.95)

    def judged(cells: Any) -> Any:
        data = build.data(cells, metric=timed, gates=(spec,))
        return judge_gate(build.gate("at_most", LIMIT, timed, quantile=0.95), data, alpha=0.05)

    assert judged([100.0] * 200).result == "pass"
    one = judged([100.0] * 199 + [build.NOT_APPLICABLE])
    assert (one.result, one.n) == ("hold", 199)
    assert "1 of 200 cases was not measured" in one.message
    known = judged([9000.0] * 12 + [100.0] * 100)
    unknown = judged([9000.0] * 12 + [100.0] * 100 + [build.NOT_APPLICABLE] * 2)
    assert unknown.p_fail > known.p_fail


def test_trials_of_a_case_give_one_call_the_first(build: Any) -> None:
    cells = [[100.0, 9000.0, 9000.0]] * 60
    judged = _judged(build, cells)
    assert (judged.result, judged.n, judged.estimate) == ("pass", 60, 100.0)
    assert judged.p_pass == pytest.approx(0.95**60), "180 calls in 60 cases are 60 calls"
    assert _judged(build, [cell[::-1] for cell in cells]).result == "fail"


def test_a_slice_has_its_own_quantile(build: Any) -> None:
    tags = {"lang": ["de"] * 60 + ["en"] * 60}
    judged = _judged(build, [100.0] * 60 + [9000.0] * 60, tags=tags, spec=_spec(only={"lang": "de"}))
    assert (judged.result, judged.n) == ("pass", 60)


def test_clusters_are_counted_by_cr2_on_the_share_above_the_limit(build: Any) -> None:
    rng = np.random.default_rng(5)
    clusters = [f"k{i // 10}" for i in range(300)]
    slow = rng.random(300) < np.repeat(rng.choice([0.0, 0.06], 30), 10)
    values = np.where(slow, 5000.0, 1000.0) + rng.random(300)
    judged = _judged(build, values.tolist(), clusters=clusters)
    assert judged.units == 30
    expected = stats.guarded_cluster_p(slow.astype(float), clusters, 0.05, "less", (0, 1))
    assert judged.p_pass == pytest.approx(expected)
    assert judged.method == "CR2 over clusters on the share above the limit, one call a case"
    assert judged.lower <= judged.estimate <= judged.upper


@pytest.mark.parametrize("seed", range(6))
def test_the_bounds_of_clusters_say_what_the_test_says(build: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clusters = [f"k{i // 5}" for i in range(150)]
    values = np.repeat(rng.lognormal(7, 0.4, 30), 5) * rng.lognormal(0, 0.3, 150)
    for limit in np.quantile(values, [0.8, 0.9, 0.95, 0.98, 0.995]):
        judged = _judged(build, values.tolist(), clusters=clusters, spec=_spec(limit=float(limit)))
        assert (judged.p_pass <= 0.05) == (judged.upper < limit)
        assert (judged.p_fail <= 0.05) == (judged.lower > limit)


def test_fewer_than_five_clusters_hold_and_fewer_than_twenty_warn(build: Any) -> None:
    values = [100.0 + i for i in range(120)]
    few = _judged(build, values, clusters=[f"k{i % 4}" for i in range(120)])
    assert (few.result, few.p_pass, few.estimate) == ("hold", None, 213.0)
    assert "4 clusters: at least 5" in few.message
    some = _judged(build, values, clusters=[f"k{i % 12}" for i in range(120)])
    assert "only 12 clusters" in some.message


def test_further_cases_are_planned_from_the_share_that_reaches_the_limit(build: Any) -> None:
    judged = _judged(build, [5000.0] * 2 + [100.0 + i for i in range(78)])
    total = stats.binomial_floor_n(1 - 2 / 80, 0.95, 0.05, 0.8)
    assert judged.needed == total - 80
    assert f"{total - 80} more cases" in judged.message
    none = _judged(build, [5000.0] * 8 + [100.0 + i for i in range(72)])
    assert none.needed is None
    assert "more cases are no remedy: the quantile is not below the limit" in none.message


def test_a_baseline_that_is_as_slow_is_named(build: Any) -> None:
    slow = [5000.0] * 30 + [100.0] * 70
    assert "the baseline's is 5,000 ms, above it as well" in _judged(build, slow, slow).message
    assert "baseline" not in _judged(build, slow, [100.0] * 100).message


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (58, "cannot pass: even a flawless run needs 59 cases, 1 more"),
        (59, "can pass (a flawless run needs 59)"),
    ],
)
def test_before_any_call_it_says_whether_it_can_pass(build: Any, n: int, words: str) -> None:
    gate = build.gate("at_most", LIMIT, LATENCY, quantile=0.95)
    found = feasibility(gate, build.suite(n), alpha=0.05, single_trial=True)
    assert found.text == f"n = {n}: {words}"
    assert found.can_pass == (_judged(build, [1.0] * n).result == "pass")


@pytest.mark.parametrize(("groups", "passes"), [(25, False), (60, True)])
def test_a_stricter_limit_never_passes_where_an_easier_one_holds(
    build: Any, groups: int, passes: bool
) -> None:
    """One call above the stricter limit makes clusters differ; above the easier one is none."""
    values = [3000.0 + i % 7 for i in range(8 * groups)]
    values[3] = 4033.0
    clusters = [f"k{i // 8}" for i in range(8 * groups)]
    strict, easy = (
        _judged(build, values, clusters=clusters, spec=_spec(limit=limit)).result
        for limit in (4000.0, 4100.0)
    )
    assert (easy == "pass") is passes
    assert not (strict == "pass" and easy != "pass")
