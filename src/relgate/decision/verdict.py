"""The verdict of a run, from gates, alarms and critical cases alone (verdict.md 1 and 3, design 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from relgate.decision.anchor import AnchorResult
from relgate.decision.outcomes import CONFIRMING_TRIALS
from relgate.decision.planning.next_step import SuitePrice, cheapest_step, gate_name, reject_step
from relgate.decision.wording import count
from relgate.domain.gate import GateResult
from relgate.domain.verdict import Alarm, CriticalMiss, Verdict

_ALARM_STEP = (
    "see which cases fell: `relgate show RUN --full` lists them, `relgate show RUN CASE` shows one; "
    "mend what fell, or add cases like them"
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Calls that a budget ended before the verdict was certain.

    Attributes:
        reason: the limit, and what was not measured.
        step: what to do, with what it would cost.
    """

    reason: str
    step: str


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that decides.

    Attributes:
        gates: every gate's result after weighing.
        alarms: raised alarms.
        critical: critical misses.
        partial: whether only a part of the cases was measured.
        suspects: changed artifacts that a failing suite's route reaches, ``kind/name``, likeliest first.
        ranked: whether the order of the suspects says something; False where all are tied.
        attempt: which attempt this is.
        unmeasured: what was not measured, one sentence each (``unmeasured_suites``); it holds.
        recorded: whether the candidate's answers come from a recording.
        known_holds: what holds whatever the gates say and was known before the first call (cases that are
            gone, a stale baseline), each with its next step.
        anchors: gates held against their anchor.
        prices: per suite what the next run costs, for the next step of a hold.
        outgrown: required gates that passed and cannot pass a further attempt on as few cases, with the cases
            that they need then.
        stopped: what a budget left unmeasured.
        tuned: whether cases that prove the promote were shown since the baseline was set.
        weakened: required gates that are gone or loosened since the baseline's run, one sentence each.
        seen: what counts whatever the run's own verdict is: of a part of a suite's cases an incident that is
            back or a violation, of any run answers that are worse or others than the candidate gave before.
        broken: that the candidate's application mostly failed, the reason before all others; "" else. It is
            never promoted then.
        ended_early: whether calls ended for a reject before every gate was judged.
    """

    gates: Sequence[GateResult]
    alarms: Sequence[Alarm] = ()
    critical: Sequence[CriticalMiss] = ()
    partial: bool = False
    suspects: Sequence[str] = ()
    ranked: bool = False
    attempt: int = 1
    unmeasured: Sequence[str] = ()
    recorded: bool = False
    known_holds: Sequence[tuple[str, str]] = ()
    anchors: Sequence[AnchorResult] = ()
    prices: Mapping[str, SuitePrice] = field(default_factory=dict)
    outgrown: Sequence[GateResult] = ()
    ended_early: bool = False
    stopped: Stopped | None = None
    tuned: bool = False
    weakened: Sequence[str] = ()
    seen: Sequence[str] = ()
    broken: str = ""


def decide(findings: Findings) -> Verdict:
    """Reject, else hold, else promote.

    Reject: a require or guard gate fails at its weight, a zero-tolerance violation, a confirmed critical
    miss. Hold: an application that mostly failed, a partial run, a require gate that did not pass or erred,
    something that was not measured, an alarm, creep against the anchor, an unconfirmed critical miss, or no
    require gate at all. A partial run never promotes and never rejects: what it found stands in its reason.
    """
    verdict = _decided(findings)
    if findings.broken:
        step = f"see why {findings.broken}: the notes have its first message"
        if verdict.decision == "promote":
            verdict = Verdict("hold", findings.broken, step)
        else:
            verdict = replace(verdict, reason=f"{findings.broken}; {verdict.reason}", next_step=step)
    seen = verdict.seen if findings.partial else tuple(findings.seen)
    return replace(verdict, attempts=findings.attempt, lacking=_lacking(findings), seen=seen)


def _lacking(findings: Findings) -> bool:
    """Whether an outage, or a scorer that failed, left something unmeasured that the verdict needs."""
    errors = any(g.result == "error" and g.role == "require" for g in findings.gates)
    return errors or bool(findings.unmeasured)


def _decided(findings: Findings) -> Verdict:
    rejecting = _rejecting(findings)
    if findings.partial:
        stopped = findings.stopped
        reason = stopped.reason if stopped else "only a part of the cases was measured"
        step = stopped.step if stopped else "run all cases of every suite"
        if seen := (*rejecting, *findings.seen):
            reason += f"; already seen: {_listed(seen)}"
        return Verdict("hold", reason, step, partial=True, seen=seen)
    if rejecting:
        step = reject_step(
            findings.suspects,
            ranked=findings.ranked,
            ended_early=findings.ended_early,
            by_answers=_by_answers(findings),
        )
        others = tuple(f"it would hold: {reason}" for reason, _ in findings.known_holds)
        return Verdict("reject", _listed(rejecting), step, others=others)
    holding = _holding(findings)
    if holding:
        reasons, steps = zip(*holding, strict=True)
        worse = dict(_proven_worse(findings))
        untold = {*(reason for reason, _ in findings.known_holds), *findings.unmeasured, *worse}
        others = tuple(reason for reason in reasons[1:] if reason in untold)
        step = steps[0]
        if worse and reasons[0] not in worse:  # a waiver of the first reason would let it through
            step += f"; and {next(iter(worse.values()))}"
        return Verdict("hold", _listed(reasons), step, others=others)
    passed = sum(g.role == "require" for g in findings.gates)
    within = sum(g.regressed_within_margin for g in findings.gates)
    reason = {1: "the required gate passes", 2: "both required gates pass"}.get(
        passed, f"all {passed} required gates pass"
    )
    if within:
        reason += f"; {within} regressed within margin"
    if findings.weakened:
        reason += f"; since the baseline's run {_listed(findings.weakened, 'such change')}"
    if findings.tuned:
        reason += "; a promote on a tuned set"
    return Verdict("promote", reason, "relgate promote", tuned=findings.tuned)


def _rejecting(findings: Findings) -> list[str]:
    """What rejects: failing require gates first, then zero tolerance, critical cases and guards."""
    failed = [g for g in findings.gates if g.result == "fail" and g.role != "report"]
    required = [g for g in failed if g.role == "require" and g.form != "violations"]
    zero = [g for g in failed if g.form == "violations"]
    guards = [g for g in failed if g.role == "guard" and g.form != "violations"]
    critical = [f"{miss.suite}: {miss.message}" for miss in findings.critical if miss.confirmed]
    return [*map(_failed, required), *map(_failed, zero), *critical, *map(_failed, guards)]


def _by_answers(findings: Findings) -> bool:
    """Whether a score of what was answered rejects."""
    failed = [g for g in findings.gates if g.result == "fail" and g.role != "report"]
    measured = (g.form == "ratio_at_most" or g.quantile is not None for g in failed)
    return any(miss.confirmed for miss in findings.critical) or not all(measured)


def _failed(gate: GateResult) -> str:
    return f"{gate_name(gate)} failed: {gate.message}"


def _proven_worse(findings: Findings) -> list[tuple[str, str]]:
    return [
        (f"{gate_name(g)} is {g.message}", f"fix what got worse; {g.outlook}")
        for g in findings.gates
        if g.role == "require" and g.result == "hold" and g.proven_worse
    ]


def _holding(findings: Findings) -> list[tuple[str, str]]:
    """Reasons to hold with their next steps, the most serious first."""
    found: list[tuple[str, str]] = []
    required = [g for g in findings.gates if g.role == "require"]
    if not required:
        found.append(
            ("no gate is required, so nothing can be proven", "give a suite a gate with role: require")
        )
    found += findings.known_holds
    found += [
        (
            f"{gate_name(g)} could not be judged: {g.message}",
            "mend what kept it from being measured and run again",
        )
        for g in required
        if g.result == "error"
    ]
    answer = (
        "record what is missing and run again"
        if findings.recorded
        else "make everything answer and run again: what was answered is kept"
    )
    found += [(reason, answer) for reason in findings.unmeasured]
    found += _proven_worse(findings)
    found += [(f"alarm: {a.suite}: {a.message}", _ALARM_STEP) for a in findings.alarms]
    found += [
        (
            f"creep: {a.gate.removeprefix('gates::')}: {a.message}",
            f"see what changed since: `relgate diff {a.release} RELEASE`; if the loss is meant, set another "
            "anchor: `relgate promote RELEASE --alias anchor`",
        )
        for a in findings.anchors
        if a.holds
    ]
    three = "record" if findings.recorded else "run"
    found += [
        (f"{miss.suite}: {miss.message}", f"{three} three trials of it, or look at its answer")
        for miss in findings.critical
        if not miss.confirmed and (miss.misses == 0 or miss.trials < CONFIRMING_TRIALS)
    ]
    undecided = [g for g in required if g.result in ("hold", "partial") and not g.proven_worse]
    step = cheapest_step([*undecided, *findings.outgrown], findings.prices) if undecided else ""
    return found + [(f"{gate_name(g)} is not proven: {g.message}", step) for g in undecided]


def _listed(texts: Sequence[str], noun: str = "reason") -> str:
    """The first in full and how many more there are."""
    more = len(texts) - 1
    return texts[0] if not more else f"{texts[0]} (and {count(more, f'more {noun}')})"
