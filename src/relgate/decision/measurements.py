"""A suite's measurements arranged by side, metric, hop and case, ready to be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from relgate.decision.first_calls import FirstCalls
from relgate.decision.long_suites.columns import SuiteColumns
from relgate.domain.case import Case, Suite
from relgate.domain.long_cases import LongCases
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.response import Failure, Measurement, Response, Score, ScorerFailure, Side

Cell = tuple[Side, str, str]
"""Side, metric and hop ("" outside fallback suites)."""

ALWAYS_APPLY = frozenset(metric.name for metric in (*RESPONSE_METRICS, *SAFETY_METRICS))
"""Metrics that every answer has or could have: a case without a score of one was not measured."""


LATER = 1_000_000
"""Added to the trials of each earlier run that is pooled, so that the present ones come first."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One answered trial of the candidate.

    Attributes:
        scores: by metric.
        failed: the metrics whose scorer failed on it.
        earlier: the number of the pooled run that it is of, 0 for the present one.
    """

    scores: Mapping[str, float]
    failed: frozenset[str] = frozenset()
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """An answer to a case with labels: the digest by which they name it, and its scores by metric.

    The digest is "" where the application failed.
    """

    digest: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SuiteData:
    """What was measured of one suite.

    Attributes:
        suite: the suite.
        metrics: every metric of the suite by name.
        hops: targets of the route in order, empty outside fallback suites.
        values: per cell and case the scores of its trials, in order of trial.
        judge_failures: per cell the cases where a scorer failed on some trial, with why (redacted).
        unmeasured: per side and hop the cases with a call that gave no response (outage, nothing recorded),
            with the reason.
        trials: per hop and case the candidate's trials in order, confirming ones last; critical cases and
            regression cases only.
        not_applicable: per metric the cases that were answered and that no scorer of it applies to.
        first_calls: per metric with an absolute quantile and hop, the candidate's first call of each case.
        failed_calls: per hop the cases in which the candidate's application failed on some trial.
        paired: whether a baseline was measured.
        unpaired: cases that no gate may pair: a stored baseline has no score of them and cannot be asked.
        answers: per side and case with labels its answers in order of trial.
        bound: digest of the answer that a label without one was first used with, by ``labels.label_id``.
        columns: of a long suite, what is above by case id and more, as columns; None of another.
    """

    suite: Suite
    metrics: Mapping[str, Metric]
    hops: tuple[str, ...]
    values: Mapping[Cell, Mapping[str, tuple[float, ...]]]
    judge_failures: Mapping[Cell, Mapping[str, str]]
    unmeasured: Mapping[tuple[Side, str], Mapping[str, str]]
    trials: Mapping[tuple[str, str], tuple[Trial, ...]] = field(default_factory=dict)
    not_applicable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    first_calls: Mapping[tuple[str, str], Mapping[str, float]] = field(default_factory=dict)
    failed_calls: Mapping[str, frozenset[str]] = field(default_factory=dict)
    paired: bool = True
    unpaired: frozenset[str] = frozenset()
    answers: Mapping[tuple[Side, str], tuple[ReadAnswer, ...]] = field(default_factory=dict)
    bound: Mapping[str, str] = field(default_factory=dict)
    columns: SuiteColumns | None = None

    def series(self, side: Side, metric: str, hop: str = "") -> Mapping[str, tuple[float, ...]]:
        """Scores by case id on one side, metric and hop; cases without a score are left out."""
        return self.values.get((side, metric, hop), {})

    @property
    def hop_keys(self) -> tuple[str, ...]:
        """The hops, or the one empty hop of a suite without hops."""
        return self.hops or ("",)

    def by_first_call(self, metric: str) -> SuiteData:
        """The same data with one call of the candidate per case on this metric, a failed one as +inf."""
        if self.columns is not None:
            return replace(self, columns=self.columns.by_first_call(metric))
        values, failures = dict(self.values), dict(self.judge_failures)
        for hop in self.hop_keys:
            cell: Cell = ("candidate", metric, hop)
            first = self.first_calls.get((metric, hop), {})
            values[cell] = {case: (value,) for case, value in first.items()}
            failures[cell] = {case: why for case, why in failures.get(cell, {}).items() if case not in first}
        return replace(self, values=values, judge_failures=failures)


def arrange(
    suite: Suite,
    metrics: Mapping[str, Metric],
    measurements: Iterable[Measurement],
    *,
    hops: tuple[str, ...] = (),
    paired: bool = True,
) -> SuiteData:
    """Arrange one suite's measurements; rows of other suites are passed over."""
    values: dict[Cell, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    failed: dict[Cell, dict[str, str]] = defaultdict(dict)
    away: dict[tuple[Side, str], dict[str, str]] = defaultdict(dict)
    trials: dict[tuple[str, str], list[tuple[int, Trial]]] = defaultdict(list)
    applies: dict[str, set[str]] = defaultdict(set)
    answered: set[str] = set()
    answers: dict[tuple[Side, str], list[tuple[int, ReadAnswer]]] = defaultdict(list)
    first_calls = FirstCalls(suite)
    crashed: dict[str, set[str]] = defaultdict(set)
    by_trial = {case.id for case in suite.all_cases if case.critical or case.regression}
    for row in measurements:
        if row.suite != suite.name:
            continue
        hop = row.hop or ""
        if isinstance(row.outcome, Failure) and row.outcome.kind != "application":
            if not row.confirmation:
                away[row.side, hop][row.case_id] = row.outcome.message
            continue
        if row.side == "candidate" and row.case_id in by_trial:
            trials[hop, row.case_id].append((row.trial, _trial(row)))
        if row.confirmation:
            continue
        first_calls.add(row)
        if row.side == "candidate" and isinstance(row.outcome, Failure):
            crashed[hop].add(row.case_id)
        if row.answer is not None:
            read = ReadAnswer(row.answer, {s.metric: s.value for s in row.scores if isinstance(s, Score)})
            answers[row.side, row.case_id].append((row.trial, read))
        if isinstance(row.outcome, Response):
            answered.add(row.case_id)
            for score in row.scores:
                applies[score.metric].add(row.case_id)
        for score in row.scores:
            cell = (row.side, score.metric, hop)
            if isinstance(score, ScorerFailure):
                failed[cell].setdefault(row.case_id, score.message)
            else:
                values[cell][row.case_id].append((row.trial, score.value))
    answered -= {case for cases in away.values() for case in cases}
    return SuiteData(
        suite=suite,
        metrics=metrics,
        hops=hops,
        values={
            cell: {case: tuple(value for _, value in sorted(rows)) for case, rows in by_case.items()}
            for cell, by_case in values.items()
        },
        judge_failures={cell: dict(cases) for cell, cases in failed.items()},
        unmeasured={key: dict(cases) for key, cases in away.items()},
        trials={
            key: tuple(trial for _, trial in sorted(rows, key=lambda row: row[0]))
            for key, rows in trials.items()
        },
        not_applicable={
            name: frozenset(answered - applies[name]) for name in metrics if name not in ALWAYS_APPLY
        },
        first_calls=first_calls.values(),
        failed_calls={hop: frozenset(cases) for hop, cases in crashed.items()},
        paired=paired,
        answers={
            key: tuple(read for _, read in sorted(rows, key=lambda row: row[0]))
            for key, rows in answers.items()
        },
    )


def _trial(row: Measurement) -> Trial:
    return Trial(
        scores={s.metric: s.value for s in row.scores if not isinstance(s, ScorerFailure)},
        failed=frozenset(s.metric for s in row.scores if isinstance(s, ScorerFailure)),
        earlier=row.trial // LATER,
    )


def unmeasured_suites(data: Iterable[SuiteData]) -> tuple[str, ...]:
    """One sentence per suite with cases that an outage or a missing recording kept from being measured.

    They hold whatever the gates say: a suite of guards alone has no gate that could say so.
    """
    sentences = []
    for suite_data in data:
        reasons: dict[str, str] = {}
        examples: list[tuple[str, Side, str]] = []
        # what the baseline says to a regression case enters nothing
        free = {case.id for case in suite_data.suite.regressions}
        for (side, _), cases in suite_data.unmeasured.items():
            found = {i: why for i, why in cases.items() if side == "candidate" or i not in free}
            reasons |= found
            if told := [i for i, why in found.items() if why]:
                examples.append((min(told), side, found[min(told)]))
        if reasons:
            total = len(suite_data.suite.all_cases)
            verb = "was" if len(reasons) == 1 else "were"
            why = ""
            if examples:
                case, side, text = min(examples)
                why = f" ({'such as ' * (len(reasons) > 1)}{case}, {side}: {text})"
            sentences.append(
                f"{suite_data.suite.name}: {len(reasons)} of {total} cases {verb} not measured{why}"
            )
    return tuple(sentences)


def cases_in_scope(suite: Suite, only: Mapping[str, object]) -> Sequence[Case]:
    """The suite's cases (never its regression cases) that carry all these tags."""
    if not only:
        return suite.cases
    if isinstance(suite.cases, LongCases):
        return suite.cases.tagged(only)
    return tuple(
        case
        for case in suite.cases
        if all(str(case.tags.get(key)) == str(value) for key, value in only.items())
    )


def tag_values(suite: Suite, tag: str) -> list[str]:
    """Every value that the suite's cases carry of a tag, as text and sorted."""
    if isinstance(suite.cases, LongCases):
        return suite.cases.tag_values(tag)
    return sorted({str(case.tags[tag]) for case in suite.cases if tag in case.tags})


def primary_metrics(suite: Suite, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """The metrics that the suite requires not to get worse, else its first bounded metric."""
    required = [
        gate.metric
        for gate in suite.gates
        if gate.role == "require" and gate.form == "non_inferior" and gate.metric in metrics
    ]
    if required:
        return tuple(dict.fromkeys(required))
    own = [name for name, metric in metrics.items() if metric.bounded and name != "answered"]
    return tuple(own[:1])
