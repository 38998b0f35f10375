"""Places for requests: first come first served, fewer after "too many", more with every answer."""

from __future__ import annotations

import asyncio

import pytest

from relgate.engine.window import Window


def _run(scenario):
    return asyncio.run(asyncio.wait_for(scenario, 5))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_more_than_the_limit_are_inside_and_they_come_in_order():
    async def scenario():
        window, inside, most, order = Window(3), 0, 0, []

        async def call(number):
            nonlocal inside, most
            await window.enter()
            order.append(number)
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            window.leave()

        await asyncio.gather(*(call(i) for i in range(20)))
        assert (most, order, window.in_flight) == (3, list(range(20)), 0)

    _run(scenario())


def test_a_cancelled_wait_takes_no_place():
    async def scenario():
        window = Window(1)
        await window.enter()
        waiting = [asyncio.ensure_future(window.enter()) for _ in range(2)]
        await _settle()
        waiting[0].cancel()
        await _settle()
        window.leave()
        await waiting[1]
        assert window.in_flight == 1

    _run(scenario())


def test_a_place_given_to_a_caller_that_is_cancelled_meanwhile_goes_to_the_next():
    async def scenario():
        window = Window(1)
        await window.enter()
        waiting = [asyncio.ensure_future(window.enter()) for _ in range(2)]
        await _settle()
        window.leave()
        waiting[0].cancel()
        await waiting[1]
        assert window.in_flight == 1
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]

    _run(scenario())


@pytest.mark.parametrize("most", [None, 16])
def test_the_window_halves_and_grows_back(most):
    async def scenario():
        window = Window(most)
        for _ in range(16):
            await window.enter()
        window.shrink()
        assert window.limit == 8
        late = asyncio.ensure_future(window.enter())
        for _ in range(8):
            window.leave()
        await _settle()
        assert not late.done()
        window.leave()
        await late
        for _ in range(20):
            window.grow()
        assert window.limit == most

    _run(scenario())


def test_the_window_keeps_an_eighth_however_often_it_shrinks():
    async def scenario():
        window = Window(32)
        for _ in range(32):
            await window.enter()
        for _ in range(20):
            window.shrink()
        assert window.limit == 4

    _run(scenario())
