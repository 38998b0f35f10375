"""Limits per minute: never more in any minute, and no longer a wait than they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relgate.engine.pace import Bucket


def _moments(per_minute: float, burst_seconds: float, count: int) -> list[float]:
    """When each of so many callers, all there at once, may go."""
    bucket = Bucket(per_minute, burst_seconds)
    return [bucket.take(1.0, 0.0) for _ in range(count)]


@given(st.integers(2, 2000), st.floats(0.0, 10.0))
def test_no_minute_holds_more_than_the_limit(per_minute, burst_seconds):
    moments = _moments(per_minute, burst_seconds, 2 * per_minute)
    for i in range(len(moments) - per_minute):
        assert moments[i + per_minute] - moments[i] >= 60.0 - 1e-6


@pytest.mark.parametrize("per_minute", [60, 600, 6000])
def test_the_limit_is_nearly_used_up(per_minute):
    moments = _moments(per_minute, 1.0, 3 * per_minute)
    assert moments[-1] <= 180.0 * 1.05


def test_callers_go_in_the_order_in_which_they_came():
    moments = _moments(60, 1.0, 10)
    assert moments == sorted(moments)
    assert moments[0] == 0.0
    assert moments[1] > 0.9


def test_what_was_not_used_shortens_the_next_wait():
    bucket = Bucket(6000, 10.0)
    bucket.take(3000, 0.0)
    longer = bucket.take(1, 0.0)
    bucket.give_back(2000)
    assert longer > 15
    assert bucket.take(1, 0.0) == pytest.approx(longer - 2000 / (5000 / 60), abs=0.1)


def test_a_pause_fills_the_bucket_no_further_than_one_burst():
    bucket = Bucket(60, 1.0)
    bucket.take(1.0, 0.0)
    assert [bucket.take(1.0, 3600.0) == 0.0 for _ in range(2)] == [True, False]
