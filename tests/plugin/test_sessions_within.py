"""Sessions of pytest inside a gate run."""

from __future__ import annotations

import pytest

INNER = """
import pytest

@pytest.mark.parametrize("way", ["runpytest_inprocess", "runpytest_subprocess"])
def test_inner(pytester, way):
    pytester.makepyfile("def test_one(): pass\\ndef test_two(): assert False")
    getattr(pytester, way)("-p", "no:cacheprovider").assert_outcomes(passed=1, failed=1)
"""


@pytest.fixture
def desk(recording):
    recording.write("test_outer.py", INNER)
    return recording


@pytest.mark.parametrize("place", ["before", "after"])
def test_pytester_runs_sessions_of_its_own_beside_the_cases(desk, place):
    paths = ["test_outer.py", "golden_sets"] if place == "before" else ["golden_sets", "test_outer.py"]
    result = desk.spawn("-p", "pytester", "--full", *paths)
    shown = desk.text(result)
    assert result.ret == 0, shown
    assert "2 passed" in shown
    assert desk.scorecard()["verdict"]["decision"] == "promote"
    assert len(desk.decisions) == 1, "the inner sessions judge nothing"
