"""Fixtures for every test of relgate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded outputs beside the repository; missing is a failure where it is required."""
    folder = Path(__file__).resolve().parent.parent / "shared" / "data"
    if not folder.is_dir():
        required = os.environ.get("RELGATE_TEST_REQUIRE", "")
        if required == "all" or "shared" in required:
            pytest.fail(f"{folder} is missing and RELGATE_TEST_REQUIRE={required} asks for it")
        pytest.skip(f"{folder} is missing: the recorded outputs are not part of the repository")
    return folder
