from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from relgate.stats import PredictionPoweredMean, ppi_mean, ppi_mean_cross_fitted
from relgate.stats.means import Moments

RNG = np.random.default_rng(5)
Y = RNG.choice([-1.0, 0.0, 1.0], 60)
JUDGE = np.clip(Y + RNG.normal(0, 0.7, 60), -1, 1)
REST = RNG.normal(0, 0.8, 200)


def test_without_trust_in_the_judge_it_is_the_mean_of_the_labels():
    estimate = ppi_mean(Y, JUDGE, REST, lam=0.0)
    assert estimate.estimate == pytest.approx(Y.mean())
    assert estimate.se == pytest.approx(Y.std() / np.sqrt(60))


def test_full_trust_is_the_judge_plus_the_rectifier():
    estimate = ppi_mean(Y, JUDGE, REST, lam=1.0)
    assert estimate.estimate == pytest.approx(REST.mean() + (Y - JUDGE).mean())
    assert estimate.se == pytest.approx(np.sqrt(REST.var() / 200 + (Y - JUDGE).var() / 60))


def test_tuned_trust_is_in_range_and_no_worse_than_either_end():
    tuned = ppi_mean(Y, JUDGE, REST)
    assert 0.0 < tuned.lam < 1.0
    assert tuned.se <= min(ppi_mean(Y, JUDGE, REST, lam=0.0).se, ppi_mean(Y, JUDGE, REST, lam=1.0).se) * 1.02


def test_a_judge_against_the_labels_or_without_opinion_is_not_trusted():
    assert ppi_mean(Y, -JUDGE, REST).lam == 0.0
    assert ppi_mean(Y, np.full(60, 0.3), np.full(200, 0.3)).lam == 0.0


def test_p_and_interval_use_t_and_the_reference_interval_the_normal():
    estimate = ppi_mean(Y, JUDGE, REST)
    bounds, normal = estimate.interval(0.05), estimate.normal_interval(0.05)
    assert estimate.p(bounds.low, "greater") == pytest.approx(0.05)
    assert estimate.p(bounds.high, "less") == pytest.approx(0.05)
    assert normal.width == pytest.approx(2 * scipy_stats.norm.ppf(0.95) * estimate.se)
    assert normal.width < bounds.width


def test_no_variance_gives_no_p_value():
    flat = ppi_mean(np.ones(5), np.ones(5), np.ones(9))
    assert flat.estimate == 1.0
    with pytest.raises(ValueError, match="no variance"):
        flat.p(0.5, "greater")
    with pytest.raises(ValueError, match="no variance"):
        flat.interval()


@pytest.mark.parametrize(
    "call",
    [
        lambda: ppi_mean(Y, JUDGE[:-1], REST),
        lambda: ppi_mean([1.0], [1.0], REST),
        lambda: ppi_mean(Y, JUDGE, [1.0]),
        lambda: ppi_mean(Y, JUDGE, REST, lam=1.5),
    ],
)
def test_labels_that_do_not_fit_are_refused(call):
    with pytest.raises(ValueError, match=r"values|needs|lam"):
        call()


def test_a_cross_fitted_trust_keeps_the_level_with_few_labels():
    drawn = np.random.default_rng(11)
    passed = {"cross": 0, "tuned": 0}
    rounds = 2000
    for _ in range(rounds):
        human = drawn.choice([-1.0, 0.0, 1.0], size=300, p=[0.15, 0.80, 0.05])  # mean -0.10, the boundary
        judge = np.where(drawn.random(300) < 0.9, human, drawn.choice([-1.0, 0.0, 1.0], size=300))
        labelled, rest = slice(0, 50), slice(50, None)
        for name, infer in (("cross", ppi_mean_cross_fitted), ("tuned", ppi_mean)):
            found = infer(human[labelled], judge[labelled], judge[rest])
            passed[name] += found.p(-0.10, "greater") <= 0.05
    assert passed["cross"] / rounds <= 0.06 + 2 * 0.0053
    assert passed["cross"] <= passed["tuned"]


def test_cross_fitting_agrees_with_tuning_when_labels_are_many():
    drawn = np.random.default_rng(2)
    human = drawn.normal(size=2000)
    judge = human + drawn.normal(size=2000) * 0.5
    rest = (
        drawn.normal(size=4000) + drawn.normal(size=4000) * 0.5
    )  # the same judge: a random subset is labelled
    one, other = ppi_mean(human, judge, rest), ppi_mean_cross_fitted(human, judge, rest)
    assert other.lam == pytest.approx(one.lam, abs=0.02)
    assert other.estimate == pytest.approx(one.estimate, abs=0.002)
    assert other.se == pytest.approx(one.se, rel=0.01)


def test_cross_fitting_refuses_fewer_labels_than_two_a_fold():
    with pytest.raises(ValueError, match="at least 10"):
        ppi_mean_cross_fitted([0.0] * 9, [0.0] * 9, [0.0, 1.0])


def test_without_trust_its_skewness_is_that_of_the_labels():
    found = ppi_mean(Y, JUDGE, REST, lam=0.0).moments
    own = Moments.of(Y)
    assert (found.n, found.mean) == (own.n, pytest.approx(own.mean))
    assert found.skewness == pytest.approx(own.skewness)


def test_rare_losses_pass_less_often_by_halls_t_than_by_the_plain_one():
    rng = np.random.default_rng(7)
    plain = hall = 0
    for _ in range(400):
        human = -(rng.random(1000) < 0.05).astype(float)
        wrong = rng.random(1000) < 0.05
        judged = np.where(wrong, -1.0 - human, human)
        found = ppi_mean_cross_fitted(human[:100], judged[:100], judged[100:])
        if found.se > 0.0:
            plain += found.p(-0.05, "greater") <= 0.05
            hall += found.moments.hall_p(-0.05, "greater") <= 0.05
    assert hall / 400 <= 0.06
    assert plain / 400 >= 0.08


def test_the_trust_of_a_fold_is_the_slope_on_the_other_labels():
    human, judge = np.tile([1.0, 0.0, -1.0, 0.0], 10), np.tile([2.0, 0.0, -2.0, 0.0], 10)
    found = ppi_mean_cross_fitted(human, judge, np.tile([3.0, -3.0], 40), folds=10)
    assert found.lam == pytest.approx(0.5 / (1.0 + 40 / 80))


def test_degrees_of_freedom_lie_between_those_of_the_labels_and_of_both_means():
    drawn = np.random.default_rng(3)
    human = drawn.normal(size=50)
    judge = human + drawn.normal(size=50)
    found = ppi_mean_cross_fitted(human, judge, drawn.normal(size=250) * 1.4)
    assert 49.0 < found.df < 49.0 + 249.0
    alone = ppi_mean_cross_fitted(human, np.zeros(50), np.zeros(250))
    assert alone.df == pytest.approx(49.0)
    assert ppi_mean(human, judge, drawn.normal(size=250)).df == 49.0


@pytest.mark.parametrize(
    ("skewness", "counts"),
    [(-1.1, True), (-1.0, False), (0.0, False), (1.1, False)],  # 3 sqrt(6 / 50) = 1.039
)
def test_only_a_clear_tail_of_losses_is_corrected_for(skewness, counts):
    found = PredictionPoweredMean(0.0, 0.03, 0.5, 50, 250, skewness, 60.0)
    assert found.moments.skewness == skewness
    assert found.moments_of_losses.skewness == (skewness if counts else 0.0)
    student = found.p(-0.05, "greater")
    wary = found.moments_of_losses.hall_p(-0.05, "greater")
    assert wary > student if counts else wary == pytest.approx(student)
