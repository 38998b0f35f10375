"""How many more cases: planned at no true difference, never below n_min, only where cases are a remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.gates import judge_gate
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
    total = stats.mean_n(0.05, float(np.std(_difference(cells), ddof=1)))
    assert result.needed == total - 60


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
        "no cluster differs from another, so each counts as one case: "
        "390 more cases (590 in all) in about 39 new clusters would decide"
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
    assert "planned at an unchanged ratio" in result.message


def test_a_ratio_far_above_its_limit_asks_for_nothing_it_could_not_use(build: Any) -> None:
    base = [1.0 + i % 5 for i in range(60)]
    data = build.data([3.0 * b for b in base], base, metric=COST)
    result = _judged(build, data, form="ratio_at_most", boundary=2.0, metric=COST)
    assert (result.result, result.needed) == ("fail", None)


def test_missing_cases_come_before_more_cases(build: Any) -> None:
    candidate, baseline = _pair(150, 12, 12)
    cells: list[Any] = [*candidate[:-1], build.AWAY]
    assert _judged(build, build.data(cells, baseline)).needed is None
