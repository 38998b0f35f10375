"""The fingerprint rarely alarms for the same system and finds another one (verdict.md 7)."""

from __future__ import annotations

import numpy as np
import pytest

from relgate.decision.fingerprint import CASES, Asked, fingerprint

REPETITIONS = 1500


def one_case(rng, answers, right, *, trials=3, swap=False, right_swap=None):
    """Stored trials drawn from a case's answers; the new call from them, or from another system's."""

    def draw(other=False):
        which = int(rng.choice(len(answers), p=answers))
        text = f"{'other' if other else 'answer'} {which} " + "x" * (7 * which + (40 if other else 0))
        chance = right if not other or right_swap is None else right_swap
        return text, float(rng.random() < chance)

    stored = [draw() for _ in range(trials)]
    text, score = draw(other=swap)
    return Asked(tuple(t for t, _ in stored), text, tuple(s for _, s in stored), score)


def alarm_rate(seed, *, swap=False, repetitions=REPETITIONS):
    rng = np.random.default_rng(seed)
    alarms = 0
    for _ in range(repetitions):
        # U-shaped pass probabilities and a few likely answers a case: psi is near .08
        asked = []
        for _ in range(CASES):
            right = float(np.clip(rng.beta(4.0, 0.4), 0.0, 1.0))
            answers = rng.dirichlet([3.0, 1.0, 0.5, 0.2])
            asked.append(one_case(rng, answers, right, swap=swap, right_swap=right))
        alarms += not fingerprint(asked).passed
    return alarms / repetitions


def test_the_same_system_alarms_about_seven_times_in_a_hundred():
    rate = alarm_rate(7)
    assert 0.03 <= rate <= 0.10 + 2 * (0.1 * 0.9 / REPETITIONS) ** 0.5


def test_a_model_swap_is_found():
    rate = alarm_rate(8, swap=True, repetitions=200)
    assert rate >= 0.99


def asked(count, text="same", stored=("same", "same"), scores=(1.0, 1.0), score=1.0):
    return [Asked(stored, text, scores, score)] * count


def test_equal_answers_pass_and_say_so():
    found = fingerprint(asked(CASES))
    assert (found.passed, found.p_text, found.p_length, found.p_score) == (True, 1.0, 1.0, 1.0)
    assert "the fingerprint of 40 cases passed" in found.message


@pytest.mark.parametrize(
    ("kwargs", "which"),
    [
        ({"text": "othe"}, "p_text"),
        ({"stored": ("same", "also"), "text": "much longer than that"}, "p_length"),
        ({"stored": ("same", "also"), "score": 0.0}, "p_score"),
    ],
    ids=["text", "length", "score"],
)
def test_each_of_the_three_finds_its_own_difference(kwargs, which):
    found = fingerprint(asked(CASES, **kwargs))
    assert not found.passed
    assert getattr(found, which) < 1e-6


def test_texts_that_never_repeat_are_no_sign_of_a_change():
    rng = np.random.default_rng(3)
    cases = [
        Asked(*(lambda t: (tuple(t[:2]), t[2]))([f"{n} {k}" for k in rng.permutation(3)]), (1.0, 1.0), 1.0)
        for n in range(CASES)
    ]
    assert fingerprint(cases).p_text == 1.0


@pytest.mark.parametrize("cases", [[], [Asked(("only one",), "text")]])
def test_fewer_than_two_stored_trials_are_refused(cases):
    with pytest.raises(ValueError, match="two or more"):
        fingerprint(cases)
