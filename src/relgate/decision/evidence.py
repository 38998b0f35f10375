"""What the data says about one boundary: both one-sided p-values, estimate, interval and method."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relgate import stats
from relgate.decision.policy import ALPHA, SEED
from relgate.decision.sample import Floats, Sample
from relgate.domain.metric import Metric
from relgate.late import np

FEW_CLUSTERS, LOW_CLUSTERS = 5, 20
"""Under five clusters nothing is decided; under twenty the message warns (statistics.md 0.6)."""

SHOWN_FROM = stats.n_min(0.05)
"""Cases from which Hall's t enters an interval that belongs to no margin of its own."""

DIFFERENCES, SCORES = (-1.0, 1.0), (0.0, 1.0)


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
    """The data cannot decide at this size, whatever it shows.

    Attributes:
        reason: why.
        estimate: None where there is none.
        needed: cases that could decide.
        method: what would be used.
        clusters: clusters that could decide, where these are too few.
    """

    reason: str
    estimate: float | None = None
    needed: int | None = None
    method: str = ""
    clusters: int | None = None


def cr2(sample: Sample) -> str:
    """The name of the method over units of several cases."""
    return f"CR2 over {sample.unit_noun}s"


def guarded(sample: Sample) -> str:
    """The name of the same with its guard against an unseen unit."""
    return f"{cr2(sample)}, Bell-McCaffrey df, one unseen unit"


def few_clusters(sample: Sample) -> Unable | None:
    """Under five clusters nothing can be said about their spread."""
    if sample.clustered and sample.unit_count < FEW_CLUSTERS:
        noun = sample.unit_noun
        return Unable(
            f"{sample.counted_units}: at least {FEW_CLUSTERS} are needed to see how {noun}s differ",
            method=cr2(sample),
            clusters=FEW_CLUSTERS,
        )
    return None


def few_caution(sample: Sample) -> str:
    """That clusters are few; "" where cases are units of their own or clusters suffice."""
    if sample.clustered and sample.unit_count < LOW_CLUSTERS:
        return f"only {sample.counted_units} (fewer than {LOW_CLUSTERS})"
    return ""


def _cautions(sample: Sample, short: str, p_fail: float) -> str:
    """Everything to be said; how many cases could pass does not matter where the boundary is broken."""
    return "; ".join(filter(None, [few_caution(sample), short if p_fail > ALPHA else ""]))


def _too_few_to_pass(sample: Sample, room: float, needed: int) -> tuple[float, str]:
    """The least p of the promote side in clustered cases, and what to say where that keeps it from passing.

    A failure of probability ``room`` stays unseen in n cases with probability (1 - room)^n, which CR2 knows
    nothing of (statistics.md 0.5). Below n_min this is above alpha, so the gate cannot pass; it can fail.
    """
    if not sample.clustered or sample.n >= needed:
        return 0.0, ""
    short = f"cannot pass with fewer than {needed} cases ({needed - sample.n} more), whatever it shows"
    return (1.0 - room) ** sample.n, short


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


def _better_counts(sample: Sample, metric: Metric) -> stats.PairedCounts:
    """The 2x2 table with a good score counted as a pass."""
    return oriented_counts(paired_counts(sample), metric)


def oriented_counts(counts: stats.PairedCounts, metric: Metric) -> stats.PairedCounts:
    """A 2x2 table of the metric's own values with a good score counted as a pass."""
    if metric.higher_is_better:
        return counts
    return stats.PairedCounts(counts.both_fail, counts.base_only, counts.cand_only, counts.both_pass)


def oriented(sample: Sample, metric: Metric) -> Floats:
    """Difference per case with better counted upwards."""
    return sample.difference if metric.higher_is_better else -sample.difference


def is_binary(sample: Sample, metric: Metric) -> bool:
    """Whether every case has one pass or fail on each side."""
    return metric.kind == "binary" and sample.single


def difference_interval(
    sample: Sample, metric: Metric, alpha: float, hall_from: int | tuple[int, int] = SHOWN_FROM
) -> stats.Interval | None:
    """Bounds of candidate minus baseline in the metric's own direction; None under five clusters."""
    if few_clusters(sample) is not None:
        return None
    difference = oriented(sample, metric)
    if sample.clustered:
        found = stats.guarded_cluster_interval(
            difference, sample.units, alpha, DIFFERENCES, neutral=0.0, seed=SEED
        )
    elif is_binary(sample, metric):
        found = stats.tango_interval(_better_counts(sample, metric), alpha)
    else:
        found = stats.bounded_mean_interval(difference, alpha, DIFFERENCES, hall_from, seed=SEED)
    return turned(found, metric)


def level_interval(
    sample: Sample, metric: Metric, alpha: float, hall_from: int | tuple[int, int] = SHOWN_FROM
) -> stats.Interval | None:
    """Bounds of the candidate's mean; None under five clusters."""
    if few_clusters(sample) is not None:
        return None
    scores = sample.candidate
    if sample.clustered:
        return stats.guarded_cluster_interval(scores, sample.units, alpha, SCORES, seed=SEED)
    if is_binary(sample, metric):
        return stats.clopper_pearson(int(np.sum(scores > 0.5)), sample.n, alpha)
    return stats.bounded_mean_interval(scores, alpha, SCORES, hall_from, seed=SEED)


