"""A pytest plugin (``-p timed.redaction_clock``): how much CPU the redaction of a run takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

MARK = "redaction took"
_spent = [0.0]


def _clocked(method: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        started = time.thread_time()
        try:
            return method(*args)
        finally:
            _spent[0] += time.thread_time() - started

    return timed


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Clock every redaction of a run."""
    from relgate.redaction import Redactor

    for name in ("redact", "redact_value"):
        setattr(Redactor, name, _clocked(getattr(Redactor, name)))


def pytest_unconfigure() -> None:
    """Tell what it took."""
    print(f"{MARK} {_spent[0]:.6f} s")
