"""Python's search for garbage, which costs more the more a run holds, and finds nothing where all is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
    gc.freeze()


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
