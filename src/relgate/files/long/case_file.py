"""The cases of a long cases.jsonl, checked once and parsed again when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import msgspec

from relgate.domain.case import Case
from relgate.domain.long_cases import CaseTexts, LongCases, Numbers
from relgate.files.cases import input_of
from relgate.files.long.lines import LongLines, Offsets, small
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 1000
"""Cases that are parsed together where all of them are asked for."""

_LOOKS_WITHOUT_INDEX = 50
"""How many ids may be looked for before an index is worth its memory."""

_decode = msgspec.json.Decoder().decode


class _Asked(msgspec.Struct, gc=False):
    """What a case asks and expects, where both are texts."""

    id: str
    input: str | None = None
    expected: str | None = None


_decode_asked = msgspec.json.Decoder(_Asked).decode_lines


class Texts:
    """Many short texts in one buffer.

    Args:
        content: all of them, UTF-8, end to end.
        ends: offset behind each one, shape (texts,).
    """

    def __init__(self, content: bytearray, ends: Offsets) -> None:
        self._content = content
        self._ends = ends

    def of(self, numbers: Numbers) -> list[str]:
        """The texts with these numbers."""
        ends = self._ends[numbers].tolist()
        if numbers.size > 1 and bool(np.all(numbers[1:] - numbers[:-1] == 1)):
            first = int(self._ends[numbers[0] - 1]) if numbers[0] else 0
            passage = self._content[first : ends[-1]]
            if passage.isascii():
                text = passage.decode()
                places = [0, *(end - first for end in ends)]
                return [text[begin:end] for begin, end in pairwise(places)]
        begins = np.where(numbers > 0, self._ends[numbers - 1], 0).tolist()
        content = self._content
        return [content[begin:end].decode() for begin, end in zip(begins, ends, strict=True)]


@dataclass(frozen=True)
class CaseTable:
    """What is held of the cases of a long file, columns of shape (cases,) each.

    Attributes:
        lines: the file.
        ids: their ids.
        id_hashes: ``hash`` of each, which no two of them share.
        digests: shape (cases, 32).
        input_hashes: as ``LongCases`` says.
        clusters: as ``LongCases`` says.
        critical: whether it may not miss.
        tags: the values of each tag that the suite names, as texts, and their places in them plus 1 (0 where
            a case does not carry the tag).
        expects: whether any case says what it expects.
        digest: over id, version, tags, cluster and criticality of all cases, ordered by id.
    """

    lines: LongLines
    ids: Texts
    id_hashes: Numbers
    digests: NDArray[np.uint8]
    input_hashes: Numbers
    clusters: Numbers | None
    critical: NDArray[np.bool_]
    tags: Mapping[str, tuple[Sequence[str], NDArray[np.unsignedinteger[Any]]]]
    expects: bool
    digest: str
    _looked: list[int] = field(default_factory=lambda: [0], repr=False)
    _indexed: list[tuple[Offsets, Numbers]] = field(default_factory=list, repr=False)

    def find(self, case_id: str) -> int:
        """The number of the case with this id, -1 where there is none."""
        found = self._places(hash(case_id))
        if not found or self.ids.of(np.array(found))[0] != case_id:
            return -1
        return found[0]

    def _places(self, wanted: int) -> list[int]:
        """Number of the case whose id may have this hash."""
        index = self._index
        if index is None:
            return list(map(int, np.flatnonzero(self.id_hashes == wanted)))
        order, ascending = index
        place = int(np.searchsorted(ascending, wanted))
        return list(map(int, order[place : place + 1]))

    @property
    def _index(self) -> tuple[Offsets, Numbers] | None:
        """The cases in the order of their ids' hashes, and these; None while few were looked for."""
        self._looked[0] += 1
        if self._looked[0] < _LOOKS_WITHOUT_INDEX:
            return None
        if not self._indexed:
            order = np.argsort(self.id_hashes)
            self._indexed.append((small(order), self.id_hashes[order]))
        return self._indexed[0]

    def cases(self, numbers: Numbers) -> list[Case]:
        """The cases with these numbers.

        Raises:
            FileChanged: the file is not what it was.
        """
        digests = self.digests[numbers].tobytes().hex()
        lines = self.lines
        found = []
        for place, (number, line) in enumerate(zip(numbers.tolist(), lines.read(numbers), strict=True)):
            digest = f"sha256:{digests[64 * place : 64 * place + 64]}"
            found.append(case_of(_decode(line), lines.line(number), digest))
        return found

    def texts(self, numbers: Numbers) -> CaseTexts | None:
        """See ``LongCases``."""
        lines = self.lines.read(numbers)
        try:
            found = _decode_asked(b"\n".join(lines))  # each line was one object when the file was scanned
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return None
        return CaseTexts(
            [case.id for case in found],
            self.lines.lines(numbers),
            [case.input for case in found],
            [case.expected for case in found],
        )


