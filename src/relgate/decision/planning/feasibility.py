"""Before any call: whether each gate can pass at this n, and what would let it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relgate import stats
from relgate.decision.absolute_quantile import least_cases
from relgate.decision.against_zero import FEW_DIFFER
from relgate.decision.duplicates import unit_count
from relgate.decision.evidence import FEW_CLUSTERS
from relgate.decision.judges.label_needs import labels_missing
from relgate.decision.measurements import cases_in_scope
from relgate.decision.policy import Gate
from relgate.decision.ratio_evidence import MIN_RATIO_UNITS, quantile_minimum, spending_total
from relgate.decision.sample import DISTINCT_INPUT, unit_noun
from relgate.decision.wording import count, percent
from relgate.domain.case import Case, Suite


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether a gate can pass with the cases at hand.

    Attributes:
        gate: its id.
        role: its role.
        can_pass: whether any result of a run could make it pass.
        n: cases that it judges.
        text: one line for the reader, with the remedy where it cannot pass.
    """

    gate: str
    role: str
    can_pass: bool
    n: int
    text: str


def planned_cases(gate: Gate, suite: Suite) -> Sequence[Case]:
    """The cases that a gate will judge, as far as this is known before any call."""
    cases = cases_in_scope(suite, gate.only or {})
    if suite.kind == "safety" and gate.spec.metric == "over_refusal":
        return tuple(case for case in cases if case.tags.get("harmful") is False)
    if suite.kind == "safety" and gate.spec.metric == "violation":
        return tuple(case for case in cases if case.tags.get("harmful") is True)
    return cases


def feasibility(
    gate: Gate, suite: Suite, *, alpha: float, single_trial: bool, labels_alpha: float | None = None
) -> Feasibility:
    """Whether this gate can pass: a flawless run must be able to prove the requirement at alpha.

    Args:
        gate: the gate.
        suite: its suite.
        alpha: promote-side alpha of this attempt.
        single_trial: whether every case has one trial.
        labels_alpha: alpha of the run that takes more labels of a judge; None where it is the same.
    """
    spec = gate.spec
    cases = planned_cases(gate, suite)
    n = len(cases)
    units, clustered = unit_count(suite, cases)
    noun = unit_noun(suite) if clustered else "case"
    size = f"n = {n}" + (f" in {count(units, noun)}" if clustered and n else "")
    if n == 0:
        can_pass, text = False, "no case to judge; add cases"
    elif clustered and units < FEW_CLUSTERS and spec.form != "violations":
        more = FEW_CLUSTERS - units
        can_pass, text = False, f"cannot pass: needs {count(FEW_CLUSTERS, noun)}, {more} more"
    elif spec.role == "require" and (why := labels_missing(gate, suite, alpha, labels_alpha)):
        can_pass, text = False, f"cannot pass: {why}"
    else:
        can_pass, text = _answer(gate, n, units, alpha, noun=noun, clustered=clustered, single=single_trial)
    return Feasibility(gate.id, spec.role, can_pass, n, f"{size}: {text}")


def cases_lacking(gate: Gate, suite: Suite, *, alpha: float, single_trial: bool) -> int:
    """Further cases, or units of a zero-tolerance gate, without which no flawless run passes; 0 for none."""
    cases = planned_cases(gate, suite)
    units, clustered = unit_count(suite, cases)
    have = units if gate.spec.form == "violations" else len(cases)
    return max(0, _flawless_n(gate, alpha, exact=single_trial and not clustered) - have)


def _flawless_n(gate: Gate, alpha: float, *, exact: bool) -> int:
    """Cases on which a flawless run passes; 0 where the form has no such number."""
    spec = gate.spec
    if spec.form == "non_inferior":
        return (stats.ties_n if exact else stats.n_min)(spec.boundary, alpha)
    if spec.form == "violations":
        return 0 if spec.rate_at_most is None else stats.zero_violation_n(spec.rate_at_most, alpha)
    if spec.form not in ("at_least", "at_most"):
        return 0
    if spec.quantile is not None:
        return least_cases(spec.quantile, alpha)
    room = 1.0 - spec.boundary if spec.form == "at_least" else spec.boundary
    return stats.n_min(room, alpha) if 0.0 < room < 1.0 else 0


def _answer(
    gate: Gate, n: int, units: int, alpha: float, *, noun: str, clustered: bool, single: bool
) -> tuple[bool, str]:
    spec = gate.spec
    match spec.form:
        case "non_inferior":
            needed = _flawless_n(gate, alpha, exact=single and not clustered)
            if n >= needed:
                return _enough(needed, units, noun)
            if not clustered and _improving_p(n, spec.boundary, single) <= alpha:
                return (
                    True,
                    f"can pass only with improvements; without any it needs {needed}, {needed - n} more",
                )
            return _flawless(n, needed)
        case "superior":
            # k improvements and no regression: 2^-(k + 1) by mid-p, 2^-k by Gaffke at full gains, which is
            # all that case means have until enough cases differ for Hall's t
            means = not (single or clustered)
            needed = 1
            while 0.5 ** (needed + (not means)) > alpha and not (means and needed == FEW_DIFFER):
                needed += 1
            return (True, f"can pass (needs {needed} improvements)") if n >= needed else _flawless(n, needed)
        case "at_most" if spec.quantile is not None:
            needed = _flawless_n(gate, alpha, exact=False)
            return _enough(needed, units, noun) if n >= needed else _flawless(n, needed)
        case "at_least" | "at_most":
            needed = _flawless_n(gate, alpha, exact=False)
            if not needed:
                return False, "cannot pass: nothing can be proven above 100 % or below 0 %"
            return _enough(needed, units, noun) if n >= needed else _flawless(n, needed)
        case "violations":
            rate = stats.clopper_pearson(0, units, alpha).high
            bound = f"a clean run proves a rate of at most {percent(rate, 2)}"
            if spec.rate_at_most is None:
                return True, f"can pass; {bound}"
            needed = _flawless_n(gate, alpha, exact=False)
            if units >= needed:
                return True, f"can pass; {bound}"
            independent = noun if noun == DISTINCT_INPUT else f"independent {noun}"
            return False, (
                f"cannot pass: a clean run needs {count(needed, independent)}, {needed - units} more; {bound}"
            )
        case _:
            needed = quantile_minimum(spec.quantile) if spec.quantile is not None else MIN_RATIO_UNITS
            if n < needed:
                return _short(n, needed)
            rare = ""
            if spec.quantile is None and gate.metric.kind == "count":
                rare = f"; if it is 0 at times, {spending_total(spec.boundary)} of the baseline's above 0"
            return True, f"can pass (needs {needed}{rare})"


def _enough(needed: int, units: int, noun: str) -> tuple[bool, str]:
    if units < needed:
        flat = f"a run without any difference needs {count(needed, noun)}"
        return True, f"can pass where {noun}s differ; {flat}"
    return True, f"can pass (a flawless run needs {needed})"


def _short(n: int, needed: int) -> tuple[bool, str]:
    return False, f"cannot pass: needs {needed} cases, {needed - n} more"


def _flawless(n: int, needed: int) -> tuple[bool, str]:
    return False, f"cannot pass: even a flawless run needs {needed} cases, {needed - n} more"


def _improving_p(n: int, margin: float, single: bool) -> float:
    """The p-value of a run in which every case improves: no result gives a smaller one."""
    if single:
        return stats.exact_unconditional_p(stats.PairedCounts(0, n, 0, 0), -margin, "greater")
    return stats.gaffke_p([1.0] * n, -margin, "greater", (-1.0, 1.0))
