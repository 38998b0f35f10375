"""How far a judge agrees with people, and whether that was measured with the judge that judges now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from relgate import stats
from relgate.decision.judged import LEAST_LABELS
from relgate.decision.measurements import SuiteData
from relgate.decision.wording import count
from relgate.domain.case import Label
from relgate.domain.digest import digest_json, short
from relgate.domain.gate import GateResult

GOOD_FROM = 0.5
"""A score from which a label or a judge says that an answer is right."""


@dataclass(frozen=True, slots=True)
class JudgeTrust:
    """One judge of one suite held against the labels of people.

    Attributes:
        suite: the suite.
        metric: what the judge reports.
        model: ``provider/model``.
        digest: of model, rubric and scale; another digest is another judge.
        label_ids: a short digest of every label line.
        by: who labelled.
        n: labelled answers that the judge scored.
        agreement: of these, both say right or both say wrong; None for n = 0.
        orders: verdicts of a judge of pairs in both orders; None for others.
        changed: what keeps the labels from speaking for this judge, "" where nothing does.
    """

    suite: str
    metric: str
    model: str
    digest: str
    label_ids: tuple[str, ...]
    by: tuple[str, ...]
    n: int
    agreement: stats.BinaryAgreement | None
    orders: stats.PositionBias | None = None
    changed: str = ""


def label_id(label: Label) -> str:
    """A short digest of a label: another case, side, score or ``by`` is another label."""
    return digest_json([label.case_id, label.side, label.score, label.by]).removeprefix("sha256:")[:12]


def trust_of(data: SuiteData, metric: str, *, model: str, digest: str) -> JudgeTrust:
    """Hold a judge's scores against the labels of the same answers.

    Args:
        data: the suite's measurements.
        metric: what the judge reports.
        model: ``provider/model``.
        digest: the judge's.
    """
    people: dict[tuple[str, str], list[float]] = defaultdict(list)
    for label in data.suite.labels:
        people[label.case_id, label.side].append(label.score)
    labels, verdicts = [], []
    for (case_id, side), scores in sorted(people.items()):
        judged = data.series("candidate" if side == "candidate" else "baseline", metric).get(case_id, ())
        if judged:
            labels.append(float(np.mean(scores)) >= GOOD_FROM)
            verdicts.append(float(np.mean(judged)) >= GOOD_FROM)
    return JudgeTrust(
        suite=data.suite.name,
        metric=metric,
        model=model,
        digest=digest,
        label_ids=tuple(sorted(map(label_id, data.suite.labels))),
        by=tuple(sorted({label.by for label in data.suite.labels})),
        n=len(labels),
        agreement=stats.binary_agreement(labels, verdicts) if labels else None,
    )


def compare_judges(now: JudgeTrust, before_digest: str, before_labels: Collection[str]) -> JudgeTrust:
    """The judge with what the last trusted use of its labels says (changed judge).

    Labels speak for the judge with which they were used. Another model, rubric or scale is another judge:
    it needs ``LEAST_LABELS`` fresh ones, lines that were not there when the other judge was trusted.

    Args:
        now: the judge as it is.
        before_digest: the judge that was last trusted in this suite.
        before_labels: the labels of that run (``label_id``).
    """
    fresh = len(set(now.label_ids) - set(before_labels))
    if now.digest == before_digest or fresh >= LEAST_LABELS:
        return now
    return replace(
        now,
        changed=(
            f"the judge of {now.metric} changed ({short(before_digest)} -> {short(now.digest)}) and its "
            f"agreement was measured with the old one: label {count(LEAST_LABELS - fresh, 'answer')} again"
        ),
    )


def hold_changed_judge(result: GateResult, trusts: Mapping[tuple[str, str], JudgeTrust]) -> GateResult:
    """A required gate on a judge that changed without fresh labels holds, whatever the judge says."""
    trust = trusts.get((result.suite, result.metric))
    if trust is None or not trust.changed or result.role != "require" or result.result == "error":
        return result
    return replace(
        result,
        result="hold",
        p_pass=None,
        p_fail=None,
        p_harm=None,
        needed=None,
        needed_trials=None,
        regressed_within_margin=False,
        proven_worse=False,
        message=trust.changed,
    )
