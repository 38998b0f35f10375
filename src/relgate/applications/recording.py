"""The application kind ``recording``: outputs of any eval runner, read from a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from relgate.domain.long_cases import distinct
from relgate.domain.response import Failure, Outcome, Request
from relgate.files.long.recording_file import RecordingFile

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
        return nothing_recorded(request.trial) if found is None else found

    async def close(self) -> None:
        """Nothing to give back."""


def nothing_recorded(trial: int) -> Failure:
    """What stands for a trial that a recording lacks."""
    return Failure("missing", f"the recording holds nothing for trial {trial}")


def trials_of(rows: Rows) -> Mapping[str, tuple[int, ...]]:
    """The trials that a recording holds, per case."""
    if isinstance(rows, RecordingFile):
        return _HeldTrials(rows)
    trials: dict[str, list[int]] = {}
    for case_id, trial in rows:
        trials.setdefault(case_id, []).append(trial)
    return {case_id: tuple(sorted(found)) for case_id, found in trials.items()}


class _HeldTrials(Mapping[str, tuple[int, ...]]):
    """The trials of a long recording."""

    def __init__(self, rows: RecordingFile) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return distinct(self._rows.hashes).size

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(case_id for case_id, _ in self._rows))

    def __getitem__(self, case_id: str) -> tuple[int, ...]:
        found = self._rows.held(case_id)
        if not found:
            raise KeyError(case_id)
        return found
