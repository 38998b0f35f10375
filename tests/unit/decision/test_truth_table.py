"""The verdict: one table over every rule of precedence (verdict.md 1 to 8, design 4.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from relgate.decision.alarms import raise_alarms, watch
from relgate.decision.anchor import AnchorResult
from relgate.decision.fingerprint import CASES, Asked, fingerprint
from relgate.decision.identity import disagreement, pass_identical
from relgate.decision.pairing import Pairing
from relgate.decision.policy import attempt_alpha
from relgate.decision.screen import screen_verdict
from relgate.decision.sealing import is_tuned
from relgate.decision.verdict import Findings, Stopped, decide
from relgate.decision.weighing import weigh_fails
from relgate.domain.case import CaseKey
from relgate.domain.gate import GateSpec
from relgate.domain.release import ApplicationSpec, Release
from relgate.domain.response import Failure, Measurement, Response, Side
from relgate.domain.run import AttemptKey
from relgate.domain.scorecard import CallsPart, RunPart
from relgate.domain.verdict import Alarm, CriticalMiss, Verdict
from relgate.redaction import Redactor
from relgate.usecases.judging.failed_calls import broken_baseline, broken_candidate
from relgate.usecases.judging.judge_run import Judgement, nothing_changed
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.staleness import stale_hold
from relgate.usecases.preparing.stored_baseline import StoredRun, StoredSide
from relgate.usecases.preparing.trials import TrialPlan
from relgate.usecases.preparing.untouched import SENTINELS_AGREE, UntouchedSuites
from relgate.usecases.redacting import CountingRedactor
from relgate.usecases.reporting.build_scorecard import CaseOutcomes, build_scorecard

State = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One rule. The first row that fits decides; a source of evidence that it does not name is anything.

    Attributes:
        section: of verdict.md.
        rule: its name in docs/methodology.md ("Rules by name", test_rule_names.py).
        evidence: what each source must say.
        decision: promote, hold or reject.
        reason: what the verdict's reason says, of whatever else was found.
        shown: where the scorecard shows it, and what stands there.
    """

    section: int
    rule: str
    evidence: State
    decision: str
    reason: str
    shown: Mapping[str, Any] = field(default_factory=dict)


