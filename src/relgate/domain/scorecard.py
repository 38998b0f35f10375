"""scorecard.json: the one document that the terminal, Markdown, JSON and the registry show and keep.

Its JSON Schema is published by ``relgate schema``. The same recorded inputs give the same bytes, run id,
times and durations apart.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from relgate.domain.gate import GateForm, GateOutcome, Role
from relgate.domain.verdict import Decision


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class WaiverPart(_Part):
    """A promotion against the verdict, with who said why."""

    release: str
    version: str
    reason: str
    at: str
    by: str = ""


class VerdictPart(_Part):
    """The decision first."""

    decision: Decision
    reason: str
    next_step: str = Field(
        description="RUN, CASE and RELEASE in its commands stand for this run, a case of it and its release"
    )
    partial: bool
    attempts: int
    waivers: list[WaiverPart] = []
    screen: bool = Field(default=False, description="a screen: nothing may be promoted from it")
    clear: bool = Field(
        default=False,
        description="a screen that found nothing: the decision is hold because a screen promotes nothing, "
        "and the exit status is 0",
    )
    tuned: bool = Field(default=False, description="a promote on cases that were shown before: a tuned set")
    lacking: bool = Field(
        default=False,
        description="something that the verdict needs was not measured, so the run is no attempt",
    )
    others: list[str] = Field(
        default=[], description="reasons of a hold beside the first one that nothing below tells"
    )
    seen: list[str] = Field(
        default=[],
        description="what would reject in a part of the cases; answers that are worse or others",
    )


class ReleasePart(_Part):
    """Which release."""

    name: str
    version: str
    digest: str


class PolicyPart(_Part):
    """All gates with alpha, margins and roles, digested before the first call."""

    digest: str
    alpha: float = Field(description="one-sided error of the promote side for this attempt")


class ChangePart(_Part):
    """One artifact that differs between baseline and candidate."""

    kind: str
    name: str
    from_: str | None = Field(alias="from", description="version@digest in the baseline, null when it is new")
    to: str | None = Field(description="version@digest in the candidate, null when it is gone")
    reached_by: list[str] = Field(description="suites whose route reaches it")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class LookPart(_Part):
    """One test of a gate before or at the end of its cases (early stop)."""

    look: int = Field(description="which of ten")
    n: int
    fraction: float = Field(description="share of the gate's own units")
    p: float = Field(description="evidence that the requirement is met")
    level: float = Field(
        description="what p may be at most to pass at this look; 0 where too few cases to pass had run"
    )
    p_fail: float
    fail_level: float = Field(description="what p_fail may be at most to fail at this look")


class GatePart(_Part):
    """One gate with its numbers."""

    id: str
    suite: str
    metric: str
    slice: str
    role: Role
    form: GateForm
    quantile: float | None = Field(default=None, description="judged instead of the mean")
    result: GateOutcome
    estimate: float | None
    lower: float | None = Field(description="one-sided lower bound at alpha")
    upper: float | None = Field(description="one-sided upper bound at alpha")
    boundary: float | None
    p: float | None = Field(description="evidence that the requirement is met")
    p_fail: float | None = Field(description="evidence that the requirement is broken")
    p_harm: float | None = Field(default=None, description="evidence of harm: worse than the baseline at all")
    regressed_within_margin: bool = Field(default=False, description="passes, and harm has p <= .05")
    proven_worse: bool = Field(default=False, description="does not pass, and harm has p <= .05")
    identical: bool = Field(default=False, description="one system on both sides: passes at any n")
    alpha: float
    reject_weight: float | None = Field(
        default=None, description="its share of alpha to fail with, before Holm; null where it takes none"
    )
    guard_clear: bool | None = Field(
        default=None,
        description="of a guard that was looked at: whether its estimate lets its suite end early",
    )
    n: int
    units: int
    method: str
    message: str
    looks: list[LookPart] = Field(default=[], description="tests at looks; empty without early stop")


class AlarmPart(_Part):
    """Proven harm that turns a promote into a hold."""

    suite: str
    metric: str
    slice: str
    estimate: float
    n: int
    p: float
    message: str


class CriticalPart(_Part):
    """A critical case that was missed."""

    suite: str
    case_id: str
    misses: int
    trials: int
    confirmed: bool
    message: str


class MetricPart(_Part):
    """One metric of a suite, overall (slice "") or in a slice such as ``area=orders`` or ``hop=a/b``."""

    metric: str
    slice: str
    candidate: float | None
    baseline: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    n: int
    kind: str = Field(default="", description="binary, unit, latency, cost or count")


class JudgePart(_Part):
    """A judge held against the labels of people; null where there is nothing to compute it from."""

    suite: str
    metric: str
    model: str = Field(description="provider/model")
    digest: str = Field(description="of model, rubric and scale: another digest is another judge")
    labels: int
    of_other_answers: int = Field(default=0, description="labels of answers that neither side gave")
    bound: dict[str, str] = Field(
        default={}, description="digest of the answer that a label without one was first used with"
    )
    label_ids: list[str] = Field(description="a short digest per label, to know fresh ones")
    by: list[str]
    n: int = Field(description="labelled answers that the judge scored")
    agreement: float | None = Field(description="share of these on which both agree")
    kappa: float | None
    lower: float | None = Field(description="one-sided bounds of kappa at .05")
    upper: float | None
    sensitivity: float | None
    specificity: float | None
    pairs: int = Field(description="pairs asked in both orders")
    consistency: float | None = Field(description="share of these with the same verdict in both")
    position_bias: float | None = Field(description="above 0 favours what is shown first")
    changed: str = Field(description="why the labels do not speak for this judge; empty where they do")


class AnchorPart(_Part):
    """A required non-inferiority gate held against the anchor, from stored scores (creep)."""

    gate: str
    suite: str
    metric: str
    release: str = Field(description="name@version of the anchor")
    run: str = Field(description="whose stored scores they are")
    by_hand: bool = Field(description="set by hand; else the best of the last twelve in production")
    estimate: float = Field(description="candidate minus anchor")
    p: float = Field(description="evidence of harm against 0")
    n: int
    margin: float
    holds: bool = Field(description="p <= .05 and the estimate below -margin")
    message: str


class UnchangedPart(_Part):
    """How many outputs of a suite's traffic sample changed."""

    suite: str
    n: int = Field(description="independent inputs that both releases were asked once")
    changed: int = Field(description="of these, whose output changed or was not measured")
    unmeasured: int
    upper: float = Field(description="upper bound of the share that changes, one-sided at alpha")
    changed_ids: list[str] = Field(description="the first lines whose output changed")
    passed: list[str] = Field(description="gates that it let pass")
    digest: str = Field(default="", description="of the lines of the sample")


