"""The application kind ``recording``: outputs of any eval runner, read from a file."""

from __future__ import annotations

from collections.abc import Mapping

from relgate.domain.response import Failure, Outcome, Request

Rows = Mapping[tuple[str, int], Outcome]


class RecordingResponder:
    """Answers from recorded rows by case and trial."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def open(self) -> None:
        """Nothing to open: the rows were read before."""

    async def respond(self, request: Request) -> Outcome:
        """The recorded outcome, or that there is none."""
        found = self._rows.get((request.case_id, request.trial))
        if found is None:
            return Failure("missing", f"the recording holds nothing for trial {request.trial}")
        return found

    async def close(self) -> None:
        """Nothing to give back."""


def trials_of(rows: Rows) -> dict[str, tuple[int, ...]]:
    """The trials that a recording holds, per case."""
    trials: dict[str, list[int]] = {}
    for case_id, trial in rows:
        trials.setdefault(case_id, []).append(trial)
    return {case_id: tuple(sorted(found)) for case_id, found in trials.items()}
