"""The rule of ``trials: auto``: how often a case is asked follows from how often it flips by itself."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.measurements import Trial
from relgate.decision.trials import Pilot, pilot_of, trials_after
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

RIGHT = {"right": Metric("right", "binary")}
UNIT = {"right": Metric("right", "unit")}
REQUIRED = GateSpec("right", "non_inferior", 0.05)
HIT, MISS = Trial({"right": 1.0}), Trial({"right": 0.0})


@pytest.mark.parametrize(
    ("flips", "cases", "trials"), [(0, 40, 1), (3, 100, 1), (4, 100, 3), (4, 40, 3), (5, 40, 5), (20, 40, 5)]
)
def test_trials_follow_the_flip_rate(build: Any, flips: int, cases: int, trials: int) -> None:
    assert trials_after(Pilot(flips, cases), build.suite(60, gates=(REQUIRED,)), RIGHT, 0.05) == trials


def test_one_trial_is_enough_where_there_are_cases_enough(build: Any) -> None:
    def trials(n: int, metrics: Any = RIGHT, *gates: GateSpec) -> int:
        suite = build.suite(n, gates=gates or (REQUIRED,))
        return trials_after(Pilot(4, 40), suite, metrics, 0.05)

    assert (trials(200), trials(1000)) == (3, 1)
    assert trials(200, RIGHT, GateSpec("right", "non_inferior", 0.2)) == 1
    assert trials(1000, UNIT) == 3
    assert trials(1000, RIGHT, GateSpec("right", "non_inferior", 0.05, role="guard")) == 3
    assert trials(1000, RIGHT, GateSpec("right", "non_inferior", 0.05, only={"lang": "de"})) == 3


def test_a_smaller_alpha_wants_more_cases_before_one_trial_is_enough(build: Any) -> None:
    suite = build.suite(500, gates=(REQUIRED,))
    assert trials_after(Pilot(4, 40), suite, RIGHT, 0.05) == 1
    assert trials_after(Pilot(4, 40), suite, RIGHT, 0.0125) == 3


def test_a_flip_is_a_hit_once_and_a_miss_once_in_either_order() -> None:
    found = pilot_of([(HIT, MISS), (MISS, HIT), *[(HIT, HIT)] * 30, *[(MISS, MISS)] * 8], RIGHT)
    assert found == Pilot(2, 40)
    assert found.rate == 0.05


def test_cases_that_could_not_be_judged_are_no_part_of_a_pilot() -> None:
    failed = Trial({}, frozenset({"right"}))
    assert pilot_of([(HIT, failed), *[(HIT, HIT)] * 40], RIGHT) == Pilot(0, 40)
    assert pilot_of([(HIT, failed), *[(HIT, HIT)] * 39], RIGHT) is None
