"""The gate policy: every gate of a run with its slices spread out, alpha, and reject weights."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relgate.decision.measurements import tag_values
from relgate.domain.case import Suite
from relgate.domain.digest import digest_json
from relgate.domain.errors import Place, Problem
from relgate.domain.gate import GateSpec, Scalar
from relgate.domain.metric import Metric

ALPHA = 0.05
"""One-sided error of every decision, before attempts spend it (verdict.md 2 and 5)."""

SEED = 20260101
"""Of Gaffke's draws, the same for every gate and look."""

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
            gates += [
                _gate(suite, spec, metric, f"{tag}={value}", {**spec.only, tag: value}, None)
                for value in tag_values(suite, tag)
            ]
        else:
            gates.append(_gate(suite, spec, metric, "", dict(spec.only), None))
    return tuple(gates)


def _gate(
    suite: Suite, spec: GateSpec, metric: Metric, slice_: str, only: Mapping[str, Scalar], hop: str | None
) -> Gate:
    name = f"{spec.name}:{slice_}" if slice_ else spec.name
    return Gate(f"gates::{suite.name}[{name}]", suite.name, spec, metric, slice_, only, hop)


def check_gates(path: Path, gates: Iterable[GateSpec], metrics: Mapping[str, Metric]) -> list[Problem]:
    """What makes no sense: an unknown metric, or a gate that does not fit its metric's kind."""
    problems: list[Problem] = []
    for spec in gates:
        metric = metrics.get(spec.metric)
        if metric is None:
            problems += check_metrics(path, [spec], metrics)
            continue
        place = Place(str(path), spec.line, spec.column)
        problems += [Problem(place, *words) for words in _misfits(spec, metric)]
    return problems


def check_metrics(path: Path, gates: Iterable[GateSpec], metrics: Mapping[str, Metric]) -> list[Problem]:
    """Gates on metrics that nothing reports."""
    problems = []
    for spec in gates:
        if spec.metric in metrics:
            continue
        near = difflib.get_close_matches(spec.metric, metrics, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"the suite has {', '.join(metrics)}"
        place = Place(str(path), spec.line, spec.column)
        what = "a gate on a metric that no scorer reports"
        problems.append(Problem(place, what, repr(spec.metric), remedy))
    return problems


def _misfits(spec: GateSpec, metric: Metric) -> Iterator[tuple[str, str, str]]:
    """What, value and remedy of everything that does not fit the metric's kind."""
    name = repr(spec.metric)
    level = spec.form in ("at_least", "at_most") and not spec.limits_a_quantile
    if (level or spec.form in ("non_inferior", "superior")) and not metric.bounded:
        absolute = ", or add a quantile" if spec.form == "at_most" else ""
        what = f"{spec.form} does not fit a metric of kind {metric.kind}"
        yield what, name, f"use ratio_at_most{absolute}"
    if spec.limits_a_quantile and metric.bounded:
        yield f"a quantile does not fit a metric of kind {metric.kind}", name, "remove the quantile"
    if spec.form == "ratio_at_most" and metric.bounded:
        what = f"ratio_at_most does not fit a metric of kind {metric.kind}"
        yield what, name, "use non_inferior with a margin"
    if spec.form == "ratio_at_most" and not metric.bounded and spec.slack and spec.quantile is None:
        yield "slack goes with a quantile only", f"{spec.slack:g}", "add quantile: 0.5 or 0.95"
    if spec.form == "violations" and metric.kind != "binary":
        yield f"violations needs a binary metric, not {metric.kind}", name, ""
    elif spec.form == "violations" and metric.higher_is_better:
        what = "violations counts what must not happen, but higher is better for this metric"
        yield what, name, "use at_least, or a scorer whose score 1 is a violation"


def policy_digest(suites: Sequence[Suite], *, alpha: float = ALPHA) -> str:
    """Digest of all gates with alpha, margins and roles, taken before the first call."""
    return digest_json(
        {
            "alpha": alpha,
            "suites": [{"suite": s.name, "gates": [gate.document() for gate in s.gates]} for s in suites],
        }
    )
