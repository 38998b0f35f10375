"""The tests against a difference of 0: superiority, which is a gate, and harm, of which alarms are made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from relgate import stats
from relgate.decision.evidence import (
    DIFFERENCES,
    FEW_CLUSTERS,
    Evidence,
    Unable,
    cr2,
    few_caution,
    few_clusters,
    is_binary,
    means_method,
    oriented,
    oriented_counts,
    paired_counts,
    turned,
)
from relgate.decision.policy import SEED
from relgate.decision.sample import Sample
from relgate.domain.metric import Metric
from relgate.late import np

FEW_DIFFER = 6
"""Cases that must differ before Hall's t is used against a difference of 0 (verdict.md 3)."""

SPARSE_BELOW = 20
"""Differing cases below which Hall's t is not trusted alone against harm, where most cases tie."""

STRICTER = 1.2
"""What a p-value for superiority is multiplied by where few cases differ (`is_sparse`).

Small gains beside rare full losses passed .065 of the time there (200 cases, three trials), .051 with it.
"""


HARM_ONE_IN = 3
"""Of the cases one in so many differs at most where Hall's t alone is too easy on harm."""


def is_sparse(differ: Any, n: int, one_in: int = 2) -> Any:
    """Whether Hall's t is used although few cases differ and most tie.

    Args:
        differ: how many of the cases differ: a number, or one per sample, shape (R,).
        n: cases.
        one_in: one of so many cases differs at most.
    """
    return (differ >= FEW_DIFFER) & (differ < SPARSE_BELOW) & (one_in * differ <= n)


def harm_p(sample: Sample, metric: Metric) -> tuple[float, str]:
    """Evidence that the candidate is worse than the baseline at all, and the method.

    Mid-p McNemar at one trial; Hall on case means, mid-p of the signs when fewer than six cases differ;
    CR2 where the suite counts clusters (verdict.md 3). Where six to nineteen differ, a third at most, Hall's
    p is never below the smaller of mid-p and the chance that a gain which undoes the loss went unseen: alone
    it is too easy there (size up to .078). p = 1 when nothing differs or clusters are too few.
    """
    difference = oriented(sample, metric)
    worse, better = int(np.sum(difference < 0)), int(np.sum(difference > 0))
    differ = worse + better
    if differ == 0:
        return 1.0, "no case differs"
    if sample.clustered:
        if sample.unit_count < FEW_CLUSTERS:
            return 1.0, f"too few {sample.unit_noun}s"
        p = stats.cluster_bounded_p(difference, sample.units, 0.0, "less", DIFFERENCES, seed=SEED)
        return p, cr2(sample)
    signs = stats.mcnemar_midp(stats.PairedCounts(0, better, worse, sample.n - differ), "less")
    if differ < FEW_DIFFER or float(np.std(difference)) < 1e-12 or is_binary(sample, metric):
        return signs, "mid-p McNemar"
    p = stats.hall_p(difference, 0.0, "less")
    if is_sparse(differ, sample.n, HARM_ONE_IN):
        unseen = stats.unseen_loss_p(-float(np.mean(difference)), sample.n)
        return max(p, min(unseen, signs)), "Hall on case means, few differ"
    return p, "Hall on case means"


def superiority_evidence(sample: Sample, metric: Metric, alpha: float) -> Evidence | Unable:
    """Evidence that the candidate is better than the baseline, with the interval that belongs to the test.

    Mid-p McNemar at one trial; on case means min(Hall, Gaffke), Hall's t never below the chance that a loss
    which undoes the gain went unseen (``stats.unseen_loss``), and Gaffke alone when fewer than six cases
    differ; a fifth stricter where six to nineteen do and most tie; CR2 with the same floor where the suite
    counts clusters. The fail side is the same test the other way.
    """
    estimate = float(np.mean(sample.difference))
    few = few_clusters(sample)
    if few is not None:
        return replace(few, estimate=estimate)
    if not sample.clustered and is_binary(sample, metric):
        return superior_counts_evidence(paired_counts(sample), metric, alpha)
    difference = oriented(sample, metric)
    differ = int(np.count_nonzero(difference))
    sides: tuple[stats.Alternative, ...] = ("greater", "less")
    caution = few_caution(sample)
    hall_from = 1 if differ >= FEW_DIFFER else sample.n + 1
    strict = STRICTER if is_sparse(differ, sample.n) else 1.0
    if differ == 0:
        p_pass, p_fail, method = 1.0, 1.0, "no case differs"
    elif sample.clustered:
        p_pass, p_fail = (
            stats.secured_cluster_p(difference, sample.units, 0.0, side, DIFFERENCES, seed=SEED)
            for side in sides
        )
        method = cr2(sample)
    else:
        p_pass, p_fail = (
            min(1.0, strict * stats.bounded_mean_p(difference, 0.0, side, DIFFERENCES, hall_from, seed=SEED))
            for side in sides
        )
        method = secured_method(sample.n, differ)
        caution = unseen_caution(stats.Moments.of(difference), alpha)
    if sample.clustered:
        interval = stats.secured_cluster_interval(difference, sample.units, alpha, DIFFERENCES, seed=SEED)
    else:
        interval = stats.bounded_mean_interval(difference, alpha / strict, DIFFERENCES, hall_from, seed=SEED)
    interval = turned(interval, metric)
    return Evidence(estimate, interval.low, interval.high, p_pass, p_fail, method, caution)


def superior_counts_evidence(counts: stats.PairedCounts, metric: Metric, alpha: float) -> Evidence:
    """What ``superiority_evidence`` says of pass or fail scores with one trial, from their 2x2 table."""
    better = oriented_counts(counts, metric)
    p_pass, p_fail = stats.mcnemar_midp(better, "greater"), stats.mcnemar_midp(better, "less")
    method = "mid-p McNemar" if counts.b + counts.c else "no case differs"
    interval = turned(stats.mcnemar_interval(better, alpha), metric)
    return Evidence(counts.difference, interval.low, interval.high, p_pass, p_fail, method)


def secured_method(n: int, differ: int) -> str:
    """How case means are tested against 0 where this many cases differ."""
    return means_method(n, n if differ >= FEW_DIFFER else n + 1)


def unseen_caution(moments: stats.Moments, alpha: float) -> str:
    """That only a loss which these cases may all miss stands against a gain; "" where none does."""
    needed = stats.unseen_loss_n(moments.mean, alpha)
    if moments.n >= needed or moments.sd == 0.0 or moments.hall_p(0.0, "greater") > alpha:
        return ""
    return f"{moments.n} cases may all miss a loss that undoes this gain, {needed} may not"
