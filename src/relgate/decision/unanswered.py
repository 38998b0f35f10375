"""A candidate that hardly ever answers is broken, not worse: what to do next is another thing."""

from __future__ import annotations

from collections.abc import Iterable

from relgate.decision.long_suites.columns import CaseScores
from relgate.decision.measurements import SuiteData

_MOSTLY = 0.5
"""Share of the cases without any answer from which that is the reason of everything else."""


def unanswered(data: Iterable[SuiteData]) -> str:
    """``the candidate gave no answer in 13 of 13 cases``; "" where it answered more than half.

    Counted are cases outside fallback suites whose every call failed or came back empty.
    """
    silent, asked = 0, 0
    for each in data:
        answers = each.series("candidate", "answered")
        asked += len(answers)
        if isinstance(answers, CaseScores):
            silent += answers.never_above_0()
        else:
            silent += sum(not any(trials) for trials in answers.values())
    if not asked or silent < _MOSTLY * asked:
        return ""
    return f"the candidate gave no answer in {silent:,} of {asked:,} cases"
