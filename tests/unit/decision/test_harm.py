"""Harm, the test of alarms, where few cases differ."""

from __future__ import annotations

from typing import Any

import pytest

from relgate import stats
from relgate.decision.against_zero import HARM_ONE_IN, harm_p, is_sparse
from relgate.decision.gates import sample_of
from relgate.decision.policy import Gate
from relgate.decision.sample import Sample
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

RIGHT = Metric("right", "binary")


def _sample(build: Any, worse: int, n: int) -> Sample:
    """Three trials a case, of which in some cases one was lost, and in one of them all three."""
    candidate = [[0, 0, 0], *[[1, 1, 0]] * (worse - 1), *[[1, 1, 1]] * (n - worse)]
    gate = Gate("g", "s", GateSpec("right", "non_inferior", 0.1), RIGHT)
    return sample_of(gate, build.data(candidate, [[1, 1, 1]] * n))


@pytest.mark.parametrize(
    ("differ", "n", "wary"), [(6, 20, True), (7, 20, False), (16, 48, True), (17, 48, False)]
)
def test_halls_t_stands_alone_on_harm_where_more_than_a_third_differ(build, differ, n, wary):
    sample = _sample(build, differ, n)
    p, method = harm_p(sample, RIGHT)
    hall = stats.hall_p(sample.difference, 0.0, "less")
    assert bool(is_sparse(differ, n, HARM_ONE_IN)) is wary
    assert method == ("Hall on case means, few differ" if wary else "Hall on case means")
    assert p >= hall if wary else p == hall


def test_where_few_differ_harm_is_no_surer_than_the_signs_or_an_unseen_gain_allow(build):
    sample = _sample(build, 6, 20)
    assert stats.hall_p(sample.difference, 0.0, "less") < 0.05
    assert harm_p(sample, RIGHT)[0] == pytest.approx(
        stats.mcnemar_midp(stats.PairedCounts(0, 0, 6, 14), "less")
    )
