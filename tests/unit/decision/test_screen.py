"""A screen's verdict: harm is flagged, what is merely not proven is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate.decision.policy import Gate
from relgate.decision.screen import CLEAR, on_another_day, screen_verdict
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.domain.verdict import Verdict

HOLD = Verdict("hold", "not proven", "add cases")


def gate(build, **more):
    return replace(build.result("require", "hold"), **more)


@pytest.mark.parametrize("verdict", [HOLD, Verdict("promote", "all pass", "relgate promote")])
def test_what_is_not_proven_or_passes_is_nothing_found(build, verdict):
    found = screen_verdict(verdict, [gate(build, p_harm=0.03)])
    assert (found.decision, found.reason, found.exit_status) == ("hold", CLEAR, 0)
    assert (found.screen, found.clear) == (True, True)


@pytest.mark.parametrize(
    ("p", "role", "flagged"),
    [(0.02, "require", True), (0.021, "require", False), (0.001, "guard", True), (0.001, "report", False)],
)
def test_harm_of_a_gate_that_decides_is_flagged_from_two_per_cent(build, p, role, flagged):
    found = screen_verdict(HOLD, [gate(build, p_harm=p, role=role)])
    assert found.exit_status == (10 if flagged else 0)
    assert ("got worse" in found.reason) is flagged


def test_what_was_known_or_alarmed_is_flagged(build):
    found = screen_verdict(HOLD, [gate(build)], ["alarm: s: slice fell", "another"])
    assert (found.exit_status, found.reason) == (10, "screen: alarm: s: slice fell (and 1 more reason)")


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict("reject", "failed", ""), 1), (Verdict("hold", "a part", "", partial=True), 10)],
)
def test_reject_rules_and_partial_runs_stay_what_they_are(build, verdict, status):
    found = screen_verdict(verdict, [])
    assert (found.decision, found.reason, found.exit_status) == (verdict.decision, verdict.reason, status)


def test_times_of_another_day_reject_no_screen(build: Any) -> None:
    gate = Gate("g", "s", GateSpec("latency_ms", "ratio_at_most", 1.5), Metric("latency_ms", "latency"))
    slow = build.result(
        metric="latency_ms", form="ratio_at_most", result="hold", p_fail=0.0001, message="x 2.1"
    )
    found = on_another_day(slow, gate)
    assert (found.result, found.p_pass, found.p_fail) == ("hold", None, None)
    assert found.message.startswith("x 2.1; the baseline's times are those of a stored run")
    limit = replace(gate, spec=replace(gate.spec, form="at_most"))
    cost = replace(gate, metric=Metric("cost_usd", "cost"))
    assert on_another_day(slow, limit) is on_another_day(slow, cost) is slow
