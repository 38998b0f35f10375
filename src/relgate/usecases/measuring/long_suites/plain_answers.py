"""Cases that one plain text answers each, judged by it alone: no object is made of a case, call or score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from relgate.decision.long_suites.column_outcomes import OUTCOMES, Codes
from relgate.decision.long_suites.columns import Floats
from relgate.domain.case import Suite
from relgate.domain.long_cases import CaseTexts, LongCases
from relgate.domain.metric import RESPONSE_METRICS
from relgate.domain.response import Side
from relgate.domain.run import CaseBlock
from relgate.files.long.recording_file import RecordingFile
from relgate.files.recording_rows import PlainRow
from relgate.late import np
from relgate.scorers import TextJudge
from relgate.store import ABSENT, block_of_columns
from relgate.usecases.measuring.long_suites.side_block import SideBlock
from relgate.usecases.measuring.measure import turn_order
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.redacting import CountingRedactor

_RESERVED = frozenset(metric.name for metric in RESPONSE_METRICS)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class PlainCalls:
    """One side's answers, one of each case.

    Attributes:
        rows: as they are recorded.
        outputs: their texts.
        scores: per metric the score of each, None where it has none; left out where none has one.
    """

    rows: list[PlainRow]
    outputs: list[str]
    scores: Mapping[str, list[float | None]]

    def block(self) -> SideBlock:
        """The scores as columns."""
        cases = len(self.rows)
        counts, scores = {}, {}
        for metric, column in self.scores.items():
            found = np.array(column, np.float64)  # None becomes NaN, which no score is
            known = ~np.isnan(found)
            counts[metric] = known.astype(np.uint8)
            values = found[known]
            # a block lives as long as the run: where all scores are equal, one is enough
            equal = bool(np.all(values == values[0]))
            scores[metric] = np.broadcast_to(values[0], values.size) if equal else values
        return SideBlock(
            counts=counts,
            scores=scores,
            asked={},
            failures={},
            applies={},
            answered=np.ones(cases, np.bool_),
            away={},
            failed={},
        )

    def first_calls(self, metric: str) -> Floats:
        """Each case's call, NaN where it has no score of the metric."""
        if metric not in self.scores:
            return np.full(len(self.rows), np.nan)
        return np.array(self.scores[metric], np.float64)


@dataclass(frozen=True, slots=True)
class PlainSides:
    """A block of plain answers.

    Attributes:
        texts: its cases.
        sides: what each side answered.
    """

    texts: CaseTexts
    sides: Mapping[Side, PlainCalls]

    def stored(self, suite: Suite, codes: Codes, redactor: CountingRedactor, *, seed: int) -> CaseBlock:
        """The block as the registry keeps it, every text redacted as ``registry_rows`` does it.

        Args:
            suite: the suite.
            codes: what became of each case, places in ``OUTCOMES``.
            redactor: counts what is replaced.
            seed: decides which side of a pair is told first.
        """
        ids, rows = self.texts.ids, {side: found.rows for side, found in self.sides.items()}
        sides = tuple(self.sides)
        orders = [turn_order(seed, (suite.name, case_id), None, 0, sides) for case_id in ids]

        def told(columns: Mapping[Side, list[Value]]) -> list[Value]:
            if len(sides) == 1:
                return columns[sides[0]]
            return [columns[side][place] for place, order in enumerate(orders) for side in order]

        every = told(rows)
        calls: dict[str, list[Any]] = {
            "side": [side for order in orders for side in order],
            "trial": [row.trial for row in every],
            "outcome": ["response"] * len(every),
            "output": redactor.texts(told({side: found.outputs for side, found in self.sides.items()})),
            "latency_ms": [row.latency_ms for row in every],
            "tokens": [row.tokens for row in every],
            "cost_usd": [row.cost_usd for row in every],
            "served_by": redactor.texts([row.served_by or "" for row in every]),
        }
        unscored: list[float | None] = [None] * len(ids)
        scores: dict[str, list[Any]] = {}
        for metric in {metric for found in self.sides.values() for metric in found.scores}:
            column = told({side: found.scores.get(metric, unscored) for side, found in self.sides.items()})
            scores[metric] = [ABSENT if v is None else v for v in column] if None in column else column
        return block_of_columns(
            suite.name,
            suite.folder,
            cases={
                "case_id": ids,
                "line": self.texts.lines,
                "input": redactor.texts([text or "" for text in self.texts.inputs]),
                "expected": redactor.texts([text or "" for text in self.texts.expected]),
                "outcome": [OUTCOMES[code] for code in codes.tolist()],
            },
            asked=[place for place, order in enumerate(orders) for _ in order],
            calls=calls,
            scores=scores,
        )


