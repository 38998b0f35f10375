"""What the data says about one boundary: both one-sided p-values, estimate, interval and method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relgate import stats
from relgate.decision.sample import Floats, Sample
from relgate.domain.metric import Metric

EXACT_UP_TO = 200
"""Pairs up to which the exact unconditional test is used (statistics.md 0.3)."""

FEW_CLUSTERS, LOW_CLUSTERS = 5, 20
"""Under five clusters nothing is decided; under twenty the message warns (statistics.md 0.6)."""

_SEED = 20260101


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence about one boundary.

    Attributes:
        estimate: difference, level or ratio, in the metric's own direction.
        lower: one-sided lower bound at alpha.
        upper: one-sided upper bound at alpha.
        p_pass: evidence that the requirement is met.
        p_fail: evidence that it is broken.
        method: what was used.
        caution: what the reader must know, "" if nothing.
    """

    estimate: float
    lower: float
    upper: float
    p_pass: float
    p_fail: float
    method: str
    caution: str = ""


@dataclass(frozen=True, slots=True)
class Unable:
    """The data cannot decide at this size, whatever it shows; ``needed`` is the size that could."""

    reason: str
    estimate: float | None = None
    needed: int | None = None
    method: str = ""


def few_clusters(sample: Sample) -> Unable | None:
    """Under five clusters nothing can be said about their spread."""
    if sample.clustered and sample.unit_count < FEW_CLUSTERS:
        return Unable(
            f"{sample.unit_count} clusters: at least {FEW_CLUSTERS} are needed to see how clusters differ",
            needed=None,
            method="clusters",
        )
    return None


def _caution(sample: Sample) -> str:
    if sample.clustered and sample.unit_count < LOW_CLUSTERS:
        return f"only {sample.unit_count} clusters (fewer than {LOW_CLUSTERS})"
    return ""


def paired_counts(sample: Sample) -> stats.PairedCounts:
    """The 2x2 table of a binary sample with one score a side."""
    assert sample.baseline is not None
    candidate, baseline = sample.candidate > 0.5, sample.baseline > 0.5
    return stats.PairedCounts(
        both_pass=int(np.sum(candidate & baseline)),
        cand_only=int(np.sum(candidate & ~baseline)),
        base_only=int(np.sum(~candidate & baseline)),
        both_fail=int(np.sum(~candidate & ~baseline)),
    )


def oriented(sample: Sample, metric: Metric) -> Floats:
    """Difference per case with better counted upwards."""
    return sample.difference if metric.higher_is_better else -sample.difference


def difference_evidence(sample: Sample, metric: Metric, margin: float, alpha: float) -> Evidence | Unable:
    """Evidence that the candidate is not worse than the baseline by the margin (statistics.md 1, 2, 3).

    Binary scores with one trial use Tango's score test, the exact unconditional test at n <= 200; case
    means use min(Hall, Gaffke); clusters CR2 with Bell-McCaffrey degrees of freedom.
    """
    few = few_clusters(sample)
    if few is not None:
        return few
    needed = stats.n_min(margin, alpha)
    sign = 1.0 if metric.higher_is_better else -1.0
    difference = oriented(sample, metric)
    estimate = float(np.mean(difference))
    caution = _caution(sample)
    support = (-1.0, 1.0)
    if sample.clustered:
        if sample.n < needed:
            return Unable(
                f"{sample.n} cases: a failure of probability {margin:g} may stay unseen below {needed}",
                sign * estimate,
                needed,
                "CR2",
            )
        p_pass = stats.cluster_bounded_p(difference, sample.units, -margin, "greater", support, seed=_SEED)
        p_fail = stats.cluster_bounded_p(difference, sample.units, -margin, "less", support, seed=_SEED)
        interval = stats.cluster_bounded_interval(difference, sample.units, alpha, support, seed=_SEED)
        method = "CR2 over clusters, Bell-McCaffrey df"
    elif metric.kind == "binary" and sample.single:
        counts = paired_counts(sample)
        if not metric.higher_is_better:
            counts = stats.PairedCounts(
                counts.both_fail, counts.base_only, counts.cand_only, counts.both_pass
            )
        if counts.n <= EXACT_UP_TO:
            p_pass = stats.exact_unconditional_p(counts, -margin, "greater")
            p_fail = stats.exact_unconditional_p(counts, -margin, "less")
            method = "exact unconditional, Tango interval"
        else:
            p_pass = stats.tango_p(counts, -margin, "greater")
            p_fail = stats.tango_p(counts, -margin, "less")
            method = "Tango score test"
        interval = stats.tango_interval(counts, alpha)
    else:
        p_pass = stats.bounded_mean_p(difference, -margin, "greater", support, needed, seed=_SEED)
        p_fail = stats.bounded_mean_p(difference, -margin, "less", support, needed, seed=_SEED)
        interval = stats.bounded_mean_interval(difference, alpha, support, needed, seed=_SEED)
        method = "min(Hall, Gaffke) on case means" if sample.n >= needed else "Gaffke on case means"
    low, high = (interval.low, interval.high) if sign > 0 else (-interval.high, -interval.low)
    return Evidence(sign * estimate, low, high, p_pass, p_fail, method, caution)


