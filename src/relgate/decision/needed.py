"""How many more cases would let a gate decide: planned at no true difference (statistics.md 8)."""

from __future__ import annotations

import numpy as np

from relgate import stats
from relgate.decision.evidence import Evidence, paired_counts, quantile_minimum
from relgate.decision.policy import Gate
from relgate.decision.sample import Sample

POWER = 0.8


def cases_needed(gate: Gate, sample: Sample, found: Evidence) -> int | None:
    """Further cases that would let the gate pass with power .8; None where more cases are no remedy.

    Differences are planned at delta = 0, never at the observed difference; the discordance at its upper
    80 % bound. Floors are planned at the observed rate. Clusters multiply by the design effect
    (cluster SE against independent SE).
    """
    spec, n, alpha = gate.spec, sample.n, 0.05
    total: int | None
    match spec.form:
        case "non_inferior":
            if gate.metric.kind == "binary" and sample.single:
                counts = paired_counts(sample)
                psi = stats.discordance_upper(counts.b + counts.c, counts.n)
                total = stats.nam_n(spec.boundary, max(psi, 1.0 / counts.n), alpha=alpha, power=POWER)
            else:
                spread = max(float(np.std(sample.difference, ddof=1)) if n > 1 else 1.0, 1e-3)
                total = stats.mean_n(spec.boundary, spread, alpha=alpha, power=POWER)
            total = max(total, stats.n_min(spec.boundary, alpha))
        case "at_least" | "at_most":
            floor = spec.form == "at_least"
            rate = found.estimate if floor else 1.0 - found.estimate
            bar = spec.boundary if floor else 1.0 - spec.boundary
            total = stats.binomial_floor_n(rate, bar, alpha, POWER)
        case "ratio_at_most" if spec.quantile is not None:
            total = _ratio_n(n, found.estimate, found.upper, spec.boundary)
            total = max(total, quantile_minimum(spec.quantile)) if total is not None else None
        case "ratio_at_most":
            total = _ratio_n(n, found.estimate, found.upper, spec.boundary)
        case _:
            return None
    if total is None:
        return None
    effect = _design_effect(sample, gate)
    return max(1, int(np.ceil(total * effect)) - n)


def _ratio_n(n: int, estimate: float, upper: float, limit: float) -> int | None:
    """Cases at which the bound of an unchanged ratio would fall under the limit: its width shrinks with sqrt n."""
    if not np.isfinite(upper) or estimate >= limit or estimate <= 0:
        return None
    width, room = np.log(upper / estimate), np.log(limit / estimate)
    return int(np.ceil(n * (width / room) ** 2 * 1.5))


def _design_effect(sample: Sample, gate: Gate) -> float:
    if not sample.clustered or sample.unit_count < 2 or sample.n < 3:
        return 1.0
    values = sample.difference if sample.baseline is not None and gate.spec.relative else sample.candidate
    independent = float(np.std(values, ddof=1)) / np.sqrt(sample.n)
    if independent < 1e-12:
        return 1.0
    return max(1.0, float(stats.cluster_mean(values, sample.units).se / independent) ** 2)
