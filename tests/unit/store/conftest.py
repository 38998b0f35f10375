"""Registries for tests, on SQLite and on a PostgreSQL server that is started for the session."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from relgate.store.opening import open_registry
from relgate.store.registry import Registry

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The module that makes rows; tests are not a package, so it is loaded by its path."""
    spec = importlib.util.spec_from_file_location("make_registry", FIXTURES / "make_registry.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty registry may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "registry.db")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def registry(place: str) -> Iterator[Registry]:
    with open_registry(place) as opened:
        yield opened


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty database."""
    import psycopg

    name = f"relgate_{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
    return f"{postgres_server}/{name}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real server on a free loopback port; its URL without a database."""
    binaries = _postgres_binaries()
    if binaries is None:
        _missing("PostgreSQL's initdb and pg_ctl are not on this machine")
    if importlib.util.find_spec("psycopg") is None:
        _missing('psycopg is not installed: pip install "relgate[postgres]"')
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="relgate-postgres-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
    try:
        _as_server_user(
            folder, [binaries / "initdb", "-D", folder / "d", "-U", "relgate", "-A", "trust", "--no-sync"]
        )
        _as_server_user(
            folder,
            [binaries / "pg_ctl", "-D", folder / "d", "-o", options, "-l", folder / "log", "-w", "start"],
        )
        try:
            yield f"postgresql://relgate:not-a-secret@127.0.0.1:{port}"
        finally:
            _as_server_user(folder, [binaries / "pg_ctl", "-D", folder / "d", "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _missing(reason: str) -> None:
    if {"all", "postgres"} & set(os.environ.get("RELGATE_TEST_REQUIRE", "").replace(",", " ").split()):
        pytest.fail(reason)
    pytest.skip(reason)


def _postgres_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [path.parent for path in found] + ([Path(on_path).resolve().parent] if on_path else [])
    return next((folder for folder in candidates if (folder / "pg_ctl").exists()), None)


def _as_server_user(folder: Path, command: list[str | Path]) -> None:
    # The server refuses to run as root.
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, user.pw_uid, user.pw_gid)
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
    else:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
