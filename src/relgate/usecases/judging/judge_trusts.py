"""The judges of a run held against their labels, and against the judge that was trusted before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relgate.decision.judge_trust import JudgeTrust, compare_judges, trust_of
from relgate.decision.measurements import SuiteData
from relgate.domain.scorecard import JudgePart
from relgate.stats import PositionBias
from relgate.store import Registry
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared

RUNS = 50
"""The newest runs of a line among which the last use of a judge's labels is looked for."""


@dataclass(frozen=True, slots=True)
class TrustedJudge:
    """The judge that was last trusted in a suite: its digest and the labels that spoke for it."""

    digest: str
    label_ids: tuple[str, ...]


def trusted_before(registry: Registry, prepared: Prepared) -> dict[tuple[str, str], TrustedJudge]:
    """The judge last trusted per suite and metric, from the newest whole runs of the candidate's line."""
    found: dict[tuple[str, str], TrustedJudge] = {}
    if not any(s.asked is not None for plan in prepared.plans for s in plan.scorers["candidate"]):
        return found
    for run in registry.runs(limit=RUNS, release=prepared.candidate.name):
        if run.partial:
            continue
        for part in registry.scorecard(run.id).get("judges", ()):
            key = (part["suite"], part["metric"])
            if part["label_ids"] and not part["changed"] and key not in found:
                found[key] = TrustedJudge(part["digest"], tuple(part["label_ids"]))
    return found


def judge_trusts(
    data: SuiteData, plan: SuitePlan, before: Mapping[tuple[str, str], TrustedJudge]
) -> list[JudgeTrust]:
    """Every judge of a suite, with what its labels say of it."""
    found = []
    for scorer in plan.scorers["candidate"]:
        if scorer.asked is None:
            continue
        asked = scorer.asked
        trust = trust_of(data, scorer.metric.name, model=asked.target, digest=asked.digest)
        last = before.get((data.suite.name, scorer.metric.name))
        found.append(trust if last is None else compare_judges(trust, last.digest, last.label_ids))
    return found


def judge_part(trust: JudgeTrust, orders: PositionBias | None, redact: Callable[[str], str]) -> JudgePart:
    """A judge as the scorecard shows it; what could not be computed is null, who labelled is redacted."""
    agreement = trust.agreement
    kappa = None if agreement is None else agreement.agreement.interval()
    return JudgePart(
        suite=trust.suite,
        metric=trust.metric,
        model=trust.model,
        digest=trust.digest,
        labels=len(trust.label_ids),
        label_ids=list(trust.label_ids),
        by=[redact(name) for name in trust.by],
        n=trust.n,
        agreement=None if agreement is None else agreement.agreement.observed,
        kappa=None if agreement is None else agreement.agreement.kappa,
        lower=None if kappa is None else kappa.low,
        upper=None if kappa is None else kappa.high,
        sensitivity=None if agreement is None else agreement.sensitivity,
        specificity=None if agreement is None else agreement.specificity,
        pairs=0 if orders is None else orders.n,
        consistency=None if orders is None else orders.consistency,
        position_bias=None if orders is None else orders.bias,
        changed=trust.changed,
    )
