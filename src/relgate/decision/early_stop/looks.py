"""Looks before the end: whether more cases of a suite are still needed (verdict.md 8, early stop).

Everything here is a pure function of the plan, the looks so far and the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relgate import stats
from relgate.decision.early_stop.look_plan import STAGES, GatePlan, SuiteLooks
from relgate.decision.evidence import Unable, is_binary, oriented
from relgate.decision.gates import evidence_of, sample_of
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import SEED
from relgate.decision.sample import Sample
from relgate.domain.gate import GateLook
from relgate.late import np, special

ENOUGH_FROM = 0.3
"""Share of a suite's cases that must have run before its calls may end for a promote."""

CLEAR_BELOW = 0.5
"""p of a ratio or a quantile below which its estimate lies inside the boundary: a guard that is clear."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one look decides.

    Attributes:
        looks: every look so far, the new ones last.
        enough: the suite's calls may end: nothing is left that could keep it from its promote.
        rejects: ids of the gates whose fail side crossed; the whole run ends.
        reason: one sentence.
    """

    looks: tuple[GateLook, ...]
    enough: bool
    rejects: tuple[str, ...]
    reason: str


def decide_look(
    plan: SuiteLooks, so_far: Sequence[GateLook], data: SuiteData, *, look: int, ran: int
) -> Decision:
    """Look at every gate once and say whether the suite goes on.

    Args:
        plan: the suite's plan of looks.
        so_far: its looks before this one.
        data: measurements of the first ``ran`` cases of the plan's order; complete cases only.
        look: which look this is.
        ran: cases that count.
    """
    taken: list[GateLook] = list(so_far)
    unclear: list[str] = []
    for planned in plan.gates:
        if planned.kind == "N":
            continue
        sample = sample_of(planned.gate, data)
        past = [one for one in taken if one.gate == planned.gate.id]
        new = look_at(planned, sample, past, look=look, alpha=plan.alpha)
        if new is not None:
            taken.append(new)
            past.append(new)
        if planned.gate.spec.role == "guard" and not guard_clear(planned, sample, past):
            unclear.append(planned.gate.id)
    return _decision(plan, tuple(taken), unclear, look=look, ran=ran)


def _decision(
    plan: SuiteLooks, looks: tuple[GateLook, ...], unclear: Sequence[str], *, look: int, ran: int
) -> Decision:
    """The rule of the end: a failing gate ends the run, a suite of passes with clear guards itself."""
    rejects = tuple(dict.fromkeys(one.gate for one in looks if one.fails))
    if rejects:
        named = ", ".join(gate.removeprefix("gates::") for gate in rejects)
        return Decision(looks, False, rejects, f"{named} failed at look {look} of {plan.suite.name}")
    passed = {one.gate for one in looks if one.passes}
    required = {g.gate.id for g in plan.gates if g.gate.spec.role == "require" and g.kind != "N"}
    open_ = sorted(required - passed)
    if open_:
        return Decision(looks, False, (), f"{len(open_)} required gates are open")
    if ran < ENOUGH_FROM * len(plan.order):
        return Decision(looks, False, (), f"less than {ENOUGH_FROM:.0%} of the cases have run")
    if unclear:
        return Decision(looks, False, (), f"guards are not clear: {', '.join(unclear)}")
    return Decision(
        looks, True, (), f"every required gate of {plan.suite.name} passed by look {look}, after {ran} cases"
    )


def look_at(
    planned: GatePlan, sample: Sample, past: Sequence[GateLook], *, look: int, alpha: float
) -> GateLook | None:
    """Test one gate at its own information fraction; None where no test is due.

    A gate with cases that were not measured or not judged is not tested early: its share of alpha is kept.
    """
    if sample.n == 0 or sample.missing:
        return None
    fraction = min(1.0, sample.unit_count / planned.units)
    unproven = fraction < 1.0 and sample.unit_count < planned.passes_from
    level = 0.0 if unproven else level_at(planned, could_pass(past), fraction, alpha)
    fail_level = level_at(planned, past, fraction, planned.weight)
    if level is None or fail_level is None or sample.unit_count < planned.minimum:
        return None
    ps = _p_values(planned, sample, level or alpha, last=fraction >= 1.0)
    if ps is None:
        return None
    p_pass, p_fail = ps
    return GateLook(
        gate=planned.gate.id,
        look=look,
        n=sample.n,
        fraction=fraction,
        p_pass=p_pass,
        level=level,
        p_fail=p_fail,
        fail_level=fail_level,
        passes=not unproven and p_pass <= level,
        fails=p_fail <= fail_level,
    )


