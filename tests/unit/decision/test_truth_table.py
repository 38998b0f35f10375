"""The verdict: one table over every rule of precedence (verdict.md 1 to 5, design 4.4)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from relgate.decision.anchor import AnchorResult
from relgate.decision.screen import screen_verdict
from relgate.decision.verdict import Findings, decide
from relgate.domain.verdict import Alarm, CriticalMiss

# The first row that fits decides; * is anything. One column a source of evidence:
#   partial    only a part of the cases was measured
#   critical   a critical case: all hit, missed (2 of 3, or `never`), missed once and not confirmed,
#              missed 1 of 3, or not judged
#   zero       a required zero-tolerance gate; "shown" is one of role report
#   require    a require gate; within = regressed within margin, worse = proven worse, identical = untouched
#              suite whose relative gates pass at any n, error = no data or too many failures of the scorer
#   guard      a guard gate: it can only fail
#   report     a report gate: it decides nothing
#   alarm      proven harm in a slice, a hop or over-refusal
#   anchor     a required gate held against its anchor: crept = harm with p <= .05 and below -margin
#   away       something was not measured
#   known      what was known to hold before the first call: a stale baseline, cases that are gone
TABLE = """
partial  critical       zero      require  guard  report  alarm  anchor  away  known  verdict
yes      *              *         *        *      *       *      *       *     *      hold
no       missed         *         *        *      *       *      *       *     *      reject
no       *              violated  *        *      *       *      *       *     *      reject
no       *              *         fail     *      *       *      *       *     *      reject
no       *              *         *        fail   *       *      *       *     *      reject
no       *              *         error    *      *       *      *       *     *      hold
no       *              *         hold     *      *       *      *       *     *      hold
no       *              *         worse    *      *       *      *       *     *      hold
no       *              hold      *        *      *       *      *       *     *      hold
no       unconfirmed    *         *        *      *       *      *       *     *      hold
no       unjudged       *         *        *      *       *      *       *     *      hold
no       unjudged-once  *         *        *      *       *      *       *     *      hold
no       *              *         *        *      *       yes    *       *     *      hold
no       *              *         *        *      *       *      crept   *     *      hold
no       *              *         *        *      *       *      *       yes   *      hold
no       *              *         *        *      *       *      *       *     yes    hold
no       *              none      none     *      *       *      *       *     *      hold
no       *              shown     none     *      *       *      *       *     *      hold
no       *              *         *        *      *       *      *       *     *      promote
"""

STATES = {
    "partial": ("no", "yes"),
    "critical": ("hit", "missed", "unconfirmed", "one-of-three", "unjudged", "unjudged-once"),
    "zero": ("none", "clean", "hold", "violated", "shown"),
    "require": ("none", "pass", "identical", "within", "hold", "worse", "error", "fail"),
    "guard": ("none", "pass", "hold", "error", "fail"),
    "report": ("none", "pass", "fail", "error"),
    "alarm": ("no", "yes"),
    "anchor": ("none", "kept", "crept"),
    "away": ("no", "yes"),
    "known": ("no", "yes"),
}

ALARM = Alarm("s", "right", "topic=billing", -0.3, 20, 0.001, "slice topic=billing fell 30.0 points (n = 20)")


def _anchored(holds: bool) -> AnchorResult:
    gate = "gates::s[right:non_inferior:0.05]"
    words = "-6.1 points against the anchor desk@1.0.0"
    return AnchorResult(gate, "s", "right", "desk@1.0.0", "r", False, -0.061, 0.01, 200, 0.05, holds, words)


ANCHOR = {"none": (), "kept": (_anchored(False),), "crept": (_anchored(True),)}


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
    "identical": {"result": "pass", "identical": True, "n": 3},
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
        anchors=ANCHOR[state["anchor"]],
        partial=state["partial"] == "yes",
        unmeasured=("s: 3 of 40 cases were not measured",) if state["away"] == "yes" else (),
        known_holds=(("baseline is stale", "live re-run: 400 calls"),) if state["known"] == "yes" else (),
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


# A screen (`--screen`, verdict.md 5.1) of the same measurements. Reject rules stay; nothing is promoted.
#   harm       a non-inferiority gate that got worse: clear = p <= .02, weak = p above it, guard = a guard got
#              clearly worse, identical = of an untouched suite, shown = a report gate
#   known      not measured, not judged, an alarm, an unconfirmed critical miss, cases that are gone
SCREEN = """
partial  reject  harm       known  verdict  exit
yes      *       *          *      hold     10
no       yes     *          *      reject   1
no       *       clear      *      hold     10
no       *       guard      *      hold     10
no       *       *          yes    hold     10
no       *       *          *      hold     0
"""
SCREEN_STATES = {
    "partial": ("no", "yes"),
    "reject": ("no", "yes"),
    "harm": ("none", "clear", "weak", "guard", "identical", "shown"),
    "known": ("no", "yes"),
}
HARMED: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("require", {"p_harm": 0.5}),
    "clear": ("require", {"p_harm": 0.02}),
    "weak": ("require", {"p_harm": 0.021}),
    "guard": ("guard", {"p_harm": 0.01}),
    "identical": ("require", {"p_harm": 0.01, "identical": True}),
    "shown": ("report", {"p_harm": 0.01}),
}


@pytest.mark.parametrize("undecided", ["pass", "hold"])
def test_every_combination_of_a_screen_follows_its_table(build: Any, undecided: str) -> None:
    header, *rows = [line.split() for line in SCREEN.strip().splitlines()]
    assert header[:-2] == list(SCREEN_STATES)
    used = set()
    for values in product(*SCREEN_STATES.values()):
        state = dict(zip(SCREEN_STATES, values, strict=True))
        number = next(
            i
            for i, row in enumerate(rows)
            if all(want in ("*", have) for want, have in zip(row, values, strict=False))
        )
        used.add(number)
        role, numbers = HARMED[state["harm"]]
        gates = [
            build.result(role, undecided, **numbers),
            build.result("require", undecided, id="gates::s[b]"),
        ]
        if state["reject"] == "yes":
            gates.append(build.result("guard", "fail", id="gates::s[c]", p_fail=0.001))
        whole = decide(Findings(gates=gates, partial=state["partial"] == "yes"))
        known = ("s: 3 of 40 cases were not measured",) if state["known"] == "yes" else ()
        verdict = screen_verdict(whole, gates, known)
        want = (rows[number][-2], int(rows[number][-1]))
        assert (verdict.decision, verdict.exit_status, verdict.screen) == (*want, True), state
    assert used == set(range(len(rows)))
