"""Gates on what a model judged: human labels correct them, and without labels they never pass."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from relgate import stats
from relgate.decision.duplicates import counts_clusters, units_of
from relgate.decision.measurements import SuiteData, cases_in_scope
from relgate.decision.policy import Gate
from relgate.decision.sample import Floats
from relgate.domain.case import Suite
from relgate.domain.gate import GateResult

LABELS_NEEDED = 100
"""Random human labels from which the trust in a judge may be tuned on the same labels (statistics.md 9)."""
LEAST_LABELS = 50
"""Below it the t test on labels is off even with a cross-fitted trust."""


def judged_metrics(suite: Suite) -> frozenset[str]:
    """Names of the metrics that a model judges."""
    return frozenset(
        str(spec.options.get("as") or spec.name) for spec in suite.scorers if spec.name == "judge"
    )


def correct_judged(result: GateResult, gate: Gate, data: SuiteData) -> GateResult:
    """A gate on a judged metric, corrected by human labels where it can be; else it may fail but not pass.

    Gates on a judge alone promoted 7 to 100 % of candidates that truly failed (statistics.md 9). The paired
    difference of a non-inferiority gate is corrected by prediction-powered inference (PPI++) when 50 cases or
    more have human labels on both sides, by n_min cases at least. The labelled cases must be a random subset.

    Args:
        result: the gate as its method judged it on the judge's scores.
        gate: the gate.
        data: its suite's measurements.
    """
    if gate.spec.metric not in judged_metrics(data.suite) or result.result == "error":
        return result
    unit = units_of(data.suite)
    mine = [unit[case.id] for case in cases_in_scope(data.suite, gate.only or {})]
    if gate.spec.form != "non_inferior" or data.hops or counts_clusters(data.suite, mine):
        return _never_passes(result, "labels correct only non_inferior gates without hops and clusters")
    margin = gate.spec.boundary
    human, judged, rest, missing = _split(gate, data)
    needed = max(LEAST_LABELS, stats.n_min(margin))
    if human.size < needed or rest.size < 2:
        more = max(LABELS_NEEDED, needed) - human.size
        return _never_passes(
            result,
            f"{human.size} cases have labels on both sides: needs {more} more random human labels"
            if rest.size >= 2
            else "every case is labelled: gate the labels themselves as recorded scores",
        )
    infer = stats.ppi_mean if human.size >= LABELS_NEEDED else stats.ppi_mean_cross_fitted
    found = infer(human, judged, rest)
    # A case without a score counts as the worst for a pass and as the best for a fail.
    worst = infer(human, judged, np.append(rest, np.full(missing, -1.0))) if missing else found
    best = infer(human, judged, np.append(rest, np.full(missing, 1.0))) if missing else found
    if 0.0 in (found.se, worst.se, best.se):
        return _never_passes(result, "labels and judge show no difference in any case: nothing to infer from")
    bounds = found.interval(result.alpha or 0.05)
    p_pass, p_fail = worst.p(-margin, "greater"), best.p(-margin, "less")
    alpha = result.alpha or 0.05
    return replace(
        result,
        result="pass" if p_pass <= alpha else "hold",
        estimate=found.estimate,
        lower=bounds.low,
        upper=bounds.high,
        p_pass=p_pass,
        p_fail=p_fail,
        method=f"PPI++ on {human.size} labels",
        message=f"{found.estimate:+.3f} [{bounds.low:+.3f}, {bounds.high:+.3f}], margin {margin:g}: PPI++ on "
        f"{human.size} labels, trust in the judge {found.lam:.2f}; valid only for a random subset",
        needed=None,
        p_harm=None,
        regressed_within_margin=False,
        proven_worse=False,
    )


def _split(gate: Gate, data: SuiteData) -> tuple[Floats, Floats, Floats, int]:
    """Paired differences: of the labels and of the judge on labelled cases, of the judge on all others.

    Last the number of cases without a score of the judge on both sides.
    """
    labels: dict[tuple[str, str], list[float]] = defaultdict(list)
    for label in data.suite.labels:
        labels[label.case_id, label.side].append(label.score)
    candidate = data.series("candidate", gate.spec.metric)
    baseline = data.series("baseline", gate.spec.metric)
    human, judged, rest = [], [], []
    missing = 0
    for case in cases_in_scope(data.suite, gate.only or {}):
        if case.id not in candidate or case.id not in baseline:
            missing += case.id not in data.not_applicable.get(gate.spec.metric, frozenset())
            continue
        difference = float(np.mean(candidate[case.id]) - np.mean(baseline[case.id]))
        sides = labels.get((case.id, "candidate")), labels.get((case.id, "baseline"))
        if sides[0] and sides[1]:
            human.append(float(np.mean(sides[0]) - np.mean(sides[1])))
            judged.append(difference)
        else:
            rest.append(difference)
    return np.array(human), np.array(judged), np.array(rest), missing


def _never_passes(result: GateResult, why: str) -> GateResult:
    if result.role != "require" or result.result != "pass":
        return result
    what = f"a judge alone cannot pass a required gate; {why}"
    return replace(result, result="hold", message=what, needed=None)
