"""A desk over the committed manifests, with any artifact file exchanged, and its providers running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relgate.demo.providers import serve
from relgate.demo.support_desk import build
from relgate.domain.release import Release
from relgate.domain.response import Request, Response
from relgate.files import bind_environment, load_manifest, resolve_release

ROOT = Path(__file__).parents[3]
SUITES = ROOT / "golden_sets" / "support_desk"
MANIFESTS = SUITES / "manifests"


def _release(path: Path) -> Release:
    return resolve_release(load_manifest(path), environment={})


def _with_content(release: Release, kind: str, name: str, content: bytes) -> Release:
    assert any(a.kind == kind and a.name == name for a in release.artifacts)
    return replace(
        release,
        artifacts=tuple(
            replace(a, content=content) if (a.kind, a.name) == (kind, name) else a for a in release.artifacts
        ),
    )


def _ask(release: Release, questions: Sequence[str | Request], *, down: Iterable[str] = ()) -> list[Response]:
    async def answer(bound: Release) -> list[Response]:
        desk = build(bound)
        try:
            return [await desk(q if isinstance(q, Request) else Request("case", q)) for q in questions]
        finally:
            await desk.close()

    with serve(release) as variables:
        closed = {f"{name.upper()}_URL": "http://127.0.0.1:9/v1" for name in down}
        return asyncio.run(answer(bind_environment(release, {**variables, **closed})))


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def candidate() -> Release:
    return _release(ROOT / "candidate.yaml")


@pytest.fixture(scope="session")
def production() -> Release:
    return _release(MANIFESTS / "production.yaml")


@pytest.fixture(scope="session")
def ask() -> Callable[..., list[Response]]:
    return _ask


@pytest.fixture(scope="session")
def with_content() -> Callable[..., Release]:
    return _with_content


@pytest.fixture(scope="session")
def demo() -> SimpleNamespace:
    """Paths and readers of the demo's files."""
    return SimpleNamespace(
        root=ROOT,
        suites=SUITES,
        manifests=MANIFESTS,
        release=_release,
        rows=_rows,
        code=ROOT / "src/relgate/demo",
    )
