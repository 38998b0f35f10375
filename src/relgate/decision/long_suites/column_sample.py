"""Samples of a long suite, drawn from its columns: those of ``draw_sample`` on the same measurements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from relgate.decision.duplicates import long_units
from relgate.decision.long_suites.columns import Marks, Series, SideColumns, SuiteColumns
from relgate.decision.measurements import ALWAYS_APPLY, SuiteData
from relgate.decision.sample import NAMED, Floats, Sample, lattice, nameable, unit_noun
from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.response import Side
from relgate.late import np


def column_sample(
    data: SuiteData, columns: SuiteColumns, metric: str, only: Mapping[str, object], *, relative: bool
) -> Sample:
    """The cases that a gate judges.

    Args:
        data: the suite's measurements.
        columns: the same as columns.
        metric: the metric's name.
        only: tags that a case must carry.
        relative: whether a case needs a score on both sides.
    """
    numbers = _scope(columns, metric, only)
    sides: tuple[Side, ...] = ("candidate", "baseline") if relative else ("candidate",)
    measured = [columns.sides[side] for side in sides if side in columns.sides]
    away = _marks(columns.cases, [side.away for side in measured])[numbers]
    failures = [side.failed.get(metric, {}) for side in measured]
    failed = _marks(columns.cases, failures)[numbers]
    series = [columns.scores(side, metric) for side in sides]
    missing = away | failed
    for scores in series:
        missing |= (scores.counts == 0)[numbers]
    only_the_judge = failed & ~away
    known = long_units(data.suite, columns.cases)
    units = np.arange(numbers.size) if known.codes is None else _by_appearance(known.of(numbers))
    kept, kept_units = (numbers[~missing], units[~missing]) if missing.any() else (numbers, units)
    found = [scores.of(kept) for scores in series]
    candidate, baseline = found[0], found[1] if relative else None
    rows_of_baseline = candidate.scores[:0] if baseline is None else baseline.scores
    judge_reason, judge_reason_cases = _often(numbers[only_the_judge], failures)
    return Sample(
        candidate=_means(candidate),
        baseline=None if baseline is None else _means(baseline),
        units=kept_units,
        clustered=data.suite.clustered or (bool(units.size) and int(units.max()) + 1 < units.size),
        single=all(bool(np.all(scores.counts == 1)) for scores in found),
        candidate_rows=candidate.scores,
        candidate_units=_repeated(kept_units, candidate),
        baseline_rows=rows_of_baseline,
        baseline_units=kept_units[:0] if baseline is None else _repeated(kept_units, baseline),
        expected=int(numbers.size),
        unmeasured=int(np.count_nonzero(missing & ~only_the_judge)),
        judge_failures=int(np.count_nonzero(only_the_judge)),
        missing_units=units[missing],
        reasons=_reasons(numbers[away], measured),
        judge_reason=judge_reason,
        judge_reason_cases=judge_reason_cases,
        missing_ids=nameable(data.suite, list(columns.cases.numbered(numbers[missing][:NAMED]).ids)),
        unit_noun=unit_noun(data.suite),
    )


def violating_columns(
    data: SuiteData, columns: SuiteColumns, metric: str, only: Mapping[str, object]
) -> frozenset[str]:
    """Labels of the units in which the candidate violated on any trial."""
    codes = long_units(data.suite, columns.cases).of(_violating(columns, metric, only))
    return frozenset(map(str, np.unique(codes).tolist()))


def violating_ids(columns: SuiteColumns, metric: str, only: Mapping[str, object]) -> tuple[str, ...]:
    """Ids of the cases in which the candidate violated on any trial."""
    return tuple(columns.cases.numbered(_violating(columns, metric, only)).ids)


def _violating(columns: SuiteColumns, metric: str, only: Mapping[str, object]) -> Numbers:
    numbers = _scope(columns, metric, only)
    scores = columns.scores("candidate", metric)
    cases = np.repeat(np.arange(columns.cases.total), scores.counts)[scores.scores > 0.0]
    return numbers[np.isin(numbers, cases)]


def _scope(columns: SuiteColumns, metric: str, only: Mapping[str, object]) -> Numbers:
    cases = columns.cases.tagged(only) if only else columns.cases
    numbers = cases.numbers
    return numbers if metric in ALWAYS_APPLY else numbers[~columns.not_applicable(metric)[numbers]]


def _marks(cases: LongCases, reasons: Sequence[Mapping[int, str]]) -> Marks:
    marked = np.zeros(cases.total, np.bool_)
    for each in reasons:
        marked[list(each)] = True
    return marked


def _by_appearance(codes: Numbers) -> Numbers:
    """The codes numbered from 0 in the order in which they first appear."""
    unique, first, places = np.unique(codes, return_index=True, return_inverse=True)
    if unique.size == codes.size:
        return np.arange(codes.size, dtype=np.int64)
    rank = np.empty(unique.size, np.int64)
    rank[np.argsort(first)] = np.arange(unique.size)
    return rank[places]


def _repeated(units: Numbers, series: Series) -> Numbers:
    """The unit of each score."""
    counts = series.counts
    return units if bool(np.all(counts == 1)) else np.repeat(units, counts)


def _means(series: Series) -> Floats:
    means = series.means()
    if bool(np.all(means == np.rint(means))):
        return means  # on the lattice already
    return lattice(means.tolist())


def _reasons(numbers: Numbers, sides: Sequence[SideColumns]) -> tuple[str, ...]:
    """The first three reasons why cases were not measured."""
    found: dict[str, None] = {}
    for number in numbers.tolist():
        found.update((side.away[number], None) for side in sides if number in side.away)
        if len(found) >= 3:
            break
    return tuple(found)[:3]


def _often(numbers: Numbers, failures: Sequence[Mapping[int, str]]) -> tuple[str, int]:
    """Why scorers failed on these cases, the most frequent reason and in how many of them."""
    why = Counter(
        next(reasons[number] for reasons in failures if number in reasons) for number in numbers.tolist()
    )
    return next(iter(why.most_common(1)), ("", 0))
