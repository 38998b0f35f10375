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

    def notes(self, attempt: int) -> tuple[str, ...]:
        """What the reader must know of a run that is this attempt."""
        if not self.drawn_anew:
            return ()
        count = len(self.drawn_anew)
        runs, their, each = (
            ("an earlier run", "its", "it") if count == 1 else (f"{count} earlier runs", "their", "each")
        )
        return (
            f"{runs} of this candidate showed outcomes and had no verdict; {their} answers are asked anew "
            f"(deleted, older than 24 hours, or not wanted), so {each} counts: this is attempt {attempt}",
        )


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
    if options.replay is not None:
        # what is replayed may be what one of them recorded: it is that draw, and the others were shown too
        return Unfinished((found[0].id,), tuple(run.id for run in found[1:]))
    going_on = [run for run in found if is_going_on(run.id)]
    taken = _taken(found, responses, options)
    return Unfinished(
        tuple(run.id for run in taken if run not in going_on),
        tuple(run.id for run in found if run not in taken and run not in going_on),
    )


def _taken(found: Sequence[UnfinishedRun], responses: Path, options: RunOptions) -> list[UnfinishedRun]:
    if options.reuse == "never" or not responses.exists():
        return []
    since = datetime.now(UTC) - RESUMED_WITHIN
    with closing(ResponseStore(responses)) as store:
        return [
            run
            for run in found
            if not run.discarded
            and (oldest := store.oldest_unfinished(run.id)) is not None
            and oldest >= since
        ]
