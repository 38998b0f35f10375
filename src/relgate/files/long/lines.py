"""The lines of a long file by number: read once to learn where they stand, and again when asked for."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from relgate.domain.errors import FileChanged
from relgate.files.reading import shown
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 20
_STEP = 256
"""One offset in so many is held; the sizes of the lines between say the others."""

_BOM = b"\xef\xbb\xbf"


Offsets: TypeAlias = "NDArray[np.unsignedinteger[Any]]"


class UnusualFile(Exception):  # no error: the ordinary reader reads such a file, or says what is wrong
    """Raised where a file holds anything that the quick reader does not know."""


def scan(path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of a file in blocks: the offset of the first one, and the lines without their ends.

    Raises:
        UnusualFile: it is binary or not UTF-8, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            begin, rest = 0, b""
            while block := file.read(BLOCK_BYTES):
                if not begin and not rest and block.startswith(_BOM):
                    begin, block = len(_BOM), block[len(_BOM) :]
                if b"\0" in block:
                    raise UnusualFile
                cut = block.rfind(b"\n") + 1
                if not cut:
                    rest += block
                    continue
                whole = rest + block[:cut]
                rest = block[cut:]
                yield begin, _lines(whole[:-1])
                begin += len(whole)
            if rest:
                yield begin, _lines(rest)
    except (OSError, ValueError):
        raise UnusualFile from None


def _lines(block: bytes) -> list[bytes]:
    if not block.isascii():
        block.decode()  # a ValueError where it is not UTF-8
    return block.split(b"\n")


def hold_one_each(block: bytes, lines: int) -> bool:
    """Whether each of so many lines holds one JSON object, if all of them hold as many objects as they are.

    Every line end stands between two braces then: no object can go on there, and no text holds a line end.
    """
    ends = block.count(b"}\n{")
    return ends == lines - 1 or ends + block.count(b"}\r\n{") == lines - 1


class LongLines:
    """Where the lines of a file stand, and what they held.

    Args:
        path: the file.
        begins: offset of each line that is not blank, shape (lines,), or of every ``_STEP``-th one, where no
            line is blank.
        sizes: its bytes without the end, shape (lines,).
        sums: checksum of these bytes, shape (lines,).
        numbers: its number in the file from 1, shape (lines,); None where no line is blank.
    """

    def __init__(
        self,
        path: Path,
        begins: Offsets,
        sizes: Offsets,
        sums: NDArray[np.uint32],
        numbers: NDArray[np.uint32] | None,
    ) -> None:
        self.path = path
        self._begins = begins
        self._sizes = sizes
        self._sums = sums
        self._numbers = numbers

    def __len__(self) -> int:
        return int(self._sizes.size)

    def line(self, number: int) -> int:
        """A line's number in the file, from 1."""
        return number + 1 if self._numbers is None else int(self._numbers[number])

    def lines(self, numbers: NDArray[np.integer[Any]]) -> list[int]:
        """Their numbers in the file, from 1."""
        found: list[int] = (numbers + 1 if self._numbers is None else self._numbers[numbers]).tolist()
        return found

    def read(self, numbers: NDArray[np.integer[Any]]) -> list[bytes]:
        """These lines again.

        Raises:
            FileChanged: they are not what they were.
        """
        if not numbers.size:
            return []
        begins, sizes = self._begins_of(numbers), self._sizes[numbers].tolist()
        neighbours = int(numbers[-1]) - int(numbers[0]) == numbers.size - 1
        try:
            if neighbours and bool(np.all(numbers[1:] > numbers[:-1])):
                found = self._neighbours(begins, sizes)
            else:
                found = self._single(begins, sizes)
        except OSError:
            raise self._changed() from None
        if list(map(zlib.crc32, found)) != self._sums[numbers].tolist():
            raise self._changed()
        return found

    def _begins_of(self, numbers: NDArray[np.integer[Any]]) -> list[int]:
        begins: list[int]
        if self._begins.size == self._sizes.size:
            begins = self._begins[numbers].tolist()
            return begins
        low, high = int(numbers.min()), int(numbers.max())
        if high - low > _STEP + numbers.size:
            return [begin for number in numbers for begin in self._begins_of(number[None])]
        held = low // _STEP
        ends = np.cumsum(self._sizes[held * _STEP : high + 1] + np.int64(1))
        behind = np.concatenate(([0], ends)) + int(self._begins[held])
        begins = behind[numbers.astype(np.int64) - held * _STEP].tolist()
        return begins

    def _changed(self) -> FileChanged:
        return FileChanged(f"{shown(self.path)} changed while it was judged; run again")

    def _neighbours(self, begins: list[int], sizes: list[int]) -> list[bytes]:
        first = begins[0]
        with self.path.open("rb", buffering=0) as file:
            file.seek(first)
            block = file.read(begins[-1] + sizes[-1] - first)
        whole = block.split(b"\n")
        if list(map(len, whole)) == sizes:
            return whole
        return [block[b - first : b - first + size] for b, size in zip(begins, sizes, strict=True)]

    def _single(self, begins: list[int], sizes: list[int]) -> list[bytes]:
        found = []
        with self.path.open("rb", buffering=0) as file:
            for begin, size in zip(begins, sizes, strict=True):
                file.seek(begin)
                found.append(file.read(size))
        return found


class LineIndex:
    """Collects where lines stand while a file is scanned.

    Columns grow in one buffer each: parts that are joined at the end leave holes in the heap.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = 0
        self._sizes = array("I")
        self._sums = array("I")
        self._blank: list[int] = []

    def add(self, begin: int, lines: list[bytes], blank: list[int]) -> None:
        """Note the lines of a block.

        Args:
            begin: offset of the first one.
            lines: without their ends.
            blank: places of those that hold nothing.
        """
        if not self._sizes:
            self._begin = begin
        self._blank += [len(self._sizes) + place for place in blank]
        self._sizes.extend(map(len, lines))
        self._sums.extend(map(zlib.crc32, lines))

    def lines(self) -> LongLines:
        """Everything noted."""
        sizes = np.frombuffer(self._sizes, np.uint32)
        sums = np.frombuffer(self._sums, np.uint32)
        begins = self._begin + np.concatenate(([0], np.cumsum(sizes[:-1] + np.int64(1))))
        if not self._blank:
            return LongLines(self._path, small(begins[::_STEP]), small(sizes), sums, None)
        kept = np.ones(sizes.size, np.bool_)
        kept[self._blank] = False
        numbers = (np.flatnonzero(kept) + 1).astype(np.uint32)
        return LongLines(self._path, small(begins[kept]), small(sizes[kept]), sums[kept], numbers)


def small(numbers: NDArray[np.integer[Any]]) -> Offsets:
    """Numbers from 0 in the fewest bytes that hold them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
