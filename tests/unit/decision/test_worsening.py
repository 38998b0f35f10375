"""New calls of cases against those of an earlier run: rarely worse by luck, and found where they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relgate.decision.worsening import ALPHA, Again, worsening_p


def test_one_call_then_and_now_is_a_sign_test():
    fallen = [Again((1.0,), (0.0,))] * 7
    assert worsening_p(fallen) == pytest.approx(0.5**7)
    assert worsening_p([*fallen, *[Again((0.0,), (0.0,))] * 50]) == pytest.approx(0.5**7)


def test_three_calls_then_and_three_now_are_one_choice_of_twenty():
    assert worsening_p([Again((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))]) == pytest.approx(1 / 20)


def test_of_many_cases_the_sum_is_normal():
    rng = np.random.default_rng(4)
    cases = [
        Again(tuple((rng.random(3) < rate).astype(float)), tuple((rng.random(3) < rate).astype(float)))
        for rate in rng.beta(4.0, 0.8, 400)
    ]
    few, many = cases[:200], cases[:201]
    assert worsening_p(many) == pytest.approx(worsening_p(few), abs=0.03)
    assert worsening_p([Again((1.0,), (1.0,))] * 300) == 1.0
    assert worsening_p([*cases, *[Again((1.0,) * 3, (0.0,) * 3)] * 60]) < 1e-6


def test_nothing_that_can_be_compared_says_nothing():
    assert worsening_p([]) == 1.0


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([0.0, 0.37, 1.0]), min_size=1, max_size=6),
            st.lists(st.sampled_from([0.0, 0.37, 1.0]), min_size=1, max_size=6),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_better_answers_never_look_worse(cases):
    again = [Again(tuple(before), tuple(now)) for before, now in cases]
    better = [Again(case.before, (1.0,) * len(case.now)) for case in again]
    assert 0.0 < worsening_p(again) <= 1.0
    assert worsening_p(better) >= worsening_p(again) - 1e-12


@pytest.mark.parametrize(("before", "now"), [(1, 1), (3, 1), (3, 3), (30, 5)])
def test_an_unchanged_candidate_rarely_alarms_and_a_broken_one_nearly_always(before, now):
    rng = np.random.default_rng(before * 10 + now)
    alarms, found = 0, 0
    for _ in range(400):
        rates = np.clip(rng.beta(4.0, 0.4, 12), 0.0, 1.0)
        then = [tuple((rng.random(before) < rate).astype(float)) for rate in rates]
        same = [
            Again(t, tuple((rng.random(now) < r).astype(float))) for t, r in zip(then, rates, strict=True)
        ]
        broken = [Again(t, (0.0,) * now) for t in then]
        alarms += worsening_p(same) <= ALPHA
        found += worsening_p(broken) <= ALPHA
    assert alarms <= 400 * (ALPHA + 3 * (ALPHA / 400) ** 0.5)
    assert found >= 380
