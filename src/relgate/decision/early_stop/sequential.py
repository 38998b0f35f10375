"""Gates of a run that was looked at: a pass is sticky, a fail has crossed its bound (verdict.md 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from relgate.decision.early_stop.look_plan import LOOKS, GatePlan, SuiteLooks
from relgate.decision.early_stop.looks import could_pass, guard_clear, level_at
from relgate.decision.gates import judge_gate, sample_of
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.wording import p_value
from relgate.domain.gate import GateLook, GateResult


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at in a run, and what became of it.

    Attributes:
        plans: per suite its plan of looks; suites that no look could shorten have none.
        looks: per suite the looks that were taken.
        enough: per suite why its remaining cases were not needed.
        ended: why the whole run ended for a reject; "" where it did not.
    """

    plans: Mapping[str, SuiteLooks] = field(default_factory=dict)
    looks: Mapping[str, tuple[GateLook, ...]] = field(default_factory=dict)
    enough: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""

    def plan_of(self, gate: Gate) -> GatePlan | None:
        """How this gate was looked at; None where it was not."""
        plan = self.plans.get(gate.suite)
        return plan.of(gate.id) if plan is not None else None

    def of(self, gate: Gate) -> tuple[GateLook, ...]:
        """The looks at one gate."""
        return tuple(one for one in self.looks.get(gate.suite, ()) if one.gate == gate.id)


def judge_looked(
    planned: GatePlan,
    data: SuiteData,
    past: Sequence[GateLook],
    *,
    alpha: float,
    whole: bool,
    next_alpha: float | None = None,
) -> GateResult:
    """Judge a gate that was looked at, on the data in hand.

    Args:
        planned: how it was looked at.
        data: the cases that ran.
        past: the looks at it so far.
        alpha: promote-side alpha of the attempt.
        whole: whether every planned case ran: then this is its last look.
        next_alpha: of the run that would judge further cases; None where it is the same.

    Returns:
        The result with all looks. A gate that passed at a look passes, unless the fixed test fails on what
        is in hand, or cases of it were not measured; then it holds.
    """
    gate = planned.gate
    passed = next((one for i, one in enumerate(past) if _passed(planned, past[:i], one, alpha)), None)
    level = alpha
    if whole:
        level = level_at(planned, could_pass(past), 1.0, alpha) or (past[-1].level if past else alpha)
    left = alpha if passed is not None else level
    # the looks of the next run will have spent as much of its alpha as those of this one
    further = left if next_alpha is None else next_alpha * left / alpha
    result = judge_gate(gate, data, alpha=left, next_alpha=further)
    if result.p_pass is not None and whole and (not past or past[-1].fraction < 1.0):
        past = (*past, _last_look(planned, past, result, level))
    clear = guard_clear(planned, sample_of(gate, data), past) if gate.spec.role == "guard" else None
    result = replace(result, looks=tuple(past), guard_clear=clear)
    crossed = any(one.fails for one in past)
    if crossed and result.result == "pass":
        return replace(result, result="hold")
    if passed is None or gate.spec.role != "require" or result.result == "error":
        return result
    if sample_of(gate, data).missing:
        return result
    return _sticky(result, passed)


def _passed(planned: GatePlan, before: Sequence[GateLook], one: GateLook, alpha: float) -> bool:
    """Whether a look passed, at the alpha that the attempt has by now: another run may have come first."""
    level = level_at(planned, could_pass(before), one.fraction, alpha)
    return one.passes and level is not None and one.p_pass <= level


def _last_look(planned: GatePlan, past: Sequence[GateLook], result: GateResult, level: float) -> GateLook:
    fail_level = level_at(planned, past, 1.0, planned.weight) or planned.weight
    assert result.p_pass is not None
    p_fail = 1.0 if result.p_fail is None else result.p_fail
    return GateLook(
        gate=result.id,
        look=LOOKS,
        n=result.n,
        fraction=1.0,
        p_pass=result.p_pass,
        level=level,
        p_fail=p_fail,
        fail_level=fail_level,
        passes=result.result == "pass" and result.p_pass <= level,
        fails=p_fail <= fail_level,
    )


def _sticky(result: GateResult, passed: GateLook) -> GateResult:
    """A pass at a look stands, unless the fixed test fails at the end."""
    seen = f"passed at look {passed.look} of {LOOKS} ({p_value(passed.p_pass)}, n = {passed.n})"
    if result.p_fail is not None and result.p_fail <= ALPHA:
        return replace(
            result,
            result="hold",
            needed=None,
            message=f"{seen}, but fails on everything in hand: {result.message}",
        )
    worse = result.regressed_within_margin or result.proven_worse
    return replace(
        result,
        result="pass",
        needed=None,
        regressed_within_margin=worse,
        proven_worse=False,
        message=f"{seen}; in hand: {result.message}",
    )


def crossed_gates(results: Sequence[GateResult], looked: Looked) -> dict[str, bool]:
    """Whether the fail side of each gate that was looked at has crossed its bound."""
    watched = {g.gate.id for plan in looked.plans.values() for g in plan.gates if g.kind != "N"}
    return {r.id: any(one.fails for one in r.looks) for r in results if r.id in watched}


def cut_short(result: GateResult, ran: int, total: int) -> GateResult:
    """A gate of a suite whose calls ended with the whole run: what was not decided is not judged."""
    passed = any(one.passes for one in result.looks)
    if not ran:
        message = f"not judged: the run ended early for a reject before any of its {total} cases"
        return replace(result, result="partial", message=message)
    if result.result in ("fail", "error") or (result.result == "pass" and passed):
        return result
    facts = f"; so far: {result.message}" if result.n else ""
    message = f"not judged: the run ended early for a reject after {ran} of {total} cases{facts}"
    return replace(result, result="partial", needed=None, proven_worse=False, message=message)
