"""Some cases of a long recorded suite scored together; their answers are dropped, columns are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relgate.applications.recording import nothing_recorded
from relgate.decision.first_calls import limited_metrics
from relgate.decision.long_suites.column_outcomes import OUTCOMES, Codes, outcome_codes
from relgate.decision.long_suites.columns import Floats
from relgate.decision.outcomes import hit_metrics
from relgate.domain.case import Case
from relgate.domain.errors import RelgateError
from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.response import Failure, Outcome, Response, ScorerFailure, Side
from relgate.domain.run import CaseBlock
from relgate.files.long.recording_file import RecordingFile
from relgate.late import np
from relgate.scorers import score_failure, score_response
from relgate.store import ABSENT, block_of_columns
from relgate.usecases.measuring.long_suites.plain_answers import PlainAnswers, PlainSides
from relgate.usecases.measuring.long_suites.side_block import Scores, SideBlock, SideCalls
from relgate.usecases.measuring.measure import turn_order
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.redacting import CountingRedactor

Call = tuple[int, Outcome]
"""Trial and outcome."""


@dataclass(frozen=True, slots=True)
class Block:
    """What was measured of some cases.

    Attributes:
        numbers: their numbers.
        sides: per side what was measured.
        codes: what became of each case, places in ``OUTCOMES``.
        first_calls: per metric with an absolute quantile the candidate's first calls.
        failures: per metric how often a scorer failed, and why the first time.
        stored: the cases as the registry keeps them, None where they go in rows of their own.
        redacted: what was replaced in ``stored``, by type.
    """

    numbers: Numbers
    sides: Mapping[Side, SideBlock]
    codes: Codes
    first_calls: Mapping[str, Floats]
    failures: Mapping[str, tuple[int, str]]
    stored: CaseBlock | None
    redacted: Counter[str]


class BlockScorer:
    """Scores the recorded answers to the cases of one suite.

    Args:
        plan: the suite.
        rows: the recording of each side, in order of the sides.
        seed: decides which side of a pair is told first.
        redact: applied to every text that leaves the scorers.
        redactor: for what is stored; makes a new one that counts.
    """

    def __init__(
        self,
        plan: SuitePlan,
        rows: Mapping[Side, RecordingFile],
        *,
        seed: int,
        redact: Callable[[str], str],
        redactor: Callable[[], CountingRedactor],
    ) -> None:
        self._plan = plan
        self._rows = rows
        self._sides = tuple(rows)
        self._seed = seed
        self._redact = redact
        self._redactor = redactor
        self._hit_metrics = hit_metrics(plan.metrics)
        self._plain = PlainAnswers(plan, rows)

    def score(self, part: LongCases, *, stored: bool) -> Block:
        """Score some cases.

        Args:
            part: the cases.
            stored: whether they are to be stored as a block.

        Raises:
            FileChanged: a file is not what it was when the run began.
        """
        if (plain := self._plain.sides(part)) is not None:
            return self._of_plain(part, plain, stored=stored)
        cases, numbers = list(part), part.numbers
        sides = {side: SideCalls() for side in self._sides}
        failures: dict[str, tuple[int, str]] = {}
        told: list[tuple[int, Side, int, Outcome, Scores]] = []
        for place, side, trial, outcome in self._calls(part, cases):
            scores = self._scores(cases[place], side, outcome)
            sides[side].add(place, outcome, scores)
            for score in scores:
                if isinstance(score, ScorerFailure):
                    times, why = failures.get(score.metric, (0, score.message))
                    failures[score.metric] = times + 1, why
            if stored:
                told.append((place, side, trial, outcome, scores))
        blocks = {side: found.block(len(cases)) for side, found in sides.items()}
        series = {side: found.series() for side, found in blocks.items()}
        codes = outcome_codes(series, self._hit_metrics, len(cases), paired="baseline" in sides)
        redactor = self._redactor()
        return Block(
            numbers=numbers,
            sides=blocks,
            codes=codes,
            first_calls={
                metric: sides["candidate"].first_calls(metric, len(cases))
                for metric in limited_metrics(self._plan.suite)
            },
            failures=failures,
            stored=self._stored(cases, codes, told, redactor) if stored else None,
            redacted=redactor.counts,
        )

    def _of_plain(self, part: LongCases, plain: PlainSides, *, stored: bool) -> Block:
        """The same of a block of plain answers."""
        blocks = {side: found.block() for side, found in plain.sides.items()}
        series = {side: found.series() for side, found in blocks.items()}
        codes = outcome_codes(series, self._hit_metrics, len(part), paired="baseline" in blocks)
        redactor = self._redactor()
        return Block(
            numbers=part.numbers,
            sides=blocks,
            codes=codes,
            first_calls={
                metric: plain.sides["candidate"].first_calls(metric)
                for metric in limited_metrics(self._plan.suite)
            },
            failures={},
            stored=plain.stored(self._plan.suite, codes, redactor, seed=self._seed) if stored else None,
            redacted=redactor.counts,
        )

    def calls(self, part: LongCases, side: Side) -> list[list[Call]]:
        """The recorded calls of each case on one side, in order of trial."""
        rows = self._rows[side]
        answers = rows.answers(part)
        first, last = answers.first[part.numbers], answers.first[part.numbers + 1]
        lines = np.concatenate(
            [answers.lines[b:e] for b, e in zip(first.tolist(), last.tolist(), strict=True)]
        )
        found = iter(zip(rows.trials[lines].tolist(), rows.outcomes(lines), strict=True))
        calls: list[list[Call]] = []
        for case_id, begin, end in zip(part.ids, first, last, strict=True):
            own: list[Call] = []
            for _ in range(begin, end):
                trial, (answered, outcome) = next(found)
                if answered != case_id:
                    raise RelgateError(
                        f"the ids {answered!r} and {case_id!r} share a hash; rename one of them"
                    )
                own.append((trial, outcome))
            calls.append(own or [(0, nothing_recorded(0))])
        return calls

    def _calls(self, part: LongCases, cases: Sequence[Case]) -> Iterator[tuple[int, Side, int, Outcome]]:
        """Place, side, trial and outcome of every call, in the order in which a live run would make them."""
        by_side = {side: self.calls(part, side) for side in self._sides}
        if len(self._sides) == 1:
            (side,) = self._sides
            for place, calls in enumerate(by_side[side]):
                for trial, outcome in calls:
                    yield place, side, trial, outcome
            return
        for place, case in enumerate(cases):
            planned = {side: calls[place] for side, calls in by_side.items()}
            for turn in range(max(map(len, planned.values()))):
                for side in turn_order(self._seed, (self._plan.suite.name, case.id), None, turn, self._sides):
                    if turn < len(planned[side]):
                        yield place, side, *planned[side][turn]

    def _scores(self, case: Case, side: Side, outcome: Outcome) -> Scores:
        scorers, kind = self._plan.scorers[side], self._plan.suite.kind
        if isinstance(outcome, Response):
            return score_response(case, outcome, scorers, suite_kind=kind, redact=self._redact)
        return score_failure(case, outcome, scorers, kind)

    def _stored(
        self,
        cases: Sequence[Case],
        codes: Codes,
        told: Sequence[tuple[int, Side, int, Outcome, Scores]],
        redactor: CountingRedactor,
    ) -> CaseBlock:
        """The cases as the registry keeps them, every text redacted as ``registry_rows`` does it."""
        outcomes = [outcome for _, _, _, outcome, _ in told]
        answers = [outcome if isinstance(outcome, Response) else None for outcome in outcomes]
        calls: dict[str, list[Any]] = {
            "side": [side for _, side, _, _, _ in told],
            "trial": [trial for _, _, trial, _, _ in told],
            "outcome": ["response" if isinstance(o, Response) else o.kind for o in outcomes],
            "output": redactor.texts([_said(outcome) for outcome in outcomes]),
            "latency_ms": [outcome.latency_ms for outcome in outcomes],
            "tokens": [answer.tokens if answer else None for answer in answers],
            "cost_usd": [answer.cost_usd if answer else None for answer in answers],
            "served_by": redactor.texts([(answer.served_by or "") if answer else "" for answer in answers]),
        }
        if any(answer and answer.tool_calls for answer in answers):
            calls["tool_calls"] = [
                [
                    redactor.value({"name": call.name, "arguments": dict(call.arguments)})
                    for call in (answer.tool_calls if answer else ())
                ]
                for answer in answers
            ]
        if any(answer and answer.retrieved for answer in answers):
            calls["retrieved"] = [
                [redactor.text(found) for found in (answer.retrieved if answer else ())] for answer in answers
            ]
        return block_of_columns(
            self._plan.suite.name,
            self._plan.suite.folder,
            cases={
                "case_id": [case.id for case in cases],
                "line": [case.line for case in cases],
                "input": redactor.texts([case.text for case in cases]),
                "expected": redactor.texts([case.expected_text for case in cases]),
                "outcome": [OUTCOMES[code] for code in codes.tolist()],
            },
            asked=[place for place, _, _, _, _ in told],
            calls=calls,
            scores=_by_metric([scores for *_, scores in told]),
        )


def _said(outcome: Outcome) -> str:
    return outcome.message if isinstance(outcome, Failure) else outcome.output


def _by_metric(scores: Sequence[Scores]) -> dict[str, list[Any]]:
    """Per metric the value of each call: None where the scorer failed, ``ABSENT`` where there is none."""
    found: dict[str, list[Any]] = {}
    for call, of_call in enumerate(scores):
        for score in of_call:
            column = found.get(score.metric)
            if column is None:
                column = found[score.metric] = []
            if len(column) < call:
                column += [ABSENT] * (call - len(column))
            column.append(None if isinstance(score, ScorerFailure) else score.value)
    for column in found.values():
        column += [ABSENT] * (len(scores) - len(column))
    return found
