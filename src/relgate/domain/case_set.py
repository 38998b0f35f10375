"""Which cases of a run are meant: by suite and id, those of a long suite by their numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from relgate.domain.case import CaseKey, Suite
from relgate.domain.long_cases import LongCases, distinct, held_cases
from relgate.late import np


class CaseSet(Set[CaseKey]):
    """A set of cases that holds no key for a case of a long suite.

    Args:
        keys: suite and id of the others.
        long: by suite the cases of long suites.
    """

    def __init__(self, keys: Iterable[CaseKey] = (), long: Mapping[str, LongCases] | None = None) -> None:
        self.short = frozenset(keys)
        self.long = {name: cases for name, cases in (long or {}).items() if len(cases)}

    @classmethod
    def of_all(cls, suites: Iterable[Suite]) -> CaseSet:
        """Every case of these suites, regression cases too."""
        keys: list[CaseKey] = []
        long = {}
        for suite in suites:
            if isinstance(suite.cases, LongCases):
                long[suite.name] = suite.cases
            keys += ((suite.name, case.id) for case in held_cases(suite))
        return cls(keys, long)

    @classmethod
    def chosen(
        cls, suites: Sequence[Suite], keys: Iterable[CaseKey], parts: Iterable[tuple[str, LongCases]] = ()
    ) -> CaseSet:
        """Some cases of these suites.

        Args:
            suites: the suites.
            keys: suite and id of single cases.
            parts: suite and some cases of a long one.
        """
        if isinstance(keys, CaseSet):
            return keys
        files = {suite.name: suite.cases for suite in suites if isinstance(suite.cases, LongCases)}
        numbers: dict[str, list[Any]] = defaultdict(list)
        short = []
        for name, case_id in keys:
            number = files[name].find(case_id) if name in files else -1
            if number < 0:
                short.append((name, case_id))
            else:
                numbers[name].append([number])
        for name, part in parts:
            numbers[name].append(part.numbers)
        return cls(short, {name: _together(files[name], found) for name, found in numbers.items()})

    def __len__(self) -> int:
        return len(self.short) + sum(map(len, self.long.values()))

    def __iter__(self) -> Iterator[CaseKey]:
        yield from self.short
        for name, cases in self.long.items():
            yield from ((name, case_id) for case_id in cases.ids)

    def __contains__(self, key: object) -> bool:
        if key in self.short:
            return True
        if not (isinstance(key, tuple) and len(key) == 2 and key[0] in self.long):
            return False
        return key[1] in self.long[key[0]].ids

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CaseSet):
            return super().__eq__(other)
        return (
            self.short == other.short
            and self.long.keys() == other.long.keys()
            and all(np.array_equal(cases.numbers, other.long[n].numbers) for n, cases in self.long.items())
        )

    __hash__ = None  # type: ignore[assignment]  # compared, never a key


def _together(cases: LongCases, numbers: Sequence[Any]) -> LongCases:
    """The cases with these numbers, the file's own where they are all of them."""
    found = np.concatenate(numbers)
    return cases if np.array_equal(found, cases.numbers) else cases.numbered(distinct(found))
