"""Reject weights: half of alpha over require gates, half over guards, equal parts, Holm within each half."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.weighing import weigh_fails


def _gates(build: Any, role: str, *p_fail: float | None) -> list[Any]:
    return [build.result(role, "hold", p_fail=p, id=f"gates::s[{role}-{i}]") for i, p in enumerate(p_fail)]


def _failed(results: Any) -> list[str]:
    return [r.id.removeprefix("gates::s[").removesuffix("]") for r in results if r.result == "fail"]


@pytest.mark.parametrize(("p", "fails"), [(0.025, True), (0.026, False)])
@pytest.mark.parametrize("role", ["require", "guard"])
def test_a_gate_alone_in_its_half_fails_at_half_of_alpha(
    build: Any, role: str, p: float, fails: bool
) -> None:
    assert bool(_failed(weigh_fails(_gates(build, role, p)))) == fails


def test_each_gate_names_the_share_of_alpha_that_it_may_fail_with(build: Any) -> None:
    gates = [
        *_gates(build, "require", 0.9, 0.9),
        *_gates(build, "guard", *[0.9] * 5),
        *_gates(build, "report", 0.9),
    ]
    shares = [result.reject_weight for result in weigh_fails(gates)]
    assert shares == [0.0125] * 2 + [0.005] * 5 + [None]


def test_the_halves_do_not_take_from_each_other(build: Any) -> None:
    gates = [*_gates(build, "require", 0.02), *_gates(build, "guard", *[0.9] * 30)]
    assert _failed(weigh_fails(gates)) == ["require-0"]


def test_holm_steps_down_within_a_half(build: Any) -> None:
    assert _failed(weigh_fails(_gates(build, "guard", 0.006, 0.012, 0.9))) == ["guard-0", "guard-1"]
    assert _failed(weigh_fails(_gates(build, "guard", 0.009, 0.012, 0.9))) == []


def test_a_gate_that_could_not_be_tested_keeps_its_share(build: Any) -> None:
    assert _failed(weigh_fails(_gates(build, "require", 0.02))) == ["require-0"]
    assert _failed(weigh_fails(_gates(build, "require", 0.02, None))) == []


def test_a_report_gate_takes_no_share_and_fails_for_the_eye_only(build: Any) -> None:
    gates = [*_gates(build, "require", 0.02), *_gates(build, "report", 0.04, 0.06)]
    assert _failed(weigh_fails(gates)) == ["require-0", "report-0"]


def test_zero_tolerance_takes_no_share_and_stays_as_it_is(build: Any) -> None:
    zero = build.result("require", "fail", form="violations", p_fail=0.0, message="2 of 80 violate")
    weighed = weigh_fails([zero, *_gates(build, "require", 0.02)])
    assert weighed[0] == zero
    assert _failed(weighed[1:]) == ["require-0"]


@pytest.mark.parametrize(("ended", "names"), [(False, []), (True, ["require-0"])])
def test_a_gate_that_crossed_no_look_fails_only_where_something_else_ended_the_run(
    build: Any, ended: bool, names: list[str]
) -> None:
    gates = _gates(build, "require", 0.0004, 0.5)
    crossed = {gate.id: False for gate in gates}
    assert _failed(weigh_fails(gates, crossed, ended=ended)) == names


def test_a_pass_never_becomes_a_fail(build: Any) -> None:
    (result,) = weigh_fails([build.result("require", "pass", p_pass=0.0, p_fail=0.0)])
    assert result.result == "pass"


def test_a_fail_says_so_and_asks_for_no_cases(build: Any) -> None:
    gate = build.result(result="hold", p_pass=1.0, p_fail=0.0042, needed=30, n=50, message="-9.0 points")
    (result,) = weigh_fails([gate])
    assert result.message == "requirement proven broken (p = 0.0042): -9.0 points"
    assert result.needed is None


@pytest.mark.parametrize(
    ("needed", "units", "words"),
    [
        (1, 500, "1 more case (501 in all) would decide"),
        (340, 500, "340 more cases (840 in all) would decide"),
        (340, 50, "340 more cases (840 in all) in about 34 new clusters would decide"),
    ],
)
def test_a_hold_names_the_further_cases_and_the_total(
    build: Any, needed: int, units: int, words: str
) -> None:
    gate = build.result(
        result="hold", p_pass=0.2, p_fail=0.8, needed=needed, n=500, units=units, message="-0.4 points"
    )
    assert weigh_fails([gate])[0].message == f"-0.4 points: {words}"


@pytest.mark.parametrize(
    ("needed", "n", "words"),
    [
        (100_000, 2_000, "100,000 more cases (102,000 in all) would decide"),
        (
            100_001,
            2_001,
            "widen its margin or give it another role (guard, report); "
            "more cases will not decide it in practice (it would take 100,001 more cases, 102,002 in all)",
        ),
        (
            2_001,
            40,
            "widen its margin or give it another role (guard, report); "
            "more cases will not decide it in practice (it would take 2,001 more cases, 2,041 in all)",
        ),
    ],
)
def test_a_number_that_nobody_could_write_comes_after_the_remedy(
    build: Any, needed: int, n: int, words: str
) -> None:
    gate = build.result(
        result="hold", p_pass=0.2, p_fail=0.8, needed=needed, n=n, units=n, message="-0.4 points"
    )
    (result,) = weigh_fails([gate])
    assert result.message == f"-0.4 points: {words}"
    assert result.needed == needed
