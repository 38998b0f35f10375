"""The cases of a long file: none of them is held, what is asked of all of them is a column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from relgate.domain.case import Case, Suite
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class CaseTexts:
    """What neighbouring cases ask and expect, a column each.

    Attributes:
        ids: their ids.
        lines: their lines in the file, from 1.
        inputs: what each asks, None where it asks nothing.
        expected: what each expects, None where it expects nothing.
    """

    ids: list[str]
    lines: list[int]
    inputs: list[str | None]
    expected: list[str | None]


class LongCases(Sequence[Case], ABC):
    """Cases that are parsed when they are asked for, in the order of their file.

    A case's number is its place among all cases of the file, from 0: also where only some of them are
    meant (a slice, or those with a tag), so that columns over the whole file fit every part.
    """

    @property
    @abstractmethod
    def numbers(self) -> Numbers:
        """The number of each case that is meant, ascending, shape (len,)."""

    @property
    @abstractmethod
    def total(self) -> int:
        """Cases of the whole file."""

    @property
    @abstractmethod
    def ids(self) -> Sequence[str]:
        """The id of each case that is meant; ``in`` is quick."""

    @abstractmethod
    def find(self, case_id: str) -> int:
        """The number of the case with this id, -1 where the file has none."""

    @abstractmethod
    def numbered(self, numbers: Numbers) -> LongCases:
        """The cases with these numbers, which ascend."""

    @abstractmethod
    def tagged(self, only: Mapping[str, object]) -> LongCases:
        """Those that carry all these tags."""

    @abstractmethod
    def tag_values(self, tag: str) -> list[str]:
        """Every value of a tag as text, sorted."""

    @abstractmethod
    def texts(self) -> CaseTexts | None:
        """All these cases as columns; None where one of them asks or expects anything but a text.

        Raises:
            FileChanged: the file is not what it was.
        """

    @property
    @abstractmethod
    def critical(self) -> LongCases:
        """Those that may not miss."""

    @property
    @abstractmethod
    def id_hashes(self) -> Numbers:
        """``hash`` of each id of the whole file, shape (total,)."""

    @property
    @abstractmethod
    def clusters(self) -> Numbers | None:
        """Code of each case's cluster over the whole file, -1 where it has none; None where no case has."""

    @property
    @abstractmethod
    def input_hashes(self) -> Numbers:
        """Over the whole file, equal where normalised inputs are, 0 of a case without one; shape (total,)."""

    @property
    @abstractmethod
    def digests(self) -> NDArray[np.uint8]:
        """The bytes of each case's digest over the whole file, shape (total, 32)."""


def held_cases(suite: Suite) -> Sequence[Case]:
    """The cases of a suite that are held one by one: of a long suite its regression cases alone."""
    return suite.regressions if isinstance(suite.cases, LongCases) else suite.all_cases


def distinct(numbers: Numbers) -> Numbers:
    """Each number once, ascending: ``np.unique`` takes a hundred times longer for a million of them."""
    ascending = np.sort(numbers)
    kept = np.ones(ascending.size, np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=kept[1:])
    once: Numbers = ascending[kept]
    return once


def repeats(numbers: Numbers) -> bool:
    """Whether any number is there twice."""
    ascending = np.sort(numbers)
    return bool(np.any(ascending[1:] == ascending[:-1]))
