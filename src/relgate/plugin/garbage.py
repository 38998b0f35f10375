"""Python's search for garbage, which costs more the more a run holds, and finds nothing where all is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = 100_000
"""New objects from which they are searched while cases are measured; Python's own number is hundreds."""


@contextmanager
def no_search() -> Iterator[None]:
    """Nothing is searched for inside: for stretches that make much and drop little."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def kept_for_good() -> Iterator[None]:
    """Nothing is searched for inside, and what is there afterwards is left out of every later search.

    For imports: modules live as long as the process does, and each search, the ones when it ends among them,
    would read them all.
    """
    with no_search():
        yield
        gc.freeze()  # before searches are on again: the first would come at once and read all of it


class RareSearches:
    """Between ``start`` and ``stop`` the youngest objects are searched once there are very many of them.

    What a run makes of each case lives until it ends: searched after every few hundred objects it would be
    read three times over, for a tenth of what a case costs. What an application drops in cycles is found
    a little later, some tens of megabytes of it at a time.
    """

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None

    def start(self) -> None:
        """Search rarely, unless somebody searches more rarely still or never."""
        before = gc.get_threshold()
        if self._before is None and 0 < before[0] < RARELY:
            self._before = before
            gc.set_threshold(RARELY, *before[1:])

    def stop(self) -> None:
        """Search as before; may be called at any time."""
        before, self._before = self._before, None
        if before is not None and gc.get_threshold() == (RARELY, *before[1:]):
            gc.set_threshold(*before)


def searched_at_last() -> None:
    """Search once more, and leave what is there out of the searches that end the process.

    pytest searches ten times when it ends, for what finalizers bring to light, and Python once; each would
    read all that a run holds.
    """
    gc.collect()
    gc.freeze()


def search_all() -> None:
    """Search again what an earlier session of this process left out."""
    gc.unfreeze()