class SuitePart(_Part):
    """One suite."""

    suite: str
    kind: str
    digest: str
    cases: int
    trials: int
    metrics: list[MetricPart]
    notes: list[str] = []


class CasesPart(_Part):
    """What became of the cases."""

    hit: int
    miss: int
    regressed: int
    fixed: int
    failed: int
    not_run: int
    sealed: int = Field(default=0, description="measured, but shown in aggregates only")


class WorstPart(_Part):
    """One of the worst cases, with both answers (redacted): those that fell or came back, or missed."""

    suite: str
    case_id: str
    input: str
    expected: str
    candidate: str
    baseline: str
    difference: float
    metrics: dict[str, float] = Field(
        description="candidate minus baseline per metric that fell; minus the best score without a baseline, "
        "and of a regression case that came back and did not fall (its difference is 0)"
    )


class CallsPart(_Part):
    """Calls to the application, and to judges beside them."""

    planned: int
    made: int
    reused: int
    reused_since: str | None = Field(default=None, description="when the oldest reused one was answered")
    saved: int
    usd: float | None = Field(
        default=None, description="what the calls made cost, whatever they were used for; null where unknown"
    )
    unanswered: int = Field(
        default=0, description="of the calls made, those that got no answer, or were not sent in the end"
    )
    judge: int = Field(default=0, description="calls to judges, in none of the other numbers")
    judge_usd: float | None = Field(default=None, description="what they cost; null where unknown")


class CostPart(_Part):
    """Money, where prices or costs are known."""

    candidate_usd: float | None
    baseline_usd: float | None
    total_usd: float | None


class RunPart(_Part):
    """What is needed to find and repeat the run."""

    id: str
    started: str
    finished: str
    seed: int
    baseline_given: str = Field(default="", description="--baseline, empty where it was not given")
    versions: dict[str, str]
    backends: dict[str, dict[str, list[str]]] = Field(
        default={}, description="what providers called the systems that answered, by side and target"
    )
    redacted: dict[str, int] = Field(default={}, description="what was replaced, by type and count")


class UntouchedPart(_Part):
    """A suite that nothing changed can reach, and what its sentinels said."""

    suite: str
    sentinels: int = Field(description="cases that both sides answered; 0 where they differ")
    agreed: bool = Field(description="its relative gates are identical; else it ran in full, and holds")


class StoredBaselinePart(_Part):
    """A baseline that was not asked: the scores of an earlier run stand for it."""

    run: str
    stale: list[str] = Field(description="why it decides no promote; empty where it may")
    fingerprint: str = Field(description="what asking it a few cases once more said; empty where nobody was")


class Scorecard(_Part):
    """The scorecard of one run."""

    schema_: Literal["relgate/scorecard/1"] = Field(default="relgate/scorecard/1", alias="schema")
    verdict: VerdictPart
    release: ReleasePart
    baseline: ReleasePart | None
    gate_policy: PolicyPart
    changed: list[ChangePart]
    suspects: list[str]
    gates: list[GatePart]
    alarms: list[AlarmPart]
    critical: list[CriticalPart]
    suites: list[SuitePart]
    cases: CasesPart
    worst: list[WorstPart]
    calls: CallsPart
    cost: CostPart
    judges: list[JudgePart] = Field(default=[], description="models that judged, held against labels")
    anchor: list[AnchorPart] = Field(default=[], description="required gates held against their anchor")
    unchanged: list[UnchangedPart] = Field(default=[], description="traffic samples")
    untouched: list[UntouchedPart] = Field(default=[], description="suites that are the same on both sides")
    stored_baseline: StoredBaselinePart | None = None
    unprotected: list[str] = Field(default=[], description="slices that are too small to watch")
    pooled: list[str] = Field(default=[], description="earlier runs whose answers count in this one")
    notes: list[str] = Field(default=[], description="what the reader must know: what is gone, what is stale")
    run: RunPart

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """The JSON value as it is written."""
        return self.model_dump(mode="json", by_alias=True)
