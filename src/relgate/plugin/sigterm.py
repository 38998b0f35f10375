"""SIGTERM ends a run as Ctrl-C does, so that nothing is left half written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


def end_on_sigterm() -> Callable[[], None]:
    """Install the handler where nobody else has one; returns what gives the old one back."""
    if threading.current_thread() is not threading.main_thread():
        return _nothing
    old = signal.getsignal(signal.SIGTERM)
    if old is not signal.SIG_DFL:
        return _nothing

    def stop(signum: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt("SIGTERM")

    signal.signal(signal.SIGTERM, stop)

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is stop:
            signal.signal(signal.SIGTERM, old)

    return restore


def _nothing() -> None:
    pass
