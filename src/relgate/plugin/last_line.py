"""The terminal's last line counts cases, also those of chunks."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from relgate.plugin.chunks import ChunkOutcome


class LastLine:
    """Adds to the terminal's numbers what pytest does not count: it takes a chunk for one test.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._terminal: Any = config.pluginmanager.getplugin("terminalreporter")
        self._summary = not getattr(config.option, "no_summary", False)
        self._failed: list[pytest.TestReport] = []

    def count(self, report: pytest.TestReport) -> None:
        """Count the cases of a chunk that pytest has just counted as one; other reports are passed over."""
        outcome: ChunkOutcome | None = getattr(report, "relgate_chunk", None)
        if outcome is None or self._terminal is None:
            return
        counted = outcome.status()[0]
        for category, count in outcome.categories.items():
            more = [report] * (count - (category == counted))
            if category == "failed" and self._summary:
                self._failed += more  # pytest writes out whatever it finds there: after it has done so
            elif more:  # pytest has no public way; in ``stats`` alone a new category would not be shown
                self._terminal._add_stats(category, more)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self) -> Generator[None, None, None]:
        """Count the failing cases too, once pytest has written its failures."""
        yield
        if self._failed:
            self._terminal._add_stats("failed", self._failed)
