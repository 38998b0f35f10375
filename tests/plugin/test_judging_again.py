"""What needs no call makes none: the same content as the baseline, and a release that was judged."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

SERIAL = ("-p", "no:xdist")
PARALLEL = ("-n", "2")


@pytest.fixture(params=[SERIAL, PARALLEL], ids=["serial", "n2"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def test_the_same_content_as_the_baseline_is_a_promote_without_a_call(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    python_app.write("production.yaml", python_app.live(version="1.0.0"))
    result = python_app.judge(mode, "--baseline=production.yaml")
    shown = python_app.text(result)
    assert result.ret == 0
    assert provider.calls == 0
    assert "nothing changed" in shown
    assert "no call is made" in shown
    assert "8 not needed" in shown
    assert python_app.decisions == ["promote"]


def test_not_needed_cases_are_skipped_in_junit(python_app: Project) -> None:
    python_app.write("production.yaml", python_app.live(version="1.0.0"))
    cases = python_app.junit("--baseline=production.yaml")
    assert len(cases) == 8
    messages = [skipped.get("message", "") for case in cases for skipped in case.iter("skipped")]
    assert len(messages) == 8
    assert all(message.startswith("relgate: not needed: nothing changed") for message in messages)


@pytest.mark.parametrize(
    ("mode", "right", "status"),
    [(SERIAL, 8, 0), (SERIAL, 5, 10), (SERIAL, 0, 1), (PARALLEL, 5, 10)],
    ids=["promote", "hold", "reject", "n2"],
)
def test_a_judged_release_gives_its_verdict_and_status_again(
    python_app: Project, provider: Provider, mode: tuple[str, ...], right: int, status: int
) -> None:
    provider.wrong["answerer-2"] = {f"question {n}" for n in range(right, 8)}
    assert python_app.run().ret == status
    card = python_app.scorecard()
    assert provider.calls == 8
    result = python_app.judge(mode)
    shown = python_app.text(result)
    assert result.ret == status
    assert provider.calls == 8, "no further call"
    assert f"judged before: this is the stored verdict of run {card['run']['id']}" in shown
    assert python_app.scorecard()["verdict"] == card["verdict"]
    assert len(python_app.rows("runs")) == 1


def test_options_that_a_stored_verdict_makes_idle_are_named(python_app: Project, provider: Provider) -> None:
    python_app.run("--full")
    shown = python_app.text(python_app.run("--full", "--record=answers.jsonl", "--reuse=never"))
    assert "--record, --full, --reuse: without effect" in " ".join(shown.split())
    assert provider.calls == 8
    assert not (python_app.path / "answers.jsonl").exists()
    assert "without effect" not in python_app.text(python_app.run())


def test_advisory_counts_for_a_stored_hold(python_app: Project, provider: Provider) -> None:
    provider.wrong["answerer-2"] = {"question 5", "question 6", "question 7"}
    assert python_app.run().ret == 10
    assert python_app.run("--advisory").ret == 0
    assert provider.calls == 8


@pytest.mark.parametrize("change", ["version", "suite", "trials"])
def test_what_changes_the_run_is_measured_again(python_app: Project, provider: Provider, change: str) -> None:
    python_app.run()
    options: list[str] = []
    match change:
        case "version":
            python_app.write("candidate.yaml", python_app.live(version="1.1.1"))
        case "suite":
            python_app.suite("small", python_app.numbered(9))
        case "trials":
            options = ["--trials=1"]
    provider.asked.clear()
    python_app.run(*options)
    assert provider.calls == (9 if change == "suite" else 8)
    assert len(python_app.rows("runs")) == 2


def test_a_partial_run_of_a_judged_release_measures(python_app: Project, provider: Provider) -> None:
    python_app.run()
    provider.asked.clear()
    assert python_app.run("-k", "c1").ret == 10
    assert provider.calls == 1


def test_a_stored_reject_names_the_critical_case_again(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    cases = python_app.numbered()
    cases[3]["critical"] = True
    python_app.suite("small", cases)
    provider.wrong["answerer-2"] = {"question 3"}
    assert python_app.run().ret == 1
    calls = provider.calls
    result = python_app.judge(mode, "--junitxml=again.xml")
    assert result.ret == 1, "the gate passes: only the critical case rejects"
    assert provider.calls == calls
    assert "judged before" in python_app.text(result)
    found = ElementTree.parse(python_app.path / "again.xml").getroot().iter("testcase")
    failed = {case.get("name"): failure.get("message") for case in found for failure in case.iter("failure")}
    assert list(failed) == ["c3"]
    assert "critical case c3 missed" in (failed["c3"] or "")


def _promote(project: Project, version: str) -> None:
    from relgate.store import open_registry

    with open_registry(project.registry) as registry:
        registry.promote("desk", version, by="ann", reason="a drill", waive="a drill")


def _said_of(project: Project, model: str, version: str) -> str:
    project.write("candidate.yaml", project.live(model, version=version, baseline="production"))
    return project.text(project.run())


def test_the_plan_says_what_will_hold_whatever_the_run_shows(drifting: Project) -> None:
    drifting.run("--full", manifest="production.yaml")
    run = drifting.scorecard()["run"]["id"]
    shown = drifting.text(drifting.run("--full", f"--baseline=run:{run}", "--report-dir=other"))
    plan, _, rest = shown.partition("golden_sets/golden/cases.jsonl")
    assert "! holds, whatever it shows: the baseline is stale" in plan
    assert "name its manifest as the baseline: both sides are asked then, about 80 calls" in plan
    assert "HOLD" in rest


def test_a_rollback_drill_gives_the_next_candidate_no_fresh_alpha(python_app: Project) -> None:
    for model, version in (("answerer-1", "1.0.0"), ("answerer-9", "1.0.9")):
        python_app.write(f"release-{version}.yaml", python_app.live(model, version=version))
        python_app.run(manifest=f"release-{version}.yaml")
    _promote(python_app, "1.0.0")
    assert "attempt 1, alpha 0.05," in _said_of(python_app, "answerer-2", "1.1.0")
    assert "attempt 2, alpha 0.0125," in _said_of(python_app, "answerer-3", "1.1.1")
    _promote(python_app, "1.0.9")
    _promote(python_app, "1.0.0")
    assert "attempt 3, alpha 0.00625," in _said_of(python_app, "answerer-4", "1.1.2")


def test_an_added_case_gives_a_judged_candidate_no_fresh_alpha(python_app: Project) -> None:
    python_app.write("production.yaml", python_app.live("answerer-1", version="1.0.0"))
    python_app.write("candidate.yaml", python_app.live("answerer-2", baseline="production.yaml"))
    for count, attempt in ((20, 1), (21, 2), (22, 3)):
        python_app.suite("small", python_app.numbered(count))
        python_app.run()
        assert python_app.scorecard()["verdict"]["attempts"] == attempt
