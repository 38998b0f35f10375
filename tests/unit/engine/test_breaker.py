"""The circuit breaker: closed, open after failures in a row, one probe now and then."""

from __future__ import annotations

from relgate.engine.breaker import FAILURES, OPEN_SECONDS, Breaker


def _open(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker.failed("HTTP 503, 3 times", now)
    return breaker


def test_it_opens_after_failures_in_a_row_only():
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed("x", 0.0)
    assert breaker.objection(0.0) is None
    breaker.succeeded()
    breaker.failed("x", 0.0)
    assert breaker.objection(0.0) is None


def test_an_open_circuit_says_why():
    assert _open().is_open
    assert _open().objection(1.0) == "not asked: 5 calls in a row were given up (HTTP 503, 3 times)"


def test_one_probe_at_a_time_is_let_through():
    breaker = _open()
    later = OPEN_SECONDS + 1
    assert breaker.objection(later) is None
    assert breaker.objection(later) is not None
    assert breaker.objection(later + OPEN_SECONDS) is None


def test_an_answered_probe_closes_it_and_a_failed_one_does_not():
    breaker = _open()
    assert breaker.objection(OPEN_SECONDS) is None
    breaker.failed("x", OPEN_SECONDS)
    assert breaker.objection(OPEN_SECONDS + 1) is not None
    breaker.succeeded()
    assert breaker.objection(OPEN_SECONDS + 1) is None
