"""The sealed half (verdict.md 5.2): drawn by hash, units together, judged apart once others were seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relgate import stats
from relgate.decision.gates import judge_gate
from relgate.decision.planning.next_step import cheapest_step
from relgate.decision.sealing import (
    LEAST_SEALED,
    is_tuned,
    judged_by,
    open_half,
    reckon_sealed,
    sealed_ids,
    seen_by,
)
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import Case, Suite

IDS = st.lists(st.text("abcdefgh0123456789-", min_size=1, max_size=12), min_size=1, max_size=60, unique=True)


def _suite(build: Any, cases: Any, **more: Any) -> Suite:
    return replace(build.suite(0), sealed=True, cases=tuple(cases), **more)


def _cases(ids: Any) -> list[Case]:
    return [Case(id=i, input=f"question {i}", tags={"lang": "de"}) for i in ids]


def test_about_half_of_the_cases_are_sealed(build: Any) -> None:
    sealed = len(sealed_ids(_suite(build, _cases(f"case-{i}" for i in range(2000)))))
    bounds = stats.clopper_pearson(sealed, 2000, 0.001)
    assert bounds.contains(0.5)


def test_a_suite_without_the_key_seals_nothing(build: Any) -> None:
    suite = replace(_suite(build, _cases("abc")), sealed=False)
    assert sealed_ids(suite) == frozenset()
    assert open_half(suite) is suite


@settings(max_examples=60, deadline=None)
@given(IDS, st.data())
def test_neither_order_nor_further_cases_move_one(ids: list[str], data: Any) -> None:
    from tests.unit.decision.conftest import Build

    sealed = sealed_ids(_suite(Build, _cases(ids)))
    kept = data.draw(st.permutations(ids))[: max(1, len(ids) // 2)]
    assert sealed_ids(_suite(Build, _cases(kept))) == sealed & set(kept)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=2, max_size=60))
def test_a_cluster_a_pair_and_equal_inputs_lie_on_one_side(labels: list[int]) -> None:
    from tests.unit.decision.conftest import Build

    for cases in (
        [Case(id=f"c{i}", input=f"q{i}", cluster=str(g)) for i, g in enumerate(labels)],
        [Case(id=f"c{i}", input=f"q{i}", pair=str(g)) for i, g in enumerate(labels)],
        [Case(id=f"c{i}", input=f"q{g}") for i, g in enumerate(labels)],
    ):
        clustered = any(case.cluster for case in cases)
        sealed = sealed_ids(_suite(Build, cases, clustered=clustered))
        for group in set(labels):
            members = {f"c{i}" for i, g in enumerate(labels) if g == group}
            assert members <= sealed or not members & sealed


def test_critical_cases_and_all_that_share_their_unit_are_open(build: Any) -> None:
    cases = _cases(f"case-{i}" for i in range(60))
    sealed = sealed_ids(_suite(build, cases))
    first = min(sealed)
    critical = [replace(case, critical=True) if case.id == first else case for case in cases]
    assert sealed_ids(_suite(build, critical)) == sealed - {first}
    twin = Case(id="twin-of-it", input=f"question {first}", critical="never")
    assert first not in sealed_ids(_suite(build, [*cases, twin]))


REQUIRED = {"form": "non_inferior", "boundary": 0.05}


@pytest.mark.parametrize(
    ("spec", "exposed", "half"),
    [
        (REQUIRED, False, "all"),
        (REQUIRED, True, "sealed"),
        ({**REQUIRED, "only": {"lang": "de"}}, True, "sealed"),
        ({**REQUIRED, "only": {"lang": "en"}}, True, "open"),  # of so few, an aggregate would tell of each
        ({**REQUIRED, "role": "guard"}, False, "open"),
        ({**REQUIRED, "role": "report"}, True, "open"),
        ({"form": "at_least", "boundary": 0.8}, False, "open"),
        ({"form": "superior"}, True, "open"),
        ({"form": "ratio_at_most", "boundary": 1.5}, True, "all"),
    ],
)
def test_which_cases_a_gate_judges(build: Any, spec: dict[str, Any], exposed: bool, half: str) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(40)))
    sealed = sealed_ids(suite)
    want = {"all": {c.id for c in suite.cases}, "sealed": set(sealed)}
    want["open"] = want["all"] - want["sealed"]
    judged = judged_by(suite, build.gate(**spec).spec, exposed=exposed)
    assert len(sealed) >= LEAST_SEALED
    assert {case.id for case in judged.cases} == want[half]


@pytest.mark.parametrize(("hidden", "half"), [(LEAST_SEALED - 1, "open"), (LEAST_SEALED, "sealed")])
def test_fifteen_sealed_cases_are_the_fewest_that_an_aggregate_may_speak_of(
    build: Any, hidden: int, half: str
) -> None:
    assert LEAST_SEALED == 15
    cases = _cases(f"case-{i}" for i in range(80))
    sealed = sorted(sealed_ids(_suite(build, cases)))[:hidden]
    marked = [replace(c, tags={"part": "a" if c.id in sealed else "b"}) for c in cases]
    suite = _suite(build, marked)
    judged = judged_by(suite, build.gate(**{**REQUIRED, "only": {"part": "a"}}).spec, exposed=True)
    shown = {case.id for case in judged.cases} & set(sealed)
    assert shown == (set(sealed) if half == "sealed" else set())


def test_a_loss_on_open_cases_alone_is_tuning_that_the_sealed_half_does_not_see(build: Any) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(200)))
    sealed = sealed_ids(suite)
    # the open half was patched until it is perfect, the sealed half tells the truth: -20 points
    lost = set(sorted(sealed)[: len(sealed) // 5])
    candidate = [0.0 if case.id in lost else 1.0 for case in suite.cases]
    data = build.data(candidate, [1.0] * 200, suite=suite)
    gate = build.gate("non_inferior", 0.1)
    whole = judge_gate(gate, seen_by(data, gate.spec, exposed=False), alpha=0.05)
    half = judge_gate(gate, seen_by(data, gate.spec, exposed=True), alpha=0.05)
    assert (whole.n, half.n) == (200, len(sealed))
    assert half.estimate == pytest.approx(-len(lost) / len(sealed))
    assert half.estimate < whole.estimate


@pytest.mark.parametrize("exposed", [False, True])
def test_half_of_the_added_cases_prove_nothing_for_a_sealed_gate(build: Any, exposed: bool) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(80)))
    sealed = len(sealed_ids(suite))
    gate = build.gate("non_inferior", 0.05)
    data = build.data([0.0, 1.0] * 4 + [1.0] * 72, [1.0, 0.0] * 4 + [1.0] * 72, suite=suite)
    held = judge_gate(gate, seen_by(data, gate.spec, exposed=exposed), alpha=0.05, next_alpha=0.0125)
    result = reckon_sealed(held, gate.spec, suite)
    total = held.n + held.needed
    assert held.n == (sealed if exposed else 80)
    assert (result.needed, result.needed_total) == (2 * (total - sealed), total), (
        "the next run sees them alone"
    )
    (shown,) = weigh_fails([result])
    assert (
        f"{result.needed:,} more cases (half of them count here: {total:,} in all) would decide"
        in shown.message
    )
    step = cheapest_step([shown], {})
    assert step == f"add {result.needed:,} cases to s, then run again"


def test_a_budget_judges_both_halves_and_needs_no_more(build: Any) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(80)))
    result = build.result(result="hold", form="ratio_at_most", needed=20, n=80, units=80)
    assert reckon_sealed(result, build.gate("ratio_at_most", 1.5).spec, suite) == result


def test_a_floor_judges_the_open_half_alone(build: Any) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(80)))
    result = build.result(result="hold", form="at_least", needed=20, n=44, units=44)
    found = reckon_sealed(result, build.gate("at_least", 0.8).spec, suite)
    assert (found.needed, found.needed_total) == (40, 64)


def test_a_failed_scorer_on_a_sealed_case_quotes_nothing(build: Any) -> None:
    suite = _suite(build, _cases(f"case-{i}" for i in range(40)))
    cells: list[Any] = [build.JUDGE_FAILED] * 40
    data = build.data(cells, [1.0] * 40, suite=suite)
    gate = build.gate("non_inferior", 0.1)
    assert "no number" in judge_gate(gate, data, alpha=0.05).message
    assert "no number" not in judge_gate(gate, seen_by(data, gate.spec, exposed=True), alpha=0.05).message


@pytest.mark.parametrize(
    ("sealed", "exposed", "tuned"),
    [
        ((True,), True, False),
        ((False,), True, True),
        ((False,), False, False),
        ((True, False), True, True),
        ((True, True), True, False),
    ],
)
def test_when_a_promote_is_one_on_a_tuned_set(
    build: Any, sealed: tuple[bool, ...], exposed: bool, tuned: bool
) -> None:
    cases = _cases(f"case-{i}" for i in range(40))
    suites = tuple(replace(_suite(build, cases, name=f"s{i}"), sealed=s) for i, s in enumerate(sealed))
    safety = replace(build.suite(0), kind="safety")
    assert is_tuned((*suites, safety), exposed=exposed) == tuned