def difference_evidence(sample: Sample, metric: Metric, margin: float, alpha: float) -> Evidence | Unable:
    """Evidence that the candidate is not worse than the baseline by the margin (statistics.md 1, 2, 3).

    Binary scores with one trial use Tango's score test, the exact unconditional test at n <= 200 and below
    n_min; case means use min(Hall, Gaffke), Hall's t to pass only from 1.5 n_min on
    (``stats.trusted_n``); clusters CR2 with Bell-McCaffrey degrees of freedom, guarded
    by one unseen unit (``stats.unseen_unit``). The fail
    side takes n_min at ALPHA: an attempt spends the promote side only.
    """
    difference = oriented(sample, metric)
    estimate = float(np.mean(sample.difference))
    few = few_clusters(sample)
    if few is not None:
        return replace(few, estimate=estimate)
    needed = stats.n_min(margin, alpha)
    p: dict[stats.Alternative, float] = {}
    sides: dict[stats.Alternative, int] = {"greater": needed, "less": stats.n_min(margin, ALPHA)}
    least, short = _too_few_to_pass(sample, margin, needed)
    trusted = needed
    if sample.clustered:
        for side in sides:
            p[side] = stats.guarded_cluster_p(
                difference, sample.units, -margin, side, DIFFERENCES, neutral=0.0, seed=SEED
            )
        p["greater"] = max(p["greater"], least)
        method = guarded(sample)
    elif is_binary(sample, metric):
        return paired_counts_evidence(paired_counts(sample), metric, margin, alpha)
    else:
        trusted = sides["greater"] = stats.trusted_n(margin, alpha)
        for side, least_n in sides.items():
            p[side] = stats.bounded_mean_p(difference, -margin, side, DIFFERENCES, least_n, seed=SEED)
        method = means_method(sample.n, trusted)
    interval = difference_interval(sample, metric, alpha, (trusted, needed))
    assert interval is not None
    caution = _cautions(sample, short, p["less"])
    return Evidence(estimate, interval.low, interval.high, p["greater"], p["less"], method, caution)


def paired_counts_evidence(
    counts: stats.PairedCounts, metric: Metric, margin: float, alpha: float
) -> Evidence:
    """What ``difference_evidence`` says of pass or fail scores with one trial, from their 2x2 table."""
    better = oriented_counts(counts, metric)
    needed = stats.n_min(margin, alpha)
    sides: dict[stats.Alternative, int] = {"greater": needed, "less": stats.n_min(margin, ALPHA)}
    p: dict[stats.Alternative, float] = {}
    for side, least_n in sides.items():
        exact = counts.n <= stats.EXACT_UP_TO or counts.n < least_n
        p[side] = (stats.exact_unconditional_p if exact else stats.tango_p)(better, -margin, side)
    exact = counts.n <= stats.EXACT_UP_TO or counts.n < needed
    method = "exact unconditional, Tango interval" if exact else "Tango score test"
    interval = stats.tango_interval(better, alpha)
    if exact and (p["greater"] <= alpha) != (interval.low > -margin):  # near the margin the two may disagree
        method = "exact unconditional"
        interval = stats.Interval(stats.exact_unconditional_low(better, alpha, -margin), interval.high)
    interval = turned(interval, metric)
    return Evidence(counts.difference, interval.low, interval.high, p["greater"], p["less"], method)


def turned(found: stats.Interval, metric: Metric) -> stats.Interval:
    """Bounds of a difference with better counted upwards, in the metric's own direction."""
    return found if metric.higher_is_better else stats.Interval(-found.high, -found.low)


def means_method(n: int, needed: int) -> str:
    """How case means are tested at this size."""
    if n < needed:
        return "Gaffke on case means"
    return "min(Hall, Gaffke) on case means" if n <= stats.GAFFKE_UP_TO else "Hall on case means"


def level_evidence(
    sample: Sample, metric: Metric, boundary: float, alpha: float, *, floor: bool
) -> Evidence | Unable:
    """Evidence that the candidate's mean is above a floor, or below a ceiling (statistics.md 1)."""
    scores = sample.candidate
    estimate = float(np.mean(scores))
    few = few_clusters(sample)
    if few is not None:
        return replace(few, estimate=estimate)
    room = (1.0 - boundary) if floor else boundary
    needed, to_fail = (stats.n_min(room, a) if 0.0 < room < 1.0 else 1 for a in (alpha, ALPHA))
    up: stats.Alternative = "greater" if floor else "less"
    down: stats.Alternative = "less" if floor else "greater"
    least, short = _too_few_to_pass(sample, room, needed)
    trusted = needed
    if sample.clustered:
        p_pass = max(stats.guarded_cluster_p(scores, sample.units, boundary, up, SCORES, seed=SEED), least)
        p_fail = stats.guarded_cluster_p(scores, sample.units, boundary, down, SCORES, seed=SEED)
        method = guarded(sample)
    elif is_binary(sample, metric):
        return rate_evidence(int(np.sum(scores > 0.5)), sample.n, boundary, alpha, floor=floor)
    else:
        trusted = stats.trusted_n(room, alpha) if 0.0 < room < 1.0 else needed
        p_pass = stats.bounded_mean_p(scores, boundary, up, SCORES, trusted, seed=SEED)
        p_fail = stats.bounded_mean_p(scores, boundary, down, SCORES, to_fail, seed=SEED)
        method = means_method(sample.n, trusted)
    interval = level_interval(sample, metric, alpha, (trusted, needed) if floor else (needed, trusted))
    assert interval is not None
    caution = _cautions(sample, short, p_fail)
    return Evidence(estimate, interval.low, interval.high, p_pass, p_fail, method, caution)


def rate_evidence(hits: int, n: int, boundary: float, alpha: float, *, floor: bool) -> Evidence:
    """What ``level_evidence`` says of pass or fail scores with one trial, from how many pass."""
    above, below = stats.floor_p(hits, n, boundary), stats.ceiling_p(hits, n, boundary)
    p_pass, p_fail = (above, below) if floor else (below, above)
    interval = stats.clopper_pearson(hits, n, alpha)
    return Evidence(hits / n, interval.low, interval.high, p_pass, p_fail, "Clopper-Pearson")
