"""A session leaves Python's search for garbage as it found it."""

from __future__ import annotations

import gc
from contextlib import suppress

import pytest

from relgate.plugin.garbage import no_search, nothing_here_is_garbage


@pytest.fixture(autouse=True)
def restored():
    was_on = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if was_on else gc.disable)()


def _failing_inside(block) -> tuple[bool, int]:
    """What Python searches inside a block that ends with an error."""
    seen = []
    with suppress(KeyError), block():
        seen.append((gc.isenabled(), gc.get_freeze_count()))
        raise KeyError
    return seen[0]


@pytest.mark.parametrize("on", [True, False])
def test_no_search_ends_with_its_block(on):
    (gc.enable if on else gc.disable)()
    searches, _ = _failing_inside(no_search)
    assert not searches
    assert gc.isenabled() == on


def test_what_was_there_is_searched_again_afterwards():
    searches, left_out = _failing_inside(nothing_here_is_garbage)
    assert searches
    assert left_out > 0
    assert gc.get_freeze_count() == 0


def test_a_session_searches_for_garbage_again(recording):
    recording.write(
        "conftest.py",
        "import gc\n\n\ndef pytest_unconfigure():\n    assert gc.isenabled() and not gc.get_freeze_count()\n",
    )
    assert recording.spawn().ret == 0