def harm_p(sample: Sample, metric: Metric, alternative: stats.Alternative = "less") -> tuple[float, str]:
    """Evidence that the candidate is worse than the baseline at all (``greater``: better), and the method.

    Mid-p McNemar at one trial; Hall on case means, mid-p of the signs when fewer than six cases differ;
    CR2 where the suite counts clusters (verdict.md 3). p = 1 when nothing differs or clusters are too few.
    """
    difference = oriented(sample, metric)
    worse, better = int(np.sum(difference < 0)), int(np.sum(difference > 0))
    if worse + better == 0:
        return 1.0, "no case differs"
    if sample.clustered:
        if sample.unit_count < FEW_CLUSTERS:
            return 1.0, "too few clusters"
        mean = stats.cluster_mean(difference, sample.units)
        if mean.degenerate:
            return 1.0, "clusters do not differ"
        return mean.p(0.0, alternative), "CR2 over clusters"
    if worse + better < 6 or (metric.kind == "binary" and sample.single):
        counts = stats.PairedCounts(0, better, worse, sample.n - worse - better)
        return stats.mcnemar_midp(counts, alternative), "mid-p McNemar"
    if float(np.std(difference)) < 1e-12:
        counts = stats.PairedCounts(0, better, worse, sample.n - worse - better)
        return stats.mcnemar_midp(counts, alternative), "mid-p McNemar"
    return stats.hall_p(difference, 0.0, alternative), "Hall on case means"


def superiority_evidence(sample: Sample, metric: Metric, alpha: float) -> Evidence | Unable:
    """Evidence that the candidate is better than the baseline."""
    few = few_clusters(sample)
    if few is not None:
        return few
    p_pass, method = harm_p(sample, metric, "greater")
    p_fail, _ = harm_p(sample, metric, "less")
    shown = difference_evidence(sample, metric, 0.05, alpha)
    if isinstance(shown, Unable):
        return shown
    return Evidence(shown.estimate, shown.lower, shown.upper, p_pass, p_fail, method, shown.caution)