# The sources of evidence:
#   partial    a part of the cases was measured: the run was asked for a part, or a budget ended it
#   critical   a critical case: all hit, missed (2 of 3, or `never`), missed once and not confirmed,
#              missed 1 of 3, or not judged
#   zero       a required zero-tolerance gate; "shown" is one of role report
#   require    a require gate; within = regressed within margin, worse = proven worse, identical = untouched
#              suite whose sentinels agree, so that relative gates pass at any n, unchanged = passes by a
#              traffic sample, spent = passes at .05 but not at a later attempt's alpha, lost = passed at a
#              look and fails at the end, cut = not judged because the run ended early, error = no data or a
#              scorer that fails too often, weighed = broken with p = .03, above its weight of .025
#   guard      a guard gate: it can only fail; weighed as above
#   report     a report gate: it decides nothing
#   alarm      proven harm in a slice, a hop or over-refusal
#   anchor     a required gate held against its anchor: crept = harm with p <= .05 and below -margin
#   away       something was not measured
#   known      what holds whatever the gates say: a stored baseline whose fingerprint differs, cases that are
#              gone, an untouched suite whose sentinels differ, a baseline whose application failed in half of
#              its cases; fresh = a fingerprint that passes; silent = the candidate's application failed so
#   tuned      the cases that prove a promote were shown since the baseline was set; sealed = its sealed half
#              proves it
# Weights, sentinels, fingerprints and sealed halves are judged here by the rules themselves, from p-values,
# scores, answers and suites.
PARTIAL = {"verdict.partial": True}
MISSED = {"critical.c7.confirmed": True}
UNMISSED = {"critical.c7.confirmed": False}
OPEN = {"gates.require.result": "hold", "gates.require.proven_worse": False}
TABLE = (
    Row(5, "partial run", {"partial": "part"}, "hold", "only a part of the cases was measured", PARTIAL),
    Row(5, "budget", {"partial": "budget"}, "hold", "$2 of $2 are spent; not measured: 7 of 40", PARTIAL),
    Row(3, "reject", {"require": "fail"}, "reject", "[require] failed", {"gates.require.result": "fail"}),
    Row(3, "zero tolerance", {"zero": "violated"}, "reject", "[zero] failed", {"gates.zero.result": "fail"}),
    Row(3, "confirmed critical miss", {"critical": "missed"}, "reject", "c7 missed 2 of 3", MISSED),
    Row(1, "guard", {"guard": "fail"}, "reject", "[guard] failed", {"gates.guard.result": "fail"}),
    Row(1, "require", {"zero": "none", "require": "none"}, "hold", "no gate is required", {"gates": []}),
    Row(1, "require", {"zero": "shown", "require": "none"}, "hold", "no gate is required"),
    Row(7, "stale", {"known": "stale"}, "hold", "the baseline is stale"),
    Row(1, "failed baseline", {"known": "failed"}, "hold", "so it is nothing to compare with"),
    Row(1, "failed candidate", {"known": "silent"}, "hold", "the candidate's application failed in 20 of 40"),
    Row(7, "cases gone", {"known": "gone"}, "hold", "9 of 40 cases are gone"),
    Row(4, "untouched but differs", {"known": "differs"}, "hold", "s was declared untouched but"),
    Row(1, "not judgeable", {"require": "error"}, "hold", "could not be judged",
        {"gates.require.result": "error"}),
    Row(1, "not measured", {"away": "yes"}, "hold", "3 of 40 cases were not measured"),
    Row(3, "proven worse", {"require": "worse"}, "hold", "is proven worse (p = 0.004)",
        {"gates.require.proven_worse": True, "gates.require.p_harm": 0.004}),
    Row(3, "alarm", {"alarm": "yes"}, "hold", "alarm: s: slice topic=billing fell",
        {"alarms.0.slice": "topic=billing"}),
    Row(3, "creep", {"anchor": "crept"}, "hold", "creep: s[right", {"anchor.0.holds": True}),
    Row(3, "unconfirmed critical miss", {"critical": "unconfirmed"}, "hold", "c7 missed 1 of 1", UNMISSED),
    Row(3, "unconfirmed critical miss", {"critical": "unjudged"}, "hold", "c7 missed 0 of 0", UNMISSED),
    Row(3, "unconfirmed critical miss", {"critical": "unjudged-once"}, "hold", "c7 missed 0 of 4", UNMISSED),
    Row(1, "require", {"require": "hold"}, "hold", "[require] is not proven", OPEN),
    Row(3, "reject weight", {"require": "weighed"}, "hold", "[require] is not proven",
        {"gates.require.result": "hold", "gates.require.reject_weight": 0.025}),
    Row(5, "attempts", {"require": "spent"}, "hold", "but not at the 0.0125 that attempts",
        {"gates.require.alpha": 0.0125, "gate_policy.alpha": 0.0125, "verdict.attempts": 2}),
    Row(8, "sticky pass", {"require": "lost"}, "hold", "passed at look 4 of 10", OPEN),
    Row(8, "not judged", {"require": "cut"}, "hold", "not judged", {"gates.require.result": "partial"}),
    Row(3, "zero tolerance", {"zero": "hold"}, "hold", "[zero] is not proven",
        {"gates.zero.result": "hold"}),
    Row(5, "tuned set", {"tuned": "yes"}, "promote", "; a promote on a tuned set", {"verdict.tuned": True}),
    Row(3, "regressed within margin", {"require": "within"}, "promote", "; 1 regressed within margin",
        {"gates.require.regressed_within_margin": True, "gates.require.result": "pass"}),
    Row(4, "pass (identical)", {"require": "identical"}, "promote", "pass",
        {"gates.require.identical": True, "gates.require.n": 3}),
    Row(4, "unchanged outputs", {"require": "unchanged"}, "promote", "pass",
        {"gates.require.method": "unchanged outputs"}),
    Row(3, "critical case", {"critical": "one-of-three"}, "promote", "pass", UNMISSED),
    Row(1, "guard", {"guard": "hold"}, "promote", "pass", {"gates.guard.result": "hold"}),
    Row(3, "reject weight", {"guard": "weighed"}, "promote", "pass",
        {"gates.guard.result": "hold", "gates.guard.reject_weight": 0.025}),
    Row(7, "fingerprint", {"known": "fresh"}, "promote", "pass", {"verdict.tuned": False}),
    Row(5, "sealed half", {"tuned": "sealed"}, "promote", "pass", {"verdict.tuned": False}),
    Row(1, "guard", {"guard": "error"}, "promote", "pass", {"gates.guard.result": "error"}),
    Row(1, "report", {"report": "fail"}, "promote", "pass", {"gates.report.result": "fail"}),
    Row(1, "report", {"report": "error"}, "promote", "pass", {"gates.report.result": "error"}),
    Row(1, "report", {"zero": "shown"}, "promote", "pass", {"gates.zero.role": "report"}),
    Row(3, "anchor", {"anchor": "kept"}, "promote", "pass", {"anchor.0.holds": False}),
    Row(1, "promote", {}, "promote", "pass",
        {"verdict.decision": "promote", "verdict.tuned": False, "verdict.attempts": 1, "alarms": []}),
)  # fmt: skip

