"""While cases are measured, nothing but pytest writes to the terminal."""

from __future__ import annotations

import io
import os
import sys
import time
from contextlib import ExitStack, suppress
from typing import IO, Any, TextIO

import pytest

SHOWN_AFTER_SECONDS = 0.05
"""Letters of progress go out together: each time they do, the engine takes the interpreter and keeps it."""

OPEN_CAPTURES = ("no", "tee-sys")
"""Values of ``--capture`` by which the user asks to see what is printed."""


class Quiet:
    """Between ``start`` and ``stop`` descriptors 1 and 2 lead nowhere and what reports tests has its own.

    pytest's capture cannot do this: it is suspended whenever pytest reports, and an application prints
    from its own threads at any time. What is printed may hold secrets, so it is not kept; ``-s`` shows it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack: ExitStack | None = None
        self._writer: _Unhurried | None = None

    def start(self) -> None:
        """Turn quiet; nothing happens under ``-s``, without pytest's capture or when it is quiet already."""
        manager = self._config.pluginmanager
        wanted = manager.hasplugin("capturemanager") and self._config.option.capture not in OPEN_CAPTURES
        if self._stack is not None or not wanted:
            return
        with ExitStack() as stack:
            self._redirect(stack)
            self._stack = stack.pop_all()

    def show(self) -> None:
        """Let out what the terminal was given; to be called before a wait."""
        if self._writer is not None:
            self._writer.let_out()

    def stop(self) -> None:
        """Give everything back; may be called at any time."""
        stack, self._stack, self._writer = self._stack, None, None
        if stack is not None:
            stack.close()

    def _redirect(self, stack: ExitStack) -> None:
        streams = [s for s in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__) if s is not None]
        _flush(streams)
        # The stack is the context manager that SIM115 asks for.
        nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8", errors="replace"))  # noqa: SIM115
        saved: dict[int, int] = {}
        for number in (1, 2):
            with suppress(OSError):
                saved[number] = os.dup(number)
                stack.callback(os.close, saved[number])
        for number, copy in saved.items():
            stack.callback(os.dup2, copy, number)
            os.dup2(nowhere.fileno(), number)
        self._keep_reports(stack, saved)
        stack.callback(setattr, sys, "stdout", sys.stdout)
        stack.callback(setattr, sys, "stderr", sys.stderr)
        sys.stdout = sys.stderr = nowhere
        # Text that an application left in a buffer must go before the descriptors come back.
        stack.callback(_flush, [*streams, nowhere])

    def _keep_reports(self, stack: ExitStack, saved: dict[int, int]) -> None:
        """Let pytest's writer, and TeamCity's or PyCharm's beside it, write to what was put aside."""
        if self._config.pluginmanager.hasplugin("terminalreporter"):
            put = _put_aside(stack, saved, self._config.get_terminal_writer(), "_file")
            self._writer = put if isinstance(put, _Unhurried) else None
        # teamcity-messages took the binary stream of standard output for itself when it was configured
        reporter = getattr(self._config, "_teamcityReporting", None)
        _put_aside(stack, saved, getattr(reporter, "teamcity", None), "output")


class _Unhurried(io.TextIOWrapper):
    """A text file that passes on what it was given now and then, however often it is told to flush."""

    _due = 0.0

    def flush(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + SHOWN_AFTER_SECONDS
            super().flush()

    def let_out(self) -> None:
        self._due = 0.0
        self.flush()

    def close(self) -> None:
        self._due = 0.0
        super().close()


def _put_aside(stack: ExitStack, saved: dict[int, int], holder: Any, name: str) -> IO[Any] | None:
    """Give an attribute that holds a redirected stream one to the descriptor that was saved of it."""
    file: Any = getattr(holder, name, None)
    try:
        number = file.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    if number not in saved:
        return None
    # Lives until the stack closes it, as in _redirect.
    copy = os.dup(saved[number])
    binary = open(copy, "wb")  # noqa: SIM115  # the stack closes it with what wraps it
    own: IO[Any] = (
        _Unhurried(binary, encoding=file.encoding, errors=file.errors, line_buffering=True)
        if isinstance(file, io.TextIOBase)
        else binary
    )
    stack.callback(own.close)
    stack.callback(setattr, holder, name, file)
    setattr(holder, name, own)
    return own


def _flush(streams: list[TextIO]) -> None:
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.flush()