def level_evidence(
    sample: Sample, metric: Metric, boundary: float, alpha: float, *, floor: bool
) -> Evidence | Unable:
    """Evidence that the candidate's mean is above a floor, or below a ceiling (statistics.md 1)."""
    few = few_clusters(sample)
    if few is not None:
        return few
    scores = sample.candidate
    estimate = float(np.mean(scores))
    margin = (1.0 - boundary) if floor else boundary
    needed = stats.n_min(margin, alpha) if 0.0 < margin < 1.0 else 1
    up: stats.Alternative = "greater" if floor else "less"
    down: stats.Alternative = "less" if floor else "greater"
    support = (0.0, 1.0)
    if sample.clustered:
        if sample.n < needed:
            return Unable(
                f"{sample.n} cases: even a flawless run cannot prove it below {needed}",
                estimate,
                needed,
                "CR2",
            )
        p_pass = stats.cluster_bounded_p(scores, sample.units, boundary, up, support, seed=_SEED)
        p_fail = stats.cluster_bounded_p(scores, sample.units, boundary, down, support, seed=_SEED)
        interval = stats.cluster_bounded_interval(scores, sample.units, alpha, support, seed=_SEED)
        method = "CR2 over clusters, Bell-McCaffrey df"
    elif metric.kind == "binary" and sample.single:
        hits, n = int(np.sum(scores > 0.5)), sample.n
        above, below = stats.floor_p(hits, n, boundary), stats.ceiling_p(hits, n, boundary)
        p_pass, p_fail = (above, below) if floor else (below, above)
        interval = stats.clopper_pearson(hits, n, alpha)
        method = "Clopper-Pearson"
    else:
        p_pass = stats.bounded_mean_p(scores, boundary, up, support, needed, seed=_SEED)
        p_fail = stats.bounded_mean_p(scores, boundary, down, support, needed, seed=_SEED)
        interval = stats.bounded_mean_interval(scores, alpha, support, needed, seed=_SEED)
        method = "min(Hall, Gaffke) on case means" if sample.n >= needed else "Gaffke on case means"
    return Evidence(estimate, interval.low, interval.high, p_pass, p_fail, method, _caution(sample))


MIN_RATIO_UNITS = 20
"""Units below which no ratio was measured (statistics.md 4)."""


def ratio_evidence(sample: Sample, limit: float, alpha: float) -> Evidence | Unable:
    """Evidence that candidate mean / baseline mean is under the limit, by Fieller's theorem."""
    few = few_clusters(sample)
    if few is not None:
        return few
    if sample.n < MIN_RATIO_UNITS:
        return Unable(
            f"{sample.n} cases: a ratio of means needs {MIN_RATIO_UNITS}",
            needed=MIN_RATIO_UNITS,
            method="Fieller",
        )
    assert sample.baseline is not None
    cluster = sample.units if sample.clustered else None
    p_pass = stats.fieller_p(sample.baseline, sample.candidate, limit, "less", cluster)
    p_fail = stats.fieller_p(sample.baseline, sample.candidate, limit, "greater", cluster)
    interval = stats.fieller_interval(sample.baseline, sample.candidate, alpha, cluster)
    base = float(np.mean(sample.baseline))
    estimate = float(np.mean(sample.candidate)) / base if base > 0 else float("inf")
    return Evidence(
        estimate, interval.low, interval.high, p_pass, p_fail, "Fieller, paired", _caution(sample)
    )


def quantile_minimum(quantile: float) -> int:
    """Cases that a quantile ratio needs: 100 for p95 (verdict.md), 20 for p50 (statistics.md 4)."""
    return max(MIN_RATIO_UNITS, int(np.ceil(5.0 / (1.0 - quantile) - 1e-9)))


def quantile_evidence(
    sample: Sample, quantile: float, limit: float, slack: float, alpha: float
) -> Evidence | Unable:
    """Evidence that the quantile's ratio is under the limit, or its difference under the slack."""
    few = few_clusters(sample)
    if few is not None:
        return few
    needed = quantile_minimum(quantile)
    if sample.n < needed:
        return Unable(
            f"{sample.n} cases: p{quantile * 100:g} needs {needed}", needed=needed, method="Harrell-Davis"
        )
    result = stats.quantile_ratio(
        sample.baseline_rows,
        sample.candidate_rows,
        quantile,
        limit,
        slack,
        unit=sample.baseline_units,
        cand_unit=sample.candidate_units,
    )
    interval = result.interval(alpha)
    caution = _caution(sample)
    under = result.cand <= result.base + slack
    if slack and result.ratio_estimate > limit and under:
        caution = "; ".join(filter(None, [caution, f"the difference is within the slack of {slack:g}"]))
    return Evidence(
        result.ratio_estimate,
        interval.low,
        interval.high,
        result.p_less,
        result.p_greater,
        "Harrell-Davis, paired, jackknife",
        caution,
    )
