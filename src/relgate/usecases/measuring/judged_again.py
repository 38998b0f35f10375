"""Answers that a run with a verdict left, judged again (``--reuse always``): what they cannot decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from relgate.domain.case import CaseKey
from relgate.domain.response import Side
from relgate.usecases.measuring.kept_answers import Tally
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.staleness import is_steady
from relgate.usecases.preparing.unfinished import RESUMED_WITHIN

_STEP = "run again without `--reuse always`"


def with_kept_answers(
    prepared: Prepared, tally: Tally, now: datetime | None = None, *, of_no_attempt: bool = False
) -> Prepared:
    """The run with what its kept answers keep it from: promoting, or being the same attempt.

    Systems drift, so old answers promote nothing, and neither do kept answers of the candidate beside new
    ones of the baseline (verdict.md 7). Where anybody who may answer otherwise was asked anew, the run is a
    further attempt (verdict.md 5.3).

    Args:
        prepared: a run that was told to take whatever is kept.
        tally: what it took and what it asked.
        now: when the run is; default: now.
        of_no_attempt: whether it took what a screen, or a run of some cases, had asked and shown.
    """
    steady: Mapping[Side, bool] = {
        "candidate": is_steady(prepared.candidate),
        "baseline": prepared.baseline is None or is_steady(prepared.baseline),
    }
    moving = [side for side, same in steady.items() if not same]
    if not moving:
        return prepared
    holds = []
    if tally.oldest is not None and (now or datetime.now(UTC)) - tally.oldest > RESUMED_WITHIN:
        holds.append((f"the kept answers are of {tally.oldest:%Y-%m-%d %H:%M}Z, older than 24 hours", _STEP))
    if of_no_attempt:
        holds.append(("kept answers are of a screen or of a run of some cases, which was no attempt", _STEP))
    if apart := _apart(tally) if len(moving) == 2 else frozenset():
        n = len(apart)
        reason = (
            f"{n} case{'s were' if n > 1 else ' was'} answered by one release before and by the other one now"
        )
        holds.append((reason, _STEP))
    anew = any(tally.asked[side] for side in moving)
    if holds:
        prepared = prepared.held_for_its_answers(tuple(holds), attempt=not of_no_attempt)
    return replace(prepared, again=prepared.again or anew)


def _apart(tally: Tally) -> frozenset[CaseKey]:
    """Cases of which one side was asked and the other one's answer was kept."""
    kept, asked = tally.kept, tally.asked
    return frozenset(
        (kept["candidate"] & asked["baseline"] - asked["candidate"])
        | (kept["baseline"] & asked["candidate"] - asked["baseline"])
    )
