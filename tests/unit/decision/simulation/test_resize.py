"""A suite simulated with more or fewer cases: every slice keeps its share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from relgate.decision.duplicates import units_of
from relgate.decision.simulation.resize import resized
from relgate.decision.simulation.suite import SimulatedSuite


def _simulated(suite: Any) -> SimulatedSuite:
    return SimulatedSuite(suite, (), {}, (), tuple(1 + (i % 2) for i in range(len(suite.cases))))


def _topics(build: Any) -> SimulatedSuite:
    topics = ["a"] * 60 + ["b"] * 30 + ["c"] * 10
    return _simulated(build.suite(100, tags={"topic": topics}, slices=("topic",)))


@pytest.mark.parametrize(
    ("cases", "counts"),
    [(100, (60, 30, 10)), (130, (78, 39, 13)), (400, (240, 120, 40)), (50, (30, 15, 5)), (2, (1, 1, 1))],
)
def test_every_slice_grows_and_shrinks_in_proportion(
    build: Any, cases: int, counts: tuple[int, int, int]
) -> None:
    found = resized(_topics(build), cases)
    topics = Counter(case.tags["topic"] for case in found.suite.cases)
    assert (topics["a"], topics["b"], topics["c"]) == counts
    assert len(found.trials) == sum(counts)
    assert len({case.id for case in found.suite.cases}) == sum(counts)


def test_the_same_size_is_the_same_suite(build: Any) -> None:
    each = _topics(build)
    assert resized(each, 100) == each


def test_copies_are_units_of_their_own_and_not_critical(build: Any) -> None:
    each = _simulated(build.suite(10, critical={0: True}))
    found = resized(each, 25).suite
    assert len(set(units_of(found).values())) == 25
    assert [case.critical for case in found.cases].count(True) == 1


def test_whole_clusters_are_added_and_taken_away(build: Any) -> None:
    each = _simulated(build.suite(40, clusters=[f"k{i // 4}" for i in range(40)]))
    for cases, clusters in ((80, 20), (20, 5)):
        found = resized(each, cases).suite
        assert len(found.cases) == cases
        assert set(Counter(units_of(found).values()).values()) == {4}
        assert len(set(units_of(found).values())) == clusters
