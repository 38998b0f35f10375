"""Size and power by seeded simulation: the short form of the tables in the study.

Each bound is the nominal or measured value plus three Monte-Carlo errors at the number of repetitions used.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import (
    PairedCounts,
    bounded_mean_p,
    cluster_mean,
    exact_unconditional_p,
    fieller_p,
    gaffke_p,
    group_sequential_bounds,
    hall_p,
    n_min,
    nam_n,
    ppi_mean,
    quantile_ratio,
    tango_p,
    tango_z,
)

pytestmark = pytest.mark.calibration


def share(hits) -> float:
    return float(np.mean(list(hits)))


def three_errors(p: float, repetitions: int) -> float:
    return 3.0 * (p * (1 - p) / repetitions) ** 0.5


def paired_tables(rng, n, worse, better, repetitions):
    draws = rng.multinomial(n, [worse, better, 1 - worse - better], repetitions)
    return [PairedCounts(int(rest), int(c), int(b), 0) for b, c, rest in draws]


@pytest.mark.parametrize(("n", "margin", "psi"), [(50, 0.10, 0.20), (200, 0.05, 0.10)])
def test_paired_gate_promotes_at_most_alpha_on_the_boundary(n, margin, psi):
    tables = paired_tables(np.random.default_rng(1), n, (psi + margin) / 2, (psi - margin) / 2, 3000)
    exact = share(exact_unconditional_p(t, -margin, "greater") <= 0.05 for t in tables)
    score = share(tango_p(t, -margin, "greater") <= 0.05 for t in tables)
    assert 0.025 < exact <= 0.05 + three_errors(0.05, 3000)
    assert score <= 0.055 + three_errors(0.055, 3000)
    assert exact <= score


def test_paired_gate_has_the_power_of_the_study():
    tables = paired_tables(np.random.default_rng(2), 200, 0.05, 0.05, 3000)
    power = share(exact_unconditional_p(t, -0.05, "greater") <= 0.05 for t in tables)
    assert power == pytest.approx(0.669, abs=three_errors(0.669, 3000))


@pytest.mark.parametrize(("margin", "psi"), [(0.05, 0.10), (0.10, 0.20), (0.02, 0.06)])
def test_nams_n_gives_the_planned_power(margin, psi):
    n = nam_n(margin, psi)
    tables = paired_tables(np.random.default_rng(3), n, psi / 2, psi / 2, 4000)
    power = share(tango_p(t, -margin, "greater") <= 0.05 for t in tables)
    assert 0.8 - three_errors(0.8, 4000) <= power <= 0.83 + three_errors(0.8, 4000)


def boundary_scores(kind, rng, n, margin):
    """Paired score differences whose mean lies exactly on -margin."""
    if kind == "normal":
        return np.clip(rng.normal(-margin, 0.15, n), -1, 1)
    if kind == "mostly ties":
        return np.where(rng.random(n) < 0.8, 0.0, -rng.beta(2, 2 / (5 * margin) - 2, n))
    if kind == "skewed":
        return rng.beta(6, 1.5, n) - 0.8 - margin
    drop = rng.random(n) < margin / 0.9
    return np.clip(rng.normal(0, 0.005, n), -0.02, 0.02) - 0.9 * drop


@pytest.mark.parametrize("kind", ["normal", "mostly ties", "skewed", "catastrophe"])
def test_bounded_means_keep_their_size_from_n_min_on(kind):
    rng = np.random.default_rng(4)
    margin, n, repetitions = 0.10, 50, 400
    assert n >= n_min(margin)
    hits = []
    for _ in range(repetitions):
        d = boundary_scores(kind, rng, n, margin)
        p = min(
            hall_p(d, -margin, "greater") if np.ptp(d) > 0 else 1.0,
            gaffke_p(d, -margin, "greater", (-1, 1), draws=1000),
        )
        hits.append(p <= 0.05)
    assert share(hits) <= 0.063 + three_errors(0.063, repetitions)


def test_hall_on_thirds_has_its_nominal_size():
    rng = np.random.default_rng(5)
    values = np.array([-1.0, -1 / 3, 0.0, 1 / 3])
    weights = np.array([0.04, 0.14, 0.72, 0.10])
    mean = float(values @ weights)
    hits = [hall_p(rng.choice(values, 200, p=weights), mean, "greater") <= 0.05 for _ in range(3000)]
    assert share(hits) == pytest.approx(0.05, abs=0.012)


def test_gaffke_is_conservative_at_small_n_where_hall_is_not():
    rng = np.random.default_rng(6)
    margin, n = 0.10, 20  # below n_min = 29
    samples = [boundary_scores("catastrophe", rng, n, margin) for _ in range(400)]
    gaffke = share(gaffke_p(d, -margin, "greater", (-1, 1), draws=1000) <= 0.05 for d in samples)
    hall = share(hall_p(d, -margin, "greater") <= 0.05 for d in samples)
    gated = share(bounded_mean_p(d, -margin, "greater", (-1, 1), n_min(margin)) <= 0.05 for d in samples[:40])
    assert gaffke <= 0.05
    assert hall > 0.05
    assert gated <= 0.05 + three_errors(0.05, 40)


def test_clusters_keep_their_size_where_the_plain_t_test_does_not():
    rng = np.random.default_rng(7)
    repetitions, groups = 1500, 12
    robust, naive = [], []
    for _ in range(repetitions):
        sizes = rng.integers(3, 18, groups)
        code = np.repeat(np.arange(groups), sizes)
        y = rng.normal(0, 0.25**0.5, groups)[code] + rng.normal(0, 1, code.size)
        robust.append(cluster_mean(y, code).p(0.0, "greater") <= 0.05)
        naive.append(scipy_stats.t.sf(y.mean() / (y.std(ddof=1) / y.size**0.5), y.size - 1) <= 0.05)
    assert share(robust) <= 0.06 + three_errors(0.06, repetitions)
    assert share(naive) > 0.10


def latencies(rng, n, factor):
    common, own = rng.normal(size=n), rng.normal(size=(2, n))
    logs = 0.8 * (0.6**0.5 * common + 0.4**0.5 * own)
    slow = np.where(rng.random((2, n)) < 0.05, 3.0, 1.0)
    base, cand = np.exp(logs) * slow
    return base, factor * cand


@pytest.mark.parametrize(("q", "n"), [(0.5, 50), (0.95, 200)])
def test_quantile_budget_keeps_its_size_on_the_boundary(q, n):
    rng = np.random.default_rng(8)
    samples = [latencies(rng, n, 1.5) for _ in range(1500)]
    results = [quantile_ratio(b, c, q, 1.5) for b, c in samples]
    assert share(r.p_less <= 0.05 for r in results) <= 0.06 + three_errors(0.06, 1500)
    assert share(r.p_greater <= 0.05 for r in results) <= 0.06 + three_errors(0.06, 1500)


def test_quantile_budget_has_the_power_of_the_study():
    rng = np.random.default_rng(9)
    results = [quantile_ratio(*latencies(rng, 200, 1.0), 0.95, 1.5) for _ in range(1000)]
    assert share(r.p_less <= 0.05 for r in results) == pytest.approx(0.78, abs=0.05)


@pytest.mark.parametrize("n", [20, 200])
def test_cost_budget_keeps_its_size_on_the_boundary(n):
    rng = np.random.default_rng(10)
    samples = [latencies(rng, n, 2.0) for _ in range(3000)]
    assert share(fieller_p(b, c, 2.0, "less") <= 0.05 for b, c in samples) <= 0.05 + three_errors(0.05, 3000)


def test_looks_at_paired_data_keep_the_size_of_the_whole():
    rng = np.random.default_rng(11)
    n, margin, psi, looks, repetitions = 500, 0.05, 0.15, 10, 1500
    bounds = group_sequential_bounds(looks)
    steps = rng.choice([-1, 1, 0], (repetitions, n), p=[(psi + margin) / 2, (psi - margin) / 2, 1 - psi])
    crossed = np.zeros(repetitions, dtype=bool)
    for look, bound in enumerate(bounds, start=1):
        size = n * look // looks
        seen = steps[:, :size]
        for row in range(repetitions):
            b, c = int((seen[row] < 0).sum()), int((seen[row] > 0).sum())
            crossed[row] |= tango_z(PairedCounts(size - b - c, c, b, 0), -margin) > bound
    assert share(crossed) <= 0.05 + three_errors(0.05, repetitions)


def test_labels_correct_a_judge_that_favours_the_candidate():
    rng = np.random.default_rng(12)
    corrected, judge_only = [], []
    for _ in range(1000):
        truth = rng.choice([-1.0, 0.0, 1.0], 600, p=[0.15, 0.75, 0.10])  # mean -.05: on the boundary
        judge = np.clip(truth + rng.choice([0.0, 1.0], 600, p=[0.9, 0.1]), -1, 1)
        estimate = ppi_mean(truth[:100], judge[:100], judge[100:])
        corrected.append(estimate.p(-0.05, "greater") <= 0.05)
        judge_only.append(scipy_stats.ttest_1samp(judge, -0.05, alternative="greater").pvalue <= 0.05)
    assert share(corrected) <= 0.06 + three_errors(0.06, 1000)
    assert share(judge_only) > 0.5
