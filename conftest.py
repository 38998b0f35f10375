"""Fixtures for every test of relgate."""

from __future__ import annotations

import os
import subprocess
import sys
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


ONE_CASE = {
    "candidate.yaml": (
        'manifest: 1\nrelease: r\nversion: "1"\nowner: me\nbaseline: none\n'
        "application: {recording: a.jsonl}\n"
    ),
    "a.jsonl": '{"case_id": "c", "output": "a"}\n',
    "golden_sets/g/suite.yaml": "suite: g\nkind: golden\nscorers: [exact]\n",
    "golden_sets/g/cases.jsonl": '{"id": "c", "input": "q", "expected": "a"}\n',
}


@pytest.fixture(scope="session")
def bytecode(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile relgate once for all processes that the tests start, where nobody else keeps the bytecode.

    With PYTHONDONTWRITEBYTECODE each of them would compile relgate and rewrite its assertions, a quarter of
    what it costs. One run fills a folder of the session, the others only read it: a module that a test writes
    twice in a second is never a stale one.
    """
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        return
    session = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        session = session.parent  # of all workers
    folder = session / "bytecode"
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    try:
        folder.mkdir()
    except FileExistsError:
        return  # another worker fills it
    project = tmp_path_factory.mktemp("one_case")
    for name, text in ONE_CASE.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    unset = ("PYTEST_", "RELGATE_", "GITHUB_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unset)}
    command = [sys.executable, "-m", "pytest", "--manifest=candidate.yaml", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=project, env=kept, capture_output=True, check=False)
