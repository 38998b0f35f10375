"""Limits per minute: a bucket that fills steadily and may be overdrawn by whoever waits for it."""

from __future__ import annotations

BURST_SECONDS_REQUESTS = 1.0
BURST_SECONDS_TOKENS = 10.0


class Bucket:
    """A token bucket.

    In every window of 60 seconds at most ``per_minute`` is taken: what may be taken at once is part of it.
    Only a limit of one a minute allows a second after two.

    Args:
        per_minute: what may be taken a minute.
        burst_seconds: how many seconds' worth may be taken at once; at least 1 unit.
    """

    def __init__(self, per_minute: float, burst_seconds: float) -> None:
        self._burst = max(1.0, per_minute * burst_seconds / 60.0)
        self._rate = max(per_minute - self._burst, per_minute / 2.0) / 60.0
        self._level = self._burst
        self._at: float | None = None

    def take(self, amount: float, now: float) -> float:
        """Take, and say for how many seconds to wait first; whoever takes later waits longer."""
        if self._at is not None:
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        self._level -= amount
        return max(0.0, -self._level / self._rate)

    def give_back(self, amount: float) -> None:
        """Correct what was taken: more than was needed, or less where ``amount`` is negative."""
        self._level = min(self._burst, self._level + amount)
