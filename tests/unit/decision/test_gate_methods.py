"""Which method each gate uses, and on which units (study/statistics.md 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.gates import judge_gate
from relgate.decision.planning.next_step import cheapest_step
from relgate.decision.weighing import weigh_fails
from relgate.domain.metric import Metric

UNIT = Metric("right", "unit")
MISTAKE = Metric("right", "binary", higher_is_better=False)
COST = Metric("right", "cost", higher_is_better=False)
LATENCY = Metric("right", "latency", higher_is_better=False)


def _pair(n: int, b: int, c: int) -> tuple[list[float], list[float]]:
    """Candidate and baseline with b regressions and c improvements."""
    baseline = [1.0] * b + [0.0] * c + [1.0] * (n - b - c)
    candidate = [0.0] * b + [1.0] * c + [1.0] * (n - b - c)
    return candidate, baseline


def test_non_inferiority_of_single_binary_scores_is_exact_up_to_200_cases(build: Any) -> None:
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(*_pair(200, 6, 9)), alpha=0.05)
    expected = stats.exact_unconditional_p(stats.PairedCounts(185, 9, 6, 0), -0.05, "greater")
    assert result.p_pass == expected
    assert result.method.startswith("exact unconditional")


def test_non_inferiority_of_single_binary_scores_is_tango_above_200_cases(build: Any) -> None:
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(*_pair(201, 6, 9)), alpha=0.05)
    assert result.p_pass == stats.tango_p(stats.PairedCounts(186, 9, 6, 0), -0.05, "greater")
    assert result.method == "Tango score test"


def test_below_n_min_only_the_exact_test_speaks_however_many_cases_there_are(build: Any) -> None:
    n = 280
    assert n < stats.n_min(0.01)
    counts = stats.PairedCounts(n, 0, 0, 0)
    assert stats.tango_p(counts, -0.01, "greater") < 0.05, "the asymptotic test would pass a flawless run"
    result = judge_gate(build.gate("non_inferior", 0.01), build.data([1.0] * n, [1.0] * n), alpha=0.05)
    assert (result.result, result.needed >= 299 - n) == ("hold", True)


@pytest.mark.parametrize(("n", "outcome"), [(58, "hold"), (59, "pass")])
def test_a_flawless_run_passes_from_n_min_cases_on(build: Any, n: int, outcome: str) -> None:
    result = judge_gate(build.gate("non_inferior", 0.05), build.data([1.0] * n, [1.0] * n), alpha=0.05)
    assert result.result == outcome
    assert result.lower < result.upper


@pytest.mark.parametrize(("n", "outcome"), [(58, "hold"), (59, "pass")])
def test_case_means_need_n_min_cases_and_trials_do_not_help(build: Any, n: int, outcome: str) -> None:
    cells = [[1.0, 0.0, 1.0]] * n
    result = judge_gate(build.gate("non_inferior", 0.05), build.data(cells, cells), alpha=0.05)
    assert result.result == outcome


def test_case_means_over_trials_use_the_better_of_hall_and_gaffke(build: Any) -> None:
    rng = np.random.default_rng(7)
    candidate, baseline = (rng.integers(0, 2, (80, 3)).astype(float) for _ in range(2))
    result = judge_gate(
        build.gate("non_inferior", 0.2), build.data(candidate.tolist(), baseline.tolist()), alpha=0.05
    )
    difference = np.round(candidate.mean(axis=1) - baseline.mean(axis=1), 12)
    assert result.method == "min(Hall, Gaffke) on case means"
    assert result.p_pass == pytest.approx(
        min(
            stats.hall_p(difference, -0.2, "greater"),
            stats.gaffke_p(difference, -0.2, "greater", (-1, 1), seed=20260101),
        )
    )


def test_small_samples_of_scores_use_gaffke_alone(build: Any) -> None:
    rng = np.random.default_rng(8)
    scores = rng.random((2, 20))
    data = build.data(scores[0].tolist(), scores[1].tolist(), metric=UNIT)
    assert (
        judge_gate(build.gate("non_inferior", 0.1, UNIT), data, alpha=0.05).method == "Gaffke on case means"
    )


def test_clusters_are_counted_where_the_suite_has_them(build: Any) -> None:
    candidate, baseline = _pair(240, 10, 14)
    clusters = [f"k{i % 24}" for i in range(240)]
    data = build.data(candidate, baseline, clusters=clusters)
    result = judge_gate(build.gate("non_inferior", 0.05), data, alpha=0.05)
    difference = np.array(candidate) - np.array(baseline)
    assert result.p_pass == pytest.approx(
        stats.guarded_cluster_p(difference, clusters, -0.05, "greater", (-1, 1), neutral=0.0)
    )
    assert (result.n, result.units) == (240, 24)
    assert "n = 240 in 24 clusters" in result.message


@pytest.mark.parametrize(("groups", "words"), [(4, "4 clusters: at least 5"), (12, "only 12 clusters")])
def test_few_clusters_decide_nothing_and_not_many_are_said_aloud(build: Any, groups: int, words: str) -> None:
    data = build.data(*_pair(120, 3, 5), clusters=[f"k{i % groups}" for i in range(120)])
    result = judge_gate(build.gate("non_inferior", 0.1), data, alpha=0.05)
    assert words in result.message
    assert result.estimate == pytest.approx(2 / 120)
    assert (result.p_pass is None) == (groups < 5)


@pytest.mark.parametrize("role", ["guard", "require"])
def test_below_n_min_a_clustered_gate_cannot_pass_but_can_fail(build: Any, role: str) -> None:
    clusters = [f"k{i % 13}" for i in range(26)]
    gate = build.gate("non_inferior", 0.1, role=role)
    broken = build.data([0.0] * 22 + [1.0] * 4, [1.0] * 26, clusters=clusters)
    (failed,) = weigh_fails([judge_gate(gate, broken, alpha=0.05)])
    assert failed.result == "fail"
    assert failed.p_fail == pytest.approx(
        stats.guarded_cluster_p([-1.0] * 22 + [0.0] * 4, clusters, -0.1, "less", (-1, 1), neutral=0.0)
    )
    assert "cannot pass" not in failed.message
    better = build.data([1.0] * 26, [1.0] * 4 + [0.0] * 22, clusters=clusters)
    (held,) = weigh_fails([judge_gate(gate, better, alpha=0.05)])
    assert (held.result, held.p_pass > 0.05) == ("hold", True)
    assert "cannot pass with fewer than 29 cases (3 more), whatever it shows" in held.message
    assert (held.needed is not None and held.needed >= 3) == (role == "require")


@pytest.mark.parametrize(("form", "boundary", "missed"), [("at_least", 0.9, 0.0), ("at_most", 0.1, 1.0)])
def test_a_clustered_level_is_guarded_against_the_failing_cluster_that_is_not_there(
    build: Any, form: str, boundary: float, missed: float
) -> None:
    metric = Metric("right", "unit", higher_is_better=form == "at_least")
    scores = [1.0 - missed] * 60
    scores[0] = scores[4] = scores[8] = missed
    clusters = [f"k{i // 3}" for i in range(60)]
    up = "greater" if form == "at_least" else "less"
    assert stats.cluster_bounded_p(scores, clusters, boundary, up, (0, 1)) < 0.05, "CR2 alone would pass it"
    result = judge_gate(
        build.gate(form, boundary, metric), build.data(scores, metric=metric, clusters=clusters), alpha=0.05
    )
    assert (result.result, result.p_pass) == (
        "hold",
        pytest.approx(stats.guarded_cluster_p(scores, clusters, boundary, up, (0, 1))),
    )


@pytest.mark.parametrize(("form", "good"), [("at_least", 1.0), ("at_most", 0.0)])
def test_a_clustered_level_below_n_min_cannot_pass_but_can_fail(build: Any, form: str, good: float) -> None:
    metric = Metric("right", "unit", higher_is_better=good == 1.0)
    boundary = 0.9 if good == 1.0 else 0.1
    clusters = [f"k{i % 13}" for i in range(26)]
    gate = build.gate(form, boundary, metric)
    nearly = [abs(good - 0.001 * (i % 3)) for i in range(26)]
    held = judge_gate(gate, build.data(nearly, metric=metric, clusters=clusters), alpha=0.05)
    assert (held.result, held.p_pass > 0.05) == ("hold", True)
    assert "cannot pass with fewer than 29 cases (3 more)" in held.message
    bad = build.data([1.0 - n for n in nearly], metric=metric, clusters=clusters)
    (failed,) = weigh_fails([judge_gate(gate, bad, alpha=0.05)])
    assert failed.result == "fail"


@pytest.mark.parametrize("n", [59, 86])
def test_what_n_min_of_an_attempt_takes_from_a_clustered_gate_it_says(build: Any, n: int) -> None:
    clusters = [f"k{i % 29}" for i in range(n)]
    data = build.data([1.0] * n, [0.0] * 9 + [1.0] * (n - 9), clusters=clusters)
    gate = build.gate("non_inferior", 0.05)
    first, later = (judge_gate(gate, data, alpha=alpha) for alpha in (0.05, 0.0125))
    assert (first.result, later.result) == ("pass", "hold" if n == 59 else "pass")
    assert first.p_fail == later.p_fail
    assert ("it passes at 0.05, but not at the 0.0125" in later.message) == (n == 59)
    assert ("cannot pass with fewer than 86 cases (27 more)" in later.message) == (n == 59)


def test_floors_are_exact_on_single_binary_scores(build: Any) -> None:
    data = build.data([1.0] * 190 + [0.0] * 10)
    result = judge_gate(build.gate("at_least", 0.9), data, alpha=0.05)
    bounds = stats.clopper_pearson(190, 200)
    assert (result.p_pass, result.lower, result.upper) == (stats.floor_p(190, 200, 0.9), *_ends(bounds))
    assert result.result == "pass"


def _ends(interval: stats.Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_a_system_exactly_at_its_floor_does_not_pass(build: Any) -> None:
    result = judge_gate(build.gate("at_least", 0.9), build.data([1.0] * 180 + [0.0] * 20), alpha=0.05)
    assert result.result == "hold"


def test_ceilings_look_the_other_way(build: Any) -> None:
    data = build.data([0.0] * 195 + [1.0] * 5, metric=MISTAKE)
    result = judge_gate(build.gate("at_most", 0.08, MISTAKE), data, alpha=0.05)
    assert result.p_pass == stats.ceiling_p(5, 200, 0.08)
    assert result.result == "pass"


@pytest.mark.parametrize(("worse", "outcome"), [(0, "pass"), (30, "hold")])
def test_more_of_what_is_better_lower_is_a_loss(build: Any, worse: int, outcome: str) -> None:
    n = 120
    data = build.data([1.0] * worse + [0.0] * (n - worse), [0.0] * n, metric=MISTAKE)
    result = judge_gate(build.gate("non_inferior", 0.05, MISTAKE), data, alpha=0.05)
    assert result.result == outcome
    assert result.estimate == pytest.approx(worse / n)
    assert result.lower <= result.estimate <= result.upper
    assert result.p_fail < 1e-4 if worse else result.p_fail > 0.5


def test_mean_cost_is_fieller_and_tells_the_ratio(build: Any) -> None:
    rng = np.random.default_rng(1)
    base = rng.lognormal(0, 0.5, 60)
    cand = base * rng.lognormal(0.2, 0.1, 60)
    result = judge_gate(
        build.gate("ratio_at_most", 2.0, COST),
        build.data(cand.tolist(), base.tolist(), metric=COST),
        alpha=0.05,
    )
    assert result.p_pass == pytest.approx(stats.fieller_p(base, cand, 2.0, "less"))
    assert result.method == "Fieller, paired"


@pytest.mark.parametrize(
    ("n", "quantile", "decided"), [(99, 0.95, False), (100, 0.95, True), (20, 0.5, True)]
)
def test_a_p95_ratio_needs_100_cases(build: Any, n: int, quantile: float, decided: bool) -> None:
    rng = np.random.default_rng(2)
    base, cand = rng.lognormal(5, 0.4, (2, n))
    gate = build.gate("ratio_at_most", 1.5, LATENCY, quantile=quantile)
    result = judge_gate(gate, build.data(cand.tolist(), base.tolist(), metric=LATENCY), alpha=0.05)
    assert (result.p_pass is not None) == decided
    if not decided:
        assert (result.result, result.needed) == ("hold", 1)
        assert "p95 needs 100, 1 more" in result.message


def test_a_ratio_counts_only_above_its_slack(build: Any) -> None:
    rng = np.random.default_rng(3)
    base = rng.lognormal(2, 0.2, 100)
    data = build.data((base * 3.0).tolist(), base.tolist(), metric=LATENCY)
    strict = judge_gate(build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.5), data, alpha=0.05)
    slack = judge_gate(build.gate("ratio_at_most", 1.5, LATENCY, quantile=0.5, slack=50.0), data, alpha=0.05)
    assert (strict.result, slack.result) == ("hold", "pass")
    assert strict.p_fail < 1e-6
    assert "passes by its slack: a rise of up to 50 does not count" in slack.message


def test_superiority_is_the_test_against_zero(build: Any) -> None:
    data = build.data(*_pair(60, 1, 9))
    result = judge_gate(build.gate("superior"), data, alpha=0.05)
    assert result.p_pass == stats.mcnemar_midp(stats.PairedCounts(50, 9, 1, 0), "greater")
    assert result.result == "pass"


def test_three_improvements_show_a_bound_below_zero_as_they_prove_nothing(build: Any) -> None:
    for better, passes in ((3, False), (4, True)):
        result = judge_gate(build.gate("superior"), build.data(*_pair(60, 0, better)), alpha=0.05)
        assert (result.result == "pass") == (result.lower > 0.0) == passes
    assert stats.tango_interval(stats.PairedCounts(57, 3, 0, 0)).low > 0.0


def _disasters(n: int, drops: int) -> tuple[list[float], list[float]]:
    """Every case gains .02 but these, which lose .9; noise of .01."""
    gain = np.tile([0.01, 0.02, 0.02, 0.03], n // 4)
    gain[:drops] = -0.9
    return np.round(0.95 + gain, 4).clip(0.0, 1.0).tolist(), [0.95] * n


@pytest.mark.parametrize(
    ("n", "drops", "result"), [(20, 0, "hold"), (148, 0, "hold"), (156, 0, "pass"), (156, 2, "hold")]
)
def test_small_gains_are_proven_where_a_disaster_that_undoes_them_would_have_been_seen(
    build: Any, n: int, drops: int, result: str
) -> None:
    data = build.data(*_disasters(n, drops), metric=UNIT)
    found = judge_gate(build.gate("superior", metric=UNIT), data, alpha=0.05)
    assert found.result == result
    assert (found.lower > 0.0) == (result == "pass")
    assert ("a loss that undoes this gain" in found.message) == (result == "hold" and not drops)


def test_superiority_in_clusters_is_guarded_against_the_unseen_loss_as_well(build: Any) -> None:
    candidate, base = _disasters(40, 0)
    data = build.data(candidate, base, metric=UNIT, clusters=[f"k{i // 2}" for i in range(40)])
    found = judge_gate(build.gate("superior", metric=UNIT), data, alpha=0.05)
    assert found.result == "hold"
    assert found.lower < 0.0
    assert found.method == "CR2 over clusters"
    gain = float(np.mean(np.subtract(candidate, base)))
    assert found.p_pass >= stats.unseen_loss_p(gain, 40) > 0.4


def test_superiority_of_case_means_leaves_fewer_than_six_differing_cases_to_gaffke(build: Any) -> None:
    for differ, method in ((5, "Gaffke on case means"), (6, "min(Hall, Gaffke) on case means")):
        candidate = [[1.0, 1.0, 1.0]] * 40
        base = [[0.0, 0.0, 1.0]] + [[0.0, 0.0, 0.0]] * (differ - 1) + [[1.0, 1.0, 1.0]] * (40 - differ)
        found = judge_gate(build.gate("superior"), build.data(candidate, base), alpha=0.05)
        assert found.method == method
        difference = [2 / 3] + [1.0] * (differ - 1) + [0.0] * (40 - differ)
        alone = stats.gaffke_p(difference, 0.0, "greater", (-1.0, 1.0), seed=20260101)
        assert (found.p_pass == pytest.approx(alone)) == (differ == 5)


@pytest.mark.parametrize(("differ", "n", "factor"), [(19, 40, 1.2), (19, 37, 1.0), (20, 60, 1.0)])
def test_superiority_of_case_means_is_a_fifth_stricter_where_few_differ(
    build: Any, differ: int, n: int, factor: float
) -> None:
    better = [[0.0, 0.0, 1.0]] + [[0.0, 1.0, 1.0]] * (differ - 4) + [[1.0, 1.0, 1.0]] * (n - differ)
    base = better + [[1.0, 1.0, 1.0]] * 3
    candidate = [[1.0, 1.0, 1.0]] * (n - 3) + [[0.0, 1.0, 1.0]] * 3
    data = build.data(candidate, base)
    found = judge_gate(build.gate("superior"), data, alpha=0.05)
    difference = np.round(np.mean(candidate, axis=1) - np.mean(base, axis=1), 12)
    assert np.count_nonzero(difference) == differ
    alone = stats.bounded_mean_p(difference, 0.0, "greater", (-1.0, 1.0), 1, seed=20260101)
    assert found.p_pass == pytest.approx(factor * alone)


def test_the_alpha_of_the_attempt_moves_the_promote_side_only(build: Any) -> None:
    data = build.data(*_pair(200, 6, 5))
    gate = build.gate("non_inferior", 0.05)
    first, later = (judge_gate(gate, data, alpha=alpha) for alpha in (0.05, 0.05 / 8))
    assert (first.result, later.result) == ("pass", "hold")
    assert first.p_fail == later.p_fail


@pytest.mark.parametrize("form", ["non_inferior", "at_least"])
def test_a_later_attempt_proves_case_means_broken_as_the_first_does(build: Any, form: str) -> None:
    n = 70  # between n_min of the first attempt (59) and of the second (86)
    rng = np.random.default_rng(4)
    candidate = np.clip(rng.normal(0.8, 0.1, n), 0, 1).tolist()
    data = build.data(candidate, np.clip(rng.normal(0.9, 0.1, n), 0, 1).tolist(), metric=UNIT)
    gate = build.gate(form, 0.05 if form == "non_inferior" else 0.95, UNIT)
    first, later = (judge_gate(gate, data, alpha=alpha) for alpha in (0.05, 0.0125))
    assert first.p_fail == later.p_fail < 0.05


CALLS = Metric("right", "count", higher_is_better=False)


def _counted(build: Any, limit: float, n: int, base: int, cand: int) -> Any:
    """A ratio of counts: 1 in the first cases of each side, 0 in the others."""
    sides = ([1.0] * above + [0.0] * (n - above) for above in (cand, base))
    data = build.data(*sides, metric=CALLS)
    return judge_gate(build.gate("ratio_at_most", limit, CALLS, role="require"), data, alpha=0.05)


def test_a_ratio_of_what_neither_side_spends_holds_and_says_so(build: Any) -> None:
    result = _counted(build, 2.0, 60, base=0, cand=0)
    assert (result.result, result.p_pass, result.needed) == ("hold", None, None)
    assert "0 in every case of both sides" in result.message
    assert cheapest_step([result], {}).startswith("give ")


def test_rare_counts_pass_no_limit_that_a_candidate_on_it_would_hardly_show(build: Any) -> None:
    few, enough = (_counted(build, 0.5, 200, base, cand=0) for base in (11, 12))
    assert (few.result, few.p_pass, enough.result) == ("hold", 1.0, "pass")
    assert "the baseline is above 0 in 11 cases: a ratio of at most 0.5 passes from 12 on" in few.message
    assert few.needed == 19  # 200 cases hold 11 such cases, 219 hold 12
    assert enough.p_pass == stats.kept_p([1.0] * 12 + [0.0] * 188, [0.0] * 200, 0.5)


def test_rare_counts_over_a_limit_are_not_rejected_before_the_baseline_is_known(build: Any) -> None:
    result = _counted(build, 2.0, 60, base=5, cand=40)
    assert (result.result, result.p_fail) == ("hold", 1.0)
    assert "the baseline is above 0 in 5 cases: a ratio above 2 is rejected from 6 on" in result.message
    assert _counted(build, 2.0, 60, base=6, cand=40).p_fail < 0.001


@pytest.mark.parametrize("quantile", [None, 0.5])
@pytest.mark.parametrize(("factor", "outcome"), [(1.0, "pass"), (1.5, "pass"), (3.0, "hold")])
def test_a_ratio_that_is_the_same_in_every_case_has_no_interval(
    build: Any, quantile: float | None, factor: float, outcome: str
) -> None:
    base = np.random.default_rng(1).lognormal(3, 0.5, 60)
    gate = build.gate("ratio_at_most", 2.0, LATENCY, quantile=quantile)
    result = judge_gate(gate, build.data((factor * base).tolist(), base.tolist(), metric=LATENCY), alpha=0.05)
    assert (result.result, result.lower, result.upper) == (outcome, None, None)
    assert f"{factor:.3f} in every case, limit 2" in result.message
    nearly = (factor * base + np.linspace(0.0, 0.5, 60)).tolist()
    bounded = judge_gate(gate, build.data(nearly, base.tolist(), metric=LATENCY), alpha=0.05)
    assert bounded.lower < bounded.estimate < bounded.upper


def test_a_ratio_to_a_baseline_that_is_always_0_is_unbounded_and_not_the_same_in_every_case(
    build: Any,
) -> None:
    result = _counted(build, 2.0, 60, base=0, cand=20)
    assert (result.result, result.lower, result.upper) == ("hold", 0.0, float("inf"))
    assert "ratio of means unbounded [0.000, unbounded], limit 2" in result.message
