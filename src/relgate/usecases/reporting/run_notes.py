"""What the reader of a scorecard must know beside its numbers: causes of failures, what is unprotected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from relgate.domain.case import CaseKey
from relgate.domain.response import Failure, Measurement, Response, ScorerFailure
from relgate.redaction import cut
from relgate.usecases.judging.judge_run import Judgement
from relgate.usecases.preparing.prepare import Prepared

LONGEST_NOTE = 300

Measured = Mapping[CaseKey, Sequence[Measurement]]


def run_notes(
    prepared: Prepared, judgement: Judgement, measured: Measured, redact: Callable[[str], str]
) -> list[str]:
    """Every note of a run; what is said of sealed cases is left out."""
    notes = [*prepared.notes]
    measured = {key: rows for key, rows in measured.items() if key not in prepared.sealed}
    notes += _application_failures(measured, redact)
    if prepared.left_out:
        notes.append(f"left out by --suite: {', '.join(prepared.left_out)}")
    if judgement.unprotected:
        shown = ", ".join(judgement.unprotected[:12]) + (" ..." if len(judgement.unprotected) > 12 else "")
        notes.append(f"unprotected (too small to watch): {shown}")
    away = Counter(
        row.outcome.message
        for rows in measured.values()
        for row in rows
        if not isinstance(row.outcome, Response) and row.outcome.kind == "outage"
    )
    notes += [
        f"not measured, {times(count, 'call')}: {_brief(redact(message))}"
        for message, count in away.most_common(3)
    ]
    failed: dict[str, list[str]] = {}
    for rows in measured.values():
        for row in rows:
            for score in row.scores:
                if isinstance(score, ScorerFailure):
                    failed.setdefault(score.metric, []).append(score.message)
    notes += [
        f"the scorer of {metric} failed {times(len(messages), 'time')}, such as: "
        f"{_brief(redact(messages[0]))}"
        for metric, messages in sorted(failed.items())
    ]
    return notes


def _application_failures(
    measured: Mapping[CaseKey, Sequence[Measurement]], redact: Callable[[str], str]
) -> list[str]:
    """In how many cases the application of either side failed, with its most frequent failure."""
    notes = []
    for side in ("candidate", "baseline"):
        asked, failed = 0, 0
        messages: Counter[str] = Counter()
        for rows in measured.values():
            mine = [row.outcome for row in rows if row.side == side]
            own = [o.message for o in mine if isinstance(o, Failure) and o.kind == "application"]
            asked += bool(mine)
            failed += bool(own)
            messages.update(list(dict.fromkeys(own)))
        if messages:
            message = _brief(redact(messages.most_common(1)[0][0]))
            cases = times(asked, "case")
            notes.append(f"the {side}'s application failed in {failed} of {cases}, such as: {message}")
    return notes


def times(count: int, noun: str) -> str:
    """``1 call``, ``3 calls``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _brief(message: str) -> str:
    return cut(" ".join(message.split()), LONGEST_NOTE)
