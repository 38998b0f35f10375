"""How many tests a session counts, so that its percentage neither passes 100 nor runs backwards."""

from __future__ import annotations

import pytest


class Progress:
    """Keeps ``session.testscollected``, of which pytest and xdist know only a part each.

    Args:
        session: pytest's; its count holds what pytest collected.
        cases: cases that are collected beside the ordinary tests, on an xdist controller; else None.
        silent: cases of which nothing is printed.
        gates: gates that will be reported.
    """

    def __init__(self, session: pytest.Session, *, cases: int | None, silent: int, gates: int) -> None:
        self._session = session
        self._silent = silent
        self._gates = gates
        self._own = gates - silent
        self._dropped = False
        if cases is not None:
            self._own += cases
            session.testscollected = 0
        session.testscollected += self._own

    def before_xdist_counts(self, ordinary: int) -> None:
        """Count the ordinary tests that a worker collected; xdist will do so as well and drop the rest."""
        self._session.testscollected = self._own + ordinary

    def after_xdist_counted(self) -> None:
        """Remember that xdist has set the count to what a worker collected, at each worker's start."""
        self._dropped = True

    def restore(self) -> None:
        """Count relgate's own reports again where xdist dropped them; before anything is printed."""
        if self._dropped:
            self._dropped = False
            self._session.testscollected += self._own

    def gates(self, count: int) -> None:
        """Correct the number of gates, just before they are reported."""
        self._session.testscollected += count - self._gates

    def end(self) -> None:
        """Count silent cases where nothing else was: with no test pytest ends with the status for none."""
        self.restore()
        if self._session.testscollected <= 0:
            self._session.testscollected = self._silent
