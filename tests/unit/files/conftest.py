"""A small project on disk that each test spoils in one way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.domain.release import Release
from relgate.files import load_manifest, resolve_release

MANIFEST = """\
manifest: 1
release: support-desk
version: 1.3.0
owner: support-ml
baseline: production
artifacts:
  model:
    answerer: {version: "2026-04-30", provider: hosted, id: gpt-5-2026-04-30}
  prompt:
    answer: {version: v14, path: prompts/answer.md, variables: [question, evidence]}
  retrieval_corpus:
    help: {version: "17", path: help.json}
  retrieval_index:
    green: {version: "17", corpus: help@17, slot: green}
application: {chat: answer}
providers:
  hosted: {base_url: "${HOSTED_URL}", api_key: "${HOSTED_KEY}", region: eu}
routes:
  answer: {chain: [hosted/answerer], allowed_regions: [eu]}
dependencies:
  vector_db: {url: "http://vectors", when_down: keyword_search}
"""

ENVIRONMENT = {"HOSTED_URL": "http://127.0.0.1:1/v1", "HOSTED_KEY": "sk-not-shown"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project that is right; it is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/answer.md").write_text("{{ question }}\n\n{{evidence}}\n")
    (tmp_path / "help.json").write_text('{"articles": [1, 2]}')
    (tmp_path / "candidate.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def resolve(project: Path) -> Callable[..., Release]:
    """Resolve the manifest after replacing parts of its text."""

    def resolve(*changes: tuple[str, str], environment: dict[str, str] | None = None) -> Release:
        text = MANIFEST
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (project / "candidate.yaml").write_text(text)
        loaded = load_manifest(Path("candidate.yaml"))
        return resolve_release(loaded, environment=ENVIRONMENT if environment is None else environment)

    return resolve


@pytest.fixture
def problems(resolve: Callable[..., Release]) -> Callable[..., list[str]]:
    """The problems of the manifest after replacing parts of its text."""

    def problems(*changes: tuple[str, str], environment: dict[str, str] | None = None) -> list[str]:
        with pytest.raises(InputError) as caught:
            resolve(*changes, environment=environment)
        return [str(problem) for problem in caught.value.problems]

    return problems
