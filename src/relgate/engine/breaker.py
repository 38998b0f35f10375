"""The circuit breaker of one provider: when it is away for long, nobody waits for it any more."""

from __future__ import annotations

FAILURES = 5
"""Requests in a row that were given up before the circuit opens."""

OPEN_SECONDS = 30.0


class Breaker:
    """Opens after failures in a row, lets one request through now and then, closes when it is answered.

    Attributes:
        last: why the newest request was given up.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._retry_at = 0.0
        self.last = ""

    @property
    def is_open(self) -> bool:
        """Whether requests are held back: what is sent now is a probe."""
        return self._failures >= FAILURES

    def objection(self, now: float) -> str | None:
        """Why no request may be sent now, None where one may; asking for the probe's turn takes it."""
        if not self.is_open:
            return None
        if now >= self._retry_at:
            self._retry_at = now + OPEN_SECONDS
            return None
        return f"not asked: {self._failures} calls in a row were given up ({self.last})"

    def succeeded(self) -> None:
        """A request was answered."""
        self._failures = 0

    def failed(self, why: str, now: float) -> None:
        """A request was given up after its retries."""
        self._failures += 1
        self.last = why
        if self.is_open:
            self._retry_at = now + OPEN_SECONDS
