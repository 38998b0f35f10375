"""Some cases of a long recorded suite scored together; their answers are dropped, columns are left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relgate.applications.recording import nothing_recorded
from relgate.decision.first_calls import limited_metrics
from relgate.decision.long_suites.column_outcomes import OUTCOMES, Codes, outcome_codes
from relgate.decision.long_suites.columns import Floats, Marks, Series
from relgate.decision.outcomes import hit_metrics
from relgate.domain.case import Case
from relgate.domain.errors import RelgateError
from relgate.domain.long_cases import LongCases, Numbers
from relgate.domain.response import Failure, Outcome, Response, Score, ScorerFailure, Side
from relgate.domain.run import CaseBlock
from relgate.files.long.recording_file import RecordingFile
from relgate.late import np
from relgate.scorers import score_failure, score_response
from relgate.store import ABSENT, block_of_columns
from relgate.usecases.measuring.measure import turn_order
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.redacting import CountingRedactor

if TYPE_CHECKING:
    from numpy.typing import NDArray

Call = tuple[int, Outcome]
"""Trial and outcome."""

Scores = tuple[Score | ScorerFailure, ...]


@dataclass(frozen=True, slots=True)
class SideBlock:
    """One side of a block; places count its cases from 0.

    Attributes:
        counts: per metric how many scores each case has, and ``scores`` all of them, case by case and in
            order of trial.
        asked: per metric and place the calls, from 0, that the scores belong to, where the case has more
            calls than scores.
        failures: per metric and place the calls, from 0, that its scorer failed on, with why.
        applies: per metric whether an answer to each case has a score or a failure to give one; left out
            where that is whether the case has a score.
        answered: whether each case has an answer.
        away: places of the cases that nothing is recorded of, with why.
        failed: places of the cases whose application failed, with each message once.
    """

    counts: Mapping[str, NDArray[np.unsignedinteger[Any]]]
    scores: Mapping[str, Floats]
    asked: Mapping[str, Mapping[int, tuple[int, ...]]]
    failures: Mapping[str, Mapping[int, Mapping[int, str]]]
    applies: Mapping[str, Marks]
    answered: Marks
    away: Mapping[int, str]
    failed: Mapping[int, tuple[str, ...]]

    def series(self) -> dict[str, Series]:
        """The scores of each metric by case."""
        return {
            metric: Series(np.concatenate(([0], np.cumsum(counts, dtype=np.int64))), self.scores[metric])
            for metric, counts in self.counts.items()
        }


class _Side:
    """Collects one side of a block, call by call."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._answered: list[bool] = []
        self._owners: dict[str, list[int]] = {}
        self._values: dict[str, list[float]] = {}
        self._failures: dict[str, dict[int, str]] = {}
        self._away: dict[int, str] = {}
        self._failed: dict[int, dict[str, None]] = {}

    def add(self, place: int, outcome: Outcome, scores: Scores) -> None:
        """Note a call; those of a case come one after another."""
        call = len(self._places)
        self._places.append(place)
        answered = isinstance(outcome, Response)
        self._answered.append(answered)
        if isinstance(outcome, Failure):
            if outcome.kind != "application":
                self._away[place] = outcome.message
                return
            self._failed.setdefault(place, {})[outcome.message] = None
        for score in scores:
            if isinstance(score, ScorerFailure):
                self._failures.setdefault(score.metric, {})[call] = score.message
                continue
            metric = score.metric
            if metric not in self._owners:
                self._owners[metric], self._values[metric] = [], []
            self._owners[metric].append(call)
            self._values[metric].append(score.value)

    def block(self, cases: int) -> SideBlock:
        """Everything noted, of so many cases."""
        places, answered = np.array(self._places, np.int64), np.array(self._answered, np.bool_)
        calls = np.bincount(places, minlength=cases)
        begins = np.cumsum(calls) - calls
        counts, asked, applies = {}, {}, {}
        for metric in {**self._owners, **self._failures}:
            owners = np.array(self._owners.get(metric, ()), np.int64)
            found = np.bincount(places[owners], minlength=cases)
            counts[metric] = found.astype(np.min_scalar_type(int(found.max())))
            some = np.flatnonzero((found > 0) & (found < calls))
            if some.size:
                by_place = np.split(owners, np.cumsum(found)[:-1])
                asked[metric] = {n: tuple((by_place[n] - begins[n]).tolist()) for n in some.tolist()}
            given = np.zeros(places.size, np.bool_)
            given[owners] = True
            given[list(self._failures.get(metric, ()))] = True
            applying = np.zeros(cases, np.bool_)
            applying[places[given & answered]] = True
            if not np.array_equal(applying, found > 0):
                applies[metric] = applying
        any_answered = np.zeros(cases, np.bool_)
        any_answered[places[answered]] = True
        failures: dict[str, dict[int, dict[int, str]]] = {}
        for metric, by_call in self._failures.items():
            for call, why in by_call.items():
                place = self._places[call]
                failures.setdefault(metric, {}).setdefault(place, {})[call - int(begins[place])] = why
        return SideBlock(
            counts=counts,
            scores={metric: np.array(self._values.get(metric, ()), np.float64) for metric in counts},
            asked=asked,
            failures=failures,
            applies=applies,
            answered=any_answered,
            away=self._away,
            failed={place: tuple(messages) for place, messages in self._failed.items()},
        )

    def first_calls(self, metric: str, cases: int) -> Floats:
        """Each case's first call, +inf where the application failed, NaN where there is none."""
        by_call = np.full(len(self._places), np.nan)
        by_call[self._owners.get(metric, [])] = self._values.get(metric, [])
        for call, place in enumerate(self._places):
            if not self._answered[call] and place not in self._away:
                by_call[call] = np.inf
        found = np.full(cases, np.nan)
        places, first = np.unique(np.array(self._places, np.int64), return_index=True)
        found[places] = by_call[first]
        return found


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

    def score(self, part: LongCases, *, stored: bool) -> Block:
        """Score some cases.

        Args:
            part: the cases.
            stored: whether they are to be stored as a block.

        Raises:
            FileChanged: a file is not what it was when the run began.
        """
        cases, numbers = list(part), part.numbers
        sides = {side: _Side() for side in self._sides}
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
