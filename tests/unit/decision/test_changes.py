"""Which artifacts changed, which suites reach them, and which of them a failing suite suspects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relgate.decision.changes import Change, only_judges, reaches, suspect_groups
from relgate.domain.case import ScorerSpec
from relgate.domain.release import ApplicationSpec, Release, Route, Target
from relgate.domain.verdict import Alarm, CriticalMiss

PROMPT = Change("prompt", "answer", "v1@a", "v2@b", ("s", "t"))
MODEL = Change("model", "small", "1@a", "2@b", ("t",))


def _suspects(build: Any, *gates: Any, **beside: Any) -> tuple[str, ...]:
    groups = suspect_groups((PROMPT, MODEL), gates, **beside)
    return tuple(name for group in groups for name in group)


@pytest.mark.parametrize("role", ["require", "guard"])
def test_what_a_failing_suite_reaches_is_suspect(build: Any, role: str) -> None:
    assert _suspects(build, build.result(role, "fail")) == ("prompt/answer",)
    assert _suspects(build, build.result(role, "fail", suite="t")) == ("model/small", "prompt/answer")


def test_what_only_reports_or_holds_suspects_nothing(build: Any) -> None:
    assert _suspects(build, build.result("report", "fail"), build.result("require", "hold")) == ()


def test_proven_harm_an_alarm_and_a_critical_miss_suspect_too(build: Any) -> None:
    worse = build.result("require", "hold", proven_worse=True)
    assert _suspects(build, worse) == ("prompt/answer",)
    alarm = Alarm("s", "right", "topic=x", -0.3, 20, 0.001, "fell")
    assert _suspects(build, alarms=[alarm]) == ("prompt/answer",)
    for confirmed, found in ((True, ("prompt/answer",)), (False, ())):
        miss = CriticalMiss("s", "c0", 2, 3, confirmed, "missed")
        assert _suspects(build, critical=[miss]) == found


RERANKER = Change("reranker", "overlap", "1@a", "2@b", ("s", "t"))
POLICY = Change("safety_policy", "support", "1@a", "2@b", ("s", "u"))


def _groups(build: Any, *failing: str) -> tuple[tuple[str, ...], ...]:
    gates = [build.result("require", "fail", suite=suite) for suite in failing]
    return suspect_groups((POLICY, PROMPT, MODEL, RERANKER), gates)


@pytest.mark.parametrize(("model", "reached"), [("mine", True), ("theirs", False), ("loose", True)])
def test_a_model_that_no_route_names_may_be_used_by_every_suite(
    build: Any, model: str, reached: bool
) -> None:
    release = Release(
        name="desk",
        version="1",
        owner="me",
        digest="d",
        path=Path("m.yaml"),
        application=ApplicationSpec("python", "app:build"),
        routes={"ask": Route("ask", (Target("p", "mine"),)), "sum": Route("sum", (Target("p", "theirs"),))},
    )
    assert reaches(build.suite(1, route="ask"), "model", model, release, release) is reached


def test_what_the_most_failing_suites_reach_is_suspected_first(build: Any) -> None:
    assert _groups(build, "s", "t") == (
        ("prompt/answer", "reranker/overlap"),
        ("model/small",),
        ("safety_policy/support",),
    )


def test_what_fewer_passing_suites_reach_is_suspected_before_what_more_do(build: Any) -> None:
    assert _groups(build, "t") == (("model/small",), ("prompt/answer", "reranker/overlap"))


def test_what_nothing_tells_apart_is_one_group_in_the_order_of_the_changes(build: Any) -> None:
    assert _groups(build, "s") == (("safety_policy/support", "prompt/answer", "reranker/overlap"),)


@pytest.mark.parametrize(
    ("kind", "chain", "only"),
    [
        ("recording", None, True),
        ("chat", "answerer", True),
        ("chat", "referee", False),
        ("python", None, False),
    ],
)
def test_a_model_that_only_judges_is_told_from_one_that_answers(
    build: Any, kind: Any, chain: str | None, only: bool
) -> None:
    suite = build.suite(2, scorers=(ScorerSpec("judge", {"model": "arbiter/referee", "rubric": "r.md"}),))
    routes = {} if chain is None else {"answer": Route("answer", (Target("local", chain),))}
    release = Release(
        "desk", "1", "me", "sha256:1", Path("m.yaml"), ApplicationSpec(kind, "answer"), routes=routes
    )
    assert only_judges(suite, "referee", release) is only
    assert not only_judges(suite, "another", release)
