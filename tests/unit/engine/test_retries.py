"""Retry-After in both forms, and pauses that grow and part callers."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from relgate.engine.retries import BACKOFF_AT_MOST, BACKOFF_SECONDS, backoff, retry_after

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0.4", 0.4),
        ("30", 30.0),
        ("-3", 0.0),
        ("Thu, 26 Nov 2026 12:00:20 GMT", 20.0),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
    ],
)
def test_what_a_provider_asks_for(asked, seconds):
    assert retry_after({"Retry-After": asked}, NOW) == seconds


def test_no_header_asks_for_nothing():
    assert retry_after({}, NOW) is None


def test_pauses_double_up_to_a_limit_and_differ():
    draw = random.Random(1)
    for turn in range(1, 12):
        longest = min(BACKOFF_AT_MOST, BACKOFF_SECONDS * 2 ** (turn - 1))
        pauses = [backoff(turn, draw) for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
        assert len(set(pauses)) == 50
    assert backoff(10_000, draw) <= BACKOFF_AT_MOST


def test_a_date_beyond_all_calendars_asks_for_nothing():
    headers = {"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"}
    assert retry_after(headers, datetime(2026, 1, 1, tzinfo=UTC)) is None