STATES = {
    "partial": ("no", "part"),
    "critical": ("hit", "missed", "unconfirmed", "one-of-three", "unjudged", "unjudged-once"),
    "zero": ("none", "clean", "hold", "violated", "shown"),
    "require": ("pass", "none", "identical", "within", "hold", "worse", "error", "fail"),
    "guard": ("none", "pass", "hold", "error", "fail"),
    "report": ("none", "pass", "fail", "error"),
    "alarm": ("no", "yes"),
    "anchor": ("none", "kept", "crept"),
    "away": ("no", "yes"),
    "known": ("no", "stale"),
    "tuned": ("no", "yes"),
}
CLEAR = {source: states[0] for source, states in STATES.items()}
TWINS = {
    "partial": ("budget",),
    "require": ("unchanged", "spent", "lost", "cut", "weighed"),
    "guard": ("weighed",),
    "known": ("gone", "differs", "fresh", "failed", "silent"),
    "tuned": ("sealed",),
}
"""States that lead where another one does: beside them the others take two states each."""

ALARM = Alarm("s", "right", "topic=billing", -0.3, 20, 0.001, "slice topic=billing fell 30.0 points (n = 20)")


def _anchored(holds: bool) -> AnchorResult:
    gate = "gates::s[right:non_inferior:0.05]"
    words = "-6.1 points against the anchor desk@1.0.0"
    return AnchorResult(gate, "s", "right", "desk@1.0.0", "r", False, -0.061, 0.01, 200, 0.05, holds, words)


ANCHOR = {"none": (), "kept": (_anchored(False),), "crept": (_anchored(True),)}


def _miss(misses: int, trials: int, confirmed: bool) -> CriticalMiss:
    said = f"critical case c7 missed {misses} of {trials}"
    return CriticalMiss("s", "c7", misses, trials, confirmed, said)


CRITICAL = {
    "hit": (),
    "missed": (_miss(2, 3, True),),
    "unconfirmed": (_miss(1, 1, False),),
    "one-of-three": (_miss(1, 3, False),),
    "unjudged": (_miss(0, 0, False),),
    "unjudged-once": (_miss(0, 4, False),),
}
RELEASE = Release("desk", "1", "me", "sha256:1", Path("m.yaml"), ApplicationSpec("python", "app:build"))


def _fingerprinted(text: str) -> tuple[tuple[str, str], ...]:
    """What holds where every case of the fingerprint was answered ``yes`` three times, and this now."""
    found = fingerprint([Asked(("yes",) * 3, text)] * CASES)
    side = StoredSide(StoredRun("r", "", (), {}, callable=True), Pairing(frozenset(), (), ()), {})
    return () if found.passed else stale_hold(side, RELEASE, 400, [found.message])


