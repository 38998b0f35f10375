"""How far a run is, in one line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

RATE_SECONDS = 10.0
"""The rate is that of the last seconds, so that a pause of a provider shows."""


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run at one moment.

    Attributes:
        made: calls begun, those that kept answers stood for included.
        planned: calls at the most; early stop may need fewer.
        in_flight: calls without an answer yet.
        usd: spent so far.
        per_second: rate of the last seconds, None at the start.
        gates_passed: required gates that a look has passed already.
        gates: gates that are looked at before the end.
        trouble: why a provider gives no answers, redacted; "" while all do.
    """

    made: int
    planned: int
    in_flight: int
    usd: float
    per_second: float | None
    gates_passed: int
    gates: int
    trouble: str = ""

    @property
    def seconds_left(self) -> float | None:
        """At this rate, None where nobody can say."""
        return (self.planned - self.made) / self.per_second if self.per_second else None

    def __str__(self) -> str:
        return self.within(None)

    def within(self, room: int | None) -> str:
        """The line in so many signs, None for all there are; the trouble is what is left of it in the end."""
        parts, end = self._parts(), f"; last: {self.trouble}" if self.trouble else ""
        while end and room is not None and len(parts) > 1 and len(", ".join(parts) + end) > room:
            parts.pop()
        return (", ".join(parts) + end)[:room]

    def _parts(self) -> list[str]:
        parts = [f"{self.made}/{self.planned} calls"]
        if self.in_flight:
            parts.append(f"{self.in_flight} in flight")
        if self.usd:
            parts.append(f"${self.usd:.2f}" if self.usd >= 0.01 else f"${self.usd:.4f}")
        if self.per_second is not None:
            parts.append(f"{self.per_second:.3g}/s")
        if self.seconds_left is not None and self.made < self.planned:
            parts.append(f"{_duration(self.seconds_left)} left")
        if self.gates:
            parts.append(f"{self.gates_passed} of {self.gates} required gates passed")
        return parts


class Rate:
    """Calls a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def at(self, now: float, made: int) -> float | None:
        """Note how many were made by now, and give the rate."""
        self._seen.append((now, made))
        while len(self._seen) > 2 and self._seen[1][0] <= now - RATE_SECONDS:
            self._seen.popleft()
        since, then = self._seen[0]
        return (made - then) / (now - since) if now > since else None


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
