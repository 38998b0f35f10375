"""Stored answers scored by what scores now, without asking anybody again."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.case import Case, Suite
from relgate.domain.metric import Metric
from relgate.domain.response import Failure, Measurement, Response, Score, ScorerFailure
from relgate.domain.scorer import ModelJudge, Scorer
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.scored_anew import scored_anew

CASE = Case("c", "ask", "yes", tags={"harmful": False})


def scorer(metric, judge=None, *, name="", forbids=False, model=None):
    return Scorer(name or metric, Metric(metric, "binary"), judge or (lambda _, __: True), forbids, model)


def plan(*scorers, kind="golden"):
    suite = Suite("s", kind, Path("suite.yaml"), "s", (), (CASE,), ())
    metrics = {each.metric.name: each.metric for each in scorers}
    return SuitePlan(suite, metrics, {"candidate": scorers, "baseline": scorers}, scorers[0], (), ())


def stored(outcome, **scores):
    found = tuple(
        score if isinstance(score, ScorerFailure) else Score(metric, score, "binary")
        for metric, score in scores.items()
    )
    return Measurement("candidate", "s", "c", 0, outcome, found, stored=True)


def values(row):
    return {score.metric: score.value if isinstance(score, Score) else None for score in row.scores}


def test_what_scores_now_scores_the_stored_text():
    says_yes = scorer("right", lambda case, response: response.output == case.expected)
    row = scored_anew(stored(Response(output="no"), right=1.0, gone=1.0), plan(says_yes), CASE, ())
    assert values(row) == {"right": 0.0, "answered": 1.0}


def test_a_failure_of_the_application_has_the_worst_score_of_every_scorer_of_now():
    row = scored_anew(stored(Failure("application", "boom"), old=0.0), plan(scorer("right")), CASE, ())
    assert values(row) == {"right": 0.0, "answered": 0.0}


JUDGE = ModelJudge("p/m", "digest")


@pytest.mark.parametrize(
    ("counting", "score", "want"),
    [
        ({"kind"}, 1.0, {"kind": 1.0, "answered": 1.0}),
        (set(), 1.0, {"answered": 1.0}),
        ({"kind"}, ScorerFailure("kind", "could not be parsed"), {"kind": None, "answered": 1.0}),
    ],
    ids=["the same judge", "another judge", "a judge that failed"],
)
def test_a_model_is_not_asked_again(counting, score, want):
    asking = scorer("kind", lambda _, __: pytest.fail("asked"), model=JUDGE)
    row = scored_anew(stored(Response(output="x"), kind=score), plan(asking), CASE, counting)
    assert values(row) == want


@pytest.mark.parametrize(
    ("text", "want"), [("<EMAIL_a1b2c3> it is", 0.0), ("it is", 1.0)], ids=["redacted", "as it was said"]
)
def test_what_only_the_raw_answer_tells_keeps_its_score(text, want):
    leaks = scorer("no_pii", lambda _, response: "@" not in response.output, forbids=True)
    row = scored_anew(stored(Response(output=text), no_pii=0.0), plan(leaks), CASE, ())
    assert values(row)["no_pii"] == want


def test_a_violation_that_the_raw_answer_showed_stays_one_under_another_name():
    leaks = scorer("private", lambda _, response: "@" not in response.output, name="no_pii", forbids=True)
    row = stored(Response(output="<EMAIL_a1b2c3>"), no_pii=0.0, violation=1.0, over_refusal=0.0)
    assert values(scored_anew(row, plan(leaks, kind="safety"), CASE, ()))["violation"] == 1.0


def test_evidence_is_not_kept_so_what_reads_it_keeps_its_score():
    grounded = scorer("grounded", lambda _, __: False)
    other = scorer("right", lambda _, __: True)
    row = stored(Response(output="x"), grounded=1.0, right=0.0)
    found = values(scored_anew(row, plan(grounded, other), CASE, ()))
    assert (found["grounded"], found["right"]) == (1.0, 1.0)
