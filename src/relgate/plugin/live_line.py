"""Progress while cases are waited for: a line behind the dots on a terminal, one now and then elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from relgate.render.printable import printable
from relgate.usecases.measuring.run_status import RunStatus

FIRST_SECONDS = 1.0
"""A run that is over by then needs no progress."""

CI_SECONDS = 30.0
LEAST_WIDTH = 24
_SAVE, _RESTORE, _CLEAR = "\x1b7", "\x1b8", "\x1b[K"


class LiveLine:
    """Shows how far a run is.

    On a terminal it stands behind the dots of the present line and never moves the cursor; where the output
    is a file or a pipe a line of its own is written every half minute. Nothing under ``-q -q``.

    Args:
        config: pytest's.
        status: how far the run is.
    """

    def __init__(self, config: pytest.Config, status: Callable[[], RunStatus | None]) -> None:
        self._status = status
        self._reporter: Any = config.pluginmanager.getplugin("terminalreporter")
        self._writer = config.get_terminal_writer() if self._reporter is not None else None
        self._wanted = self._writer is not None and config.option.verbose > -2
        self._terminal = (
            bool(getattr(self._reporter, "isatty", False))
            and os.environ.get("TERM") != "dumb"
            and hasattr(self._writer, "_current_line")
        )
        self._next = time.monotonic() + (FIRST_SECONDS if self._terminal else CI_SECONDS)
        self._shown = False

    def beat(self) -> None:
        """A moment of waiting: show the line where it is due."""
        if not self._wanted or time.monotonic() < self._next:
            return
        status = self._status()
        if status is None:
            return
        if self._terminal:
            self._behind_the_dots(status)
        else:
            self._next = time.monotonic() + CI_SECONDS
            self._reporter.ensure_newline()
            self._reporter.write_line(f"relgate: {printable(str(status))}")

    def clear(self) -> None:
        """Take the line away before pytest writes."""
        if self._shown and self._writer is not None:
            self._shown = False
            self._writer.write(_CLEAR, flush=True)

    def _behind_the_dots(self, status: RunStatus) -> None:
        writer = self._writer
        assert writer is not None
        room = writer.fullwidth - writer.width_of_current_line - 2
        if room < LEAST_WIDTH:
            return
        self._shown = True
        column = writer.width_of_current_line
        writer.write(f"{_SAVE} {_CLEAR}{printable(status.within(room))}{_RESTORE}", flush=True)
        # The writer counts what it wrote; the cursor stands where it stood.
        writer._current_line = writer._current_line[:column]
