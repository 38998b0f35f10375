"""The verdict of a screen, the pull-request mode: harm is looked for, nothing promoted (verdict.md 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relgate.decision.policy import Gate
from relgate.decision.wording import count
from relgate.domain.gate import GateResult
from relgate.domain.verdict import NOTHING_FOUND, SCREEN_REASON, Verdict

HARM = 0.02
"""p of harm against 0 from which a screen holds: an identical candidate is flagged .03 of the time."""

CLEAR = f"{NOTHING_FOUND}: no harm with p <= {HARM:g}, and nothing rejects or alarms"
_NEXT = "run without --screen for a verdict that can promote"


def screen_verdict(verdict: Verdict, gates: Sequence[GateResult], known: Sequence[str] = ()) -> Verdict:
    """What a screen says instead of the verdict of the same measurements.

    Reject rules stay. What was not measured, could not be judged, or was alarmed, missed or gone holds as it
    would in a whole run, and so does harm with p <= .02 on a non-inferiority gate that decides something.
    A gate that is merely not proven, or missing, is no finding: then nothing was found, the decision is hold
    because nothing may be promoted from a screen, and the exit status is 0.

    Args:
        verdict: of ``decide`` over the same measurements.
        gates: every gate's result.
        known: reasons of the verdict other than gates that are not proven.
    """
    if verdict.partial or verdict.decision == "reject":
        return replace(verdict, screen=True)
    harmed = [
        g
        for g in gates
        if g.role != "report" and g.p_harm is not None and g.p_harm <= HARM and not g.identical
    ]
    found = [*map(_worse, harmed), *known]
    if found:
        more = f" (and {count(len(found) - 1, 'more reason')})" if len(found) > 1 else ""
        step = "look at the worst cases: `relgate show RUN CASE`"
        reason = f"{SCREEN_REASON}{found[0]}{more}"
        return replace(
            Verdict("hold", reason, step, screen=True, seen=verdict.seen),
            attempts=verdict.attempts,
            lacking=verdict.lacking,
        )
    return Verdict(
        "hold", CLEAR, _NEXT, attempts=verdict.attempts, screen=True, clear=True, seen=verdict.seen
    )


def _worse(gate: GateResult) -> str:
    name = gate.id.removeprefix("gates::")
    if gate.proven_worse:
        return f"{name} got worse, {gate.message}"
    return f"{name} got worse (p = {gate.p_harm:.2g}): {gate.message}"


def on_another_day(result: GateResult, gate: Gate) -> GateResult:
    """A ratio of latencies against a stored run: times of two machines or days, so it decides nothing.

    Args:
        result: the gate on the candidate's times of now and the baseline's of then.
        gate: the gate.
    """
    if gate.metric.kind != "latency" or not gate.spec.relative or result.result == "error":
        return result
    why = "the baseline's times are those of a stored run, so a screen judges no latency by them"
    return replace(
        result.without_remedy(), result="hold", p_pass=None, p_fail=None, message=f"{result.message}; {why}"
    )
