from __future__ import annotations

import itertools

import numpy as np
import pytest

from relgate.stats import holm, weighted_holm

P = [0.001, 0.008, 0.012, 0.02, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212]


def closed_test(p, weights, alpha):
    """Weighted Holm as the closure of weighted Bonferroni tests: every intersection, one by one."""
    m = len(p)
    rejected = []
    for i in range(m):
        sets = [s for r in range(1, m + 1) for s in itertools.combinations(range(m), r) if i in s]
        rejected.append(
            all(any(p[j] <= alpha * weights[j] / sum(weights[k] for k in s) for j in s) for s in sets)
        )
    return rejected


def test_holm_gives_the_values_of_r():
    expected = [0.01, 0.072, 0.096, 0.14, 0.246, 0.246, 0.246, 0.246, 0.41, 0.41]
    assert holm(P) == pytest.approx(expected)
    assert holm(P[::-1]) == pytest.approx(expected[::-1])


def test_holm_of_nothing_and_of_one():
    assert holm([]).size == 0
    assert holm([0.3]).tolist() == [0.3]
    assert holm([0.9, 0.8]).max() == 1.0


def test_weighted_holm_is_the_closure_of_weighted_bonferroni_tests():
    rng = np.random.default_rng(2)
    seen = set()
    for _ in range(300):
        p = rng.beta(0.3, 4.0, 4)
        weights = rng.integers(1, 5, 4).astype(float)
        rejected = weighted_holm(p, weights, 0.05).tolist()
        assert rejected == closed_test(p, weights, 0.05)
        seen.add(sum(rejected))
    assert seen == {0, 1, 2, 3, 4}


def test_equal_weights_are_plain_holm():
    rng = np.random.default_rng(3)
    for _ in range(100):
        p = rng.beta(0.3, 4.0, 6)
        assert weighted_holm(p, np.full(6, 0.3), 0.05).tolist() == (holm(p) <= 0.05).tolist()


def test_a_failed_step_protects_all_later_hypotheses():
    assert weighted_holm([0.03, 0.04], [1.0, 1.0], 0.05).tolist() == [False, False]
    assert weighted_holm([0.02, 0.04], [1.0, 1.0], 0.05).tolist() == [True, True]
    assert weighted_holm([], [], 0.05).size == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: holm([0.1, float("nan")]),
        lambda: holm([1.2]),
        lambda: holm([-0.1]),
        lambda: weighted_holm([0.1], [1.0, 2.0], 0.05),
        lambda: weighted_holm([0.1], [0.0], 0.05),
        lambda: weighted_holm([0.1], [1.0], 0.0),
    ],
)
def test_what_is_no_p_value_is_refused(call):
    with pytest.raises(ValueError, match=r"p-values|NaN|weights|alpha"):
        call()
