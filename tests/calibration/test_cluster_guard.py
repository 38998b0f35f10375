"""Clustered gates on their boundary where losses are rare: many repetitions through the array forms.

The first test holds the array forms equal to the gates' own functions.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulated.bounds import SIZE_AT_MOST, size_holds
from simulated.worlds import loss, pairs, trial_means, units_of

from relgate import stats
from relgate.decision.simulation import pvalues as fast

pytestmark = pytest.mark.calibration

REPETITIONS, SEED = 2000, 20260101
DIFFERENCES, SCORES = (-1.0, 1.0), (0.0, 1.0)


def _minus(sides):
    return np.round(sides[0] - sides[1], 10)


def _worlds(margin):
    """Draw, boundary, support, neutral score of one gate each; the truth lies on the boundary."""
    paired = (-margin, DIFFERENCES, 0.0)
    return {
        "rare losses": (lambda r, u: _minus(pairs(r, u, margin + 0.005, 0.005)), *paired),
        "losses and gains": (lambda r, u: _minus(pairs(r, u, margin + 0.05, 0.05)), *paired),
        "balanced": (lambda r, u: _minus(pairs(r, u, 0.2 + margin / 2, 0.2 - margin / 2)), *paired),
        "three trials": (lambda r, u: _minus(trial_means(r, u, 0.03, 3, margin / 0.92)), *paired),
        "three noisy trials": (lambda r, u: _minus(trial_means(r, u, 0.13, 3, margin / 0.92)), *paired),
        "unit scores": (lambda r, u: loss("zero-inflated", -margin).draw(r, u), *paired),
        "floor": (lambda r, u: pairs(r, u, margin, 0.0)[0], 1.0 - margin, SCORES, None),
        "share above a p95 limit": (lambda r, u: 1.0 - pairs(r, u, 0.05, 0.0)[0], 0.05, SCORES, None),
    }


def _p(world, groups, repetitions):
    draw, boundary, support, neutral = world
    rng, units = np.random.default_rng(SEED), units_of(0, groups)
    rows = np.stack([draw(rng, units) for _ in range(repetitions)])
    clusters = fast.Clusters.of(units)
    both = [
        fast.guarded_cluster_p(rows, clusters, boundary, side, support, neutral=neutral)
        for side in ("greater", "less")
    ]
    return rows, units, both


@pytest.mark.parametrize("name", list(_worlds(0.1)))
def test_the_array_form_is_the_gates_own(name):
    world = _worlds(0.1)[name]
    rows, units, both = _p(world, 20, 25)
    _, boundary, support, neutral = world
    for side, found in zip(("greater", "less"), both, strict=True):
        own = [stats.guarded_cluster_p(y, units, boundary, side, support, neutral=neutral) for y in rows]
        assert found == pytest.approx(own, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("groups", [12, 20, 50])
@pytest.mark.parametrize("name", list(_worlds(0.1)))
def test_both_sides_keep_the_bound_of_clusters(name, groups):
    margin = 0.10 if groups <= 20 else 0.05
    _, _, both = _p(_worlds(margin)[name], groups, REPETITIONS)
    for p in both:
        assert size_holds(float(np.mean(p <= 0.05)), SIZE_AT_MOST["clusters"], REPETITIONS)


def test_without_the_guard_rare_losses_pass_far_too_often():
    draw, boundary, support, _ = _worlds(0.1)["floor"]
    rng, units = np.random.default_rng(SEED), units_of(0, 20)
    rows = np.stack([draw(rng, units) for _ in range(REPETITIONS)])
    plain = fast.cluster_p(rows, fast.Clusters.of(units), boundary, "greater", support)
    assert not size_holds(float(np.mean(plain <= 0.05)), SIZE_AT_MOST["clusters"], REPETITIONS)


def test_an_identical_candidate_still_passes():
    """.79 at 20 clusters and .69 at 50; CR2 alone would pass .89 and .77."""
    for groups, margin, least in ((20, 0.10, 0.75), (50, 0.05, 0.65)):
        rng, units = np.random.default_rng(SEED), units_of(0, groups)
        rows = np.stack([_minus(pairs(rng, units, 0.04, 0.04)) for _ in range(REPETITIONS)])
        clusters = fast.Clusters.of(units)
        p = fast.guarded_cluster_p(rows, clusters, -margin, "greater", DIFFERENCES, neutral=0.0)
        assert float(np.mean(p <= 0.05)) >= least
