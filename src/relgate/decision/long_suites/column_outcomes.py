"""What became of the cases of a long suite, and which of them fell or missed the furthest, from columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, TypeAlias

from relgate.decision.long_suites.columns import Floats, Marks, Series, SuiteColumns
from relgate.decision.outcomes import CaseOutcome, hit_metrics
from relgate.domain.case import Case
from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.metric import Metric
from relgate.domain.response import Side
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTCOMES: tuple[CaseOutcome, ...] = ("failed", "hit", "fixed", "miss", "regressed")
"""What a code of ``outcome_codes`` stands for."""

_FAILED, _HIT, _FIXED, _MISS, _REGRESSED = range(len(OUTCOMES))

Codes: TypeAlias = "NDArray[np.uint8]"


def outcome_codes(
    sides: Mapping[Side, Mapping[str, Series]], metrics: Sequence[Metric], cases: int, *, paired: bool
) -> Codes:
    """What became of each case, as ``outcomes.case_outcome`` says; a place in ``OUTCOMES``, shape (cases,).

    Args:
        sides: per side the scores of each metric.
        metrics: those that make a case a hit (``hit_metrics``).
        cases: how many.
        paired: whether a baseline was measured.
    """
    judged, hit = _hits(sides.get("candidate", {}), metrics, cases)
    codes = np.where(hit, _HIT, _MISS)
    if paired:
        theirs, was_hit = _hits(sides.get("baseline", {}), metrics, cases)
        codes[hit & theirs & ~was_hit] = _FIXED
        codes[~hit & theirs & was_hit] = _REGRESSED
    codes[~judged] = _FAILED
    return codes.astype(np.uint8)


def _hits(series: Mapping[str, Series], metrics: Sequence[Metric], cases: int) -> tuple[Marks, Marks]:
    """Whether each case has a score, and whether every mean lies on its good side."""
    judged, hit = np.zeros(cases, np.bool_), np.ones(cases, np.bool_)
    for metric in metrics:
        if metric.name not in series:
            continue
        found = series[metric.name]
        counts = found.counts
        sums = np.bincount(np.repeat(np.arange(cases), counts), found.scores, cases)
        means = np.divide(sums, counts, out=np.full(cases, 0.5), where=counts > 0)
        judged |= counts > 0
        hit &= (means == 0.5) | ((means > 0.5) == metric.higher_is_better)
    return judged, hit


def furthest_off(
    columns: SuiteColumns,
    suite: str,
    metrics: Mapping[str, Metric],
    blamed: Collection[tuple[str, str]],
    *,
    paired: bool,
    count: int,
) -> Iterator[Case]:
    """Cases among which are those that a reader should look at first (``card.worst_cases``).

    Args:
        columns: what was measured.
        suite: the suite's name.
        metrics: every metric of the suite by name.
        blamed: suite and slice of what failed or raised an alarm.
        paired: whether cases are measured against a baseline, or against the best score.
        count: how many are looked for.
    """
    cases = columns.cases
    off, difference = _falls(columns, metrics) if paired else _shortfalls(columns, metrics)
    for side in columns.sides.values():
        off[list(side.away)] = False
    critical, own = np.zeros((2, cases.total), np.bool_)
    critical[cases.critical.numbers] = True
    own[_blamed(cases, suite, blamed)] = True
    for first in (critical, ~critical):
        for of_blamed in (own, ~own):
            yield from cases.numbered(
                _least(cases, np.flatnonzero(off & first & of_blamed), difference, count)
            )


def _falls(columns: SuiteColumns, metrics: Mapping[str, Metric]) -> tuple[Marks, Floats]:
    compared = [m for name, m in metrics.items() if m.bounded and name != "answered"]
    return _added_up(
        columns,
        [
            (columns.scores("candidate", m.name).means() - columns.scores("baseline", m.name).means())
            * (1 if m.higher_is_better else -1)
            for m in compared
        ],
    )


def _shortfalls(columns: SuiteColumns, metrics: Mapping[str, Metric]) -> tuple[Marks, Floats]:
    made = hit_metrics(metrics)
    means = [(m, columns.scores("candidate", m.name).means()) for m in made]
    off, difference = _added_up(columns, [mean - 1.0 if m.higher_is_better else -mean for m, mean in means])
    series = {side: found.series for side, found in columns.sides.items()}
    missed = outcome_codes(series, made, columns.cases.total, paired=False) == _MISS
    missed[columns.cases.critical.numbers] = True  # one counts when any trial missed
    return off & missed, difference


def _added_up(columns: SuiteColumns, falls: Sequence[Floats]) -> tuple[Marks, Floats]:
    off, difference = np.zeros(columns.cases.total, np.bool_), np.zeros(columns.cases.total)
    for fall in falls:
        fallen = fall < -NOTHING
        off |= fallen
        difference[fallen] += fall[fallen]
    return off, difference


NOTHING = 1e-12
"""A difference that is none."""


def _blamed(cases: LongCases, suite: str, blamed: Collection[tuple[str, str]]) -> Numbers:
    """Numbers of the cases that belong to what failed or raised an alarm."""
    slices = [slice_ for name, slice_ in blamed if name == suite]
    if "" in slices:
        return cases.numbers
    found = [np.zeros(0, np.int64)]
    for slice_ in slices:
        for place, sign in enumerate(slice_):
            if sign == "=":
                tag, value = slice_[:place], slice_[place + 1 :]
                tagged = cases.tagged({tag: value})
                if value == "None":  # those without the tag among them
                    tagged = tagged.numbered(
                        np.array(
                            [n for n, c in zip(tagged.numbers, tagged, strict=True) if tag in c.tags], int
                        )
                    )
                found.append(tagged.numbers)
    return np.concatenate(found)


def _least(cases: LongCases, numbers: Numbers, difference: Floats, count: int) -> Numbers:
    """The cases with the least difference, those of equal difference by their ids."""
    if numbers.size <= count:
        return numbers
    values = difference[numbers]
    last = np.partition(values, count - 1)[count - 1]
    below, ties = numbers[values < last], numbers[values == last]
    named = zip(cases.numbered(ties).ids, ties.tolist(), strict=True)
    chosen = [number for _, number in nsmallest(count - below.size, named)]
    return np.sort(np.concatenate((below, np.array(chosen, np.int64))))
