"""The engine's executor: order, bound, errors, and an end within a second whatever is in flight."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings

import pytest

from relgate.engine.executor import EngineError, Executor


@pytest.fixture(autouse=True)
def _no_thread_and_no_resource_is_left():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(w.message) for w in caught if issubclass(w.category, ResourceWarning | RuntimeWarning)] == []
    assert [t.name for t in threading.enumerate() if t.name == "relgate-engine"] == []


async def _double(key):
    await asyncio.sleep(0)
    return key * 2


def _run(tasks, perform=_double, **options):
    executor = Executor(tasks, perform, concurrency=options.pop("concurrency", 4), **options)
    executor.start()
    return executor


def test_tasks_start_in_their_order():
    started = []

    async def perform(key):
        started.append(key)
        await asyncio.sleep(0.001 * (key % 3))

    executor = _run(range(30), perform, concurrency=3)
    executor.wait(29)
    executor.close()
    assert started == list(range(30))


def test_no_more_tasks_are_in_flight_than_allowed():
    flying, most = 0, 0

    async def perform(key):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.002)
        flying -= 1

    executor = _run(range(40), perform, concurrency=5)
    for key in range(40):
        executor.wait(key)
    executor.close()
    assert most == 5


def test_results_are_waited_for_in_any_order():
    executor = _run(range(20))
    assert [executor.wait(key) for key in (19, 3, 0, 7, 19)] == [38, 6, 0, 14, 38]
    for key in range(20):
        executor.wait(key)
    executor.close()
    assert executor.results() == {key: key * 2 for key in range(20)}
    assert executor.done == 20


class _Watcher:
    """Finds everything from ``until`` on unneeded once ``after`` has finished."""

    def __init__(self, after, until, total=200, seconds=0.0):
        self.after, self.unneeded, self.seconds = after, range(until, total), seconds
        self.seen = []

    def completed(self, key, result):
        self.seen.append((key, result))
        return key == self.after

    def look(self):
        time.sleep(self.seconds)
        return self.unneeded


def test_tasks_that_are_not_needed_any_more_are_not_started():
    started = []

    async def perform(key):
        started.append(key)
        await asyncio.sleep(0.001)
        return key

    watcher = _Watcher(after=9, until=50, seconds=0.05)
    executor = _run(range(200), perform, concurrency=4, watcher=watcher)
    assert executor.wait(199) is None
    assert executor.wait(49) == 49
    executor.close()
    # while a look is taken nothing is started
    assert started == list(range(50))
    assert sorted(watcher.seen) == [(key, key) for key in range(50)]
    assert executor.done == 50


def test_a_task_in_flight_that_is_not_needed_any_more_still_gives_its_result():
    async def perform(key):
        await asyncio.sleep(0.05 if key else 0.0)
        return key

    executor = _run(range(6), perform, concurrency=3, watcher=_Watcher(after=0, until=1, total=6))
    assert [executor.wait(key) for key in range(6)] == [0, 1, 2, None, None, None]
    executor.close()


def test_what_a_look_raises_ends_the_engine():
    class Broken(_Watcher):
        def look(self):
            raise ValueError("no look")

    executor = _run(range(50), watcher=Broken(after=0, until=1))
    with pytest.raises(EngineError, match="no look"):
        executor.wait(49)
    executor.close()


def test_what_a_task_raises_ends_the_engine_and_says_why():
    async def perform(key):
        if key == 3:
            raise ValueError("boom")
        return key

    executor = _run(range(10), perform, concurrency=1)
    assert executor.wait(2) == 2
    with pytest.raises(EngineError, match="ValueError: boom"):
        executor.wait(9)
    executor.close()


def test_several_errors_at_once_end_the_engine():
    async def perform(key):
        raise ValueError(f"boom {key}")

    executor = _run(range(4), perform)
    with pytest.raises(EngineError, match="boom 0"):
        executor.wait(0)
    executor.close()


def test_a_key_that_is_no_task_ends_the_wait():
    executor = _run(range(3))
    with pytest.raises(EngineError, match="stopped before this case was measured"):
        executor.wait(99)
    executor.close()


def test_no_task_at_all_is_no_problem():
    executor = _run([])
    executor.close()
    assert executor.results() == {}


def test_start_waits_for_the_opening():
    opened = []

    async def opening():
        await asyncio.sleep(0.05)
        opened.append(True)

    executor = _run([1], opening=opening)
    assert opened == [True]
    executor.wait(1)
    executor.close()


def test_what_the_opening_raises_comes_out_of_start_and_nothing_is_performed():
    performed, closed = [], []

    async def opening():
        raise LookupError("no builder")

    async def perform(key):
        performed.append(key)

    async def closing():
        closed.append(True)

    executor = Executor([1], perform, concurrency=1, opening=opening, closing=closing)
    with pytest.raises(LookupError, match="no builder"):
        executor.start()
    executor.close()
    assert (performed, closed) == ([], [True])


def _close_with_calls_in_flight():
    """How long it takes, in seconds; everything in flight is cancelled."""
    cancelled, closed = [], []
    in_flight = threading.Semaphore(0)

    async def perform(key):
        in_flight.release()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(key)
            raise

    async def closing():
        closed.append(True)

    executor = _run(range(10), perform, concurrency=3, closing=closing)
    assert all(in_flight.acquire(timeout=60) for _ in range(3))
    started = time.monotonic()
    executor.close()
    took = time.monotonic() - started
    assert (sorted(cancelled), closed) == ([0, 1, 2], [True])
    with pytest.raises(EngineError, match="stopped before"):
        executor.wait(0)
    return took


def test_close_with_calls_in_flight_cancels_them_within_a_second():
    """The quickest of five counts: a busy machine may delay one, a close that waits delays all."""
    assert min(_close_with_calls_in_flight() for _ in range(5)) < 1


def test_close_may_come_twice_or_before_the_start():
    Executor([1], _double, concurrency=1).close()
    executor = _run([1])
    executor.wait(1)
    executor.close()
    executor.close()


def test_closing_is_not_cut_short_when_everything_was_measured():
    closed = []

    async def closing():
        await asyncio.sleep(0.1)
        closed.append(True)

    executor = _run([1], closing=closing)
    executor.wait(1)
    executor.close()
    assert closed == [True]


def test_close_from_another_thread_ends_a_wait():
    async def perform(key):
        await asyncio.sleep(3600)

    executor = _run([1], perform)
    timer = threading.Timer(0.1, executor.close)
    timer.start()
    with pytest.raises(EngineError):
        executor.wait(1)
    timer.join()
