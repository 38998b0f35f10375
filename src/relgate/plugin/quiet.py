"""While cases are measured, nothing but pytest writes to the terminal."""

from __future__ import annotations

import io
import os
import sys
from contextlib import ExitStack, suppress
from typing import IO, Any, TextIO

import pytest

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

    def start(self) -> None:
        """Turn quiet; nothing happens under ``-s``, without pytest's capture or when it is quiet already."""
        manager = self._config.pluginmanager
        wanted = manager.hasplugin("capturemanager") and self._config.option.capture not in OPEN_CAPTURES
        if self._stack is not None or not wanted:
            return
        with ExitStack() as stack:
            self._redirect(stack)
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Give everything back; may be called at any time."""
        stack, self._stack = self._stack, None
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
            _put_aside(stack, saved, self._config.get_terminal_writer(), "_file")
        # teamcity-messages took the binary stream of standard output for itself when it was configured
        reporter = getattr(self._config, "_teamcityReporting", None)
        _put_aside(stack, saved, getattr(reporter, "teamcity", None), "output")


def _put_aside(stack: ExitStack, saved: dict[int, int], holder: Any, name: str) -> None:
    """Give an attribute that holds a redirected stream one to the descriptor that was saved of it."""
    file: Any = getattr(holder, name, None)
    try:
        number = file.fileno()
    except (AttributeError, OSError, ValueError):
        return
    if number not in saved:
        return
    # Lives until the stack closes it, as in _redirect.
    copy = os.dup(saved[number])
    own: IO[Any] = (
        open(copy, "w", encoding=file.encoding, errors=file.errors, buffering=1)  # noqa: SIM115
        if isinstance(file, io.TextIOBase)
        else open(copy, "wb")  # noqa: SIM115
    )
    stack.callback(own.close)
    stack.callback(setattr, holder, name, file)
    setattr(holder, name, own)


def _flush(streams: list[TextIO]) -> None:
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.flush()
