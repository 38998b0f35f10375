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
def nothing_here_is_garbage() -> Iterator[None]:
    """What is there already is left out of every search inside."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
