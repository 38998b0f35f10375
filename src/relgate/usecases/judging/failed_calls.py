"""Calls that the release's own application failed: in how many cases, and with which message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from relgate.domain.case import CaseKey
from relgate.domain.response import Failure, Measurement, Side
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.measuring.measured_cases import parts_of

_MOSTLY = 0.5
"""Share of the cases that failed from which that is the reason of everything else."""

Part = LongSuite | Sequence[Measurement]


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """What became of one side.

    Attributes:
        asked: cases that were asked.
        failed: cases with a call that failed.
        messages: how many cases failed with each message.
    """

    asked: int
    failed: int
    messages: Counter[str]

    def words(self, side: Side) -> str:
        """``the candidate's application failed in 3 of 4 cases``."""
        cases = f"{self.asked} case" + "s" * (self.asked != 1)
        return f"the {side}'s application failed in {self.failed} of {cases}"


def failed_calls(parts: Iterable[Part], side: Side) -> FailedCalls:
    """Count the cases in which the application of a side failed."""
    asked, failed = 0, 0
    messages: Counter[str] = Counter()
    for part in parts:
        if isinstance(part, LongSuite):
            of_suite = part.application_failures(side)
            asked, failed = asked + of_suite[0], failed + of_suite[1]
            messages.update(of_suite[2])
            continue
        mine = [row.outcome for row in part if row.side == side]
        own = [o.message for o in mine if isinstance(o, Failure) and o.kind == "application"]
        asked += bool(mine)
        if own:
            failed += 1
            messages.update(list(dict.fromkeys(own)))
    return FailedCalls(asked, failed, messages)


def broken_candidate(measured: Mapping[CaseKey, Sequence[Measurement]]) -> str:
    """That the candidate's application failed in half of its cases or more; "" elsewhere."""
    found = failed_calls(parts_of(measured), "candidate")
    mostly = found.failed > 0 and found.failed >= _MOSTLY * found.asked
    return found.words("candidate") if mostly else ""
