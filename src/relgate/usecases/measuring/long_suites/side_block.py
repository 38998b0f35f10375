"""One side of a block: its scores as columns, and where it has none, why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relgate.decision.long_suites.columns import Floats, Marks, Series
from relgate.domain.response import Failure, Outcome, Response, Score, ScorerFailure
from relgate.late import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


class SideCalls:
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
