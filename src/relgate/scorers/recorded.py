"""The scorer recorded: takes a score that came with the response, so any eval runner can be gated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import Field

from relgate.domain.case import Case
from relgate.domain.metric import LOWER_IS_BETTER_KINDS, Metric, MetricKind
from relgate.domain.response import Response, ScorerFailure
from relgate.domain.scorer import Judgement, Scorer, ScorerContext
from relgate.scorers.options import OptionProblem, Options, read_options


class RecordedOptions(Options):
    """Options of recorded; ``recorded: N`` is short for its name."""

    name: str | None = Field(default=None, min_length=1)
    value: str | None = Field(default=None, min_length=1)
    kind: MetricKind | None = None
    higher_is_better: bool | None = None

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """Exactly one name."""
        if not cls.gives_one_of(given, ("name", "value")):
            yield OptionProblem("give the name of the score once: recorded: {name: ...}")


def make_recorded(options: Mapping[str, Any], context: ScorerContext) -> Scorer:
    """The score N of the recording as the metric N.

    Its kind is unit until the caller, who sees all scores, puts another in its place (``infer_kind``).
    """
    settings = read_options(RecordedOptions, options)
    name = str(settings.name if settings.name is not None else settings.value)
    kind = settings.kind or "unit"
    better = settings.higher_is_better
    if better is None:
        better = kind not in LOWER_IS_BETTER_KINDS

    def judge(case: Case, response: Response) -> Judgement:
        value = response.scores.get(name)
        if value is None:
            return ScorerFailure(name, f"the recording holds no score {name!r} for case {case.id}")
        return value

    return Scorer("recorded", Metric(name, kind, higher_is_better=better), judge)


def infer_kind(values: Iterable[float]) -> MetricKind | None:
    """The kind of recorded scores: binary when all are 0 or 1, unit when all lie in [0, 1], else None."""
    seen = set(values)
    if not seen or not all(0 <= value <= 1 for value in seen):
        return None
    return "binary" if seen <= {0, 1} else "unit"
