"""What the data says about a limit on a ratio: of two means, or of two quantiles."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from relgate import stats
from relgate.decision.evidence import Evidence, Unable, few_caution, few_clusters
from relgate.decision.sample import Sample
from relgate.domain.long_cases import distinct
from relgate.late import np

MIN_RATIO_UNITS = 20
"""Units below which no ratio was measured (statistics.md 4)."""

RATIO_METHOD = "Fieller, paired"

_SAME = 1e-6
"""Width of an interval, relative to the ratio, that only data without a spread have."""


def ratio_evidence(sample: Sample, limit: float, alpha: float) -> Evidence | Unable:
    """Evidence that candidate mean / baseline mean is under the limit, by Fieller's theorem.

    Either side needs Hall's t as well (outside clusters) and enough units above 0 (``stats.kept_p``,
    ``stats.exceeded_p``): counts that are mostly 0 would be passed and rejected too often without.
    """
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
    if not (np.any(sample.baseline) or np.any(sample.candidate)):
        return Unable("it is 0 in every case of both sides: there is no ratio", method="Fieller")
    cluster = sample.units if sample.clustered else None
    p_pass = stats.kept_p(sample.baseline, sample.candidate, limit, cluster)
    p_fail = stats.exceeded_p(sample.baseline, sample.candidate, limit, cluster)
    low = stats.exceeded_low(sample.baseline, sample.candidate, alpha, cluster)
    high = stats.kept_high(sample.baseline, sample.candidate, alpha, cluster)
    base, mean = float(np.mean(sample.baseline)), float(np.mean(sample.candidate))
    estimate = mean / base if base > 0.0 else float("inf")
    spend = _too_few_spend(sample, limit, over=estimate > limit) if min(p_pass, p_fail) > alpha else ""
    if sample.failed:
        p_pass, high = 1.0, inf
        spend = f"{_failed(sample)}, and no mean of times is known while one does"
    caution = "; ".join(filter(None, [few_caution(sample), spend]))
    return Evidence(estimate, low, high, p_pass, p_fail, RATIO_METHOD, caution)


def spending_total(limit: float) -> int:
    """Units of the baseline above 0 from which a limit can be kept by a candidate that is 0 in some."""
    return int(np.ceil(stats.SPENDING / limit - 1e-9))


def spending(sample: Sample) -> int:
    """Units of the baseline above 0."""
    assert sample.baseline is not None
    return stats.spending_units(sample.baseline, sample.units if sample.clustered else None)


def _too_few_spend(sample: Sample, limit: float, *, over: bool) -> str:
    """That nothing is decided because the baseline is almost always 0; "" where it is not."""
    spend = spending(sample)
    noun = sample.unit_noun if sample.clustered else "case"
    if over:
        least, done = min(stats.SPENDING, sample.unit_count), f"above {limit:g} is rejected"
    else:
        assert sample.baseline is not None
        cluster = sample.units if sample.clustered else None
        short = limit < stats.least_limit(sample.baseline, sample.candidate, cluster)
        least, done = spending_total(limit) if short else 0, f"of at most {limit:g} passes"
    if spend >= least:
        return ""
    plural = "" if spend == 1 else "s"
    return f"the baseline is above 0 in {spend} {noun}{plural}: a ratio {done} from {least} on"


def is_same_ratio(found: Evidence) -> bool:
    """Whether a ratio is the same in every case: then its interval says nothing."""
    return np.isfinite(found.upper) and found.upper - found.lower <= _SAME * max(1.0, found.estimate)


SLACK_PASSES = "passes by its slack"
"""What a ratio above its limit stands on where it passes all the same."""


def _failed(sample: Sample) -> str:
    return f"{sample.failed} of {sample.n} cases failed, which is slower than any answer"


def _fewer_failed_p(sample: Sample, share: float) -> float:
    """Evidence that fewer units than this share hold a call that failed (exact binomial test)."""
    assert sample.failed_units is not None
    if sample.clustered:
        return stats.ceiling_p(distinct(sample.failed_units).size, sample.unit_count, share)
    return stats.ceiling_p(sample.failed, sample.n, share)


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
    caution, p_pass = few_caution(sample), result.p_less
    if sample.failed:
        beyond = 1.0 - quantile
        p_pass = max(p_pass, _fewer_failed_p(sample, beyond))
        interval = interval if p_pass <= alpha else replace(interval, high=inf)
        passes_below = f"p{quantile * 100:g} passes where fewer than {100.0 * beyond:g} % do"
        caution = "; ".join(filter(None, [caution, f"{_failed(sample)}: {passes_below}"]))
    if slack and interval.high > limit:
        passes = p_pass <= alpha
        room = (
            f"{SLACK_PASSES}: a rise of up to {slack:g} does not count"
            if passes
            else (f"counts only above a slack of {slack:g}")
        )
        caution = "; ".join(filter(None, [caution, room]))
    return Evidence(
        result.ratio_estimate,
        interval.low,
        interval.high,
        p_pass,
        result.p_greater,
        "Harrell-Davis, paired, jackknife",
        caution,
    )
