"""A look before the end: one table over every rule of when calls end (verdict.md 8, early stop)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from relgate.decision.early_stop.look_plan import SuiteLooks, plan_looks, reject_weights
from relgate.decision.early_stop.looks import Decision, decide_look
from relgate.decision.early_stop.sequential import judge_looked
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import spread_gates
from relgate.domain.gate import GateSpec
from relgate.usecases.reporting.gate_parts import gate_part


@dataclass(frozen=True)
class Row:
    """One rule; the first row that fits decides.

    Attributes:
        section: of verdict.md.
        rule: its name in docs/methodology.md ("Rules by name", test_rule_names.py).
        evidence: what each source must say; a source that it does not name is anything.
        decision: what becomes of the calls: "end" of the suite, "reject" ends the run, else they go on.
        reason: what the look says.
    """

    section: int
    rule: str
    evidence: Mapping[str, str]
    decision: str
    reason: str


# The sources of evidence:
#   require    the required gate: its fail side crossed, it passed, or neither
#   guard      a guard over one area: its fail side crossed, no case of it has run yet, its estimate lies
#              outside its boundary or inside, or no case will ever carry its tag
#   ran        a quarter of the cases, or four fifths
CASES, RAN = 400, {"quarter": 100, "most": 320}
TABLE = (
    Row(8, "end for a reject", {"require": "crossed"}, "reject", "failed at look"),
    Row(8, "end for a reject", {"guard": "crossed"}, "reject", "failed at look"),
    Row(8, "end for a promote", {"require": "open"}, "on", "1 required gates are open"),
    Row(8, "end for a promote", {"ran": "quarter"}, "on", "less than 30% of the cases have run"),
    Row(8, "guard-clear", {"guard": "outside"}, "on", "guards are not clear"),
    Row(8, "guard-clear", {"guard": "not run"}, "on", "guards are not clear"),
    Row(8, "guard-clear", {"guard": "inside"}, "end", "every required gate of s passed"),
    Row(8, "guard-clear", {"guard": "nothing"}, "end", "every required gate of s passed"),
)
STATES = {
    "require": ("crossed", "open", "passed"),
    "guard": ("crossed", "outside", "not run", "inside", "nothing"),
    "ran": tuple(RAN),
}
CLEAR = {"inside": True, "nothing": True, "outside": False, "not run": False, "crossed": False}
REQUIRED = GateSpec("right", "non_inferior", 0.15)
GUARD = GateSpec("right", "non_inferior", 0.05, role="guard", only={"area": "x"})
WRONG = {"crossed": 0.5, "open": 0.14, "passed": 0.0}
GUARDED_WRONG = {"crossed": 0.9, "outside": 0.11, "inside": 0.0}


def _look(build: Any, require: str, guard: str, ran: str) -> tuple[SuiteLooks, SuiteData, Decision]:
    """One look at a suite whose cases came out so; a tenth of them belongs to the guard."""
    areas = ["x" if i % 10 == 0 and guard != "nothing" else "y" for i in range(CASES)]
    suite = build.suite(CASES, gates=(REQUIRED, GUARD), tags={"area": areas})
    gates = spread_gates(suite, {"right": build.RIGHT}, (), has_baseline=True)
    plan = plan_looks(suite, gates, alpha=0.05, weights=reject_weights(gates), seed=3)
    assert plan is not None
    size = RAN[ran]
    chosen = set(plan.order[:size])
    cases = [c for c in suite.cases if c.id in chosen and not (guard == "not run" and c.tags["area"] == "x")]
    guarded = [c.id for c in cases if c.tags["area"] == "x"]
    rest = [c.id for c in cases if c.tags["area"] == "y"]
    wrong = {
        *guarded[: round(GUARDED_WRONG.get(guard, 0.0) * len(guarded))],
        *rest[: round(WRONG[require] * len(rest))],
    }
    data = build.data(
        [float(c.id not in wrong) for c in cases],
        [1.0] * len(cases),
        suite=replace(suite, cases=tuple(cases)),
    )
    return plan, data, decide_look(plan, (), data, look=10 * size // CASES, ran=size)


def test_every_combination_follows_the_table_of_a_look(build: Any) -> None:
    used = set()
    for values in product(*STATES.values()):
        state = dict(zip(STATES, values, strict=True))
        row = next(one for one in TABLE if all(state[k] == want for k, want in one.evidence.items()))
        used.add(id(row))
        _, _, found = _look(build, **state)
        decision = "reject" if found.rejects else "end" if found.enough else "on"
        assert (decision, row.reason in found.reason) == (row.decision, True), (state, found.reason)
    assert used == {id(row) for row in TABLE}, "a row of the table that nothing reaches protects nothing"


@pytest.mark.parametrize("guard", STATES["guard"])
def test_the_scorecard_says_of_each_guard_whether_it_is_clear(build: Any, guard: str) -> None:
    plan, data, found = _look(build, "passed", guard, "most")
    for planned in plan.gates:
        past = [one for one in found.looks if one.gate == planned.gate.id]
        part = gate_part(judge_looked(planned, data, past, alpha=0.05, whole=False), "")
        expected = CLEAR[guard] if part.role == "guard" else None
        assert part.guard_clear is expected
        assert [(one.p <= one.level, one.p_fail <= one.fail_level) for one in part.looks] == [
            (one.passes, one.fails) for one in past
        ]
