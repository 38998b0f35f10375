"""Fixtures for every test of relgate."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


def _shared(name: str) -> Path:
    folder = Path(__file__).resolve().parent.parent / "shared" / name
    if not folder.is_dir():
        required = os.environ.get("RELGATE_TEST_REQUIRE", "")
        if required == "all" or "shared" in required:
            pytest.fail(f"{folder} is missing and RELGATE_TEST_REQUIRE={required} asks for it")
        pytest.skip(f"{folder} is missing: it is not part of the repository")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded outputs beside the repository; missing is a failure where it is required."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_vectors() -> Path:
    """The folder of reference values beside the repository; missing is a failure where it is required."""
    return _shared("vectors")
