"""Scorers: functions of a case and a response that report one named metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.case import Case
from relgate.domain.metric import Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, ScorerFailure

Judgement = float | bool | ScorerFailure | None
"""What a scorer may return: the score, a failure to judge, or None where it does not apply to the case."""

Judge = Callable[[Case, Response], Judgement]


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
        forbids: whether it is a ``must_not`` or ``no_*`` scorer: in a safety suite its hit is a violation.
    """

    name: str
    metric: Metric
    judge: Judge
    forbids: bool = False
