"""Runs of a candidate that showed outcomes and have no verdict: which this run goes on with, which not.

A budget's end or an interruption is no attempt (verdict.md 5.3), because the next run takes what was
answered. Where it asks anew instead, for the kept answers were deleted, are too old or are not wanted, it
draws a second time what was shown: each such run is an attempt.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from relgate.domain.release import Release
from relgate.domain.run import AttemptKey, UnfinishedRun
from relgate.files.kept import recorded_run
from relgate.store import Registry
from relgate.store.responses import ResponseStore
from relgate.usecases.options import RunOptions
from relgate.usecases.run_name import is_going_on

RESUMED_WITHIN = timedelta(hours=24)
"""How old the answers of an interrupted run may be: what a provider serves moves (verdict.md 7)."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a run finds of earlier ones.

    Attributes:
        gone_on_with: runs whose answers it takes.
        drawn_anew: runs whose answers it does not take.
    """

    gone_on_with: tuple[str, ...] = ()
    drawn_anew: tuple[str, ...] = ()

    def judges_again(self, registry: Registry, options: RunOptions) -> bool:
        """Whether answers that an attempt stands on already are judged again: that is the same attempt.

        Answers of a run without a verdict are another draw, wherever they lie.
        """
        if options.replay is not None:
            return registry.is_judged(recorded_run(options.replay))
        return options.reuse == "always" and not (self.gone_on_with or self.drawn_anew)

    def notes(self, attempt: int) -> tuple[str, ...]:
        """What the reader must know of a run that is this attempt."""
        if not self.drawn_anew:
            return ()
        count = len(self.drawn_anew)
        runs, their, count_ = (
            ("an earlier run", "its", "it counts")
            if count == 1
            else (f"{count} earlier runs", "their", "they count")
        )
        return (
            f"{runs} of this candidate showed outcomes without a verdict, and no run goes on with {their} "
            "answers (deleted, older than 24 hours, not wanted, or still being asked): "
            f"{count_}, so this is attempt {attempt}",
        )


def kept_text(count: int, *, drawn: bool) -> str:
    """What becomes of the answers of a run that ended without a verdict; "" where it kept none.

    Args:
        count: answers that are kept.
        drawn: whether they may be otherwise the next time.
    """
    if not count:
        return ""
    have = "answer is" if count == 1 else "answers are"
    costs = "; without them (deleted, or older than 24 hours) the next run is a further attempt"
    return f"{count} {have} kept: run the same again and it goes on there{costs * drawn}"


def find_unfinished(
    registry: Registry, key: AttemptKey, candidate: Release, responses: Path, options: RunOptions
) -> Unfinished:
    """The unfinished runs of a candidate, told apart.

    Args:
        registry: where they are remembered.
        key: the release line and the baseline.
        candidate: the candidate.
        responses: where answers are kept.
        options: whether kept answers are taken at all.
    """
    found = registry.unfinished_runs(key, candidate.digest)
    if not found:
        return Unfinished()
    replayed = "" if options.replay is None else recorded_run(options.replay)
    taken = (
        _taken(found, responses, options)
        if options.replay is None
        else [run.id for run in found if run.id == replayed]
    )
    return Unfinished(tuple(taken), tuple(run.id for run in found if run.id not in taken))


def _taken(found: Sequence[UnfinishedRun], responses: Path, options: RunOptions) -> list[str]:
    if options.reuse == "never" or not responses.exists():
        return []
    since = datetime.now(UTC) - RESUMED_WITHIN
    with closing(ResponseStore(responses, of_attempts=options.reuse == "run")) as store:
        return [
            run.id
            for run in found
            if not (run.discarded or is_going_on(run.id))
            and (oldest := store.oldest_unfinished(run.id)) is not None
            and oldest >= since
        ]