def could_pass(past: Sequence[GateLook]) -> Sequence[GateLook]:
    """The looks that had cases enough to pass: they alone have spent alpha of the pass side."""
    return [one for one in past if one.level > 0.0]


def level_at(planned: GatePlan, past: Sequence[GateLook], fraction: float, alpha: float) -> float | None:
    """The p-value that decides at this information fraction; None where no look is due.

    Class S: the nominal level of the Hwang-Shih-DeCani bound (gamma = -2) at the fractions of the looks
    taken. Class U: what is spent from the last stage that was tested to this one (.0096, .0143, .0261 of
    .05), valid by the union bound; the share of a stage that was skipped goes to the next.
    """
    if planned.kind == "S":
        fractions = [one.fraction for one in past]
        if fractions and fraction <= fractions[-1]:
            return None
        return float(special.ndtr(-stats.group_sequential_bounds([*fractions, fraction], alpha)[-1]))
    now, before = _stage(fraction), max((_stage(one.fraction) for one in past), default=0.0)
    if now <= before:
        return None
    return stats.hsd_spent(now, alpha) - (stats.hsd_spent(before, alpha) if before else 0.0)


def _stage(fraction: float) -> float:
    return max((stage for stage in STAGES if fraction >= stage - 1e-9), default=0.0)


def _p_values(planned: GatePlan, sample: Sample, level: float, *, last: bool) -> tuple[float, float] | None:
    """Both one-sided p-values; case means take Gaffke alone before the last look."""
    gate = planned.gate
    if planned.kind == "S" and not last and not is_binary(sample, gate.metric):
        return _gaffke(planned, sample)
    found = evidence_of(gate, sample, level)
    return None if isinstance(found, Unable) else (found.p_pass, found.p_fail)


def _gaffke(planned: GatePlan, sample: Sample) -> tuple[float, float]:
    spec = planned.gate.spec
    up: stats.Alternative = "less" if spec.form == "at_most" else "greater"
    down: stats.Alternative = "greater" if spec.form == "at_most" else "less"
    if spec.form == "non_inferior":
        values, boundary, support = oriented(sample, planned.gate.metric), -spec.boundary, (-1.0, 1.0)
    else:
        values, boundary, support = sample.candidate, spec.boundary, (0.0, 1.0)
    return (
        stats.gaffke_p(values, boundary, up, support, SEED),
        stats.gaffke_p(values, boundary, down, support, SEED),
    )


def guard_clear(planned: GatePlan, sample: Sample, past: Sequence[GateLook]) -> bool:
    """Whether a guard lets its suite end: it has cases, and its estimate lies inside its boundary.

    A guard of class U must have been tested once as well; one whose cases never suffice for a test, and one
    that no case carries, protects nothing at the end of the suite either.
    """
    spec = planned.gate.spec
    if not planned.cases or not planned.testable:
        return True
    if sample.n == 0 or (planned.kind == "U" and not past):
        return False
    if spec.form == "non_inferior":
        return float(np.mean(oriented(sample, planned.gate.metric))) > -spec.boundary
    if spec.form == "ratio_at_most" or spec.quantile is not None:
        found = evidence_of(planned.gate, sample, stats.hsd_spent(STAGES[0]))
        return not isinstance(found, Unable) and found.p_pass < CLEAR_BELOW
    level = float(np.mean(sample.candidate))
    return level > spec.boundary if spec.form == "at_least" else level < spec.boundary
