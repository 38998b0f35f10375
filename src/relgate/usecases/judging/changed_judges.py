"""Gates on a judge that changed hold, and say how many labels the run that takes them will need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from relgate.decision.judges.judge_trust import JudgeTrust, hold_changed_judge
from relgate.decision.judges.label_needs import labels_lacking
from relgate.domain.case import Suite
from relgate.domain.gate import GateResult
from relgate.usecases.preparing.prepare import Prepared


def hold_changed_judges(
    results: Iterable[GateResult],
    prepared: Prepared,
    suites: Mapping[str, Suite],
    trusts: Mapping[tuple[str, str], JudgeTrust],
) -> list[GateResult]:
    """The results, with every gate held that a changed judge speaks for.

    The run that takes fresh labels is a further attempt at a smaller alpha, at which more cases need labels.

    Args:
        results: every gate.
        prepared: the run.
        suites: by name, with the labels of this run's answers.
        trusts: the judges.
    """
    gates = {gate.id: gate for plan in prepared.plans for gate in plan.gates}
    found = []
    for result in results:
        suite, gate = suites[result.suite], gates.get(result.id)
        lacking = 0
        if gate is not None and gate.spec.form == "non_inferior" and gate.spec.role == "require":
            lacking = labels_lacking(gate, suite, prepared.next_alpha)
        found.append(hold_changed_judge(result, suite, trusts, lacking=lacking))
    return found
