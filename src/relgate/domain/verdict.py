"""The verdict: promote, hold or reject, from gates, alarms and critical cases alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Decision = Literal["promote", "hold", "reject"]

EXIT_STATUS: dict[str, int] = {"promote": 0, "reject": 1, "hold": 10}
"""Exit status of a whole run per decision (design: 10 leaves pytest's own codes alone)."""

SCREEN_REASON = "screen: "
"""What begins the words for a screen wherever its decision could be taken for a verdict."""

NOTHING_FOUND = f"{SCREEN_REASON}nothing found"
"""What a screen says that found no harm."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Proven harm in a slice, a hop or over-refusal; turns a promote into a hold."""

    suite: str
    metric: str
    slice: str
    estimate: float
    n: int
    p: float
    message: str


@dataclass(frozen=True, slots=True)
class CriticalMiss:
    """A critical case that was missed and what the confirming trials said."""

    suite: str
    case_id: str
    misses: int
    trials: int
    confirmed: bool
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run decides.

    Attributes:
        decision: promote, hold or reject.
        reason: one sentence.
        next_step: what to do next, the cheapest thing that would decide first.
        partial: whether only a part of the cases was measured.
        attempts: which attempt of this release line against this baseline it was, from 1; 0 where it is none.
        screen: whether the run was a screen, from which nothing may be promoted.
        clear: of a screen: whether it found nothing.
        tuned: of a promote: whether cases that prove it were shown before.
        lacking: whether something that it needs was not measured (an outage, a scorer that failed): such a
            run is no attempt, and the next one goes on with its answers.
        seen: of a part of the cases what would reject, as it was seen; of any run that the candidate answered
            worse or otherwise than before.
        others: reasons of a hold beside the first one that no gate, alarm, anchor or critical case tells, and
            what is proven worse; of a reject what would hold.
    """

    decision: Decision
    reason: str
    next_step: str
    partial: bool = False
    attempts: int = 1
    screen: bool = False
    clear: bool = False
    tuned: bool = False
    lacking: bool = False
    others: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """The exit status of a run with this verdict: a screen that found nothing gives 0."""
        return 0 if self.screen and self.clear else EXIT_STATUS[self.decision]
