"""What a session drops is found, and nothing is searched again and again."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress

import pytest

from relgate.plugin.garbage import RARELY, RareSearches, kept_for_good, no_search


@pytest.fixture(autouse=True)
def restored():
    was_on, threshold = gc.isenabled(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
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


def test_what_was_imported_is_never_searched():
    with kept_for_good():
        searches, left_out = gc.isenabled(), gc.get_freeze_count()
    assert not searches
    assert left_out == 0
    assert gc.get_freeze_count() > 0


def test_nothing_is_left_out_where_an_import_failed():
    searches, _ = _failing_inside(kept_for_good)
    assert not searches
    assert gc.get_freeze_count() == 0


def test_rare_searches_end_as_they_were():
    gc.set_threshold(700, 10, 10)
    searches = RareSearches()
    for _ in range(2):
        searches.start()
        searches.start()
        assert gc.get_threshold() == (RARELY, 10, 10)
        searches.stop()
        searches.stop()
        assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("own", [(0, 10, 10), (2 * RARELY, 5, 5)])
def test_who_searches_more_rarely_still_is_left_alone(own):
    gc.set_threshold(*own)
    searches = RareSearches()
    searches.start()
    assert gc.get_threshold() == own
    searches.stop()
    assert gc.get_threshold() == own


def test_what_an_application_chose_meanwhile_stays():
    gc.set_threshold(700, 10, 10)
    searches = RareSearches()
    searches.start()
    gc.set_threshold(300, 10, 10)
    searches.stop()
    assert gc.get_threshold() == (300, 10, 10)


KNOT = """
import gc, weakref
import pytest

class Knot:
    def __init__(self):
        self.itself = self

seen = {}

def knot(name):
    seen[name] = weakref.ref(Knot())

@pytest.hookimpl(trylast=True)
def pytest_configure():
    seen["left out"] = gc.get_freeze_count()
    knot("configured")

def pytest_collection_finish():
    knot("collected")

def pytest_runtest_logreport():
    seen["left out while it ran"] = gc.get_freeze_count()
    knot("reported")

def pytest_unconfigure():
    assert gc.isenabled()
    left_out = seen.pop("left out while it ran")
    assert 0 < left_out <= seen.pop("left out"), "only imports are left out of the search"
    assert len(gc.get_objects()) < 1000, "what is held is not read by every search that ends the process"
    assert seen.keys() == {"configured", "collected", "reported"}
    assert not [name for name, one in seen.items() if one() is not None]
"""


def test_what_a_session_drops_is_found(recording):
    recording.write("conftest.py", KNOT)
    assert recording.spawn().ret == 0


def test_what_an_earlier_session_of_a_process_left_out_is_searched_again(recording):
    recording.write(
        "thrice.py",
        "import gc, pytest\n\nleft_out = []\n"
        "for _ in range(3):\n"
        "    assert pytest.main(['--manifest=candidate.yaml']) == 0\n"
        "    left_out.append(gc.get_freeze_count())\n"
        "assert left_out[2] < left_out[1] * 1.05, left_out\n",
    )
    assert recording.pytester.run(sys.executable, "thrice.py").ret == 0
