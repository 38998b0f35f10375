"""How far a judge agrees with people, and whether that was measured with the judge that judges now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from relgate import stats
from relgate.decision.changes import Change
from relgate.decision.judges.label_needs import LEAST_LABELS, judged_metrics
from relgate.decision.judges.labels import JUDGE_AGAIN, label_id, label_step, readings
from relgate.decision.measurements import SuiteData
from relgate.decision.wording import count
from relgate.domain.case import Suite
from relgate.domain.digest import short
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
        readings: per side and case whose first answer of this run is labelled its labels.
        bound: digest of the answer that a line without one was first used with, by its id.
        by: who labelled.
        n: labelled answers that the judge scored, one that both sides gave once.
        agreement: of these, both say right or both say wrong; None for n = 0.
        orders: verdicts of a judge of pairs in both orders; None for others.
        before: digest of the judge that was trusted before; "" where it is the same or there was none.
        changed: what keeps the labels from speaking for this judge, "" where nothing does.
        fresh_needed: cases that must be labelled on both sides for that reason.
        again: whether these are such as have labels already.
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
    readings: tuple[frozenset[str], ...] = ()
    bound: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    changed: str = ""
    fresh_needed: int = 0
    again: bool = True

    @property
    def of_other_answers(self) -> int:
        """Label lines of answers that neither side gave in this run."""
        return len(set(self.label_ids) - frozenset[str]().union(*self.readings))


def trust_of(data: SuiteData, metric: str, *, model: str, digest: str) -> JudgeTrust:
    """Hold a judge's scores against the labels of the very answers that it scored.

    Args:
        data: the suite's measurements.
        metric: what the judge reports.
        model: ``provider/model``.
        digest: the judge's.
    """
    read = readings(data, metric)
    pairs = {
        (case_id, one.label_ids): (one.human, one.judged)
        for (_, case_id), one in sorted(read.items())
        if one.judged is not None and one.label_ids
    }
    labels = [human >= GOOD_FROM for human, _ in pairs.values()]
    verdicts = [judged >= GOOD_FROM for _, judged in pairs.values()]
    return JudgeTrust(
        suite=data.suite.name,
        metric=metric,
        model=model,
        digest=digest,
        label_ids=tuple(sorted(map(label_id, data.suite.labels))),
        by=tuple(sorted({label.by for label in data.suite.labels})),
        n=len(pairs),
        agreement=stats.binary_agreement(labels, verdicts) if labels else None,
        readings=tuple(one.label_ids for _, one in sorted(read.items()) if one.label_ids),
        bound=data.bound,
    )


def compare_judges(now: JudgeTrust, before_digest: str, before_labels: Collection[str]) -> JudgeTrust:
    """The judge with what earlier trusted uses of labels say (changed judge).

    Labels speak for the judge with which they were used. Another model, rubric or scale is another judge:
    it needs ``LEAST_LABELS`` answers of this run with a fresh label, one that was in no run in which a judge
    was trusted before. A label is fresh only once; an answer that both sides gave counts on both.

    Args:
        now: the judge as it is.
        before_digest: the judge that was last trusted in this suite.
        before_labels: the labels of every run in which a judge was trusted (``label_id``).
    """
    known = set(before_labels)
    fresh = sum(bool(labels - known) for labels in now.readings)
    if now.digest == before_digest or fresh >= LEAST_LABELS:
        return now
    return asking(replace(now, before=before_digest), fresh_cases(fresh), again=True)


def fresh_cases(fresh: int) -> int:
    """Cases that must be labelled on both sides beside so many answers with a fresh label."""
    return (LEAST_LABELS - fresh + 1) // 2


def asking(trust: JudgeTrust, cases: int, *, again: bool) -> JudgeTrust:
    """A judge that changed with what it asks for, in numbers and in words.

    Args:
        trust: the judge.
        cases: how many must be labelled on both sides.
        again: whether these are such as have labels already.
    """
    need = f"need{'s' * (cases == 1)}"
    asked = (
        f"{count(cases, 'case')} {need} fresh labels"
        if again
        else f"{count(cases, 'more case')} {need} labels"
    )
    return replace(
        trust,
        fresh_needed=cases,
        again=again,
        changed=(
            f"the judge of {trust.metric} changed ({short(trust.before)} -> {short(trust.digest)}) and its "
            f"agreement was measured with the old one: {asked}"
        ),
    )


def untrusted_judges(
    gates: Iterable[GateResult], trusts: Iterable[JudgeTrust]
) -> tuple[tuple[str, str], ...]:
    """Why changed judges hold the run, with the next step, where no required gate says so itself.

    A guard on a judge whose labels speak for another one guards nothing.

    Args:
        gates: every gate's result, after ``hold_changed_judge``.
        trusts: the judges of the run.
    """
    gates = tuple(gates)
    found = []
    for trust in trusts:
        roles = {gate.role for gate in gates if gate.suite == trust.suite and gate.message == trust.changed}
        if trust.changed and "guard" in roles and "require" not in roles:
            found.append(
                (
                    f"{trust.suite}: {trust.changed}",
                    f"{label_step(trust.suite, trust.fresh_needed, again=trust.again)}, {JUDGE_AGAIN}",
                )
            )
    return tuple(found)


def changed_judges(trusts: Iterable[JudgeTrust]) -> tuple[Change, ...]:
    """Judges that changed without fresh labels, among what changed: they are the first to suspect."""
    return tuple(
        Change("judge", trust.metric, short(trust.before), short(trust.digest), (trust.suite,))
        for trust in trusts
        if trust.changed
    )


def hold_changed_judge(
    result: GateResult, suite: Suite, trusts: Mapping[tuple[str, str], JudgeTrust]
) -> GateResult:
    """A required gate or a guard on a judge that changed without fresh labels holds, whatever it says.

    Args:
        result: the gate.
        suite: its suite.
        trusts: the judges of the run.
    """
    judge = judged_metrics(suite).get(result.metric)
    trust = trusts.get((result.suite, judge)) if judge is not None else None
    if trust is None or not trust.changed or result.role == "report" or result.result == "error":
        return result
    return replace(
        result.without_remedy(),
        result="hold",
        p_pass=None,
        p_fail=None,
        p_harm=None,
        needed_labels=trust.fresh_needed,
        labels_again=trust.again,
        regressed_within_margin=False,
        proven_worse=False,
        message=trust.changed,
    )
