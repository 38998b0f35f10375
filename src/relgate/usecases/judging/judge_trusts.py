"""The judges of a run held against their labels, and against the judge that was trusted before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relgate.decision.judges.judge_trust import JudgeTrust, compare_judges, fresh_cases, trust_of
from relgate.decision.judges.judged import SIDES
from relgate.decision.judges.label_needs import LEAST_LABELS, NEW_ANSWERS, fresh_labels, labels_alpha
from relgate.decision.judges.labels import answer_digest, bind, label_id, label_step
from relgate.decision.measurements import SuiteData
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement, Response
from relgate.domain.scorecard import JudgePart
from relgate.stats import PositionBias
from relgate.store import Registry
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared

RUNS = 50
"""The newest runs of a line among which uses of labels are looked for."""


@dataclass(frozen=True, slots=True)
class TrustedJudge:
    """What earlier runs say of a suite's judge.

    Attributes:
        digest: the judge that was last trusted; "" where none was.
        label_ids: the labels of every run in which a judge was trusted.
        bound: the answer that a label without one was first used with, by its id.
    """

    digest: str = ""
    label_ids: frozenset[str] = frozenset()
    bound: Mapping[str, str] = field(default_factory=dict)


def trusted_before(registry: Registry, prepared: Prepared) -> dict[tuple[str, str], TrustedJudge]:
    """What the newest whole runs of the candidate's line say of each judge, per suite and metric."""
    found: dict[tuple[str, str], TrustedJudge] = {}
    if not any(s.asked is not None for plan in prepared.plans for s in plan.scorers["candidate"]):
        return found
    for run in registry.runs(limit=RUNS, release=prepared.candidate.name):
        if run.partial:
            continue
        for part in registry.scorecard(run.id).get("judges", ()):
            key = (part["suite"], part["metric"])
            known = found.get(key, TrustedJudge())
            known = replace(known, bound={**known.bound, **part.get("bound", {})})  # the first use counts
            if part["label_ids"] and not part["changed"]:
                labels = known.label_ids | set(part["label_ids"])
                known = replace(known, digest=known.digest or part["digest"], label_ids=labels)
            found[key] = known
    return found


def changed_before(prepared: Prepared, trusted: Mapping[tuple[str, str], TrustedJudge]) -> tuple[str, ...]:
    """Judges that changed and can have too few fresh labels whatever the run answers, one sentence each.

    Args:
        prepared: the run.
        trusted: what earlier runs say of each judge, per suite and metric.
    """
    found = []
    for plan in prepared.plans:
        for scorer in plan.scorers["candidate"]:
            last = trusted.get((plan.suite.name, scorer.metric.name), TrustedJudge())
            if scorer.asked is None or last.digest in ("", scorer.asked.digest):
                continue
            fresh = sum(label_id(label) not in last.label_ids for label in plan.suite.labels)
            if len(SIDES) * fresh < LEAST_LABELS:
                cases, again = fresh_labels(
                    plan.gates,
                    plan.suite,
                    scorer.metric.name,
                    labels_alpha(
                        plan.gates,
                        plan.suite,
                        prepared.by_labels,
                        alpha=prepared.alpha,
                        next_alpha=prepared.next_alpha,
                    ),
                    fresh=fresh_cases(fresh),
                )
                found.append(
                    f"{plan.suite.name}: the judge of {scorer.metric.name} changed (model, rubric or scale) "
                    f"since labels spoke for it, so its gates will hold; "
                    f"{label_step(plan.suite.name, cases, again=again)}; {NEW_ANSWERS}"
                )
    return tuple(found)


def with_answers(
    measured: Mapping[CaseKey, Sequence[Measurement]],
    plans: Sequence[SuitePlan],
    redact: Callable[[str], str],
) -> Mapping[CaseKey, Sequence[Measurement]]:
    """Every call of a suite that has labels with the digest by which labels name its answer.

    Args:
        measured: everything measured.
        plans: the suites of the run.
        redact: what the registry does to an answer before a person reads it.
    """
    labelled = {plan.suite.name for plan in plans if plan.suite.labels}
    if not labelled:
        return measured
    return {
        key: tuple(_with_answer(row, redact) for row in rows) if key[0] in labelled else tuple(rows)
        for key, rows in measured.items()
    }


def _with_answer(row: Measurement, redact: Callable[[str], str]) -> Measurement:
    if not isinstance(row.outcome, Response):
        return replace(row, answer="") if row.outcome.kind == "application" else row
    return replace(row, answer=answer_digest(redact(row.outcome.output)))


def with_bound_labels(
    data: SuiteData, plan: SuitePlan, before: Mapping[tuple[str, str], TrustedJudge]
) -> SuiteData:
    """The suite's measurements with the answer that each label without one speaks of."""
    if not plan.suite.labels:
        return data
    remembered: dict[str, str] = {}
    for (suite, _), judge in before.items():
        if suite == plan.suite.name:
            remembered |= judge.bound
    return replace(data, bound=bind(data, remembered))


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
        last = before.get((data.suite.name, scorer.metric.name), TrustedJudge())
        found.append(compare_judges(trust, last.digest, last.label_ids) if last.digest else trust)
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
        of_other_answers=trust.of_other_answers,
        bound=dict(sorted(trust.bound.items())),
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
