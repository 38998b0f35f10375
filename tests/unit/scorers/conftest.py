"""Makes scorers as a suite does, and judges one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from relgate.catalog import Catalog
from relgate.domain.case import Case, ScorerSpec
from relgate.domain.release import ApplicationSpec, Artifact, Release
from relgate.domain.response import Response
from relgate.domain.scorer import Judgement, Scorer, ScorerContext

MakeScorer = Callable[..., Scorer]
JudgeAnswer = Callable[..., Judgement]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture
def make(catalog: Catalog, tmp_path: Path) -> MakeScorer:
    def make_scorer(
        name: str, options: Mapping[str, Any] | None = None, artifacts: tuple[Artifact, ...] = ()
    ) -> Scorer:
        release = Release(
            "desk",
            "1.0.0",
            "team",
            "sha256:0",
            tmp_path / "candidate.yaml",
            ApplicationSpec("recording", "outputs.jsonl"),
            artifacts=artifacts,
        )
        context = ScorerContext(tmp_path / "suite.yaml", release)
        return catalog.make_scorer(ScorerSpec(name, options or {}, 3, 12), context)

    return make_scorer


@pytest.fixture
def judge(make: MakeScorer) -> JudgeAnswer:
    def judge_answer(
        scorer: str,
        output: str | Response,
        expected: Any = None,
        artifacts: tuple[Artifact, ...] = (),
        /,
        **options: Any,
    ) -> Judgement:
        response = output if isinstance(output, Response) else Response(output)
        return make(scorer, options, artifacts).judge(Case("c", "?", expected), response)

    return judge_answer
