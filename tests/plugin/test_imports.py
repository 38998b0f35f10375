"""A run imports what it needs when it needs it: every start would pay for the rest."""

from __future__ import annotations

import pytest

IMPORTED = """
import sys

def pytest_collection_finish():
    early = {"aiohttp", "numpy", "scipy.special"} & sys.modules.keys()
    assert not early, early

def pytest_unconfigure():
    print("IMPORTED", *sorted({"aiohttp", "numpy"} & sys.modules.keys()))
"""


@pytest.mark.parametrize(
    ("kind", "imported"), [("recording", "numpy"), ("python_app", "numpy"), ("chat", "aiohttp numpy")]
)
def test_a_run_imports_what_it_needs_once_it_runs(request, kind, imported):
    project = request.getfixturevalue(kind)
    project.write("conftest.py", IMPORTED)
    result = project.spawn("-s")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"IMPORTED {imported}"])
