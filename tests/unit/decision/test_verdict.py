"""The verdict: one table over every rule of precedence, written from verdict.md 1 and 3 and design 4.4."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from relgate.decision.verdict import Findings, decide
from relgate.domain.verdict import Alarm, CriticalMiss

# The first row that fits decides; * is anything. One column a source of evidence:
#   partial    only a part of the cases was measured
#   critical   a critical case: all hit, missed (2 of 3, or `never`), missed once and not confirmed,
#              missed 1 of 3, or not judged
#   zero       a required zero-tolerance gate; "shown" is one of role report
#   require    a require gate; within = regressed within margin, worse = proven worse
#   guard      a guard gate
#   report     a report gate
#   alarm      proven harm in a slice, a hop or over-refusal
#   away       something was not measured
TABLE = """
partial  critical     zero      require  guard  report  alarm  away  verdict
yes      *            *         *        *      *       *      *     hold
no       missed       *         *        *      *       *      *     reject
no       *            violated  *        *      *       *      *     reject
no       *            *         fail     *      *       *      *     reject
no       *            *         *        fail   *       *      *     reject
no       *            *         error    *      *       *      *     hold
no       *            *         hold     *      *       *      *     hold
no       *            *         worse    *      *       *      *     hold
no       *            hold      *        *      *       *      *     hold
no       unconfirmed  *         *        *      *       *      *     hold
no       unjudged     *         *        *      *       *      *     hold
no       unjudged-once  *       *        *      *       *      *     hold
no       *            *         *        *      *       yes    *     hold
no       *            *         *        *      *       *      yes   hold
no       *            none      none     *      *       *      *     hold
no       *            shown     none     *      *       *      *     hold
no       *            *         *        *      *       *      *     promote
"""

STATES = {
    "partial": ("no", "yes"),
    "critical": ("hit", "missed", "unconfirmed", "one-of-three", "unjudged", "unjudged-once"),
    "zero": ("none", "clean", "hold", "violated", "shown"),
    "require": ("none", "pass", "within", "hold", "worse", "error", "fail"),
    "guard": ("none", "pass", "hold", "error", "fail"),
    "report": ("none", "pass", "hold", "error", "fail"),
    "alarm": ("no", "yes"),
    "away": ("no", "yes"),
}

ALARM = Alarm("s", "right", "topic=billing", -0.3, 20, 0.001, "slice topic=billing fell 30.0 points (n = 20)")


def _miss(misses: int, trials: int, confirmed: bool) -> CriticalMiss:
    return CriticalMiss("s", "c7", misses, trials, confirmed, f"critical case c7 missed {misses} of {trials}")


CRITICAL = {
    "hit": (),
    "missed": (_miss(2, 3, True),),
    "unconfirmed": (_miss(1, 1, False),),
    "one-of-three": (_miss(1, 3, False),),
    "unjudged": (_miss(0, 0, False),),
    "unjudged-once": (_miss(0, 4, False),),
}
REQUIRE: dict[str, dict[str, Any]] = {
    "pass": {"result": "pass"},
    "within": {"result": "pass", "regressed_within_margin": True},
    "hold": {"result": "hold", "needed": 340},
    "worse": {"result": "hold", "proven_worse": True, "p_harm": 0.004},
    "error": {"result": "error"},
    "fail": {"result": "fail", "p_fail": 0.001},
}
ZERO: dict[str, dict[str, Any]] = {
    "clean": {"result": "pass"},
    "hold": {"result": "hold", "needed": 49},
    "violated": {"result": "fail", "p_fail": 0.0},
    "shown": {"result": "fail", "p_fail": 0.0, "role": "report"},
}


def _findings(build: Any, state: dict[str, str]) -> Findings:
    gates = []
    if state["require"] != "none":
        gates.append(build.result("require", **REQUIRE[state["require"]]))
    if state["zero"] != "none":
        row = {"role": "require", **ZERO[state["zero"]]}
        gates.append(build.result(form="violations", id="gates::s[zero]", **row))
    gates += [build.result(role, state[role]) for role in ("guard", "report") if state[role] != "none"]
    return Findings(
        gates=gates,
        alarms=(ALARM,) if state["alarm"] == "yes" else (),
        critical=CRITICAL[state["critical"]],
        partial=state["partial"] == "yes",
        unmeasured=("s: 3 of 40 cases were not measured",) if state["away"] == "yes" else (),
    )


def test_every_combination_follows_the_table_of_precedence(build: Any) -> None:
    header, *rows = [line.split() for line in TABLE.strip().splitlines()]
    assert header[:-1] == list(STATES)
    wrong, used = [], set()
    for values in product(*STATES.values()):
        state = dict(zip(STATES, values, strict=True))
        number, row = next(
            (i, row)
            for i, row in enumerate(rows)
            if all(want in ("*", have) for want, have in zip(row, values, strict=False))
        )
        used.add(number)
        verdict = decide(_findings(build, state))
        if verdict.decision != row[-1] or verdict.partial != (state["partial"] == "yes"):
            wrong.append((state, verdict.decision, row[-1]))
    assert not wrong, f"{len(wrong)} combinations differ, such as {wrong[0]}"
    assert used == set(range(len(rows))), "a row of the table that nothing reaches protects nothing"


def test_the_reason_names_require_gates_then_zero_tolerance_then_critical_cases_then_guards(
    build: Any,
) -> None:
    guard = build.result("guard", "fail", message="the guard's numbers")
    critical = CRITICAL["missed"]
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
        "s[require] failed: -9.0 points (and 3 more)",
        "s[zero] failed: 2 of 80 violate (and 2 more)",
        "s: critical case c7 missed 2 of 3 (and 1 more)",
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
    assert decide(Findings(gates=[zero])).next_step == "add 49 clusters to s, then run again"


def test_a_proven_worse_gate_asks_for_no_more_cases(build: Any) -> None:
    worse = build.result(result="hold", proven_worse=True, message="proven worse (p = 0.004): -3.0 points")
    verdict = decide(Findings(gates=[worse, build.result(result="hold", needed=40)]))
    assert verdict.reason == "s[require] is proven worse (p = 0.004): -3.0 points (and 1 more)"
    assert "add" not in verdict.next_step


def test_a_partial_run_says_what_it_already_saw(build: Any) -> None:
    findings = Findings(gates=[build.result(result="partial")], critical=CRITICAL["missed"], partial=True)
    verdict = decide(findings)
    assert verdict.reason == (
        "only a part of the cases was measured; already seen: s: critical case c7 missed 2 of 3"
    )
    assert (verdict.decision, verdict.partial) == ("hold", True)


def test_a_promote_counts_what_regressed_within_its_margin(build: Any) -> None:
    gates = [build.result(), build.result(regressed_within_margin=True)]
    assert decide(Findings(gates=gates)).reason == "all 2 required gates pass; 1 regressed within margin"


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