class PlainAnswers:
    """Finds the blocks of a suite that are plain, and scores them.

    Args:
        plan: the suite.
        rows: the recording of each side, in order of the sides.
    """

    def __init__(self, plan: SuitePlan, rows: Mapping[Side, RecordingFile]) -> None:
        self._rows = rows
        self._judges = {side: _judges(plan, side) for side in rows}

    def sides(self, part: LongCases) -> PlainSides | None:
        """What is recorded of these cases, scored; None where it takes more than a look at texts.

        Raises:
            FileChanged: a file is not what it was when the run began.
        """
        if None in self._judges.values() or (texts := part.texts()) is None:
            return None
        sides = {}
        for side, rows in self._rows.items():
            found = _answers(rows, part, texts.ids)
            judges = self._judges[side]
            if found is None or judges is None:
                return None
            outputs = [row.output or "" for row in found]
            scores = _scores(judges, texts, found, outputs)
            if scores is None:
                return None
            sides[side] = PlainCalls(found, outputs, scores)
        return PlainSides(texts, sides)


def _judges(plan: SuitePlan, side: Side) -> dict[str, TextJudge] | None:
    """The judge of each metric; None where one of them looks at more than texts."""
    found: dict[str, TextJudge] = {}
    for scorer in plan.scorers[side]:
        judge, name = scorer.judge, scorer.metric.name
        usual = isinstance(judge, TextJudge) and judge.goes_by_cases and scorer.asked is None
        if not usual or name in found or name in _RESERVED:
            return None
        assert isinstance(judge, TextJudge)
        found[name] = judge
    return None if plan.suite.kind == "safety" else found


def _answers(rows: RecordingFile, part: LongCases, ids: Sequence[str]) -> list[PlainRow] | None:
    """The only answer to each case, None where any has another number of them or one that is not plain."""
    answers = rows.answers(part)
    first = answers.first[part.numbers]
    if not bool(np.all(answers.first[part.numbers + 1] - first == 1)):
        return None
    found = rows.plain(answers.lines[first])
    if found is None or [row.case_id for row in found] != ids:
        return None
    return found


def _scores(
    judges: Mapping[str, TextJudge], texts: CaseTexts, rows: Sequence[PlainRow], outputs: Sequence[str]
) -> dict[str, list[float | None]] | None:
    """The scores of each metric; None where a number cannot be one.

    The metrics come in the order in which case after case would tell them.
    """
    columns: dict[str, list[float | None]] = {}
    for name, judge in judges.items():
        judged = judge.of_texts(texts.expected, outputs)
        columns[name] = [None if value is None else float(value) for value in judged]
    columns["answered"] = [1.0 if output.strip() else 0.0 for output in outputs]
    for name, numbers in (
        ("latency_ms", [row.latency_ms for row in rows]),
        ("cost_usd", [row.cost_usd for row in rows]),
        ("tokens", [row.tokens for row in rows]),
        ("first_token_ms", [row.first_token_ms for row in rows]),
    ):
        if numbers.count(None) == len(numbers):
            continue
        try:
            columns[name] = [None if number is None else float(number) for number in numbers]
        except OverflowError:
            return None
        if not all(value is None or 0 <= value < np.inf for value in columns[name]):
            return None
    firsts = {name: _first(column) for name, column in columns.items()}
    return {name: columns[name] for name in sorted(columns, key=firsts.__getitem__) if firsts[name] >= 0}


def _first(column: Sequence[float | None]) -> int:
    """The first case with a score, -1 where there is none."""
    return next((place for place, value in enumerate(column) if value is not None), -1)
