"""Calls that the release's own application failed: in how many cases, with which message, and what follows.

A release that mostly failed is promoted by nobody, and one that never answered was not measured: an address
or a model's name that is wrong says nothing of what it answers, and a baseline that fails is no measure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.domain.case import CaseKey
from relgate.domain.response import Failure, Measurement, Response, Side
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.measuring.measured_cases import parts_of
from relgate.usecases.preparing.prepare import Prepared

_MOSTLY = 0.5
"""Share of the cases that failed from which that is the reason of everything else."""

_BASELINE_STEP = (
    "see why in the notes and mend what it runs on, or compare with what it answered before: "
    "`--baseline run:ID` (`relgate history` lists runs); is it broken indeed, "
    "`relgate promote RELEASE --waive REASON` lets the candidate through"
)

Part = LongSuite | Sequence[Measurement]


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """What became of one side.

    Attributes:
        asked: cases that were asked.
        failed: cases with a call that failed.
        answered: cases with a call that did not.
        messages: how many cases failed with each message.
    """

    asked: int
    failed: int
    answered: int
    messages: Counter[str]

    @property
    def mostly(self) -> bool:
        """Whether half of the cases failed, or more."""
        return self.failed > 0 and self.failed >= _MOSTLY * self.asked

    @property
    def always(self) -> bool:
        """Whether every call of every case failed."""
        return self.failed > 0 and not self.answered

    def words(self, side: Side) -> str:
        """``the candidate's application failed in 3 of 4 cases``."""
        cases = f"{self.asked} case" + "s" * (self.asked != 1)
        return f"the {side}'s application failed in {self.failed} of {cases}"


def failed_calls(parts: Iterable[Part], side: Side) -> FailedCalls:
    """Count the cases in which the application of a side failed."""
    asked = failed = answered = 0
    messages: Counter[str] = Counter()
    for part in parts:
        if isinstance(part, LongSuite):
            *counts, said = part.application_failures(side)
            asked, failed, answered = (
                before + more for before, more in zip((asked, failed, answered), counts, strict=True)
            )
            messages.update(said)
            continue
        mine = [row.outcome for row in part if row.side == side]
        own = [o.message for o in mine if isinstance(o, Failure) and o.kind == "application"]
        asked += bool(mine)
        answered += any(isinstance(outcome, Response) for outcome in mine)
        if own:
            failed += 1
            messages.update(list(dict.fromkeys(own)))
    return FailedCalls(asked, failed, answered, messages)


def broken_candidate(measured: Mapping[CaseKey, Sequence[Measurement]]) -> str:
    """That the candidate's application failed in half of its cases or more; "" elsewhere."""
    found = failed_calls(parts_of(measured), "candidate")
    return found.words("candidate") if found.mostly else ""


def broken_baseline(measured: Mapping[CaseKey, Sequence[Measurement]]) -> tuple[tuple[str, str], ...]:
    """What holds where the baseline's application failed in half of its cases or more, with the next step."""
    found = failed_calls(parts_of(measured), "baseline")
    reason = f"{found.words('baseline')}, so it is nothing to compare with"
    return ((reason, _BASELINE_STEP),) if found.mostly else ()


def known_holds(
    prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]
) -> tuple[tuple[str, str], ...]:
    """What holds whatever the gates and judges say, each with its next step."""
    return (*prepared.holds, *prepared.untouched.holds, *broken_baseline(measured))


def uncounted_if_silent(prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]]) -> Prepared:
    """The run as no attempt, and its verdict as one that is not served again, where nothing was answered."""
    always = failed_calls(parts_of(measured), "candidate").always
    return replace(prepared, judged_key="", uncounted=True) if always else prepared
