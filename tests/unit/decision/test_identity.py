"""A suite is untouched only when nothing that its route can reach differs, and its sentinels agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.identity import (
    allowed_flips,
    disagreement,
    is_untouched,
    mirrored,
    pass_identical,
)
from relgate.domain.deployed import HttpSpec, ResponseMapping
from relgate.domain.metric import Metric
from relgate.domain.release import ApplicationSpec, Artifact, Provider, Release, Route, Target
from relgate.domain.response import Failure, Measurement, Response, Score

RIGHT = {"right": Metric("right", "binary")}
MODELS = [Artifact("model", name, "1", f"d-{name}") for name in ("mine", "theirs", "loose")]
PROMPTS = [Artifact("prompt", name, "1", f"d-{name}") for name in ("ask", "sum", "shared")]
OTHERS = [Artifact("reranker", "r", "1", "d-r"), Artifact("router_policy", "p", "1", "d-p")]
BEFORE = Release(
    name="desk",
    version="1",
    owner="me",
    digest="before",
    path=Path("old.yaml"),
    application=ApplicationSpec("python", "app:build", code_digest="code"),
    artifacts=(*MODELS, *PROMPTS, *OTHERS),
    providers={"p": Provider("p", "http://p"), "q": Provider("q", "http://q")},
    routes={
        "ask": Route("ask", (Target("p", "mine"),)),
        "sum": Route("sum", (Target("q", "theirs"),)),
    },
)


def _with(**changed: str) -> Release:
    """The release with other digests of the artifacts with these names."""
    return replace(
        BEFORE, artifacts=tuple(replace(a, digest=changed.get(a.name, a.digest)) for a in BEFORE.artifacts)
    )


def _untouched(build: Any, after: Release, before: Release = BEFORE, route: str | None = "ask") -> bool:
    return is_untouched(build.suite(3, route=route), before, after)


@pytest.mark.parametrize("name", ["theirs", "sum"])
def test_what_belongs_to_another_route_does_not_touch_the_suite(build: Any, name: str) -> None:
    assert _untouched(build, _with(**{name: "new"}))
    assert not _untouched(build, _with(**{name: "new"}), route="sum")
    assert not _untouched(build, _with(**{name: "new"}), route=None)


@pytest.mark.parametrize("name", ["mine", "loose", "ask", "shared", "r", "p"])
def test_what_the_application_may_read_touches_it(build: Any, name: str) -> None:
    assert not _untouched(build, _with(**{name: "new"}))


@pytest.mark.parametrize(
    "change",
    [
        {"application": ApplicationSpec("python", "app:build", code_digest="other")},
        {"deterministic": True},
        {"dependencies": {"vector_db": {"when_down": "keyword_search"}}},
        {"services": ("app:serve",)},
        {"providers": {**BEFORE.providers, "p": Provider("p", "http://elsewhere")}},
        {"providers": {**BEFORE.providers, "p": Provider("p", "http://p", timeout_seconds=1.0)}},
        {"routes": {**BEFORE.routes, "ask": Route("ask", (Target("p", "mine"),), ("handoff",))}},
        {"artifacts": BEFORE.artifacts[1:]},
        {"artifacts": (*BEFORE.artifacts, Artifact("memory", "m", "1", "d"))},
        {"artifacts": tuple(replace(a, version="2") for a in BEFORE.artifacts)},
    ],
)
def test_anything_else_that_differs_touches_it(build: Any, change: dict[str, Any]) -> None:
    assert _untouched(build, replace(BEFORE, digest="after"))
    assert not _untouched(build, replace(BEFORE, **change))


def test_a_route_that_is_not_the_suites_may_change(build: Any) -> None:
    routes = {**BEFORE.routes, "sum": Route("sum", (Target("p", "theirs"),))}
    assert _untouched(build, replace(BEFORE, routes=routes))


def test_identity_is_never_claimed_of_recordings(build: Any) -> None:
    recorded = replace(BEFORE, application=ApplicationSpec("recording", "r.jsonl"))
    assert not _untouched(build, recorded, recorded)


def test_a_chat_applications_only_prompt_belongs_to_every_route(build: Any) -> None:
    chat = ApplicationSpec("chat", "ask")
    alone = replace(BEFORE, application=chat, artifacts=(*MODELS, PROMPTS[1]))
    changed = replace(alone, artifacts=(*MODELS, replace(PROMPTS[1], digest="new")))
    assert not _untouched(build, changed, alone)


def test_a_chat_applications_own_route_answers_every_suite(build: Any) -> None:
    before = replace(BEFORE, application=ApplicationSpec("chat", "sum"))
    after = replace(before, artifacts=_with(theirs="new").artifacts)
    assert not _untouched(build, after, before, route="ask")
    rerouted = replace(before, routes={**before.routes, "sum": Route("sum", (Target("p", "theirs"),))})
    assert not _untouched(build, rerouted, before, route="ask")
    assert _untouched(build, replace(BEFORE, artifacts=after.artifacts), BEFORE, route="ask")


@pytest.mark.parametrize(("psi", "allowed"), [(0.0, 0), (0.03, 3), (0.08, 5), (0.2, 8)])
def test_the_flips_that_one_system_shows_in_twenty_cases_are_allowed(psi: float, allowed: int) -> None:
    assert allowed_flips(20, psi) == allowed


def _row(side: Any, score: float, text: str = "yes", outcome: Any = None) -> Measurement:
    return Measurement(side, "s", "c", 0, outcome or Response(text), (Score("right", score, "binary"),))


def _said(pairs: list[tuple[Measurement, Measurement]], deterministic: bool) -> str:
    return disagreement(pairs, RIGHT, deterministic=deterministic, flip_rate=0.08)


@pytest.mark.parametrize("flips", [0, 5, 6])
def test_a_stochastic_suite_may_flip_as_often_as_one_system_does(flips: int) -> None:
    pairs = [(_row("candidate", float(i >= flips), f"a{i}"), _row("baseline", 1.0)) for i in range(20)]
    said = _said(pairs, deterministic=False)
    assert bool(said) == (flips > 5)
    assert not said or "declared untouched but differs: 6 of 20 sentinel answers flip" in said


def test_a_deterministic_suite_agrees_to_the_byte_or_not_at_all() -> None:
    same = [(_row("candidate", 1.0), _row("baseline", 1.0))] * 19
    other = (_row("candidate", 1.0, "yes "), _row("baseline", 1.0))
    assert _said([*same, same[0]], deterministic=True) == ""
    assert "1 of 20 sentinel answers differ" in _said([*same, other], deterministic=True)
    broken = _row("candidate", 0.0, outcome=Failure("application", "KeyError"))
    assert "differ" in _said([*same, (broken, _row("baseline", 1.0))], deterministic=True)


def test_an_identical_relative_gate_passes_at_any_n_but_not_without_a_score(build: Any) -> None:
    gate = build.gate("non_inferior", 0.05)
    small = judge_gate(gate, mirrored(build.data([1.0, 0.0, 1.0])), alpha=0.05)
    assert small.result == "hold"
    passed = pass_identical(small, "nothing reaches it")
    assert (passed.result, passed.identical, passed.estimate, passed.n) == ("pass", True, 0.0, 3)
    lost = judge_gate(gate, mirrored(build.data([build.JUDGE_FAILED] * 3)), alpha=0.05)
    assert pass_identical(lost, "nothing reaches it").result == "error"


@pytest.mark.parametrize("build_digest", [None, "sha256:1"])
def test_of_a_deployed_application_only_its_build_says_that_it_is_the_same(
    build: Any, build_digest: str | None
) -> None:
    spec = HttpSpec("p", "/", {}, ResponseMapping("/a"), build=build_digest)
    deployed = ApplicationSpec("http", "p/", code_digest="entry", http=spec)
    before = replace(BEFORE, application=deployed)
    after = replace(_with(sum="new"), application=deployed)
    assert _untouched(build, after, before) is (build_digest is not None)
