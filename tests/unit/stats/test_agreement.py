from __future__ import annotations

import itertools

import numpy as np
import pytest

from relgate.stats import binary_agreement, position_bias, rater_agreement


def pairs(table):
    """Two raters' categories from a table of counts: row of the one, column of the other."""
    cells = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in cells], [j for _, j in cells]


def test_kappa_gives_the_textbook_values():
    # Fleiss, Levin and Paik 2003, table 18.1, as statsmodels and psych print it: kappa .676, ASE .088.
    found = rater_agreement(*pairs([[75, 1, 4], [5, 4, 1], [0, 0, 10]]))
    assert found.n == 100
    assert found.observed == pytest.approx(0.89)
    assert found.expected == pytest.approx(0.66)
    assert found.kappa == pytest.approx(0.676, abs=5e-4)
    assert found.se == pytest.approx(0.088, abs=5e-4)


def test_the_standard_error_of_kappa_is_the_spread_that_resampling_finds():
    one, other = (np.array(side) for side in pairs([[40, 9], [6, 45]]))
    found = rater_agreement(one, other)
    drawn = np.random.default_rng(3)
    again = []
    for _ in range(2000):
        pick = drawn.integers(0, 100, 100)
        again.append(rater_agreement(one[pick], other[pick]).kappa)
    assert found.se == pytest.approx(np.std(again), rel=0.08)
    bounds = found.interval()
    assert bounds.low < found.kappa < bounds.high <= 1.0


def test_kappa_does_not_know_the_names_of_the_categories_nor_the_order_of_raters_and_cases():
    one, other = pairs([[20, 5, 2], [3, 30, 4], [1, 6, 29]])
    found = rater_agreement(one, other)
    named = rater_agreement([("x", i) for i in reversed(one)], [("x", j) for j in reversed(other)])
    turned = rater_agreement(other, one)
    assert named.kappa == pytest.approx(found.kappa)
    assert turned.kappa == pytest.approx(found.kappa)
    assert turned.se == pytest.approx(found.se)


def test_perfect_agreement_is_one_chance_is_zero_and_one_category_has_no_kappa():
    assert rater_agreement([1, 2, 1, 2], [1, 2, 1, 2]).kappa == 1.0
    assert rater_agreement([1, 1, 2, 2], [1, 2, 1, 2]).kappa == 0.0
    only = rater_agreement([1, 1], [1, 1])
    assert (only.observed, only.kappa, only.se, only.interval()) == (1.0, None, None, None)


def test_sensitivity_and_specificity_are_shares_of_the_labels():
    labels = [True] * 10 + [False] * 5
    verdicts = [True] * 8 + [False] * 2 + [True] + [False] * 4
    found = binary_agreement(labels, verdicts)
    assert (found.true_yes, found.false_yes, found.false_no, found.true_no) == (8, 1, 2, 4)
    assert (found.sensitivity, found.specificity) == (0.8, 0.8)
    assert found.sensitivity_interval().contains(0.8)
    assert found.specificity_interval().width > found.sensitivity_interval().width


def test_without_a_labelled_yes_there_is_no_sensitivity():
    found = binary_agreement([False, False], [True, False])
    assert (found.sensitivity, found.sensitivity_interval()) == (None, None)
    assert found.specificity == 0.5


def test_a_judge_that_always_takes_the_first_answer_has_a_bias_of_one():
    found = position_bias([1, 1, 1], [2, 2, 2])
    assert (found.consistency, found.bias, found.to_first) == (0.0, 1.0, 3)
    assert position_bias([2, 2], [1, 1]).bias == -1.0


def test_a_consistent_judge_has_none_and_a_tie_once_counts_to_the_place_that_gained():
    assert position_bias([1, 2, 0], [1, 2, 0]).consistency == 1.0
    half = position_bias([1, 0], [0, 1])
    assert (half.consistent, half.to_first, half.to_second, half.bias) == (0, 1, 1, 0.0)


def test_swapping_the_orders_turns_the_bias_round():
    orders = list(itertools.product((0, 1, 2), repeat=2))
    drawn = [orders[i] for i in np.random.default_rng(5).integers(0, 9, 60)]
    kept, swapped = zip(*drawn, strict=True)
    assert position_bias(kept, swapped).bias == -position_bias(swapped, kept).bias


@pytest.mark.parametrize(
    "call",
    [
        lambda: rater_agreement([], []),
        lambda: rater_agreement([1], [1, 2]),
        lambda: rater_agreement([None], [1]),
        lambda: binary_agreement([], []),
        lambda: position_bias([], []),
        lambda: position_bias([1], [1, 2]),
        lambda: position_bias([1], [3]),
    ],
)
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(ValueError, match=r"."):
        call()


def test_agreement_on_every_case_leaves_an_interval_of_some_width():
    found = rater_agreement([1, 0] * 20, [1, 0] * 20)
    assert (found.kappa, found.se) == (1.0, 0.0)
    bounds = found.interval()
    assert bounds.high == 1.0
    assert bounds.low == pytest.approx(1.0 - 2.0 * (1.0 - 0.05 ** (1 / 40)))
