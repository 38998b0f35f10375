"""A long recording: where each answer stands, parsed when it is asked for."""

from __future__ import annotations

from array import array
from collections.abc import ItemsView, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from relgate.domain.long_cases import LongCases, Numbers, repeats
from relgate.domain.response import Outcome
from relgate.files.long.lines import LineIndex, LongLines, Offsets, UnusualFile, hold_one_each, scan, small
from relgate.files.recording_rows import (
    PlainRow,
    RecordingRow,
    are_sound,
    decode_row,
    is_sound,
    outcome_of,
    plain_rows,
)
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Places: TypeAlias = "NDArray[np.integer[Any]]"

AT_ONCE = 1000
"""Answers that are parsed together where all of them are asked for."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Which lines of a recording answer the cases of a file.

    Attributes:
        first: where the answers of each case begin in ``lines``, and behind the last case their number, shape
            (cases + 1,).
        lines: numbers of the answers' lines, case by case and in order of trial.
        strange: numbers of the lines that answer none of the cases.
    """

    first: Offsets
    lines: Offsets
    strange: Offsets


class RecordingFile(Mapping[tuple[str, int], Outcome]):
    """The outcomes of a long recording by case id and trial.

    Args:
        lines: the file.
        hashes: ``hash`` of each line's case id, shape (lines,).
        trials: the trial of each line, shape (lines,).
        has_latency: whether each line is a response that tells its latency, shape (lines,).
        has_cost: the same of its cost.
    """

    def __init__(
        self,
        lines: LongLines,
        hashes: Numbers,
        trials: Offsets,
        has_latency: NDArray[np.bool_],
        has_cost: NDArray[np.bool_],
    ) -> None:
        self._lines = lines
        self._hashes = hashes
        self._answers: dict[int, tuple[Numbers, Answers]] = {}
        self.trials = trials
        self.has_latency = has_latency
        self.has_cost = has_cost

    @cached_property
    def _index(self) -> tuple[Offsets, Numbers]:
        """The lines in the order of hash and trial, and the hashes in this order."""
        order = np.lexsort((self.trials, self._hashes))
        return small(order), self._hashes[order]

    def is_sure(self) -> bool:
        """Whether no trial of a case is answered twice, and equal hashes are equal ids."""
        if not repeats(self._hashes):
            return True
        order, ascending = self._index
        trials, again = self.trials[order], ascending[1:] == ascending[:-1]
        if np.any(again & (trials[1:] == trials[:-1])):
            return False
        shared = np.flatnonzero(np.concatenate((again, [False])) | np.concatenate(([False], again)))
        ids: dict[int, str] = {}
        for begin in range(0, shared.size, AT_ONCE):
            some = order[shared[begin : begin + AT_ONCE]]
            hashes = self._hashes[some].tolist()
            if any(
                ids.setdefault(h, name) != name for h, name in zip(hashes, self.case_ids(some), strict=True)
            ):
                return False
            ids = {hashes[-1]: ids[hashes[-1]]}  # in order of hash: the others do not come again
        return True

    @property
    def hashes(self) -> Numbers:
        """``hash`` of each line's case id, shape (lines,)."""
        return self._hashes

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for begin in range(0, len(self), AT_ONCE):
            for row in self._rows(np.arange(begin, min(len(self), begin + AT_ONCE))):
                yield row.case_id, row.trial

    def __getitem__(self, key: tuple[str, int]) -> Outcome:
        case_id, trial = key
        for number in self._found(case_id).tolist():
            if self.trials[number] == trial:
                row = self._rows(np.array([number]))[0]
                if row.case_id == case_id:
                    return outcome_of(row)
        raise KeyError(key)

    def items(self) -> ItemsView[tuple[str, int], Outcome]:
        """Key and outcome of each line, read one after another."""
        return _Items(self)

    def in_order(self) -> Iterator[tuple[tuple[str, int], Outcome]]:
        """What ``items`` gives."""
        for begin in range(0, len(self), AT_ONCE):
            for row in self._rows(np.arange(begin, min(len(self), begin + AT_ONCE))):
                yield (row.case_id, row.trial), outcome_of(row)

    def held(self, case_id: str) -> tuple[int, ...]:
        """The trials that are recorded of a case, ascending."""
        numbers = self._found(case_id)
        if numbers.size and self._rows(numbers[:1])[0].case_id != case_id:
            return ()
        return tuple(self.trials[numbers].tolist())

    def case_ids(self, numbers: Places) -> list[str]:
        """The cases that these lines answer."""
        return [row.case_id for row in self._rows(numbers)]

    def outcomes(self, numbers: Places) -> list[tuple[str, Outcome]]:
        """Case id and outcome of these lines.

        Raises:
            FileChanged: the file is not what it was.
        """
        return [(row.case_id, outcome_of(row)) for row in self._rows(numbers)]

    def plain(self, numbers: Places) -> list[PlainRow] | None:
        """These lines as plain answers; None where one of them holds anything else.

        Raises:
            FileChanged: the file is not what it was.
        """
        return plain_rows(b"\n".join(self._lines.read(numbers)))

    def answers(self, cases: LongCases) -> Answers:
        """Which lines answer the cases of a file; found once."""
        wanted = cases.id_hashes
        _, found = self._answers.get(id(wanted), (wanted, None))
        if found is None:
            found = self._join(wanted)
            self._answers[id(wanted)] = wanted, found  # the array is kept, so no other one gets its id
        return found

    def _join(self, wanted: Numbers) -> Answers:
        if np.array_equal(wanted, self._hashes):  # one line a case, in the same order
            self._hashes = wanted  # one array is enough
            every = small(np.arange(wanted.size + 1))
            return Answers(every, every[:-1], every[:0])
        order, ascending = self._index
        begins = np.searchsorted(ascending, wanted, side="left")
        counts = np.searchsorted(ascending, wanted, side="right") - begins
        first = np.concatenate(([0], np.cumsum(counts)))
        within = np.arange(first[-1]) - np.repeat(first[:-1], counts)
        lines = order[np.repeat(begins, counts) + within]
        strange = np.ones(len(self), np.bool_)
        strange[lines] = False
        return Answers(small(first), lines, small(np.flatnonzero(strange)))

    def _found(self, case_id: str) -> Offsets:
        order, ascending = self._index
        wanted = hash(case_id)
        begin, end = np.searchsorted(ascending, wanted, "left"), np.searchsorted(ascending, wanted, "right")
        return order[begin:end]

    def _rows(self, numbers: Places) -> list[RecordingRow]:
        return list(map(decode_row, self._lines.read(numbers)))


