"""Stored answers scored by what scores now: who rewrites or renames a scorer does not forget what was said.

Nobody is asked again. What cannot be scored from the stored text keeps the score that the raw answer got.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from relgate.domain.case import Case
from relgate.domain.response import Measurement, Response, Score, ScorerFailure
from relgate.domain.scorer import Scorer
from relgate.redaction.redactor import PLACEHOLDER
from relgate.scorers import score_failure, score_response
from relgate.usecases.preparing.plan_suite import SuitePlan

Scores = tuple[Score | ScorerFailure, ...]

NEED_EVIDENCE = frozenset({"grounded"})
"""Scorers that read evidence, which is never kept."""


def scored_anew(row: Measurement, plan: SuitePlan, case: Case, judged: Collection[str]) -> Measurement:
    """A stored call of a case with the scores that it gets now.

    Args:
        row: the call with its stored scores.
        plan: the suite.
        case: the case, which asks and expects what it did then.
        judged: metrics of a model whose stored judgements still count; those of other models are left out,
            for nobody is asked again.
    """
    scorers = plan.scorers_of(row.side, case)
    if not isinstance(row.outcome, Response):
        return replace(row, scores=score_failure(case, row.outcome, scorers, plan.suite.kind))
    models = {scorer.metric.name for scorer in scorers if scorer.asked is not None}
    said = {s.metric: _judgement(s) for s in row.scores if s.metric in models and s.metric in judged}
    scores = score_response(
        case,
        row.outcome,
        [scorer for scorer in scorers if scorer.asked is None or scorer.metric.name in said],
        suite_kind=plan.suite.kind,
        asked=said,
    )
    redacted = _is_redacted(row.outcome)
    raw = stored_of_raw(row.scores, [s for s in scorers if redacted or s.name in NEED_EVIDENCE])
    return replace(row, scores=with_raw_scores(scores, raw))


def _judgement(score: Score | ScorerFailure) -> float | ScorerFailure:
    return score.value if isinstance(score, Score) else score


def stored_of_raw(
    stored: Iterable[Score | ScorerFailure], scorers: Sequence[Scorer]
) -> dict[str, Score | ScorerFailure]:
    """The stored scores that only the raw answer can give, by metric.

    Args:
        stored: what the raw answer got.
        scorers: what scores now.
    """
    needing = {s.metric.name for s in scorers if s.forbids or s.name in NEED_EVIDENCE}
    if any(scorer.forbids for scorer in scorers):
        needing.add("violation")
    return {score.metric: score for score in stored if score.metric in needing}


def with_raw_scores(scores: Scores, raw: Mapping[str, Score | ScorerFailure]) -> Scores:
    """New scores, but for those that the raw answer got: a leak that redaction took out was one."""
    return (*(score for score in scores if score.metric not in raw), *raw.values())


def _is_redacted(response: Response) -> bool:
    texts = (response.output, *response.retrieved, *(str(call.arguments) for call in response.tool_calls))
    return any(PLACEHOLDER.search(text) for text in texts)
