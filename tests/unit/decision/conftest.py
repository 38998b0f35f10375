"""Suites, measurements and gates built from plain lists of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.policy import Gate, spread_gates
from relgate.domain.case import Case, Suite
from relgate.domain.gate import GateResult, GateSpec
from relgate.domain.metric import RESPONSE_METRICS, SAFETY_METRICS, Metric
from relgate.domain.response import Failure, Measurement, Response, Score, ScorerFailure, Side

AWAY, JUDGE_FAILED, NOT_APPLICABLE = "away", "judge failed", "not applicable"
"""What may stand for a score: nothing measured, the scorer failed, no scorer applies."""

Cell = float | str | Sequence[float | str]
RIGHT = Metric("right", "binary")


class Build:
    """Functions that build what the decision takes; one case per score, named c0, c1, ..."""

    AWAY, JUDGE_FAILED, NOT_APPLICABLE, RIGHT = AWAY, JUDGE_FAILED, NOT_APPLICABLE, RIGHT

    @staticmethod
    def suite(n: int, **changes: Any) -> Suite:
        tags: Mapping[str, Sequence[Any]] = changes.pop("tags", {})
        clusters: Sequence[str] | None = changes.pop("clusters", None)
        critical: Mapping[int, Any] = changes.pop("critical", {})
        inputs: Sequence[Any] | None = changes.pop("inputs", None)
        cases = tuple(
            Case(
                id=f"c{i}",
                input=inputs[i] if inputs else f"question {i}",
                tags={tag: values[i] for tag, values in tags.items()},
                cluster=clusters[i] if clusters else None,
                critical=critical.get(i, False),
            )
            for i in range(n)
        )
        settings: dict[str, Any] = {
            "name": "s",
            "kind": "golden",
            "path": Path("suite.yaml"),
            "folder": "s",
            "scorers": (),
            "gates": (),
            "clustered": clusters is not None,
            **changes,
        }
        return Suite(cases=cases, **settings)

    @classmethod
    def data(
        cls,
        candidate: Sequence[Cell],
        baseline: Sequence[Cell] | None = None,
        *,
        metric: Metric = RIGHT,
        suite: Suite | None = None,
        **changes: Any,
    ) -> SuiteData:
        suite = suite or cls.suite(len(candidate), **changes)
        rows = cls.rows("candidate", suite, candidate, metric)
        if baseline is not None:
            rows += cls.rows("baseline", suite, baseline, metric)
        return arrange(suite, cls.metrics(metric, suite), rows, paired=baseline is not None)

    @staticmethod
    def metrics(metric: Metric, suite: Suite) -> dict[str, Metric]:
        own = [metric, *(SAFETY_METRICS if suite.kind == "safety" else ()), *RESPONSE_METRICS]
        return {m.name: m for m in own}

    @classmethod
    def rows(
        cls, side: Side, suite: Suite, cells: Sequence[Cell], metric: Metric, hop: str | None = None
    ) -> list[Measurement]:
        found = []
        for case, cell in zip(suite.all_cases, cells, strict=True):
            trials = [cell] if isinstance(cell, (int, float, str)) else list(cell)
            found += [
                cls.row(side, suite, case.id, trial, score, metric, hop) for trial, score in enumerate(trials)
            ]
        return found

    @staticmethod
    def row(
        side: Side,
        suite: Suite,
        case_id: str,
        trial: int,
        score: float | str,
        metric: Metric = RIGHT,
        hop: str | None = None,
        confirmation: bool = False,
    ) -> Measurement:
        if score == AWAY:
            outcome: Any = Failure("outage", "hosted_a refused the connection")
            scores: tuple[Any, ...] = ()
        else:
            outcome = Response("text")
            scores = (Score("answered", 1.0, "binary"),)
            if score == JUDGE_FAILED:
                scores = (*scores, ScorerFailure(metric.name, "no number in the answer"))
            elif not isinstance(score, str):
                scores = (*scores, Score(metric.name, float(score), metric.kind))
        return Measurement(side, suite.name, case_id, trial, outcome, scores, hop, confirmation)

    @staticmethod
    def gate(form: str, boundary: float = 0.0, metric: Metric = RIGHT, **spec: Any) -> Gate:
        written = GateSpec(metric.name, form, boundary, **spec)  # type: ignore[arg-type]
        suite = Build.suite(1, gates=(written,))
        return spread_gates(suite, {metric.name: metric}, (), has_baseline=True)[0]

    @staticmethod
    def result(role: str = "require", result: str = "pass", **changes: Any) -> GateResult:
        settings: dict[str, Any] = {
            "id": f"gates::s[{role}]",
            "suite": "s",
            "metric": "right",
            "form": "non_inferior",
            "message": f"{role} {result}",
            **changes,
        }
        return GateResult(role=role, result=result, **settings)  # type: ignore[arg-type]


@pytest.fixture
def build() -> type[Build]:
    """The builders."""
    return Build
