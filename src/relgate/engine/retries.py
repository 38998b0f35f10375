"""Which failures of a request are transient, and how long to wait before the next try."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

ATTEMPTS = 3
"""Tries of a request that fails in a transient way, as the providers' own clients have them."""

BACKOFF_SECONDS = 0.25
BACKOFF_AT_MOST = 8.0

THROTTLED = frozenset({429, 529})
"""HTTP answers that say "too many": waited for as long as the provider's patience lasts."""


def retry_after(headers: Mapping[str, str], wall: datetime) -> float | None:
    """Seconds that a provider asks to wait, as a number or an HTTP date; None where it says nothing usable.

    Args:
        headers: of its answer.
        wall: the time of day.
    """
    asked = headers.get("Retry-After")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        try:
            moment = parsedate_to_datetime(asked)
        except (ValueError, OverflowError):
            return None
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        seconds = (zoned - wall).total_seconds()
    if not math.isfinite(seconds):
        return None
    return max(seconds, 0.0)


def backoff(turn: int, draw: random.Random) -> float:
    """Seconds before try ``turn`` + 1: doubled each time, half of it drawn, so that callers part."""
    longest = min(BACKOFF_AT_MOST, BACKOFF_SECONDS * 2.0 ** min(turn - 1, 16))
    return longest * (0.5 + 0.5 * draw.random())
