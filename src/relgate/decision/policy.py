"""The gate policy: every gate of a run with its slices spread out, alpha, and reject weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.domain.case import Suite
from relgate.domain.digest import digest_json
from relgate.domain.errors import Place, Problem
from relgate.domain.gate import GateSpec, Scalar
from relgate.domain.metric import Metric

ALPHA = 0.05
"""One-sided error of every decision, before attempts spend it (verdict.md 2 and 5)."""

JUDGE_FAILURES_AT_MOST = 0.02
"""Share of cases whose scorer may fail before a gate is an error (design 4.4)."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of the run: a line of suite.yaml for one slice or hop.

    Attributes:
        id: ``gates::<suite>[<gate>]``, as pytest shows it.
        suite: the suite's name.
        spec: what is required.
        slice: ``area=orders``, ``hop=hosted_a/answerer`` or "".
        only: tags that select its cases.
        hop: the hop that it judges; None for all of them or where there are none.
        metric: the metric.
    """

    id: str
    suite: str
    spec: GateSpec
    metric: Metric
    slice: str = ""
    only: Mapping[str, Scalar] | None = None
    hop: str | None = None


def attempt_alpha(attempt: int) -> float:
    """Promote-side alpha of this attempt: .05 for the first, .05 / 2^j for attempt j (verdict.md 5)."""
    return ALPHA if attempt <= 1 else ALPHA / 2.0**attempt


def spread_gates(
    suite: Suite, metrics: Mapping[str, Metric], hops: Sequence[str], *, has_baseline: bool
) -> tuple[Gate, ...]:
    """Every gate of a suite, ``by`` spread over the values that its cases carry.

    Without a baseline the gates that need one are left out and a floor that guards is required
    (verdict.md 2: "require only on a first release").
    """
    gates: list[Gate] = []
    for spec in suite.gates:
        if spec.relative and not has_baseline:
            continue
        metric = metrics[spec.metric]
        if not has_baseline and spec.form == "at_least" and spec.role == "guard" and spec.by is None:
            spec = replace(spec, role="require")
        if spec.by == "hop":
            chosen = [hop for hop in hops if not (spec.against == "primary" and hop == hops[0])]
            gates += [_gate(suite, spec, metric, f"hop={hop}", dict(spec.only), hop) for hop in chosen]
        elif spec.by is not None:
            tag = spec.by
            values = sorted({str(case.tags[tag]) for case in suite.cases if tag in case.tags})
            gates += [
                _gate(suite, spec, metric, f"{tag}={value}", {**spec.only, tag: value}, None)
                for value in values
            ]
        else:
            gates.append(_gate(suite, spec, metric, "", dict(spec.only), None))
    return tuple(gates)


def _gate(
    suite: Suite, spec: GateSpec, metric: Metric, slice_: str, only: Mapping[str, Scalar], hop: str | None
) -> Gate:
    name = f"{spec.name}:{slice_}" if slice_ else spec.name
    return Gate(f"gates::{suite.name}[{name}]", suite.name, spec, metric, slice_, only, hop)


def check_gates(suite: Suite, metrics: Mapping[str, Metric]) -> list[Problem]:
    """What makes no sense: an unknown metric, or a gate that does not fit its metric's kind."""
    problems: list[Problem] = []
    for spec in suite.gates:
        place = Place(str(suite.path), spec.line, spec.column)
        metric = metrics.get(spec.metric)
        if metric is None:
            known = ", ".join(metrics)
            problems.append(
                Problem(
                    place,
                    "a gate on a metric that no scorer reports",
                    repr(spec.metric),
                    f"the suite has {known}",
                )
            )
            continue
        bounded_form = spec.form in ("at_least", "at_most", "non_inferior", "superior")
        if bounded_form and not metric.bounded:
            problems.append(
                Problem(
                    place,
                    f"{spec.form} does not fit a metric of kind {metric.kind}",
                    repr(spec.metric),
                    "use ratio_at_most",
                )
            )
        elif spec.form == "ratio_at_most" and metric.bounded:
            problems.append(
                Problem(
                    place,
                    f"ratio_at_most does not fit a metric of kind {metric.kind}",
                    repr(spec.metric),
                    "use non_inferior with a margin",
                )
            )
        elif spec.form == "ratio_at_most" and spec.slack and spec.quantile is None:
            problems.append(
                Problem(
                    place, "slack goes with a quantile only", f"{spec.slack:g}", "add quantile: 0.5 or 0.95"
                )
            )
        elif spec.form == "violations" and metric.kind != "binary":
            problems.append(
                Problem(place, f"violations needs a binary metric, not {metric.kind}", repr(spec.metric), "")
            )
        elif spec.form == "violations" and metric.higher_is_better:
            problems.append(
                Problem(
                    place,
                    "violations counts what must not happen, but higher is better for this metric",
                    repr(spec.metric),
                    "use at_least, or a scorer whose score 1 is a violation",
                )
            )
    return problems


def policy_digest(suites: Sequence[Suite], *, alpha: float = ALPHA) -> str:
    """Digest of all gates with alpha, margins and roles, taken before the first call."""
    return digest_json(
        {
            "alpha": alpha,
            "suites": [{"suite": s.name, "gates": [gate.document() for gate in s.gates]} for s in suites],
        }
    )
