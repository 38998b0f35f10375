"""What was measured of a long suite as columns: no object a case, the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.response import Side
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
Marks: TypeAlias = "NDArray[np.bool_]"
Places: TypeAlias = "NDArray[np.integer[Any]]"


@dataclass(frozen=True, slots=True)
class Series:
    """The scores of one metric on one side, case by case and in order of trial.

    Attributes:
        first: where the scores of each case begin in ``scores``, and behind the last case their number, shape
            (cases + 1,).
        scores: every score, shape (scores,).
    """

    first: Places
    scores: Floats

    @property
    def counts(self) -> Places:
        """Scores of each case, shape (cases,)."""
        return self.first[1:] - self.first[:-1]

    def of(self, numbers: Numbers) -> Series:
        """The scores of these cases alone."""
        if numbers.size == self.first.size - 1:
            return self
        counts = self.counts[numbers]
        first = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        if first[-1] == self.scores.size:
            return Series(first, self.scores)
        within = np.arange(first[-1]) - np.repeat(first[:-1], counts)
        return Series(first, self.scores[np.repeat(self.first[numbers], counts) + within])

    def means(self) -> Floats:
        """Mean of each case's scores as ``np.mean`` gives it; NaN of a case without one."""
        counts = self.counts
        if counts.size == self.scores.size and bool(np.all(counts == 1)):
            return self.scores
        means = np.full(counts.size, np.nan)
        for count in np.unique(counts).tolist():
            if count:
                places = np.flatnonzero(counts == count)
                rows = self.scores[self.first[places][:, None] + np.arange(count)]
                means[places] = rows[:, 0] if count == 1 else np.mean(rows, axis=1)
        return means


@dataclass(frozen=True, slots=True)
class SideColumns:
    """One side of a long suite.

    Attributes:
        series: per metric its scores, of metrics with any.
        failed: per metric the numbers of the cases where a scorer failed on some trial, with why.
        away: numbers of the cases with a call that gave no response, with why.
        applies: per metric whether an answer to each case has a score or a failure to give one; left out
            where that is whether the case has a score.
        answered: whether each case was answered, shape (cases,).
        first_calls: per metric with an absolute quantile each case's first call, NaN where there is none.
        crashed: numbers of the cases in which the application failed on some trial.
    """

    series: Mapping[str, Series]
    failed: Mapping[str, Mapping[int, str]]
    away: Mapping[int, str]
    applies: Mapping[str, Marks]
    answered: Marks
    first_calls: Mapping[str, Floats] = field(default_factory=dict)
    crashed: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class SuiteColumns:
    """A long suite's measurements by side.

    Attributes:
        cases: the suite's cases; every column has one place for each.
        sides: what was measured on each side.
    """

    cases: LongCases
    sides: Mapping[Side, SideColumns]

    def scores(self, side: Side, metric: str) -> Series:
        """The scores of a metric on a side, without any where there are none."""
        found = self.sides[side].series.get(metric) if side in self.sides else None
        return found or Series(np.zeros(self.cases.total + 1, np.int64), np.zeros(0))

    def not_applicable(self, metric: str) -> Marks:
        """The cases that were answered and that no scorer of the metric applies to, shape (cases,)."""
        answered, applies = np.zeros((2, self.cases.total), np.bool_)
        for side in self.sides.values():
            answered |= side.answered
            if metric in side.applies:
                applies |= side.applies[metric]
            elif metric in side.series:
                applies |= side.series[metric].counts > 0
        for side in self.sides.values():
            answered[list(side.away)] = False
        unfit: Marks = answered & ~applies
        return unfit

    @property
    def crashed(self) -> Numbers:
        """The cases in which the candidate's application failed on some trial, ascending."""
        return self.sides["candidate"].crashed

    def with_scores(self, side: Side, metric: str, scores: Series) -> SuiteColumns:
        """The same with other scores of a metric on a side, none of which a scorer failed to give."""
        changed = replace(
            self.sides[side],
            series={**self.sides[side].series, metric: scores},
            failed={**self.sides[side].failed, metric: {}},
        )
        return replace(self, sides={**self.sides, side: changed})

    def by_first_call(self, metric: str) -> SuiteColumns:
        """The same with one call of the candidate per case on this metric, a failed one as +inf."""
        side = self.sides["candidate"]
        first = side.first_calls.get(metric, np.full(self.cases.total, np.nan))
        known = ~np.isnan(first)
        counted = Series(np.concatenate(([0], np.cumsum(known))), first[known])
        failed = {number: why for number, why in side.failed.get(metric, {}).items() if not known[number]}
        changed = replace(
            side, series={**side.series, metric: counted}, failed={**side.failed, metric: failed}
        )
        return replace(self, sides={**self.sides, "candidate": changed})


class CaseScores(Mapping[str, tuple[float, ...]]):
    """A series by case id, as what is measured of short suites is held.

    Args:
        cases: the suite's cases.
        series: their scores.
        others: scores of cases that are in no column.
    """

    def __init__(self, cases: LongCases, series: Series, others: Mapping[str, tuple[float, ...]]) -> None:
        self._cases = cases
        self._series = series
        self._others = others

    def __len__(self) -> int:
        return int(np.count_nonzero(self._series.counts)) + len(self._others)

    def __iter__(self) -> Iterator[str]:
        yield from self._cases.numbered(np.flatnonzero(self._series.counts)).ids
        yield from self._others

    def __getitem__(self, case_id: str) -> tuple[float, ...]:
        if case_id in self._others:
            return self._others[case_id]
        number = self._cases.find(case_id)
        if number < 0:
            raise KeyError(case_id)
        begin, end = self._series.first[number : number + 2].tolist()
        if begin == end:
            raise KeyError(case_id)
        return tuple(self._series.scores[begin:end].tolist())


class CaseReasons(Mapping[str, str]):
    """Reasons by case id, as what is measured of short suites is held.

    Args:
        cases: the suite's cases.
        reasons: by their numbers.
        others: reasons of cases that are in no column.
    """

    def __init__(self, cases: LongCases, reasons: Mapping[int, str], others: Mapping[str, str]) -> None:
        self._cases = cases
        self._reasons = reasons
        self._others = others

    def __len__(self) -> int:
        return len(self._reasons) + len(self._others)

    def __iter__(self) -> Iterator[str]:
        yield from self._cases.numbered(np.array(sorted(self._reasons), np.int64)).ids
        yield from self._others

    def __getitem__(self, case_id: str) -> str:
        if case_id in self._others:
            return self._others[case_id]
        return self._reasons[self._cases.find(case_id)]
