"""Every call of a run by case, whether it is held or read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from relgate.domain.case import CaseKey, Suite
from relgate.domain.response import Measurement
from relgate.usecases.measuring.long_suites.long_suite import LongSuite

Rows = tuple[Measurement, ...]


class MeasuredCases(Mapping[CaseKey, Rows]):
    """Every call of a run by case, those of long suites read again when they are asked for.

    Args:
        short: the calls of all other cases, in the order of the suites.
        long: the long suites that were measured.
        order: names of the suites.
    """

    def __init__(
        self,
        short: Mapping[CaseKey, Rows],
        long: Mapping[str, LongSuite],
        order: Sequence[str],
    ) -> None:
        self.short = short
        self.long = long
        self._order = tuple(order)

    def __len__(self) -> int:
        return len(self.short) + sum(suite.measured.size for suite in self.long.values())

    def __iter__(self) -> Iterator[CaseKey]:
        by_suite: dict[str, list[CaseKey]] = {name: [] for name in self._order}
        for key in self.short:
            by_suite[key[0]].append(key)
        for name in self._order:
            if name in self.long:
                suite = self.long[name]
                yield from ((name, case_id) for case_id in suite.chosen.numbered(suite.measured).ids)
            yield from by_suite[name]

    def __getitem__(self, key: CaseKey) -> Rows:
        if key in self.short:
            return self.short[key]
        number = self._number(key)
        if number < 0:
            raise KeyError(key)
        return self.long[key[0]].rows(number)

    def __contains__(self, key: object) -> bool:
        if key in self.short:
            return True
        return isinstance(key, tuple) and len(key) == 2 and self._number((key[0], key[1])) >= 0

    def _number(self, key: CaseKey) -> int:
        suite = self.long.get(key[0])
        number = -1 if suite is None else suite.chosen.find(key[1])
        return number if suite is not None and number >= 0 and suite.outcome(number) is not None else -1

    def parts(self) -> Iterator[LongSuite | Rows]:
        """What was measured in the order of the suites: a long suite as a whole, of others case by case."""
        by_suite: dict[str, list[Rows]] = {name: [] for name in self._order}
        for key, rows in self.short.items():
            by_suite[key[0]].append(rows)
        for name in self._order:
            if name in self.long:
                yield self.long[name]
            yield from by_suite[name]


def parts_of(
    measured: Mapping[CaseKey, Sequence[Measurement]],
) -> Iterator[LongSuite | Sequence[Measurement]]:
    """What was measured: long suites as a whole, everything else case by case."""
    return measured.parts() if isinstance(measured, MeasuredCases) else iter(measured.values())


def long_of(measured: Mapping[CaseKey, Sequence[Measurement]], suite: str) -> LongSuite | None:
    """A long suite as it was measured, None of another."""
    return measured.long.get(suite) if isinstance(measured, MeasuredCases) else None


def ran(measured: Mapping[CaseKey, Sequence[Measurement]], suite: Suite) -> int:
    """How many cases of a suite were measured, regression cases among them."""
    long = long_of(measured, suite.name)
    cases = suite.all_cases if long is None else suite.regressions
    own = sum((suite.name, case.id) in measured for case in cases)
    return own if long is None else own + int(long.measured.size)


def reused(measured: Mapping[CaseKey, Sequence[Measurement]], remembered: Mapping[CaseKey, int]) -> int:
    """Stored calls that enter gates; nothing of a long suite is taken from a store.

    What is remembered of a case that may not miss is no score, and may be of the very answers that were kept.
    """
    stored = sum(
        row.stored and not row.confirmation
        for rows in parts_of(measured)
        if not isinstance(rows, LongSuite)
        for row in rows
    )
    return stored - sum(calls for key, calls in remembered.items() if key in measured)