def _sentinels(build: Any, flips: int) -> str:
    """Why twenty sentinels of which some flip show two systems; "" where they do not."""
    suite = build.suite(20)
    sides = [
        build.rows(side, suite, [1.0 - (i < lost) for i in range(20)], build.RIGHT)
        for side, lost in (("candidate", flips), ("baseline", 0))
    ]
    metrics = build.metrics(build.RIGHT, suite)
    return disagreement([*zip(*sides, strict=True)], metrics, deterministic=False, flip_rate=0.08)


@cache
def _known(build: Any, state: str) -> tuple[tuple[str, str], ...]:
    if state in ("stale", "fresh"):
        return _fingerprinted("no" if state == "stale" else "yes")
    if state == "gone":
        return (("9 of 40 cases are gone", "give them back"),)
    if state == "failed":
        return broken_baseline(_half_failed("baseline"))
    if state == "silent":
        return ()
    untouched = UntouchedSuites(["s"])
    if state == "differs":
        assert _sentinels(build, 6)
        untouched.differ("s", _sentinels(build, 6))
    return untouched.holds


def _half_failed(side: Side) -> dict[CaseKey, list[Measurement]]:
    """Calls of forty cases, of which the application of a side failed twenty."""
    answers = [Failure("application", "boom"), Response("yes")]
    calls = [Measurement(side, "s", f"c{i}", 0, answers[i % 2], ()) for i in range(40)]
    return {(call.suite, call.case_id): [call] for call in calls}


BROKEN = broken_candidate(_half_failed("candidate"))


@cache
def _tuned(build: Any, state: str) -> bool:
    gate = GateSpec("right", "non_inferior", 0.05)
    return is_tuned((build.suite(80, sealed=state == "sealed", gates=(gate,)),), exposed=state != "no")


STOPPED = Stopped("$2 of $2 are spent; not measured: 7 of 40 of s", "run again with a larger budget")
REQUIRE: dict[str, dict[str, Any]] = {
    "pass": {"result": "pass"},
    "unchanged": {"result": "pass", "method": "unchanged outputs"},
    "within": {"result": "pass", "regressed_within_margin": True},
    "hold": {"result": "hold", "needed": 340},
    "spent": {
        "result": "hold",
        "alpha": 0.0125,
        "message": "it passes at 0.05, but not at the 0.0125 that attempts and looks have left",
    },
    "lost": {"result": "hold", "message": "passed at look 4 of 10, but fails on everything in hand"},
    "cut": {"result": "partial", "message": "not judged: the run ended early for a reject"},
    "worse": {
        "result": "hold",
        "proven_worse": True,
        "p_harm": 0.004,
        "message": "proven worse (p = 0.004): -3.0 points",
    },
    "error": {"result": "error"},
    "weighed": {"result": "hold", "p_fail": 0.03},
    "fail": {"result": "hold", "p_fail": 0.001},
}
GUARD: dict[str, dict[str, Any]] = {
    "pass": {"result": "pass"},
    "hold": {"result": "hold"},
    "error": {"result": "error"},
    "weighed": {"result": "hold", "p_fail": 0.03},
    "fail": {"result": "hold", "p_fail": 0.001},
}
REPORT = GUARD | {"fail": {"result": "hold", "p_fail": 0.03}}
ZERO: dict[str, dict[str, Any]] = {
    "clean": {"result": "pass"},
    "hold": {"result": "hold", "needed": 49},
    "violated": {"result": "fail", "p_fail": 0.0},
    "shown": {"result": "fail", "p_fail": 0.0, "role": "report"},
}


@cache
def _gates(build: Any, require: str, zero: str, guard: str, report: str) -> tuple[Any, ...]:
    gates = []
    if require == "identical":
        assert not _sentinels(build, 1)
        gates.append(pass_identical(build.result("require", "hold", n=3), SENTINELS_AGREE))
    elif require != "none":
        gates.append(build.result("require", **REQUIRE[require]))
    if zero != "none":
        row = {"role": "require", **ZERO[zero]}
        gates.append(build.result(form="violations", id="gates::s[zero]", **row))
    if guard != "none":
        gates.append(build.result("guard", **GUARD[guard]))
    if report != "none":
        gates.append(build.result("report", **REPORT[report]))
    return weigh_fails(gates)


