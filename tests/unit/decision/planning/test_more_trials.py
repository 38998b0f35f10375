"""Whether more trials of the present cases would let a gate pass: only where trials are what varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relgate import stats
from relgate.decision.gates import sample_of
from relgate.decision.planning.more_trials import trials_needed


def _flaky(n: int, trials: int, rate: float, seed: int) -> list[list[float]]:
    rng = np.random.default_rng(seed)
    return [list(map(float, row)) for row in rng.random((n, trials)) < rate]


def _needed(build: Any, candidate: Any, baseline: Any, margin: float = 0.05, **suite: Any) -> int | None:
    gate = build.gate("non_inferior", margin)
    return trials_needed(gate, sample_of(gate, build.data(candidate, baseline, **suite)), 0.05)


def test_noise_between_trials_is_cured_by_trials(build: Any) -> None:
    """200 cases that all pass with .7: V = .42 / k, so that 8.4 trials do at margin .05."""
    found = _needed(build, _flaky(200, 3, 0.7, 1), _flaky(200, 3, 0.7, 2))
    assert found == 10
    spread = (0.42 / 10) ** 0.5
    assert stats.paired_t_n(0.05, spread, 0.05, 0.8) <= 200 < stats.paired_t_n(0.05, 0.29, 0.05, 0.8)


def test_cases_that_differ_are_not(build: Any) -> None:
    better = [[1.0] * 3] * 60 + [[0.0] * 3] * 60 + [[1.0] * 3] * 80
    worse = [[0.0] * 3] * 60 + [[1.0] * 3] * 60 + [[1.0] * 3] * 80
    assert _needed(build, better, worse) is None


def test_fewer_cases_than_n_min_are_not(build: Any) -> None:
    assert _needed(build, _flaky(58, 3, 0.99, 1), _flaky(58, 3, 0.99, 2)) is None


@pytest.mark.parametrize("trials", [1])
def test_one_trial_says_nothing_of_the_noise_between_trials(build: Any, trials: int) -> None:
    assert _needed(build, _flaky(200, trials, 0.9, 1), _flaky(200, trials, 0.9, 2)) is None


def test_clusters_and_unequal_trials_are_not_planned(build: Any) -> None:
    candidate, baseline = _flaky(200, 3, 0.7, 1), _flaky(200, 3, 0.7, 2)
    clusters = [f"k{i // 5}" for i in range(200)]
    assert _needed(build, candidate, baseline, clusters=clusters) is None
    assert _needed(build, [[1.0, 1.0], *candidate[1:]], baseline) is None
