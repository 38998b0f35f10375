"""Whether asking the present cases more often would let a gate pass (verdict.md 6, statistics.md 8)."""

from __future__ import annotations

from math import sqrt

from relgate import stats
from relgate.decision.policy import Gate
from relgate.decision.sample import Floats, Sample
from relgate.late import np

POWER = 0.8

CHOICES = (3, 5, 10)
"""Trials that are proposed."""


def trials_needed(gate: Gate, sample: Sample, alpha: float) -> int | None:
    """Trials of each present case with which the gate passes at no true difference with power .8.

    The variance of a case's difference is V = omega^2 + (s_b^2 + s_c^2) / k: what cases differ by, and what
    the trials of one case differ by (statistics.md 8). Both are estimated from the trials at hand.

    Returns:
        None where no number of ``CHOICES`` does, where it cannot be known (one trial a case, clusters), or
        where too few cases are at hand: n_min counts cases.
    """
    asked = _trials(sample)
    margin = gate.spec.boundary
    known = gate.spec.form == "non_inferior" and gate.spec.against == "baseline" and asked is not None
    if not known or sample.clustered or sample.n < stats.n_min(margin, alpha):
        return None
    assert asked is not None
    within = _within(sample.candidate_rows, sample.candidate_units, asked) + _within(
        sample.baseline_rows, sample.baseline_units, asked
    )
    between = max(0.0, float(np.var(sample.difference, ddof=1)) - within / asked)
    for trials in CHOICES:
        spread = max(sqrt(between + within / trials), 1e-3)
        if trials > asked and stats.paired_t_n(margin, spread, alpha, POWER) <= sample.n:
            return trials
    return None


def _trials(sample: Sample) -> int | None:
    """How often each case was asked on each side; None where it differs, or is once."""
    if sample.n < 2 or sample.baseline is None:
        return None
    counts = {
        int(size)
        for units in (sample.candidate_units, sample.baseline_units)
        for size in np.unique(units, return_counts=True)[1]
    }
    asked = counts.pop()
    return asked if not counts and asked > 1 else None


def _within(rows: Floats, units: np.typing.NDArray[np.int64], trials: int) -> float:
    """Mean variance of the trials of one case, trials - 1 degrees of freedom each."""
    by_case = rows[np.argsort(units, kind="stable")].reshape(-1, trials)
    return float(np.mean(np.var(by_case, axis=1, ddof=1)))
