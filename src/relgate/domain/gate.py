"""Gates: one requirement with one boundary, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Role = Literal["require", "guard", "report"]
GateForm = Literal["at_least", "at_most", "non_inferior", "superior", "ratio_at_most", "violations"]
GateOutcome = Literal["pass", "fail", "hold", "error", "partial"]
RELATIVE_FORMS = ("non_inferior", "superior", "ratio_at_most")
"""Requirements that compare two sides."""
ABSOLUTE_FORMS = ("at_least", "at_most")
"""Limits that hold whatever the release is compared with."""

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class GateSpec:
    """One gate as a suite writes it (one line may become several gates through ``by``).

    Attributes:
        metric: the metric's name.
        form: which requirement.
        boundary: the number that the requirement compares with (margin, floor, ratio, 0).
        role: require must pass, guard can only fail, report decides nothing.
        quantile: judge this quantile instead of the mean (ratio_at_most and at_most), 0 to 1.
        slack: absolute room under which a ratio does not count, in the metric's unit.
        rate_at_most: with violations: the rate that the upper bound must prove.
        by: one gate per value of this tag, or per hop.
        only: take only the cases with these tags.
        pooled: "hops" averages a case over its hops.
        against: "baseline", or "primary" (the first hop of the candidate itself).
        line: line in suite.yaml.
        column: column in suite.yaml.
    """

    metric: str
    form: GateForm
    boundary: float
    role: Role = "require"
    quantile: float | None = None
    slack: float = 0.0
    rate_at_most: float | None = None
    by: str | None = None
    only: Mapping[str, Scalar] = field(default_factory=dict)
    pooled: Literal["hops"] | None = None
    against: Literal["baseline", "primary"] = "baseline"
    line: int = 0
    column: int = 0

    @property
    def relative(self) -> bool:
        """Whether the gate compares with the baseline."""
        return self.form in RELATIVE_FORMS and self.against == "baseline"

    @property
    def limits_a_quantile(self) -> bool:
        """Whether a quantile has an absolute limit, such as p95 latency at most 4000 ms."""
        return self.form == "at_most" and self.quantile is not None

    @property
    def name(self) -> str:
        """The gate's name without its slice, such as ``correct:non_inferior:0.05``."""
        parts = [self.metric]
        if self.quantile is not None:
            parts.append(f"p{self.quantile * 100:g}")
        if self.form == "violations":
            parts.append("zero")
        elif self.form == "superior":
            parts.append("superior")
        else:
            parts += [self.form, f"{self.boundary:g}"]
        if self.slack:
            parts.append(f"slack-{self.slack:g}")
        if self.against == "primary":
            parts.append("against-primary")
        if self.pooled:
            parts.append(f"pooled-{self.pooled}")
        parts += [f"{key}={value}" for key, value in sorted(self.only.items())]
        return ":".join(parts)

    def document(self) -> dict[str, Any]:
        """The part that enters the gate policy's digest: everything but the place."""
        return {
            "metric": self.metric,
            "form": self.form,
            "boundary": self.boundary,
            "role": self.role,
            "quantile": self.quantile,
            "slack": self.slack,
            "rate_at_most": self.rate_at_most,
            "by": self.by,
            "only": dict(self.only),
            "pooled": self.pooled,
            "against": self.against,
        }


@dataclass(frozen=True, slots=True)
class GateLook:
    """One test of one gate before or at the end of its cases.

    Attributes:
        gate: the gate's id.
        look: which of ten.
        n: cases judged.
        fraction: share of the gate's own units, its information fraction.
        p_pass: evidence that the requirement is met.
        level: what ``p_pass`` may be at most to pass; 0 where the cases are too few to prove a pass.
        p_fail: evidence that the requirement is broken.
        fail_level: what ``p_fail`` may be at most to fail, at the gate's reject weight.
        passes: whether it passes.
        fails: whether it fails.
    """

    gate: str
    look: int
    n: int
    fraction: float
    p_pass: float
    level: float
    p_fail: float
    fail_level: float
    passes: bool
    fails: bool


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of one gate.

    ``p_pass`` is evidence that the requirement is met, ``p_fail`` that it is broken; both None where
    nothing was tested (error, partial). Estimates and bounds are in the metric's unit: a difference for
    relative gates, a ratio for ratio gates, else a level. ``p_harm`` is the evidence against "not worse
    than the baseline" on a non-inferiority gate; ``quantile`` is None where a mean is judged. ``only`` says
    which tags choose its cases. ``unit_noun`` is what a unit of several cases is called. ``reject_weight`` is
    its share of alpha to fail with, before Holm gives it that of gates that failed; None where it has none.
    ``guard_clear`` says of a guard that was looked at whether it lets its suite end early; else None.

    What would let a gate that holds decide: ``needed`` further cases of its suite (``needed_total`` is what
    it judges then, where it judges a half of them only), planned as ``basis`` says; ``needed_clusters`` where
    its clusters are too few to tell how many cases; ``needed_trials`` of the present cases; ``needed_labels``
    more cases with labels on both sides (``labels_again``: of answers that have some already);
    ``needed_lines`` more lines of the suite's traffic sample; or the ``missing`` cases that have no score of
    it, ``missing_ids`` the first.
    """

    id: str
    suite: str
    metric: str
    role: Role
    form: GateForm
    result: GateOutcome
    message: str
    slice: str = ""
    only: str = ""
    quantile: float | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    boundary: float | None = None
    p_pass: float | None = None
    p_fail: float | None = None
    p_harm: float | None = None
    alpha: float = 0.05
    n: int = 0
    units: int = 0
    unit_noun: str = "cluster"
    method: str = ""
    identical: bool = False
    proven_worse: bool = False
    regressed_within_margin: bool = False
    reject_weight: float | None = None
    guard_clear: bool | None = None
    needed: int | None = None
    needed_trials: int | None = None
    needed_labels: int | None = None
    labels_again: bool = False
    needed_clusters: int | None = None
    needed_lines: int | None = None
    needed_total: int | None = None
    missing: int = 0
    missing_ids: tuple[str, ...] = ()
    basis: str = ""
    line: int = 0
    looks: tuple[GateLook, ...] = ()

    @property
    def by_labels(self) -> bool:
        """Whether labels judged it: more of them, after that look at them, are a further attempt."""
        return "labels" in self.method

    @property
    def outlook(self) -> str:
        """What more cases would do to a gate that is proven worse."""
        inside = (
            self.estimate is not None and self.boundary is not None and abs(self.estimate) < self.boundary
        )
        if inside:
            return "more cases can at best prove that it got worse by less than the margin"
        return "more cases will rather reject than promote"

    def without_remedy(self) -> GateResult:
        """The same result, saying nothing of what would let it decide."""
        return replace(
            self,
            needed=None,
            needed_total=None,
            needed_clusters=None,
            needed_trials=None,
            needed_labels=None,
            labels_again=False,
            needed_lines=None,
            missing=0,
            missing_ids=(),
            basis="",
        )
