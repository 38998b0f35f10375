"""The way to a provider: who waited for a place is sent only while the provider is there."""

from __future__ import annotations

import asyncio
import random

import pytest

from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Provider
from relgate.engine.breaker import FAILURES
from relgate.engine.budget import Allowance, Budget
from relgate.engine.clock import MonotonicClock
from relgate.engine.lane import Lane


def _lane(places: int) -> Lane:
    clock = MonotonicClock()
    provider = Provider("p", "http://127.0.0.1:9", max_concurrency=places)
    return Lane(provider, clock, random.Random(1), Budget(Allowance(), clock))


async def _waiting(lane: Lane) -> asyncio.Task[None]:
    """A request that waits for the place which another one has."""
    await lane.enter(0)
    task = asyncio.create_task(lane.enter(0))
    await asyncio.sleep(0.01)
    assert not task.done()
    return task


def test_who_waits_for_a_place_is_not_sent_once_the_circuit_opened():
    async def opened_meanwhile() -> None:
        lane = _lane(1)
        waiting = await _waiting(lane)
        for _ in range(FAILURES):
            lane.gave_up("no answer within 1 s")
        lane.leave()
        with pytest.raises(ProviderOutage, match=r"not asked: 5 calls in a row were given up"):
            await waiting
        assert lane.trouble is not None

    asyncio.run(asyncio.wait_for(opened_meanwhile(), 20))


def test_the_place_of_who_was_not_sent_is_the_next_ones():
    async def closed_again() -> None:
        lane = _lane(1)
        waiting = await _waiting(lane)
        for _ in range(FAILURES):
            lane.gave_up("no answer within 1 s")
        lane.leave()
        with pytest.raises(ProviderOutage):
            await waiting
        lane.succeeded()
        await lane.enter(0)

    asyncio.run(asyncio.wait_for(closed_again(), 20))


def test_who_waits_is_sent_where_the_provider_answers():
    async def answered() -> None:
        lane = _lane(1)
        waiting = await _waiting(lane)
        lane.succeeded()
        lane.leave()
        await waiting

    asyncio.run(asyncio.wait_for(answered(), 20))
