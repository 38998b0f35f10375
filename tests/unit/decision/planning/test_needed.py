"""How many more cases: planned at no true difference, never below n_min, only where cases are a remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from relgate import stats
from relgate.decision.gates import judge_gate
from relgate.decision.sealing import sealed_ids
from relgate.decision.weighing import weigh_fails
from relgate.domain.metric import Metric

COST = Metric("right", "cost", higher_is_better=False)
UNIT = Metric("right", "unit")


def _pair(n: int, b: int, c: int) -> tuple[list[float], list[float]]:
    return [0.0] * b + [1.0] * (n - b), [1.0] * b + [0.0] * c + [1.0] * (n - b - c)


def _difference(cells: list[list[float]]) -> Any:
    means = np.mean(np.array(cells), axis=1)
    return np.roll(means, -1) - means


def _judged(build: Any, data: Any, alpha: float = 0.05, **gate: Any) -> Any:
    spec = {"form": "non_inferior", "boundary": 0.05, **gate}
    return weigh_fails([judge_gate(build.gate(**spec), data, alpha=alpha)])[0]


@pytest.mark.parametrize(("b", "c"), [(12, 12), (14, 10), (13, 11)])
def test_a_binary_gate_plans_nam_at_no_difference_and_the_upper_discordance(
    build: Any, b: int, c: int
) -> None:
    n, margin = 150, 0.05
    result = _judged(build, build.data(*_pair(n, b, c)))
    psi = stats.clopper_pearson(b + c, n, alpha=0.2).high
    total = stats.nam_n(margin, psi, 0.0)
    assert result.result == "hold"
    assert result.needed == total - n
    assert f"{total - n} more cases ({total} in all) would decide" in result.message
    assert "planned at no true difference" in result.message


def test_the_number_does_not_follow_the_luck_of_the_observed_difference(build: Any) -> None:
    numbers = {_judged(build, build.data(*_pair(150, b, 24 - b))).needed for b in (12, 13, 14, 15)}
    assert len(numbers) == 1


def test_it_is_never_below_n_min(build: Any) -> None:
    result = _judged(build, build.data([1.0] * 40, [1.0] * 40))
    assert result.needed is not None
    assert result.needed + 40 >= stats.n_min(0.05)


def test_a_later_attempt_plans_at_its_own_alpha(build: Any) -> None:
    data = build.data(*_pair(150, 12, 12))
    assert _judged(build, data, alpha=0.0125).needed > _judged(build, data).needed


def test_where_the_cases_would_do_at_no_difference_half_of_the_observed_one_is_planned(build: Any) -> None:
    worse = _judged(build, build.data(*_pair(900, 60, 44)), boundary=0.03)
    assert worse.result == "hold"
    assert "cases are enough at no true difference; planned at half of the observed one" in worse.message
    assert worse.needed > 0


def test_case_means_plan_on_their_spread(build: Any) -> None:
    cells = [[1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]] * 20
    data = build.data(cells, cells[1:] + cells[:1])
    result = _judged(build, data)
    total = stats.mean_n(0.05, float(np.sqrt(np.mean(_difference(cells) ** 2))))
    assert result.needed == total - 60


def test_case_means_plan_the_share_of_differing_cases_at_its_upper_bound(build: Any) -> None:
    cells = [[1.0, 1.0, 1.0]] * 12
    none = _judged(build, build.data(cells, cells))
    spread = float(np.sqrt(stats.discordance_upper(0, 12) / 3))
    assert none.needed == max(stats.trusted_n(0.05), stats.mean_n(0.05, spread)) - 12
    assert none.needed > stats.n_min(0.05) - 12, "not the flawless minimum"
    cells = [[1.0, 1.0, 1.0]] * 50
    two = _judged(build, build.data([[1.0, 0.0, 1.0]] * 2 + cells[2:], cells))
    spread = float(np.sqrt(stats.discordance_upper(2, 50) / 9))
    assert two.needed == max(stats.trusted_n(0.05), stats.mean_n(0.05, spread)) - 50


@pytest.mark.parametrize("trials", [1, 3])
def test_the_planned_cases_let_an_identical_candidate_pass_at_the_next_attempts_alpha(
    build: Any, trials: int
) -> None:
    """Power .8 is kept by most pilots: psi stands at its upper 80 % bound."""
    rng, psi, accuracy = np.random.default_rng(5), 0.08, 0.92
    share = psi / (2 * accuracy * (1 - accuracy))
    size = share / (1 - share)

    def sides(n: int) -> tuple[list[list[float]], list[list[float]]]:
        p = rng.beta(accuracy * size, (1 - accuracy) * size, n)
        one, two = ((rng.random((n, trials)) < p[:, None]).astype(float).tolist() for _ in range(2))
        return one, two

    gate = build.gate("non_inferior", 0.05)
    passed = []
    for _ in range(90):
        held = judge_gate(gate, build.data(*sides(60)), alpha=0.05, next_alpha=0.0125)
        if held.needed:
            again = judge_gate(gate, build.data(*sides(60 + held.needed)), alpha=0.0125)
            passed.append(again.result == "pass")
    assert len(passed) >= 15
    assert np.mean(passed) >= 0.8


def test_a_hold_plans_at_the_next_attempts_alpha(build: Any) -> None:
    data = build.data(*_pair(150, 12, 12))
    gate = build.gate("non_inferior", 0.05)
    held = judge_gate(gate, data, alpha=0.05, next_alpha=0.0125)
    psi = stats.discordance_upper(24, 150)
    assert held.needed == stats.nam_n(0.05, psi, 0.0, 0.0125) - 150
    assert (held.alpha, held.result) == (0.05, "hold")


def test_zero_tolerance_plans_at_the_next_attempts_alpha_only_where_it_holds(build: Any) -> None:
    gate = build.gate(
        "violations", metric=Metric("right", "binary", higher_is_better=False), rate_at_most=0.05
    )
    metric = gate.metric
    held = judge_gate(gate, build.data([0.0] * 40, metric=metric), alpha=0.05, next_alpha=0.0125)
    assert held.needed == stats.zero_violation_n(0.05, 0.0125) - 40
    assert f"{held.needed} more clean cases needed" in held.message
    assert (
        judge_gate(gate, build.data([0.0] * 59, metric=metric), alpha=0.05, next_alpha=0.0125).result
        == "pass"
    )


def test_a_ratio_plans_at_the_next_alpha_from_bounds_at_this_one(build: Any) -> None:
    base = [1.0, 9.0, 2.0, 30.0, 4.0] * 6
    data = build.data([9.0, 1.0, 30.0, 2.0, 4.5] * 6, base, metric=COST)
    gate = build.gate("ratio_at_most", 1.2, COST)
    now = judge_gate(gate, data, alpha=0.05).needed
    later = judge_gate(gate, data, alpha=0.05, next_alpha=0.0125).needed
    z = [float(ndtri(1 - a) + ndtri(0.8)) for a in (0.0125, 0.05)]
    assert later + 30 == pytest.approx((now + 30) * (z[0] / z[1]) ** 2, abs=2)


@pytest.mark.parametrize(("size", "more"), [(30, 2), (5, 9)])
def test_too_few_clusters_say_how_many_more(build: Any, size: int, more: int) -> None:
    """Five clusters for the method, and n_min cases: 59 in 12 clusters of five."""
    n = 3 * size
    clusters = [f"k{i // size}" for i in range(n)]
    result = _judged(build, build.data([1.0] * n, [1.0] * n, clusters=clusters))
    assert (result.needed, result.needed_clusters) == (None, more)
    assert f"to see how clusters differ, {more} more" in result.message


def test_the_cases_without_a_score_are_named(build: Any) -> None:
    cells: list[Any] = [build.JUDGE_FAILED, *[1.0] * 98, build.AWAY]
    result = _judged(build, build.data(cells, [1.0] * 100))
    assert (result.missing, result.missing_ids) == (2, ("c0", "c99"))


def test_a_sealed_case_without_a_score_is_counted_and_not_named(build: Any) -> None:
    suite = build.suite(100, sealed=True)
    hidden = sealed_ids(suite)
    cells: list[Any] = [build.AWAY] * 100
    cells[50:] = [1.0] * 50
    result = _judged(build, build.data(cells, [1.0] * 100, suite=suite))
    assert result.missing == 50
    assert len(result.missing_ids) == 3
    assert not hidden & set(result.missing_ids)


def test_clusters_multiply_by_what_they_cost(build: Any) -> None:
    candidate = [1.0] * 150
    for i in (0, 1, 2, 3, 4, 5):
        candidate[i] = 0.0
    baseline = [1.0] * 150
    for i in (10, 11, 12, 13, 14, 15):
        baseline[i] = 0.0
    alone = _judged(build, build.data(candidate, baseline), boundary=0.03)
    clusters = [f"k{i // 10}" for i in range(150)]
    grouped = _judged(build, build.data(candidate, baseline, clusters=clusters), boundary=0.03)
    assert grouped.needed > alone.needed
    assert f"in about {round(grouped.needed / 10)} new clusters would decide" in grouped.message


def test_clusters_that_do_not_differ_count_alone(build: Any) -> None:
    clusters = [f"k{i % 20}" for i in range(200)]
    result = _judged(build, build.data([1.0] * 200, [1.0] * 200, clusters=clusters))
    assert (result.result, result.needed) == ("hold", 590 - 200)
    assert result.message.endswith(
        ": 390 more cases (590 in all) in about 39 new clusters would decide; "
        "no cluster differs from another, so each counts as one case"
    )


@pytest.mark.parametrize(("hits", "remedy"), [(178, True), (150, False)])
def test_a_floor_is_planned_at_the_observed_rate_above_it_only(build: Any, hits: int, remedy: bool) -> None:
    data = build.data([1.0] * hits + [0.0] * (200 - hits))
    result = _judged(build, data, form="at_least", boundary=0.86)
    assert (result.needed is not None) == remedy
    if remedy:
        assert result.needed == stats.binomial_floor_n(hits / 200, 0.86) - 200
    else:
        assert "more cases are no remedy: it is not above the floor" in result.message


def test_superiority_plans_at_half_of_the_gain_and_not_without_one(build: Any) -> None:
    gain = _judged(build, build.data(*_pair(100, 4, 8)), form="superior", boundary=0.0)
    loss = _judged(build, build.data(*_pair(100, 8, 7)), form="superior", boundary=0.0)
    assert gain.needed > 0
    assert "planned at half of the observed gain" in gain.message
    assert loss.needed is None


def test_a_small_gain_needs_the_cases_that_would_show_what_undoes_it(build: Any) -> None:
    base = [0.5] * 40
    candidate = [0.51, 0.52, 0.53, 0.52] * 10
    result = _judged(
        build, build.data(candidate, base, metric=UNIT), form="superior", boundary=0.0, metric=UNIT
    )
    assert result.result == "hold"
    assert result.needed == stats.unseen_loss_n(0.01) - 40  # at half of the gain
    assert "40 cases may all miss a loss that undoes this gain, 149 may not" in result.message


def test_a_ratio_is_planned_at_an_unchanged_one(build: Any) -> None:
    base = [1.0, 9.0, 2.0, 30.0, 4.0] * 6
    cand = [9.0, 1.0, 30.0, 2.0, 4.5] * 6
    data = build.data(cand, base, metric=COST)
    result = _judged(build, data, form="ratio_at_most", boundary=1.2, metric=COST)
    assert result.result == "hold"
    assert result.needed > 0
    assert "planned at a true ratio of 1" in result.message


def test_a_ratio_far_above_its_limit_asks_for_nothing_it_could_not_use(build: Any) -> None:
    base = [1.0 + i % 5 for i in range(60)]
    data = build.data([3.0 * b for b in base], base, metric=COST)
    result = _judged(build, data, form="ratio_at_most", boundary=2.0, metric=COST)
    assert (result.result, result.needed) == ("fail", None)


def test_missing_cases_come_before_more_cases(build: Any) -> None:
    candidate, baseline = _pair(150, 12, 12)
    cells: list[Any] = [*candidate[:-1], build.AWAY]
    assert _judged(build, build.data(cells, baseline)).needed is None


def test_half_of_a_fall_that_was_seen_is_planned_beside_no_difference(build: Any) -> None:
    """The cases that held the gate stay in the sample, so a fall is no mere chance of theirs."""
    fell = _judged(build, build.data(*_pair(100, 8, 4)))
    assert fell.needed is not None
    psi = max(stats.discordance_upper(12, 100), 0.02)
    at_half = int(np.ceil(stats.nam_n(0.05, psi, -0.02, 0.05))) - 100
    assert at_half > fell.needed
    assert f"({at_half:,} more at half of the observed one)" in fell.message
    assert "at half of" not in _judged(build, build.data(*_pair(100, 4, 8))).message


def _few_clusters(seed: int, count: int, size: int) -> tuple[list[float], list[float], list[str]]:
    """Two draws of one system: nine in ten are right, and seven in a hundred are drawn anew."""
    rng = np.random.default_rng(seed)
    first = (rng.random(count * size) < 0.9).astype(float)
    anew = rng.random(count * size) >= 0.93
    second = np.where(anew, (rng.random(count * size) < 0.9).astype(float), first)
    return second.tolist(), first.tolist(), [f"k{i // size}" for i in range(count * size)]


@pytest.mark.parametrize("count", [5, 6])
def test_few_clusters_of_equal_systems_are_told_how_many_more_would_decide(build: Any, count: int) -> None:
    """Few clusters have few degrees of freedom: that is why nothing is proven, not what was observed."""
    held, passed = 0, 0
    for seed in range(12):
        candidate, baseline, clusters = _few_clusters(seed, count, 60)
        result = _judged(build, build.data(candidate, baseline, clusters=clusters))
        if result.result == "pass" or result.estimate < 0.0:
            continue
        assert result.needed is not None, result.message
        assert "speaks against" not in result.message
        held += 1
        more = count + -(-result.needed // 60)
        candidate, baseline, clusters = _few_clusters(100 + seed, more, 60)
        passed += _judged(build, build.data(candidate, baseline, clusters=clusters)).result == "pass"
    assert held >= 3
    assert passed >= 0.6 * held
