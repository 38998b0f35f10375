"""Scorers: functions of a case and a response that report one named metric."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.release import Release
from relgate.domain.response import Outcome, Response, ScorerFailure

Judgement = float | bool | ScorerFailure | None
"""What a scorer may return: the score, a failure to judge, or None where it does not apply to the case."""

Judge = Callable[[Case, Response], Judgement]

Ask = Callable[[str], Awaitable[Outcome]]
"""Puts one text to a judge's model; a failure is an outcome of its own."""

Preference = int | ScorerFailure
"""Of two answers shown one after the other: 1 the first is better, 2 the second, 0 neither."""


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """What a scorer that asks a model brings; it is awaited in the engine's loop and never blocks it.

    Attributes:
        target: ``provider/model`` of the release.
        digest: of model, rubric and scale: another digest is another judge.
        judge: of one answer; None for a judge of pairs.
        prefer: of two answers; None for a judge of single ones.
    """

    target: str
    digest: str
    judge: Callable[[Case, Response, Ask], Awaitable[Judgement]] | None = None
    prefer: Callable[[Case, Response, Response, Ask], Awaitable[Preference]] | None = None


@dataclass(frozen=True, slots=True)
class ScorerContext:
    """What a scorer's factory may look at.

    Attributes:
        suite_path: suite.yaml; paths in options are relative to its folder.
        release: the release whose responses it will score.
    """

    suite_path: Path
    release: Release


ScorerFactory = Callable[[Mapping[str, Any], ScorerContext], Judge]
"""Options and context in, judge out; raises ValueError with a sentence for the user on bad options."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A scorer made ready for one suite and one release.

    Attributes:
        name: the catalog's name.
        metric: what it reports.
        judge: the function.
        asked: the model that is asked instead of ``judge``, None for functions.
        forbids: whether it is a ``must_not`` or ``no_*`` scorer: in a safety suite its hit is a violation.
    """

    name: str
    metric: Metric
    judge: Judge
    forbids: bool = False
    asked: ModelJudge | None = None
