"""Before any call: whether each gate can pass at this n, and what would let it."""

from __future__ import annotations

from dataclasses import dataclass

from relgate import stats
from relgate.decision.evidence import EXACT_UP_TO, FEW_CLUSTERS, MIN_RATIO_UNITS, quantile_minimum
from relgate.decision.measurements import cases_in_scope
from relgate.decision.policy import ALPHA, Gate
from relgate.domain.case import Suite


@dataclass(frozen=True, slots=True)
class Feasibility:
    """Whether a gate can pass with the cases at hand.

    Attributes:
        gate: its id.
        can_pass: whether any result of a run could make it pass.
        n: cases that it judges.
        text: one line for the reader, with the remedy where it cannot pass.
    """

    gate: str
    role: str
    can_pass: bool
    n: int
    text: str


def feasibility(gate: Gate, suite: Suite, *, alpha: float, single_trial: bool) -> Feasibility:
    """Whether this gate can pass: a flawless run must be able to prove the requirement at alpha.

    Args:
        gate: the gate.
        suite: its suite.
        alpha: promote-side alpha of this attempt.
        single_trial: whether cases have one trial (the exact test can then pass on improvements alone).
    """
    spec = gate.spec
    cases = cases_in_scope(suite, gate.only or {})
    if suite.kind == "safety" and spec.metric == "over_refusal":
        cases = tuple(case for case in cases if case.tags.get("harmful") is False)
    elif suite.kind == "safety" and spec.metric == "violation":
        cases = tuple(case for case in cases if case.tags.get("harmful") is True)
    n = len(cases)
    size = f"n = {n}"
    units = n
    if suite.clustered:
        units = len({case.cluster or f"case {case.id}" for case in cases})
        size += f" in {units} clusters"

    def answer(can_pass: bool, text: str) -> Feasibility:
        return Feasibility(gate.id, spec.role, can_pass, n, f"{size}: {text}")

    if n == 0:
        return answer(False, "no case to judge; add cases")
    if suite.clustered and units < FEW_CLUSTERS and spec.form != "violations":
        return answer(False, f"cannot pass: needs {FEW_CLUSTERS} clusters, {FEW_CLUSTERS - units} more")
    match spec.form:
        case "non_inferior":
            needed = stats.n_min(spec.boundary, alpha)
            if n >= needed:
                return answer(True, f"can pass (a flawless run needs {needed})")
            if gate.metric.kind == "binary" and single_trial and not suite.clustered and n <= EXACT_UP_TO:
                return answer(
                    True,
                    f"can pass only with improvements: a run without any needs {needed}, {needed - n} more",
                )
            return answer(False, f"cannot pass: needs {needed} cases, {needed - n} more")
        case "superior":
            return answer(n >= 5, "can pass" if n >= 5 else "cannot pass: five improvements are the least")
        case "at_least" | "at_most":
            floor = spec.form == "at_least"
            margin = 1.0 - spec.boundary if floor else spec.boundary
            if margin <= 0.0 or margin >= 1.0:
                return answer(False, "cannot pass: nothing can be proven above 100 % or below 0 %")
            needed = stats.n_min(margin, alpha)
            if n >= needed:
                return answer(True, f"can pass (a flawless run needs {needed})")
            return answer(False, f"cannot pass: even a flawless run needs {needed} cases, {needed - n} more")
        case "violations":
            if spec.rate_at_most is None:
                bound = stats.clopper_pearson(0, units, ALPHA).high
                return answer(True, f"can pass; a clean run proves a rate of at most {100 * bound:.2f} %")
            needed = stats.zero_violation_n(spec.rate_at_most, ALPHA)
            if units >= needed:
                return answer(True, f"can pass (a clean run needs {needed})")
            return answer(
                False, f"cannot pass: a clean run needs {needed} independent cases, {needed - units} more"
            )
        case _:
            needed = quantile_minimum(spec.quantile) if spec.quantile is not None else MIN_RATIO_UNITS
            if n >= needed:
                return answer(True, f"can pass (needs {needed})")
            return answer(False, f"cannot pass: needs {needed} cases, {needed - n} more")
