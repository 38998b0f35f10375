"""Which calls got no answer, and the outage that is told of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from relgate.domain.response import Failure, Outcome, Request, Response
from relgate.engine.budget import Allowance, Budget
from relgate.engine.executor import Halt
from relgate.usecases.measuring.unanswered import Unanswered


class Hours:
    """A clock whose hands a test moves."""

    time = 0.0

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Says:
    """An application that takes a while and then says something, or raises it."""

    def __init__(self, clock: Hours, what: Outcome | Halt, seconds: float = 0.0) -> None:
        self._clock, self._what, self._seconds = clock, what, seconds

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def respond(self, request: Request) -> Outcome:
        await self._clock.sleep(self._seconds)
        if isinstance(self._what, Halt):
            raise self._what
        return self._what


def asked(found: Unanswered, clock: Hours, *outcomes: Outcome | Halt, seconds: float = 0.0) -> None:
    for outcome in outcomes:
        asyncio.run(found.ask(Says(clock, outcome, seconds), Request("c", "q")))


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def found(clock: Hours) -> Unanswered:
    budget = Budget(Allowance(seconds=10.0), clock)
    budget.begin()
    return Unanswered(budget)


def test_answers_and_the_applications_own_failures_are_answers(found, clock):
    asked(found, clock, Response("yes"), Failure("application", "HTTP 400"))
    assert (found.calls, Unanswered.told([found])) == (0, "")


def test_the_most_frequent_outage_is_told_however_often_each_was_tried(found, clock):
    refused = [Failure("outage", f"a/b: 127.0.0.1:9 refuses connections, {n} times") for n in range(4, 7)]
    others = [Failure("outage", "a/b: HTTP 500, 3 times")] * 2
    asked(found, clock, *others, *refused)
    assert Unanswered.told([found]) == (
        "5 calls got no answer, such as: a/b: 127.0.0.1:9 refuses connections, 4 times"
    )


def test_one_call_needs_no_such_as_and_parts_are_told_together(found, clock):
    other = Unanswered(Budget(Allowance(), clock))
    asked(other, clock, Failure("outage", "j/k: HTTP 503"))
    assert Unanswered.told([found, other]) == "1 call got no answer: j/k: HTTP 503"


def test_an_outage_after_the_last_second_ends_the_calls_and_is_told(found, clock):
    with pytest.raises(Halt, match="the budget of 10 s was spent"):
        asked(found, clock, Failure("outage", "a/b: no answer within 60 s"), seconds=60.0)
    assert found.calls == 1
    assert Unanswered.told([found]) == "1 call got no answer: a/b: no answer within 60 s"


def test_an_answer_after_the_last_second_counts(found, clock):
    asked(found, clock, Response("late"), seconds=60.0)
    assert found.calls == 0


def test_what_was_not_sent_in_time_has_no_answer_and_is_no_outage(found, clock):
    with pytest.raises(Halt):
        asked(found, clock, Halt("the budget of 10 s was spent"))
    assert (found.calls, Unanswered.told([found])) == (1, "")