def _findings(build: Any, state: State) -> Findings:
    return Findings(
        gates=_gates(build, state["require"], state["zero"], state["guard"], state["report"]),
        alarms=(ALARM,) if state["alarm"] == "yes" else (),
        critical=CRITICAL[state["critical"]],
        anchors=ANCHOR[state["anchor"]],
        partial=state["partial"] != "no",
        stopped=STOPPED if state["partial"] == "budget" else None,
        unmeasured=("s: 3 of 40 cases were not measured",) if state["away"] == "yes" else (),
        known_holds=_known(build, state["known"]),
        attempt=2 if state["require"] == "spent" else 1,
        tuned=_tuned(build, state["tuned"]),
        broken=BROKEN if state["known"] == "silent" else "",
    )


def _combinations() -> Iterator[State]:
    """Every combination of the states; beside a twin the first and the last state of every other source."""
    for values in product(*STATES.values()):
        yield dict(zip(STATES, values, strict=True))
    for source, twins in TWINS.items():
        ends = {name: (states[0], states[-1]) for name, states in STATES.items()} | {source: twins}
        for values in product(*ends.values()):
            yield dict(zip(ends, values, strict=True))


def _row_of(state: State, table: tuple[Row, ...]) -> Row:
    return next(row for row in table if all(state[source] == want for source, want in row.evidence.items()))


def test_every_combination_follows_the_table_of_precedence(build: Any) -> None:
    wrong, used = [], set()
    for state in _combinations():
        row = _row_of(state, TABLE)
        used.add(id(row))
        verdict = decide(_findings(build, state))
        partial = state["partial"] != "no"
        if (verdict.decision, verdict.partial, row.reason in verdict.reason) != (row.decision, partial, True):
            wrong.append((state, verdict, row))
    assert not wrong, f"{len(wrong)} combinations differ, such as {wrong[0]}"
    assert used == {id(row) for row in TABLE}, "a row of the table that nothing reaches protects nothing"
    sections = {row.section for row in (*TABLE, *SCREEN)}
    assert sections == {1, 3, 4, 5, 7, 8}, "sections 2 and 6 are defaults and have no rule for a verdict"


def _scorecard(verdict: Verdict, findings: Findings) -> Any:
    """The document of a run that found this."""
    judgement = Judgement(
        (), frozenset(), tuple(findings.gates), tuple(findings.alarms), tuple(findings.critical), (), (), (),
        verdict, anchors=tuple(findings.anchors),
    )  # fmt: skip
    prepared = Prepared(
        candidate=RELEASE,
        baseline=None,
        plans=(),
        rows={},
        trials=TrialPlan(deterministic=True, override=None, rows={}),
        policy_digest="sha256:2",
        attempt_key=AttemptKey("desk", "", ""),
        attempt=findings.attempt,
        alpha=attempt_alpha(findings.attempt),
        judged_key="",
        stored=None,
        same_digest=False,
        left_out=(),
        feasibility=(),
        notes=(),
    )
    return build_scorecard(
        prepared,
        judgement,
        {},
        waivers=[],
        redactor=CountingRedactor(Redactor(key=b"k")),
        calls=CallsPart(planned=0, made=0, reused=0, saved=0),
        run=RunPart(id="r", started="", finished="", seed=0, versions={}),
        outcomes=CaseOutcomes(),
    ).document()


def _at(found: Any, path: str) -> Any:
    """``gates.require.result``: a list is asked by position, or by the id or case id that ends so."""
    for key in path.split("."):
        if isinstance(found, list) and not key.isdigit():
            found = next(
                one for one in found if one.get("case_id") == key or one.get("id", "").endswith(f"[{key}]")
            )
        else:
            found = found[int(key) if key.isdigit() else key]
    return found


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.section} {row.rule} {dict(row.evidence)}")
def test_a_rule_alone_decides_and_stands_in_the_scorecard(build: Any, row: Row) -> None:
    findings = _findings(build, CLEAR | dict(row.evidence))
    verdict = decide(findings)
    shown = _scorecard(verdict, findings)
    assert (shown["verdict"]["decision"], verdict.exit_status) == (
        row.decision,
        {"promote": 0, "reject": 1, "hold": 10}[row.decision],
    )
    assert row.reason in shown["verdict"]["reason"]
    assert {path: _at(shown, path) for path in row.shown} == row.shown


