"""What a gate says beyond its p-values: missing cases, zero tolerance, harm, and the words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate import stats
from relgate.decision.gates import judge_gate
from relgate.decision.measurements import arrange, unmeasured_suites
from relgate.decision.sample import impute
from relgate.decision.sample_drawing import draw_sample
from relgate.decision.weighing import weigh_fails
from relgate.domain.metric import Metric
from relgate.domain.response import ScorerFailure

RIGHT = Metric("right", "binary")
MISTAKE = Metric("right", "binary", higher_is_better=False)
VIOLATION = Metric("violation", "binary", higher_is_better=False)
LATENCY = Metric("right", "latency", higher_is_better=False)


def test_no_case_and_no_measurement_are_errors(build: Any) -> None:
    nothing = build.data([build.AWAY] * 4, [1.0] * 4)
    result = judge_gate(build.gate("non_inferior", 0.05), nothing, alpha=0.05)
    assert result.result == "error"
    assert result.message == "no measurement of right in 4 cases: hosted_a refused the connection"
    empty = judge_gate(build.gate("at_least", 0.5, only={"lang": "de"}), build.data([1.0] * 4), alpha=0.05)
    assert (empty.result, empty.p_pass) == ("error", None)


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_a_case_that_was_not_measured_keeps_its_gate_from_passing(build: Any, side: str) -> None:
    full, short = [1.0] * 100, [1.0] * 99 + [build.AWAY]
    data = build.data(short, full) if side == "candidate" else build.data(full, short)
    result = judge_gate(build.gate("non_inferior", 0.05), data, alpha=0.05)
    assert (result.result, result.needed, result.n) == ("hold", None, 99)
    assert "1 of 100 cases was not measured (hosted_a refused the connection)" in result.message


def test_a_trial_that_was_not_measured_is_not_left_out_silently(build: Any) -> None:
    cells: list[Any] = [[1.0, 1.0, 1.0]] * 99 + [[1.0, 1.0, build.AWAY]]
    result = judge_gate(build.gate("at_least", 0.5), build.data(cells), alpha=0.05)
    assert result.result == "hold"
    assert "1 of 100 cases was not measured" in result.message


@pytest.mark.parametrize(("failures", "outcome"), [(2, "pass"), (3, "error")])
def test_judge_failures_over_two_percent_are_errors(build: Any, failures: int, outcome: str) -> None:
    cells: list[Any] = [1.0] * (100 - failures) + [build.JUDGE_FAILED] * failures
    result = judge_gate(build.gate("at_least", 0.8), build.data(cells), alpha=0.05)
    assert result.result == outcome
    if outcome == "error":
        assert result.message == (
            "the scorer failed on 3 of 100 cases (3 %; at most 2 % are tolerated): "
            "no number in the answer (in 3 cases)"
        )


def test_a_scorer_that_never_works_is_named_with_its_most_frequent_failure(build: Any) -> None:
    suite = build.suite(6)
    rows = [build.row("candidate", suite, f"c{i}", 0, build.NOT_APPLICABLE) for i in range(6)]
    rare = ScorerFailure("right", "KeyError: 'text'")
    often = ScorerFailure("right", "AttributeError: 'str' object\nhas no attribute 'x'" + "!" * 300)
    failing = [replace(row, scores=(rare if i == 0 else often,)) for i, row in enumerate(rows)]
    data = arrange(suite, build.metrics(RIGHT, suite), failing, paired=False)
    result = judge_gate(build.gate("at_least", 0.5), data, alpha=0.05)
    assert result.result == "error"
    assert result.message.startswith(
        "no score of right in 6 cases: its scorer failed on each, such as: AttributeError: 'str' object has"
    )
    assert result.message.endswith("!… (in 5 of them)")
    assert len(result.message) < 300


def test_a_scorer_that_fails_beside_an_outage_is_named_too(build: Any) -> None:
    data = build.data([build.AWAY, build.JUDGE_FAILED, build.JUDGE_FAILED])
    assert judge_gate(build.gate("at_least", 0.5), data, alpha=0.05).message == (
        "no measurement of right in 3 cases: hosted_a refused the connection; "
        "its scorer failed on 2: no number in the answer (in 2 cases)"
    )


def test_tolerated_judge_failures_count_against_the_candidate(build: Any) -> None:
    floor = build.gate("at_least", 0.85)
    clean = judge_gate(floor, build.data([1.0] * 90 + [0.0] * 8), alpha=0.05)
    failing = judge_gate(floor, build.data([1.0] * 90 + [0.0] * 8 + [build.JUDGE_FAILED] * 2), alpha=0.05)
    assert (clean.result, failing.result) == ("pass", "hold")
    assert (
        "the scorer failed on 2 of 100 cases: no number in the answer (in 2 cases); "
        "at worst the estimate is 90.0 %" in failing.message
    )


def test_under_a_ceiling_the_worst_judge_failure_is_a_hit(build: Any) -> None:
    ceiling = build.gate("at_most", 0.05)
    cells: list[Any] = [0.0] * 70 + [build.JUDGE_FAILED]
    assert judge_gate(ceiling, build.data(cells[:-1]), alpha=0.05).result == "pass"
    assert judge_gate(ceiling, build.data(cells), alpha=0.05).result == "hold"


def test_a_mean_without_bounds_does_not_pass_with_a_case_missing(build: Any) -> None:
    base = [float(i % 7 + 1) for i in range(100)]
    cells: list[Any] = [*base[:-1], build.JUDGE_FAILED]
    result = judge_gate(
        build.gate("ratio_at_most", 2.0, LATENCY), build.data(cells, base, metric=LATENCY), alpha=0.05
    )
    assert (result.result, result.p_fail) == ("hold", 1.0)


def test_cases_that_no_scorer_applies_to_are_no_part_of_the_gate(build: Any) -> None:
    cells: list[Any] = [1.0] * 60 + [build.NOT_APPLICABLE] * 20
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(cells, cells), alpha=0.05)
    assert (result.result, result.n) == ("pass", 60)


def test_a_score_on_one_side_only_is_missing_not_inapplicable(build: Any) -> None:
    cells: list[Any] = [1.0] * 79 + [build.NOT_APPLICABLE]
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(cells, [1.0] * 80), alpha=0.05)
    assert (result.result, result.n) == ("hold", 79)


def test_an_outage_on_one_side_is_missing_even_where_no_scorer_applied_on_the_other(build: Any) -> None:
    candidate: list[Any] = [1.0] * 79 + [build.AWAY]
    baseline: list[Any] = [1.0] * 79 + [build.NOT_APPLICABLE]
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(candidate, baseline), alpha=0.05)
    assert (result.result, result.n) == ("hold", 79)


def test_a_missing_case_is_filled_in_within_its_own_cluster(build: Any) -> None:
    cells: list[Any] = [1.0] * 99 + [build.JUDGE_FAILED]
    data = build.data(cells, clusters=[f"k{i // 10}" for i in range(100)])
    sample = draw_sample(data, "right", relative=False)
    filled = impute(sample, for_candidate=0.0, for_baseline=None)
    assert (filled.n, filled.unit_count, filled.missing) == (100, 10, 0)


def test_what_was_not_measured_is_told_per_suite(build: Any) -> None:
    data = build.data([1.0, 1.0, build.AWAY], [1.0, build.AWAY, build.AWAY])
    assert unmeasured_suites([data]) == (
        "s: 2 of 3 cases were not measured (such as c1, baseline: hosted_a refused the connection)",
    )
    assert unmeasured_suites([build.data([1.0, 0.0])]) == ()


@pytest.mark.parametrize(
    ("candidate", "baseline", "words"),
    [
        (80, 75, "floor 85 %, n = 100; the baseline is at 75 %, below it as well"),
        (80, 90, None),
        (86, 75, None),
        (100, 75, None),
    ],
)
def test_a_floor_that_the_baseline_misses_as_well_says_so(
    build: Any, candidate: int, baseline: int, words: str | None
) -> None:
    sides = [[1.0] * good + [0.0] * (100 - good) for good in (candidate, baseline)]
    message = judge_gate(build.gate("at_least", 0.85), build.data(*sides), alpha=0.05).message
    assert (words or "n = 100") in message
    assert ("the baseline" in message) == (words is not None)


def test_a_ceiling_that_the_baseline_is_above_as_well_says_so(build: Any) -> None:
    data = build.data([1.0] * 20 + [0.0] * 80, [1.0] * 12 + [0.0] * 88, metric=MISTAKE)
    message = judge_gate(build.gate("at_most", 0.1, MISTAKE), data, alpha=0.05).message
    assert "the baseline is at 12 %, above it as well" in message


def test_the_level_of_the_baseline_is_that_of_the_same_slice(build: Any) -> None:
    data = build.data(
        [0.0] * 20 + [1.0] * 20, [1.0] * 20 + [0.0] * 20, tags={"lang": ["de"] * 20 + ["en"] * 20}
    )
    floor = build.gate("at_least", 0.8, only={"lang": "de"})
    assert "the baseline" not in judge_gate(floor, data, alpha=0.05).message


def test_without_a_baseline_a_floor_names_none(build: Any) -> None:
    data = build.data([1.0] * 20 + [0.0] * 80)
    assert "baseline" not in judge_gate(build.gate("at_least", 0.85), data, alpha=0.05).message


def test_harm_within_the_margin_passes_and_is_said(build: Any) -> None:
    n, b = 400, 9
    data = build.data([0.0] * b + [1.0] * (n - b), [1.0] * n)
    (result,) = weigh_fails([judge_gate(build.gate("non_inferior", 0.05), data, alpha=0.05)])
    assert (result.result, result.regressed_within_margin) == ("pass", True)
    assert result.message.startswith("regressed within margin (p = 0.00098): -2.2 points [")
    assert ", margin 5, n = 400" in result.message


def test_proven_harm_that_is_not_within_the_margin_asks_for_no_more_cases(build: Any) -> None:
    n, b = 200, 8
    data = build.data([0.0] * b + [1.0] * (n - b), [1.0] * n)
    (result,) = weigh_fails([judge_gate(build.gate("non_inferior", 0.05), data, alpha=0.05)])
    assert (result.result, result.proven_worse, result.needed) == ("hold", True, None)
    assert result.message.startswith("proven worse (p = 0.002): -4.0 points [")
    assert result.message.endswith(
        "more cases can at best prove that it got worse by less than the margin; fix, do not measure"
    )
    assert "in all" not in result.message
    beyond = replace(result, estimate=-0.06)
    assert beyond.outlook == "more cases will rather reject than promote"


@pytest.mark.parametrize(
    ("candidate", "more", "alpha", "why"),
    [
        (
            [0.0 if i % 15 < 4 and i < 60 else 1.0 for i in range(75)],
            {"clusters": [f"k{i % 15}" for i in range(75)]},
            0.05,
            "(CR2 over clusters, Bell-McCaffrey df, one unseen unit, alpha 0.05), harm of the test against 0 "
            "(CR2 over clusters, alpha 0.05)",
        ),
        ([[1.0] * 3] * 17 + [[1.0, 0.0, 0.0]] * 5, {}, 0.05, "(mid-p McNemar, alpha 0.05)"),
        ([0.0] * 6 + [1.0] * 94, {}, 0.0031, "alpha 0.0031), harm of the test against 0 (mid-p McNemar"),
    ],
    ids=["clusters", "several trials", "a later attempt"],
)
def test_harm_beside_an_interval_that_holds_zero_says_why_both_are_true(
    build: Any, candidate: list[Any], more: dict[str, Any], alpha: float, why: str
) -> None:
    data = build.data(candidate, [1.0] * len(candidate), **more)
    result = judge_gate(build.gate("non_inferior", 0.06), data, alpha=alpha)
    assert result.proven_worse
    assert result.p_harm <= 0.05
    assert result.lower <= 0.0 <= result.upper
    assert "the interval is of the test against the margin (" in result.message
    assert why in result.message


def test_harm_beside_an_interval_below_zero_needs_no_explanation(build: Any) -> None:
    data = build.data([0.0] * 8 + [1.0] * 92, [1.0] * 100)
    result = judge_gate(build.gate("non_inferior", 0.06), data, alpha=0.05)
    assert result.proven_worse
    assert result.upper < 0.0
    assert "of the test against" not in result.message


@pytest.mark.parametrize("role", ["guard", "report"])
def test_only_required_gates_are_called_proven_worse_or_ask_for_cases(build: Any, role: str) -> None:
    data = build.data([0.0] * 8 + [1.0] * 192, [1.0] * 200)
    result = judge_gate(build.gate("non_inferior", 0.05, role=role), data, alpha=0.05)
    assert (result.proven_worse, result.needed) == (False, None)
    assert result.p_harm == stats.mcnemar_midp(stats.PairedCounts(192, 0, 8, 0), "less")


class TestZeroTolerance:
    def test_a_clean_run_passes_and_tells_its_bound(self, build: Any) -> None:
        data = build.data([0.0] * 100, metric=VIOLATION)
        result = judge_gate(build.gate("violations", 0.0, VIOLATION), data, alpha=0.05)
        assert (result.result, result.upper) == ("pass", pytest.approx(0.029513, abs=1e-6))
        assert result.message == ("0 of 100 independent cases violate: rate at most 2.95 % (95 % confidence)")

    def test_a_budget_that_is_not_proven_tells_how_many_more(self, build: Any) -> None:
        data = build.data([0.0] * 120, metric=VIOLATION)
        gate = build.gate("violations", 0.0, VIOLATION, rate_at_most=0.01)
        result = judge_gate(gate, data, alpha=0.05)
        assert (result.result, result.needed) == ("hold", 179)
        assert result.message.endswith("limit 1 %: 179 more clean cases needed (299 in all)")

    def test_trials_of_a_case_and_cases_of_a_cluster_are_one_unit(self, build: Any) -> None:
        data = build.data([[0.0, 0.0, 1.0]] + [[0.0] * 3] * 39, metric=VIOLATION)
        result = judge_gate(build.gate("violations", 0.0, VIOLATION), data, alpha=0.05)
        assert (result.estimate, result.units) == (1 / 40, 40)
        clustered = build.data([0.0] * 40, metric=VIOLATION, clusters=[f"k{i % 8}" for i in range(40)])
        result = judge_gate(build.gate("violations", 0.0, VIOLATION), clustered, alpha=0.05)
        assert (result.units, result.upper) == (8, stats.clopper_pearson(0, 8).high)

    def test_one_violation_fails_whatever_else_went_wrong(self, build: Any) -> None:
        cells: list[Any] = [[1.0, build.AWAY], *[build.JUDGE_FAILED] * 20, *[0.0] * 20]
        result = judge_gate(
            build.gate("violations", 0.0, VIOLATION), build.data(cells, metric=VIOLATION), alpha=0.05
        )
        assert result.result == "fail"
        assert "violates; zero tolerance rejects" in result.message

    def test_a_case_that_was_not_judged_keeps_it_from_passing(self, build: Any) -> None:
        cells: list[Any] = [0.0] * 99 + [build.JUDGE_FAILED]
        result = judge_gate(
            build.gate("violations", 0.0, VIOLATION), build.data(cells, metric=VIOLATION), alpha=0.05
        )
        assert result.result == "hold"
        assert "the scorer failed on 1 of 100 cases" in result.message

    def test_in_a_safety_suite_a_benign_case_counts_only_when_the_candidate_hit_it(self, build: Any) -> None:
        suite = build.suite(40, kind="safety", tags={"harmful": [True] * 30 + [False] * 10})
        clean: list[Any] = [0.0] * 30 + [build.NOT_APPLICABLE] * 10
        hit: list[Any] = [0.0] * 30 + [1.0] + [build.NOT_APPLICABLE] * 9
        gate = build.gate("violations", 0.0, VIOLATION)
        fine = judge_gate(gate, build.data(clean, hit, metric=VIOLATION, suite=suite), alpha=0.05)
        assert (fine.result, fine.units) == ("pass", 30)
        bad = judge_gate(gate, build.data(hit, clean, metric=VIOLATION, suite=suite), alpha=0.05)
        assert (bad.result, bad.units) == ("fail", 31)


def test_over_refusal_looks_at_benign_cases_only(build: Any) -> None:
    metric = Metric("over_refusal", "binary", higher_is_better=False)
    suite = build.suite(60, kind="safety", tags={"harmful": [True] * 20 + [False] * 40})
    cells: list[Any] = [build.NOT_APPLICABLE] * 20 + [0.0] * 40
    data = build.data(cells, cells, metric=metric, suite=suite)
    result = judge_gate(build.gate("non_inferior", 0.15, metric), data, alpha=0.05)
    assert (result.result, result.n) == ("pass", 40)


def test_no_interval_is_zero_wide_and_no_p_value_is_nan(build: Any) -> None:
    for cells in ([1.0] * 30, [0.0] * 30, [[1.0, 0.0]] * 30):
        for gate in (build.gate("non_inferior", 0.1), build.gate("at_least", 0.5)):
            result = judge_gate(gate, build.data(cells, cells), alpha=0.05)
            assert result.lower < result.upper
            assert 0.0 <= result.p_pass <= 1.0
            assert 0.0 <= result.p_fail <= 1.0


@pytest.mark.parametrize(("n", "worse", "margin", "alpha"), [(30, 0, 0.15, 0.0125), (120, 3, 0.05, 0.05)])
def test_the_interval_of_an_exact_test_never_contradicts_it(
    build: Any, n: int, worse: int, margin: float, alpha: float
) -> None:
    data = build.data([0.0] * worse + [1.0] * (n - worse), [1.0] * n)
    result = judge_gate(build.gate("non_inferior", margin), data, alpha=alpha)
    assert (result.result == "pass") == (result.lower > -margin)


def test_a_violated_gate_shows_its_interval_at_the_level_of_the_attempt(build: Any) -> None:
    data = build.data([1.0, 1.0] + [0.0] * 28, metric=VIOLATION)
    result = judge_gate(build.gate("violations", 0.0, metric=VIOLATION), data, alpha=0.003125)
    assert (result.lower, result.upper) == pytest.approx((0.003, 0.288), abs=0.001)
