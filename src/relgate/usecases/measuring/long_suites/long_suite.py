"""A long recorded suite in a run: scored block by block, its columns, and single cases when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from relgate.decision.long_suites.column_outcomes import OUTCOMES, Codes
from relgate.decision.long_suites.columns import (
    CaseReasons,
    CaseScores,
    Floats,
    Marks,
    Places,
    Series,
    SideColumns,
    SuiteColumns,
)
from relgate.decision.measurements import ALWAYS_APPLY, Cell, SuiteData, Trial, arrange
from relgate.decision.outcomes import CaseOutcome
from relgate.domain.case import LONG_SUITE
from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.response import Measurement, Response, Score, ScorerFailure, Side
from relgate.domain.run import CaseBlock
from relgate.late import np
from relgate.usecases.measuring.long_suites.block import Block, BlockScorer
from relgate.usecases.measuring.measure import turn_order
from relgate.usecases.preparing.plan_suite import SuitePlan

AT_ONCE = 1000
"""Cases of a block."""

_UNMEASURED = len(OUTCOMES)


@dataclass(frozen=True, slots=True)
class BlockKey:
    """A block among the engine's tasks."""

    suite: str
    number: int


class LongSuite:
    """Measures the chosen cases of one suite.

    Args:
        plan: the suite; its cases are long ones.
        chosen: its cases that are measured.
        scorer: scores a block of them.
        sides: the sides that are measured.
        seed: decides which side of a pair is told first.
    """

    def __init__(
        self, plan: SuitePlan, chosen: LongCases, scorer: BlockScorer, sides: Sequence[Side], *, seed: int
    ) -> None:
        assert isinstance(plan.suite.cases, LongCases)
        self.plan = plan
        self.chosen = chosen
        self._cases = plan.suite.cases
        self._scorer = scorer
        self.sides = tuple(sides)
        self._seed = seed
        self._packs = len(chosen) > LONG_SUITE
        self._blocks: dict[int, Block] = {}
        self._codes: Codes = np.full(self._cases.total, _UNMEASURED, np.uint8)
        self._columns: SuiteColumns | None = None

    @property
    def tasks(self) -> list[BlockKey]:
        """Its blocks in order."""
        return [BlockKey(self.plan.suite.name, n) for n in range(-(-len(self.chosen) // AT_ONCE))]

    def block_of(self, number: int) -> BlockKey | None:
        """The block that a case is measured in, None where it is not chosen."""
        place = int(np.searchsorted(self.chosen.numbers, number))
        if place == len(self.chosen) or int(self.chosen.numbers[place]) != number:
            return None
        return BlockKey(self.plan.suite.name, place // AT_ONCE)

    def measure(self, key: BlockKey) -> None:
        """Score one block."""
        part = self.chosen[key.number * AT_ONCE : (key.number + 1) * AT_ONCE]
        assert isinstance(part, LongCases)
        found = self._scorer.score(part, stored=self._packs)
        self._blocks[key.number] = found
        self._codes[found.numbers] = found.codes

    def outcome(self, number: int) -> CaseOutcome | None:
        """What became of a case, None where it was not measured."""
        code = int(self._codes[number])
        return None if code == _UNMEASURED else OUTCOMES[code]

    def codes(self, numbers: Numbers) -> Codes:
        """What became of each case, places in ``OUTCOMES``; ``len(OUTCOMES)`` where it was not measured."""
        return self._codes[numbers]

    @property
    def measured(self) -> Numbers:
        """Numbers of the cases that were measured."""
        return np.flatnonzero(self._codes != _UNMEASURED)

    @property
    def whole(self) -> bool:
        """Whether every case of the suite was measured."""
        return not bool(np.any(self._codes == _UNMEASURED))

    def counts(self) -> Counter[str]:
        """How many cases came out how."""
        counted = np.bincount(self._codes, minlength=_UNMEASURED + 1).tolist()
        return Counter({name: counted[code] for code, name in enumerate(OUTCOMES) if counted[code]})

    @property
    def stored(self) -> tuple[CaseBlock, ...]:
        """Its cases as the registry keeps them; none where they go in rows of their own."""
        return tuple(block.stored for block in self._in_order() if block.stored is not None)

    @property
    def redacted(self) -> Counter[str]:
        """What was replaced in ``stored``, by type."""
        return sum((block.redacted for block in self._in_order()), Counter())

    def costs(self, side: Side) -> Iterator[float]:
        """The cost of every answer of a side that tells it, in order."""
        for block in self._in_order():
            if side in block.sides and "cost_usd" in block.sides[side].scores:
                yield from block.sides[side].scores["cost_usd"].tolist()

    def scorer_failures(self) -> dict[str, tuple[int, str]]:
        """Per metric how often a scorer failed, and why the first time."""
        found: dict[str, tuple[int, str]] = {}
        for block in self._in_order():
            for metric, (times, why) in block.failures.items():
                before, first = found.get(metric, (0, why))
                found[metric] = before + times, first
        return found

    def application_failures(self, side: Side) -> tuple[int, int, int, Counter[str]]:
        """Cases that a side was asked, that it failed in and that it answered; how often it failed how."""
        messages: Counter[str] = Counter()
        failed = answered = 0
        for block in self._in_order():
            if side in block.sides:
                answered += int(np.count_nonzero(block.sides[side].answered))
                for place in sorted(block.sides[side].failed):
                    failed += 1
                    messages.update(block.sides[side].failed[place])
        return len(self.measured) if side in self.sides else 0, failed, answered, messages

    def rows(self, number: int) -> tuple[Measurement, ...]:
        """Every call of one measured case, its answers read again.

        Raises:
            FileChanged: the recording is not what it was when the run began.
        """
        key = self.block_of(number)
        assert key is not None
        block = self._blocks[key.number]
        part = self._cases.numbered(np.array([number]))
        case_id = part.ids[0]
        place = int(np.searchsorted(block.numbers, number))
        by_side = {}
        for side in self.sides:
            calls = self._scorer.calls(part, side)[0]
            scores = self._scores_of(block, side, place, len(calls))
            by_side[side] = [
                Measurement(side, self.plan.suite.name, case_id, trial, outcome, scores[call])
                for call, (trial, outcome) in enumerate(calls)
            ]
        found = []
        for turn in range(max(map(len, by_side.values()))):
            for side in turn_order(self._seed, (self.plan.suite.name, case_id), None, turn, self.sides):
                found += by_side[side][turn : turn + 1]
        return tuple(found)

    def _scores_of(
        self, block: Block, side: Side, place: int, calls: int
    ) -> list[tuple[Score | ScorerFailure, ...]]:
        """The scores of each call of a case."""
        own = block.sides[side]
        found: list[list[Score | ScorerFailure]] = [[] for _ in range(calls)]
        for metric, counts in own.counts.items():
            begin = int(counts[:place].sum(dtype=np.int64))
            scores = own.scores[metric][begin : begin + int(counts[place])].tolist()
            asked = own.asked.get(metric, {}).get(place, range(len(scores)))
            for call, value in zip(asked, scores, strict=True):
                found[call].append(Score(metric, value, self.plan.metrics[metric].kind))
        for metric, by_place in own.failures.items():
            for call, why in by_place.get(place, {}).items():
                found[call].append(ScorerFailure(metric, why))
        return list(map(tuple, found))

    def data(self, others: Iterable[Measurement], *, paired: bool) -> SuiteData:
        """The suite's measurements arranged.

        Args:
            others: the calls of its regression cases.
            paired: whether there is a baseline.
        """
        plan, cases, columns = self.plan, self._cases, self.columns()
        alone = replace(plan.suite, cases=())
        beside = arrange(alone, plan.metrics, others, hops=plan.hops, paired=paired)
        values: dict[Cell, Mapping[str, tuple[float, ...]]] = dict(beside.values)
        failures: dict[Cell, Mapping[str, str]] = dict(beside.judge_failures)
        away: dict[tuple[Side, str], Mapping[str, str]] = dict(beside.unmeasured)
        for side, found in columns.sides.items():
            for metric, series in found.series.items():
                cell: Cell = (side, metric, "")
                values[cell] = CaseScores(cases, series, beside.values.get(cell, {}))
            for metric, reasons in found.failed.items():
                cell = (side, metric, "")
                failures[cell] = CaseReasons(cases, reasons, beside.judge_failures.get(cell, {}))
            if found.away:
                known = beside.unmeasured.get((side, ""), {})
                away[side, ""] = CaseReasons(cases, found.away, known)
        return SuiteData(
            suite=plan.suite,
            metrics=plan.metrics,
            hops=plan.hops,
            values=values,
            judge_failures=failures,
            unmeasured=away,
            trials={**beside.trials, **self._trials()},
            failed_calls=beside.failed_calls,
            paired=paired,
            columns=columns,
        )

    def _trials(self) -> dict[tuple[str, str], tuple[Trial, ...]]:
        """The candidate's trials of the critical cases that were measured."""
        found = {}
        for number in self._cases.critical.numbers.tolist():
            if self.outcome(number) is None:
                continue
            rows = [row for row in self.rows(number) if row.side == "candidate"]
            trials = tuple(
                Trial(
                    {s.metric: s.value for s in row.scores if isinstance(s, Score)},
                    frozenset(s.metric for s in row.scores if isinstance(s, ScorerFailure)),
                )
                for row in rows
                if isinstance(row.outcome, Response) or row.outcome.kind == "application"
            )
            if trials:
                found["", rows[0].case_id] = trials
        return found

    def columns(self) -> SuiteColumns:
        """Everything measured, put together once the last block is done."""
        if self._columns is None:
            sides = {side: self._side(side) for side in self.sides}
            self._columns = SuiteColumns(self._cases, sides)
        return self._columns

    def _side(self, side: Side) -> SideColumns:
        blocks = list(self._in_order())
        total = self._cases.total
        first: list[Places] = []
        series = {}
        for metric in dict.fromkeys(m for block in blocks for m in block.sides[side].counts):
            counts = np.zeros(total, np.uint32)
            scores = []
            for block in blocks:
                if metric in block.sides[side].counts:
                    counts[block.numbers] = block.sides[side].counts[metric]
                    scores.append(block.sides[side].scores[metric])
            begins = np.zeros(total + 1, np.uint32)
            np.cumsum(counts, out=begins[1:])
            same = next((known for known in first if np.array_equal(known, begins)), None)
            if same is None:
                first.append(begins)
            if begins[-1]:
                series[metric] = Series(begins if same is None else same, _joined(scores))
        failed: dict[str, dict[int, str]] = {}
        away: dict[int, str] = {}
        answered = np.zeros(total, np.bool_)
        crashed: list[int] = []
        for block in blocks:
            own, numbers = block.sides[side], block.numbers.tolist()
            answered[block.numbers] = own.answered
            crashed += (numbers[place] for place in own.failed)
            away.update((numbers[place], why) for place, why in own.away.items())
            for metric, by_place in own.failures.items():
                reasons = failed.setdefault(metric, {})
                reasons.update((numbers[place], whys[min(whys)]) for place, whys in by_place.items())
        self._share(side, series)
        return SideColumns(
            series=series,
            failed={metric: dict(sorted(reasons.items())) for metric, reasons in failed.items()},
            away=dict(sorted(away.items())),
            applies=self._applies(blocks, side),
            answered=answered,
            first_calls=self._first_calls(blocks) if side == "candidate" else {},
            crashed=np.array(sorted(crashed), np.int64),
        )

    def _share(self, side: Side, series: Mapping[str, Series]) -> None:
        """Let the blocks look into the columns instead of holding the scores a second time."""
        begins = dict.fromkeys(series, 0)
        for number in sorted(self._blocks):
            block = self._blocks[number]
            own, scores = block.sides[side], {}
            for metric, held in own.scores.items():
                scores[metric] = held
                if metric in series:
                    end = begins[metric] + held.size
                    scores[metric], begins[metric] = series[metric].scores[begins[metric] : end], end
            sides = {**block.sides, side: replace(own, scores=scores)}
            self._blocks[number] = replace(block, sides=sides)

    def _applies(self, blocks: Sequence[Block], side: Side) -> dict[str, Marks]:
        found: dict[str, Marks] = {}
        for metric in {m for block in blocks for m in block.sides[side].applies} - ALWAYS_APPLY:
            marks = found[metric] = np.zeros(self._cases.total, np.bool_)
            for block in blocks:
                own = block.sides[side]
                if metric in own.applies:
                    marks[block.numbers] = own.applies[metric]
                elif metric in own.counts:
                    marks[block.numbers] = own.counts[metric] > 0
        return found

    def _first_calls(self, blocks: Sequence[Block]) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for block in blocks:
            for metric, values in block.first_calls.items():
                column = found.setdefault(metric, np.full(self._cases.total, np.nan))
                column[block.numbers] = values
        return found

    def _in_order(self) -> Iterator[Block]:
        return (self._blocks[number] for number in sorted(self._blocks))


def _joined(parts: Sequence[Floats]) -> Floats:
    """The parts end to end; one number where they hold no other."""
    first = next(part[0] for part in parts if part.size)
    if all(bool(np.all(part == first)) for part in parts):
        return np.broadcast_to(first, sum(part.size for part in parts))
    return np.concatenate(parts)
