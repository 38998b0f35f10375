"""The lines of a long file by number: read once to learn where they stand, and again when asked for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from relgate.domain.errors import FileChanged
from relgate.files.reading import shown
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"


Part = TypeVar("Part", bound="np.generic")
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


class LongLines:
    """Where the lines of a file stand, and what they held.

    Args:
        path: the file.
        begins: offset of each line that is not blank, shape (lines,).
        sizes: its bytes without the end, shape (lines,).
        sums: checksum of these bytes, shape (lines,).
        numbers: its number in the file from 1, shape (lines,); None where no line is blank.
    """

    def __init__(
        self,
        path: Path,
        begins: Offsets,
        sizes: NDArray[np.uint32],
        sums: NDArray[np.uint32],
        numbers: NDArray[np.uint32] | None,
    ) -> None:
        self.path = path
        self._begins = begins
        self._sizes = sizes
        self._sums = sums
        self._numbers = numbers

    def __len__(self) -> int:
        return int(self._begins.size)

    def line(self, number: int) -> int:
        """A line's number in the file, from 1."""
        return number + 1 if self._numbers is None else int(self._numbers[number])

    def read(self, numbers: NDArray[np.integer[Any]]) -> list[bytes]:
        """These lines again.

        Raises:
            FileChanged: they are not what they were.
        """
        if not numbers.size:
            return []
        begins, sizes = self._begins[numbers].tolist(), self._sizes[numbers].tolist()
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

    def _changed(self) -> FileChanged:
        return FileChanged(f"{shown(self.path)} changed while it was judged; run again")

    def _neighbours(self, begins: list[int], sizes: list[int]) -> list[bytes]:
        first = begins[0]
        with self.path.open("rb", buffering=0) as file:
            file.seek(first)
            block = file.read(begins[-1] + sizes[-1] - first)
        return [block[b - first : b - first + size] for b, size in zip(begins, sizes, strict=True)]

    def _single(self, begins: list[int], sizes: list[int]) -> list[bytes]:
        found = []
        with self.path.open("rb", buffering=0) as file:
            for begin, size in zip(begins, sizes, strict=True):
                file.seek(begin)
                found.append(file.read(size))
        return found


class LineIndex:
    """Collects where lines stand while a file is scanned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begins: list[Offsets] = []
        self._sizes: list[NDArray[np.uint32]] = []
        self._sums: list[NDArray[np.uint32]] = []
        self._blank: list[NDArray[np.bool_]] = []

    def add(self, begin: int, lines: list[bytes], blank: list[int]) -> None:
        """Note the lines of a block.

        Args:
            begin: offset of the first one.
            lines: without their ends.
            blank: places of those that hold nothing.
        """
        sizes = np.fromiter(map(len, lines), np.int64, len(lines))
        begins = begin + np.concatenate(([0], np.cumsum(sizes[:-1] + 1)))
        sums = np.fromiter(map(zlib.crc32, lines), np.uint32, len(lines))
        kept = np.ones(len(lines), np.bool_)
        kept[blank] = False
        self._begins.append(small(begins[kept]))
        self._sizes.append(sizes[kept].astype(np.uint32))
        self._sums.append(sums[kept])
        self._blank.append(~kept)

    def lines(self) -> LongLines:
        """Everything noted."""
        blank = _joined(self._blank)
        numbers = None
        if blank.any():
            numbers = (np.flatnonzero(~blank) + 1).astype(np.uint32)
        return LongLines(
            self._path, _joined(self._begins), _joined(self._sizes), _joined(self._sums), numbers
        )


def _joined(parts: list[NDArray[Part]]) -> NDArray[Part]:
    """The parts end to end; they are given up, for both together are a peak of memory."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole


def small(numbers: NDArray[np.integer[Any]]) -> Offsets:
    """Numbers from 0 in the fewest bytes that hold them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
