"""What a run needs after its calls, imported while the first answers are on their way."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from relgate import late

ENGINE_WAITS_SECONDS = 0.0005
"""How long the engine's thread waits for the interpreter at most: it has calls to begin."""

_ENDING = (signal.SIGINT, signal.SIGTERM)


def import_what_judges() -> None:
    """Import what computes; to be called once the engine runs."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(ENGINE_WAITS_SECONDS)
    try:
        with uninterrupted():
            late.import_now()
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of this.

    A module that is half imported breaks whoever asks for it next, and what the registry cleans up after a
    write would swallow it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    usual = {number: signal.signal(number, note) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
    if came:
        signal.raise_signal(came[0])
