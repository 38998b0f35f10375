"""Harm, the test of alarms, where few cases differ."""

from __future__ import annotations

import numpy as np
import pytest

from relgate import stats
from relgate.decision.against_zero import HARM_ONE_IN, harm_p, is_sparse
from relgate.decision.sample import Sample
from relgate.domain.metric import Metric

RIGHT = Metric("right", "binary")


def _sample(worse: int, n: int) -> Sample:
    """Case means over three trials, of which some fell by a third, and one by all."""
    baseline, units = np.ones(n), np.arange(n)
    candidate = baseline.copy()
    candidate[:worse] = np.round(2 / 3, 12)
    candidate[0] = 0.0
    return Sample(
        candidate=candidate,
        baseline=baseline,
        units=units,
        clustered=False,
        single=False,
        candidate_rows=candidate,
        candidate_units=units,
        baseline_rows=baseline,
        baseline_units=units,
        expected=n,
        unmeasured=0,
        judge_failures=0,
        missing_units=units[:0],
    )


@pytest.mark.parametrize(
    ("differ", "n", "wary"), [(6, 20, True), (7, 20, False), (16, 48, True), (17, 48, False)]
)
def test_halls_t_stands_alone_on_harm_where_more_than_a_third_differ(differ, n, wary):
    sample = _sample(differ, n)
    p, method = harm_p(sample, RIGHT)
    hall = stats.hall_p(sample.difference, 0.0, "less")
    assert bool(is_sparse(differ, n, HARM_ONE_IN)) is wary
    assert method == ("Hall on case means, few differ" if wary else "Hall on case means")
    assert p >= hall if wary else p == hall


def test_where_few_differ_harm_is_no_surer_than_the_signs_or_an_unseen_gain_allow():
    sample = _sample(6, 20)
    assert stats.hall_p(sample.difference, 0.0, "less") < 0.05
    assert harm_p(sample, RIGHT)[0] == pytest.approx(
        stats.mcnemar_midp(stats.PairedCounts(0, 0, 6, 14), "less")
    )
