"""Unchanged outputs (verdict.md 4): few changes prove non-inferiority, and nothing else follows from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate import stats
from relgate.decision.unchanged import METHOD, Unchanged, count_changes, lines_needed, pass_unchanged
from relgate.domain.case import Case
from relgate.domain.response import Failure, Measurement, Response, ToolCall


def _found(n: int, changed: int) -> Unchanged:
    return Unchanged("s", n, changed, 0, ())


@pytest.mark.parametrize(
    ("n", "changed", "margin", "passes"),
    [
        (59, 0, 0.05, True),
        (58, 0, 0.05, False),
        (93, 1, 0.05, True),
        (92, 1, 0.05, False),
        (124, 2, 0.05, True),
        (123, 2, 0.05, False),
        (153, 3, 0.05, True),
        (152, 3, 0.05, False),
        (149, 0, 0.02, True),
        (148, 0, 0.02, False),
    ],
)
def test_the_least_samples_of_the_study(
    build: Any, n: int, changed: int, margin: float, passes: bool
) -> None:
    gate, own = build.gate("non_inferior", margin), build.result(result="hold", p_pass=0.2, p_fail=0.8)
    result = pass_unchanged(own, gate, _found(n, changed), 0.05)
    assert (result.result, result.method == METHOD) == (("pass", True) if passes else ("hold", False))
    assert f"{changed} of {n} sampled outputs changed: at most " in result.message
    if passes:
        assert result.p_pass <= 0.05
        assert result.lower >= -margin
        assert (result.needed, result.needed_trials) == (None, None)


@pytest.mark.parametrize(("changed", "n", "total"), [(0, 30, 59), (1, 92, 93), (2, 123, 124), (3, 152, 153)])
def test_an_open_gate_names_the_lines_that_would_do(build: Any, changed: int, n: int, total: int) -> None:
    gate, own = build.gate("non_inferior", 0.05), build.result(result="hold", needed=340)
    result = pass_unchanged(own, gate, _found(n, changed), 0.05)
    assert (result.result, result.needed, result.needed_lines) == ("hold", 340, total - n)
    lines = "1 more line" if total - n == 1 else f"{total - n} more lines"
    assert result.message.endswith(f", margin 5 ({lines}, {total} in all, would prove it)")


def test_lines_are_planned_at_the_share_that_changed_and_at_the_next_alpha() -> None:
    assert lines_needed(_found(60, 1), 0.05, 0.05) == 124 - 60, "two of 124 changed is one of 62"
    assert lines_needed(_found(30, 0), 0.05, 0.0125) == stats.n_min(0.05, 0.0125) - 30
    assert lines_needed(_found(60, 3), 0.05, 0.05) is None, "no number of lines helps at the margin itself"


@pytest.mark.parametrize("own", [{"proven_worse": True}, {"p_fail": 0.03}])
def test_no_lines_are_named_where_the_cases_speak_against_it(build: Any, own: dict[str, Any]) -> None:
    result = build.result(result="hold", **own)
    assert pass_unchanged(result, build.gate("non_inferior", 0.05), _found(30, 0), 0.05).needed_lines is None


def test_a_later_attempt_needs_fewer_changes(build: Any) -> None:
    gate, own = build.gate("non_inferior", 0.05), build.result(result="hold")
    assert pass_unchanged(own, gate, _found(59, 0), 0.0125).result == "hold"


@pytest.mark.parametrize(
    "own",
    [
        {"result": "pass"},
        {"result": "fail"},
        {"result": "error"},
        {"result": "hold", "proven_worse": True},
        {"result": "hold", "p_fail": 0.03},
    ],
)
def test_it_turns_nothing_but_an_open_gate_into_a_pass(build: Any, own: dict[str, Any]) -> None:
    result = build.result(**own)
    after = pass_unchanged(result, build.gate("non_inferior", 0.05), _found(500, 0), 0.05)
    assert after.result == result.result


@pytest.mark.parametrize(
    "gate",
    [
        {"form": "superior"},
        {"form": "at_least", "boundary": 0.8},
        {"form": "non_inferior", "boundary": 0.05, "role": "guard"},
        {"form": "non_inferior", "boundary": 0.05, "only": {"lang": "de"}},
        {"form": "non_inferior", "boundary": 0.05, "against": "primary"},
    ],
)
def test_other_gates_are_left_alone(build: Any, gate: dict[str, Any]) -> None:
    own = build.result(result="hold")
    assert pass_unchanged(own, build.gate(**gate), _found(500, 0), 0.05) == own
    assert pass_unchanged(own, build.gate("non_inferior", 0.05), None, 0.05) == own


ANSWER = Response("the text", (ToolCall("refund", {"usd": 5}),))


@pytest.mark.parametrize(
    ("candidate", "baseline", "became"),
    [
        (ANSWER, ANSWER, "same"),
        (ANSWER, replace(ANSWER, output="the text \n", latency_ms=3.0, tokens=9), "same"),
        (ANSWER, replace(ANSWER, output="The text"), "changed"),
        (ANSWER, replace(ANSWER, tool_calls=()), "changed"),
        (ANSWER, replace(ANSWER, tool_calls=(ToolCall("refund", {"usd": 6}),)), "changed"),
        (ANSWER, replace(ANSWER, degraded="human_handoff"), "changed"),
        (ANSWER, Failure("application", "KeyError"), "changed"),
        (Failure("application", "KeyError"), Failure("application", "ValueError"), "same"),
        (ANSWER, Failure("outage", "refused"), "away"),
        (Failure("missing", "not recorded"), Failure("missing", "not recorded"), "away"),
        (ANSWER, None, "away"),
    ],
)
def test_what_counts_as_changed(build: Any, candidate: Any, baseline: Any, became: str) -> None:
    suite = replace(build.suite(1), traffic=(Case("t1", "hello"),))
    sides = (("candidate", candidate), ("baseline", baseline))
    rows = [Measurement(side, "s", "t1", 0, said) for side, said in sides if said is not None]
    found = count_changes(suite, {"t1": rows})
    assert (found.n, found.changed) == (1, int(became != "same"))
    assert found.unmeasured == int(became == "away")
    assert found.changed_ids == (("t1",) if became == "changed" else ())


def test_equal_inputs_are_one_unit_and_the_worst_of_them_counts(build: Any) -> None:
    traffic = (Case("t1", "Hello there"), Case("t2", "hello  THERE"), Case("t3", "bye"))
    suite = replace(build.suite(1), traffic=traffic)

    def rows(case: str, other: str) -> list[Measurement]:
        return [
            Measurement("candidate", "s", case, 0, Response("a")),
            Measurement("baseline", "s", case, 0, Response(other)),
        ]

    found = count_changes(suite, {"t1": rows("t1", "b"), "t2": rows("t2", "a"), "t3": rows("t3", "a")})
    assert (found.n, found.changed, found.changed_ids) == (2, 1, ("t1",))
    assert found.upper(0.05) == stats.clopper_pearson(1, 2, 0.05).high