BESIDE = (
    Row(4, "nothing changed", {}, "promote", "nothing changed"),
    Row(3, "unprotected slice", {}, "promote", "s topic=billing (n = 14)"),
)


def test_what_stands_before_and_beside_the_table(build: Any) -> None:
    """Nothing changed (verdict.md 4) needs no finding; unprotected slices (verdict.md 3) decide nothing."""
    nothing, unwatched = BESIDE
    clear, held = nothing_changed(), nothing_changed([("the baseline is stale", "run it again")])
    assert (clear.verdict.decision, clear.verdict.reason) == (nothing.decision, nothing.reason)
    assert (held.verdict.decision, held.verdict.reason) == ("hold", "the baseline is stale")
    topics = ["billing"] * 14 + ["other"] * 26
    suite = build.suite(40, slices=("topic",), tags={"topic": topics})
    fallen = [float(topic != "billing") for topic in topics]
    data = build.data(fallen, [1.0] * 40, suite=suite)
    watched, unprotected = watch([data])
    assert unprotected == (unwatched.reason,)
    assert not [alarm for alarm in raise_alarms(watched, [data]) if alarm.slice == "topic=billing"]


# A screen (`--screen`, verdict.md 5.1) of the same measurements. Reject rules stay; nothing is promoted.
#   harm       a non-inferiority gate that got worse: clear = p <= .02, weak = p above it, guard = a guard got
#              clearly worse, identical = of an untouched suite, shown = a report gate
#   known      not measured, not judged, an alarm, an unconfirmed critical miss, cases that are gone, an
#              untouched suite that differs
FLAGGED = {"verdict.decision": "hold", "verdict.clear": False}
CLEARED = {"verdict.decision": "hold", "verdict.clear": True}
SCREEN = (
    Row(5, "screen", {"partial": "yes"}, "hold", "only a part of the cases", PARTIAL),
    Row(5, "screen", {"reject": "yes"}, "reject", "[c] failed", {"gates.c.result": "fail"}),
    Row(5, "screen", {"harm": "clear"}, "hold", "screen: s[a] got worse (p = 0.02)", FLAGGED),
    Row(5, "screen", {"harm": "guard"}, "hold", "screen: s[a] got worse (p = 0.01)", FLAGGED),
    Row(5, "screen", {"known": "yes"}, "hold", "screen: s: 3 of 40 cases were not measured", FLAGGED),
    Row(5, "clear screen", {}, "hold", "screen: nothing found", CLEARED),
)
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
    used = set()
    for values in product(*SCREEN_STATES.values()):
        state = dict(zip(SCREEN_STATES, values, strict=True))
        row = _row_of(state, SCREEN)
        used.add(id(row))
        role, numbers = HARMED[state["harm"]]
        gates = [
            build.result(role, undecided, id="gates::s[a]", **numbers),
            build.result("require", undecided, id="gates::s[b]"),
        ]
        if state["reject"] == "yes":
            gates.append(build.result("guard", "fail", id="gates::s[c]", p_fail=0.001))
        findings = Findings(gates=gates, partial=state["partial"] == "yes")
        known = ("s: 3 of 40 cases were not measured",) if state["known"] == "yes" else ()
        verdict = screen_verdict(decide(findings), gates, known)
        status = 0 if row.shown.get("verdict.clear") else {"reject": 1, "hold": 10}[row.decision]
        assert (verdict.decision, verdict.exit_status, verdict.screen) == (row.decision, status, True), state
        assert row.reason in verdict.reason, state
        shown = _scorecard(verdict, findings)
        assert shown["verdict"]["screen"]
        assert {path: _at(shown, path) for path in row.shown} == row.shown, state
    assert used == {id(row) for row in SCREEN}
