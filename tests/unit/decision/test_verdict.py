"""The verdict in words: what its reason and its next step name (the truth table is in its own file)."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.verdict import Findings, decide
from relgate.domain.verdict import CriticalMiss


def _miss(misses: int, trials: int, confirmed: bool) -> CriticalMiss:
    return CriticalMiss("s", "c7", misses, trials, confirmed, f"critical case c7 missed {misses} of {trials}")


MISSED = (_miss(2, 3, True),)


def test_the_reason_names_require_gates_then_zero_tolerance_then_critical_cases_then_guards(
    build: Any,
) -> None:
    guard = build.result("guard", "fail", message="the guard's numbers")
    critical = MISSED
    zero = build.result("require", "fail", form="violations", id="gates::s[zero]", message="2 of 80 violate")
    require = build.result("require", "fail", message="-9.0 points")
    gates: list[Any] = [guard, zero, require]
    order = []
    for _ in range(4):
        reason = decide(Findings(gates=gates, critical=critical)).reason
        order.append(reason)
        if require in gates:
            gates.remove(require)
        elif zero in gates:
            gates.remove(zero)
        else:
            critical = ()
    assert order == [
        "s[require] failed: -9.0 points (and 3 more reasons)",
        "s[zero] failed: 2 of 80 violate (and 2 more reasons)",
        "s: critical case c7 missed 2 of 3 (and 1 more reason)",
        "s[guard] failed: the guard's numbers",
    ]


def test_a_reject_points_at_the_suspects_first(build: Any) -> None:
    findings = Findings(gates=[build.result("require", "fail")], suspects=("prompt/support_answer",))
    assert decide(findings).next_step.startswith("look first at prompt/support_answer;")


def test_a_hold_names_the_largest_number_of_further_cases_per_suite(build: Any) -> None:
    gates = [
        build.result(result="hold", needed=12),
        build.result(result="hold", needed=340),
        build.result(result="hold", needed=1, suite="t"),
    ]
    step = decide(Findings(gates=gates)).next_step
    assert step == "add 340 cases to s and add 1 case to t, then run again"


def test_clusters_that_zero_tolerance_lacks_are_called_clusters(build: Any) -> None:
    zero = build.result(result="hold", form="violations", needed=49, n=100, units=10)
    assert decide(Findings(gates=[zero])).next_step == (
        "add 49 clusters (about 490 cases, as large as now) to s, then run again"
    )


def test_a_proven_worse_gate_asks_for_no_more_cases(build: Any) -> None:
    worse = build.result(result="hold", proven_worse=True, message="proven worse (p = 0.004): -3.0 points")
    verdict = decide(Findings(gates=[worse, build.result(result="hold", needed=40)]))
    assert verdict.reason == "s[require] is proven worse (p = 0.004): -3.0 points (and 1 more reason)"
    assert "add" not in verdict.next_step


def test_a_partial_run_says_what_it_already_saw(build: Any) -> None:
    findings = Findings(gates=[build.result(result="partial")], critical=MISSED, partial=True)
    verdict = decide(findings)
    assert verdict.reason == (
        "only a part of the cases was measured; already seen: s: critical case c7 missed 2 of 3"
    )
    assert (verdict.decision, verdict.partial) == ("hold", True)


def test_a_promote_counts_what_regressed_within_its_margin(build: Any) -> None:
    gates = [build.result(), build.result(regressed_within_margin=True)]
    assert decide(Findings(gates=gates)).reason == "both required gates pass; 1 regressed within margin"


@pytest.mark.parametrize("attempt", [1, 2, 5])
def test_the_verdict_carries_its_attempt(build: Any, attempt: int) -> None:
    assert decide(Findings(gates=[build.result()], attempt=attempt)).attempts == attempt


def test_the_next_step_is_the_remedy_where_no_practical_number_of_cases_decides(build: Any) -> None:
    near = build.result("require", "hold", needed=340, n=100, id="gates::s[near]")
    far = build.result("require", "hold", needed=900_000, n=100, id="gates::s[far]")
    verdict = decide(Findings(gates=[near, far]))
    assert verdict.next_step == (
        "change s[far]: widen its margin or give it another role (guard, report); "
        "more cases will not decide it in practice"
    )


@pytest.mark.parametrize(("ranked", "says"), [(True, True), (False, False)])
def test_a_reject_says_what_the_order_of_its_suspects_means_where_they_are_not_tied(
    build: Any, ranked: bool, says: bool
) -> None:
    failed = build.result("require", "fail", p_fail=0.001)
    found = Findings(gates=[failed], suspects=("prompt/a", "reranker/b"), ranked=ranked)
    step = decide(found).next_step
    assert step.startswith("look first at prompt/a, reranker/b")
    assert ("(first what the most failing and the fewest other suites reach)" in step) == says


def test_a_candidate_that_mostly_failed_is_the_first_reason_and_the_next_step(build: Any) -> None:
    words = "the candidate's application failed in 3 of 5 cases"
    for result in ("fail", "hold"):
        verdict = decide(Findings(gates=[build.result("require", result)], broken=words))
        assert verdict.reason.startswith(f"{words}; ")
        assert verdict.next_step == f"see why {words}: the notes have its first message"
    kept = decide(Findings(gates=[build.result("require", "pass")], broken=words))
    assert (kept.decision, kept.reason) == ("hold", words), (
        "it may be no worse than a baseline that fails as well"
    )
