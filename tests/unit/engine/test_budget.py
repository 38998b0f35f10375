"""What a run may spend is not passed, whatever limit it is."""

from __future__ import annotations

import asyncio

import pytest

from relgate.engine.budget import Allowance, Budget
from relgate.engine.executor import Halt


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wall(self):
        raise AssertionError("a budget has nothing to do with the time of day")

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def _made(budget: Budget, usd: float | None = None, at_once: int = 1, clock: Clock | None = None) -> int:
    """Calls until the budget halts, so many in flight."""
    calls = 0
    try:
        while calls < 10_000:
            begun = 0
            try:
                for _ in range(at_once):
                    budget.begin()
                    begun += 1
                    calls += 1
            finally:
                for _ in range(begun):
                    budget.end(usd)
            if clock is not None:
                clock.time += 1.0
    except Halt:
        pass
    return calls


@pytest.mark.parametrize("at_once", [1, 8])
def test_calls_are_exact(at_once):
    budget = Budget(Allowance(calls=21))
    assert _made(budget, at_once=at_once) == budget.calls == 21
    assert budget.reached == "the budget of 21 calls was spent"


@pytest.mark.parametrize("at_once", [1, 8])
def test_dollars_are_not_passed_where_answers_cost_the_same(at_once):
    budget = Budget(Allowance(usd=1.0))
    _made(budget, 0.01, at_once)
    assert 1.0 - 0.01 * at_once <= budget.usd <= 1.0 + 1e-9
    assert budget.reached == "the budget of $1 was spent"


def test_answers_of_unknown_cost_spend_no_dollars():
    assert _made(Budget(Allowance(usd=1.0))) == 10_000


def test_seconds_count_from_the_first_call():
    clock = Clock()
    budget = Budget(Allowance(seconds=5.0), clock)
    clock.time += 1000.0
    assert _made(budget, clock=clock) == 5
    assert budget.reached == "the budget of 5 s was spent"


def test_no_wait_lasts_longer_than_the_seconds():
    clock = Clock()
    budget = Budget(Allowance(seconds=5.0), clock)
    budget.begin()
    assert asyncio.run(budget.wait(3.0)) is True
    assert (clock.time, budget.reached) == (103.0, "")
    assert asyncio.run(budget.wait(60.0)) is False
    assert (clock.time, budget.reached) == (105.0, "the budget of 5 s was spent")
    assert asyncio.run(budget.wait(60.0)) is False
    assert clock.time == 105.0


def test_without_seconds_a_wait_is_as_long_as_it_is():
    clock = Clock()
    budget = Budget(Allowance(calls=1), clock)
    budget.begin()
    assert asyncio.run(budget.wait(60.0)) is True
    assert (clock.time, budget.reached) == (160.0, "")


def test_no_limit_never_halts():
    assert _made(Budget(Allowance()), 1.0) == 10_000


def test_what_ended_the_calls_stays():
    clock = Clock()
    budget = Budget(Allowance(calls=1, seconds=5.0), clock)
    _made(budget)
    clock.time += 10.0
    with pytest.raises(Halt, match="1 calls"):
        budget.begin()


def test_before_the_first_answer_calls_cost_what_is_expected() -> None:
    budget = Budget(Allowance(usd=0.02), expected_usd=0.0026)
    for _ in range(7):
        budget.begin()
    with pytest.raises(Halt, match="budget of"):
        budget.begin()


def test_the_first_call_is_made_though_it_may_cost_more_than_the_budget() -> None:
    budget = Budget(Allowance(usd=0.02), expected_usd=1.0)
    budget.begin()
    with pytest.raises(Halt):
        budget.begin()


def test_a_price_that_was_only_expected_ends_no_run_before_an_answer_told_it() -> None:
    budget = Budget(
        Allowance(usd=1.0), expected_usd=0.4
    )  # an answer costs a hundredth: three in flight at first
    made = 0

    async def worker() -> None:
        nonlocal made
        while made < 90:
            await budget.room()
            budget.begin()
            made += 1
            await asyncio.sleep(0)
            budget.end(0.01)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(worker())

    asyncio.run(asyncio.wait_for(all_of_them(), 20))
    assert 90 <= made < 98
    assert budget.reached == ""


def test_who_waits_for_room_is_told_that_there_is_none() -> None:
    budget = Budget(Allowance(usd=1.0), expected_usd=0.6)
    budget.begin()

    async def waiting() -> None:
        await budget.room()
        budget.begin()

    async def both() -> None:
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        assert not task.done()
        budget.end(0.9)
        await task

    with pytest.raises(Halt):
        asyncio.run(asyncio.wait_for(both(), 20))
    assert budget.reached == "the budget of $1 was spent"
