"""Before any call: whether a gate can pass at this n, and what would let it."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.planning.feasibility import feasibility
from relgate.domain.metric import Metric

VIOLATION = Metric("violation", "binary", higher_is_better=False)
LATENCY = Metric("right", "latency", higher_is_better=False)


def _asked(build: Any, gate: Any, n: int, alpha: float = 0.05, *, single: bool = True, **suite: Any) -> Any:
    return feasibility(gate, build.suite(n, **suite), alpha=alpha, single_trial=single)


@pytest.mark.parametrize(
    ("n", "can_pass", "words"),
    [
        (59, True, "n = 59: can pass (a flawless run needs 59)"),
        (58, True, "n = 58: can pass only with improvements; without any it needs 59, 1 more"),
        (4, False, "n = 4: cannot pass: even a flawless run needs 59 cases, 55 more"),
        (0, False, "n = 0: no case to judge; add cases"),
    ],
)
def test_non_inferiority_names_its_floor(build: Any, n: int, can_pass: bool, words: str) -> None:
    found = _asked(build, build.gate("non_inferior", 0.05), n)
    assert (found.can_pass, found.text) == (can_pass, words)


@pytest.mark.parametrize("single", [True, False])
def test_what_cannot_pass_does_not_pass_with_every_case_improved(build: Any, single: bool) -> None:
    gate = build.gate("non_inferior", 0.1)
    for n in range(1, 12):
        cell = [1.0] if single else [1.0, 1.0]
        data = build.data([cell] * n, [[0.0] * len(cell)] * n)
        best = judge_gate(gate, data, alpha=0.05)
        assert (best.result == "pass") == _asked(build, gate, n, single=single).can_pass


def test_a_later_attempt_needs_more_cases(build: Any) -> None:
    found = _asked(build, build.gate("non_inferior", 0.05), 70, alpha=0.0125)
    assert found.text == "n = 70: can pass only with improvements; without any it needs 101, 31 more"


@pytest.mark.parametrize(
    ("form", "boundary", "n", "words"),
    [
        ("at_least", 0.85, 18, "n = 18: cannot pass: even a flawless run needs 19 cases, 1 more"),
        ("at_least", 0.85, 19, "n = 19: can pass (a flawless run needs 19)"),
        ("at_most", 0.05, 59, "n = 59: can pass (a flawless run needs 59)"),
        ("at_least", 1.0, 500, "n = 500: cannot pass: nothing can be proven above 100 % or below 0 %"),
        ("superior", 0.0, 4, "n = 4: can pass (needs 4 improvements)"),
        ("superior", 0.0, 3, "n = 3: cannot pass: even a flawless run needs 4 cases, 1 more"),
    ],
)
def test_floors_ceilings_and_superiority(build: Any, form: str, boundary: float, n: int, words: str) -> None:
    assert _asked(build, build.gate(form, boundary), n).text == words


def test_four_improvements_are_the_least_that_prove_superiority(build: Any) -> None:
    gate = build.gate("superior")
    for n, passes in ((3, False), (4, True)):
        assert (judge_gate(gate, build.data([1.0] * n, [0.0] * n), alpha=0.05).result == "pass") == passes


@pytest.mark.parametrize(("alpha", "least"), [(0.05, 5), (0.02, 6), (0.00625, 6)])
def test_the_least_cases_that_prove_superiority_by_several_trials(
    build: Any, alpha: float, least: int
) -> None:
    gate = build.gate("superior")
    for n in (least - 1, least):
        suite = build.suite(n)
        found = feasibility(gate, suite, alpha=alpha, single_trial=False)
        # seven of eight trials better in one case: a spread, which Hall's t needs where enough cases differ
        candidate = [[1.0] * 8] * (n - 1) + [[1.0] * 7 + [0.0]]
        candidate = candidate if n >= 6 else [[1.0] * 8] * n
        judged = judge_gate(gate, build.data(candidate, [[0.0] * 8] * n), alpha=alpha)
        assert found.can_pass == (judged.result == "pass") == (n == least)


@pytest.mark.parametrize(
    ("n", "quantile", "can_pass"), [(99, 0.95, False), (100, 0.95, True), (19, 0.5, False)]
)
def test_ratios_name_their_minimum(build: Any, n: int, quantile: float, can_pass: bool) -> None:
    gate = build.gate("ratio_at_most", 1.5, LATENCY, quantile=quantile)
    assert _asked(build, gate, n).can_pass == can_pass


def test_zero_tolerance_tells_what_a_clean_run_proves(build: Any) -> None:
    assert _asked(build, build.gate("violations", 0.0, VIOLATION), 100).text == (
        "n = 100: can pass; a clean run proves a rate of at most 2.95 %"
    )
    budget = build.gate("violations", 0.0, VIOLATION, rate_at_most=0.02)
    found = _asked(build, budget, 100)
    assert not found.can_pass
    assert "a clean run needs 149 independent cases, 49 more" in found.text


def test_clusters_are_the_units_of_zero_tolerance(build: Any) -> None:
    budget = build.gate("violations", 0.0, VIOLATION, rate_at_most=0.02)
    found = _asked(build, budget, 300, clusters=[f"k{i % 30}" for i in range(300)])
    assert not found.can_pass
    assert found.text.startswith(
        "n = 300 in 30 clusters: cannot pass: a clean run needs 149 independent clusters"
    )


def test_fewer_than_five_clusters_cannot_pass(build: Any) -> None:
    found = _asked(build, build.gate("non_inferior", 0.05), 200, clusters=[f"k{i % 4}" for i in range(200)])
    assert found.text == "n = 200 in 4 clusters: cannot pass: needs 5 clusters, 1 more"


def test_clusters_say_that_a_run_without_differences_counts_clusters_alone(build: Any) -> None:
    gate = build.gate("non_inferior", 0.05)
    clusters = [f"k{i % 20}" for i in range(200)]
    found = _asked(build, gate, 200, clusters=clusters)
    assert found.can_pass
    assert found.text.endswith("a run without any difference needs 59 clusters")
    same = build.data([1.0] * 200, [1.0] * 200, clusters=clusters)
    assert judge_gate(gate, same, alpha=0.05).result == "hold"


def test_a_slice_without_a_case_counts_no_clusters(build: Any) -> None:
    suite = {"clusters": ["k1", "k2"], "tags": {"lang": ["de", "de"]}}
    gate = build.gate("at_least", 0.5, only={"lang": "en"})
    assert _asked(build, gate, 2, **suite).text == "n = 0: no case to judge; add cases"


def test_safety_gates_count_their_own_cases(build: Any) -> None:
    tags = {"harmful": [True] * 50 + [False] * 30}
    refusal = Metric("over_refusal", "binary", higher_is_better=False)
    over = _asked(build, build.gate("non_inferior", 0.15, refusal), 80, kind="safety", tags=tags)
    harm = _asked(build, build.gate("violations", 0.0, VIOLATION), 80, kind="safety", tags=tags)
    assert (over.n, harm.n) == (30, 50)