class _Items(ItemsView[tuple[str, int], Outcome]):
    """Reads line after line, where looking up each key would jump about in the file."""

    _mapping: RecordingFile

    def __iter__(self) -> Iterator[tuple[tuple[str, int], Outcome]]:
        return self._mapping.in_order()


def scanned(path: Path) -> RecordingFile | None:
    """A long recording; None where the ordinary reader is needed."""
    try:
        return _scanned(path.absolute())
    except UnusualFile:
        return None


def _scanned(path: Path) -> RecordingFile:
    index = LineIndex(path)
    hashes, trials = array("q"), array("I")
    latency, cost = bytearray(), bytearray()
    for begin, lines in scan(path):
        blank: list[int] = []
        block = b"\n".join(lines)
        rows = plain_rows(block) if hold_one_each(block, len(lines)) else None
        if rows is not None and len(rows) == len(lines) and are_sound(rows):
            hashes.extend([hash(row.case_id) for row in rows])
            try:
                trials.extend([row.trial for row in rows])
            except OverflowError:
                raise UnusualFile from None
            latency += bytes([row.latency_ms is not None for row in rows])
            cost += bytes([row.cost_usd is not None for row in rows])
            index.add(begin, lines, blank)
            continue
        for place, line in enumerate(lines):
            try:
                row = decode_row(line)
            except (msgspec.MsgspecError, RecursionError, ValueError):
                text = line.decode()
                if text and not text.isspace():
                    raise UnusualFile from None
                blank.append(place)
                continue
            if not is_sound(row):
                raise UnusualFile
            hashes.append(hash(row.case_id))
            try:
                trials.append(row.trial)
            except OverflowError:
                raise UnusualFile from None
            latency.append(row.error is None and row.latency_ms is not None)
            cost.append(row.error is None and row.cost_usd is not None)
        index.add(begin, lines, blank)
    if not hashes:
        raise UnusualFile
    found = RecordingFile(
        index.lines(),
        np.frombuffer(hashes, np.int64),
        small(np.frombuffer(trials, np.uint32)),
        np.frombuffer(latency, np.bool_),
        np.frombuffer(cost, np.bool_),
    )
    if not found.is_sure():
        raise UnusualFile
    return found
