"""Gates on a judge corrected by labels, and held where it changed: how many the run that takes more needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relgate.decision.judges.judge_trust import JudgeTrust, asking, hold_changed_judge
from relgate.decision.judges.judged import correct_judged
from relgate.decision.judges.label_needs import fresh_labels
from relgate.decision.measurements import SuiteData
from relgate.decision.policy import Gate
from relgate.domain.case import Suite
from relgate.domain.gate import GateResult
from relgate.usecases.preparing.prepare import Prepared

Trusts = dict[tuple[str, str], JudgeTrust]


def correct_gates(
    judged: Sequence[tuple[GateResult, Gate, SuiteData]], prepared: Prepared
) -> list[GateResult]:
    """The gates of one suite with what labels say of those on a judge.

    Where labels judge one of its gates, more of them are a further attempt for all.

    Args:
        judged: each gate with its result and what it judged.
        prepared: the run.
    """

    def corrected(labels_alpha: float) -> list[GateResult]:
        return [
            correct_judged(result, gate, data, next_alpha=prepared.next_alpha, labels_alpha=labels_alpha)
            for result, gate, data in judged
        ]

    found = corrected(prepared.alpha)
    later = _labels_alpha(prepared, found)
    waits = any(result.needed_labels and not result.by_labels for result in found)
    return corrected(later) if waits and later != prepared.alpha else found


def hold_changed_judges(
    results: Sequence[GateResult], prepared: Prepared, suites: Mapping[str, Suite], trusts: Trusts
) -> tuple[list[GateResult], Trusts]:
    """The results, with every gate held that a changed judge speaks for, and the judges with what they ask.

    Args:
        results: every gate.
        prepared: the run.
        suites: by name, with the labels of this run's answers.
        trusts: the judges.
    """
    gates = {plan.suite.name: plan.gates for plan in prepared.plans}
    asked = {}
    for (name, metric), trust in trusts.items():
        if trust.changed:
            mine = [result for result in results if result.suite == name]
            waiting = [r.needed_labels or 0 for r in mine if r.metric == metric and not r.by_labels]
            cases, again = fresh_labels(
                gates[name],
                suites[name],
                metric,
                _labels_alpha(prepared, mine),
                fresh=trust.fresh_needed,
                more=max(waiting, default=0),
            )
            trust = asking(trust, cases, again=again)
        asked[name, metric] = trust
    return [hold_changed_judge(result, suites[result.suite], asked) for result in results], asked


def _labels_alpha(prepared: Prepared, results: Sequence[GateResult]) -> float:
    """Promote-side alpha of the run that would judge these gates of one suite by more labels."""
    looked = any(result.by_labels or result.suite in prepared.by_labels for result in results)
    return prepared.next_alpha if looked else prepared.alpha