def case_of(value: Mapping[str, Any], line: int, digest: str) -> Case:
    """The case that a sound line holds."""
    get = value.get
    cluster = get("cluster")
    return Case(
        value["id"],
        input_of(get("input")),
        get("expected"),
        get("tags", {}),
        None if cluster is None else str(cluster),
        get("critical", False),
        get("source"),
        get("pair"),
        line,
        digest,
    )


class _Ids(Sequence[str]):
    """The ids of a part of the cases."""

    def __init__(self, table: CaseTable, numbers: Numbers) -> None:
        self._table = table
        self._numbers = numbers

    def __len__(self) -> int:
        return int(self._numbers.size)

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), AT_ONCE):
            yield from self._table.ids.of(self._numbers[begin : begin + AT_ONCE])

    def __contains__(self, value: object) -> bool:
        number = self._table.find(value) if isinstance(value, str) else -1
        if number < 0:
            return False
        place = int(np.searchsorted(self._numbers, number))
        return place < len(self) and int(self._numbers[place]) == number

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return self._table.ids.of(self._numbers[index])
        return self._table.ids.of(self._numbers[[index]])[0]


class CaseFile(LongCases):
    """The cases of a long file, or some of them.

    Args:
        table: of all cases.
        numbers: of those that are meant, ascending; None for all.
    """

    def __init__(self, table: CaseTable, numbers: Numbers | None = None) -> None:
        self.table = table
        self._numbers = np.arange(len(table.lines), dtype=np.int64) if numbers is None else numbers

    @property
    def numbers(self) -> Numbers:
        """See ``LongCases``."""
        return self._numbers

    @property
    def total(self) -> int:
        """See ``LongCases``."""
        return len(self.table.lines)

    @property
    def ids(self) -> Sequence[str]:
        """See ``LongCases``."""
        return _Ids(self.table, self._numbers)

    @property
    def id_hashes(self) -> Numbers:
        """See ``LongCases``."""
        return self.table.id_hashes

    @property
    def clusters(self) -> Numbers | None:
        """See ``LongCases``."""
        return self.table.clusters

    @property
    def input_hashes(self) -> Numbers:
        """See ``LongCases``."""
        return self.table.input_hashes

    @property
    def critical(self) -> CaseFile:
        """See ``LongCases``."""
        return self.numbered(self._numbers[self.table.critical[self._numbers]])

    def find(self, case_id: str) -> int:
        """See ``LongCases``."""
        return self.table.find(case_id)

    def numbered(self, numbers: Numbers) -> CaseFile:
        """See ``LongCases``."""
        return CaseFile(self.table, numbers)

    @property
    def digests(self) -> NDArray[np.uint8]:
        """See ``LongCases``."""
        return self.table.digests

    def texts(self) -> CaseTexts | None:
        """See ``LongCases``."""
        return self.table.texts(self._numbers)

    def tagged(self, only: Mapping[str, object]) -> LongCases:
        """See ``LongCases``."""
        kept = np.ones(len(self), np.bool_)
        for tag, value in only.items():
            values, codes = self.table.tags[tag] if tag in self.table.tags else self._coded(tag)
            code = values.index(str(value)) + 1 if str(value) in values else len(values) + 1
            # a case without the tag carries "None" as much as one that says so
            kept &= (codes[self._numbers] == code) | ((codes[self._numbers] == 0) & (str(value) == "None"))
        return self.numbered(self._numbers[kept])

    def tag_values(self, tag: str) -> list[str]:
        """See ``LongCases``."""
        values, codes = self.table.tags[tag] if tag in self.table.tags else self._coded(tag)
        return sorted(values[code - 1] for code in np.unique(codes[self._numbers]).tolist() if code)

    def _coded(self, tag: str) -> tuple[Sequence[str], NDArray[np.unsignedinteger[Any]]]:
        """A tag that the suite does not name."""
        places: dict[str, int] = {}
        codes = np.zeros(self.total, np.uint32)
        for number, case in zip(self._numbers.tolist(), self, strict=True):
            if tag in case.tags:
                codes[number] = places.setdefault(str(case.tags[tag]), len(places)) + 1
        return list(places), codes

    def __len__(self) -> int:
        return int(self._numbers.size)

    def __iter__(self) -> Iterator[Case]:
        for begin in range(0, len(self), AT_ONCE):
            yield from self.table.cases(self._numbers[begin : begin + AT_ONCE])

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> CaseFile: ...
    def __getitem__(self, index: int | slice) -> Case | CaseFile:
        if isinstance(index, slice):
            return self.numbered(self._numbers[index])
        return self.table.cases(self._numbers[[index]])[0]
