"""Selecting cases as a pytest user expects: only what is selected is asked, and a part never promotes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

FILE = "golden_sets/small/cases.jsonl"
ODD = ["refund.case.2", "größe-ß-日本", "with some spaces", "a@b.example", "50%", "-dash", "q?*", "x=y;z"]
SERIAL = ("-p", "no:xdist")
PARALLEL = ("-n", "2")


@pytest.fixture(params=[SERIAL, PARALLEL], ids=["serial", "n2"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (["-k", "c1 or c2"], 2),
        (["--deselect", f"{FILE}::c0"], 7),
        ([f"{FILE}::c3"], 1),
        ([f"{FILE}::c3", f"{FILE}::c4"], 2),
    ],
    ids=["k", "deselect", "node", "nodes"],
)
def test_a_part_asks_only_for_itself_and_holds(
    python_app: Project, provider: Provider, mode: tuple[str, ...], options: list[str], asked: int
) -> None:
    result = python_app.judge(mode, *options)
    assert result.ret == 10
    assert provider.calls == asked
    assert set(provider.asked.values()) == {1}
    verdict = python_app.scorecard()["verdict"]
    assert (verdict["decision"], verdict["partial"]) == ("hold", True)
    assert {gate["result"] for gate in python_app.scorecard()["gates"]} == {"partial"}
    assert python_app.scorecard()["cases"]["hit"] == asked
    assert python_app.scorecard()["cases"]["not_run"] == 8 - asked


@pytest.mark.parametrize("path", [FILE, "golden_sets", "golden_sets/small", "."])
def test_paths_that_hold_every_case_are_the_whole_run(
    python_app: Project, provider: Provider, mode: tuple[str, ...], path: str
) -> None:
    assert python_app.judge(mode, path).ret == 0
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


def test_one_suite_of_two_by_path_is_partial(python_app: Project, provider: Provider) -> None:
    python_app.suite("other", python_app.numbered())
    assert python_app.run("golden_sets/other").ret == 10
    assert provider.calls == 8
    gates = {gate["suite"]: gate["result"] for gate in python_app.scorecard()["gates"]}
    assert gates["small"] == "partial"
    assert python_app.scorecard()["verdict"]["partial"] is True


@pytest.mark.parametrize("name", ODD)
def test_case_ids_select_by_node_id(project: Project, name: str) -> None:
    cases = [{"id": i, "input": f"is {i} odd?", "expected": "y"} for i in ODD]
    project.suite("small", cases)
    project.write("answers.jsonl", project.lines([{"case_id": i, "output": "y"} for i in ODD]))
    project.write("candidate.yaml", project.manifest("{recording: answers.jsonl}"))
    result = project.run("-v", f"{FILE}::{name}")
    assert result.ret == 10
    assert f"{FILE}::{name} HIT" in result.stdout.str()
    assert project.scorecard()["cases"]["hit"] == 1


def test_odd_case_ids_promote_with_xdist_and_in_junit(project: Project) -> None:
    project.suite("small", [{"id": i, "input": f"is {i} odd?", "expected": "y"} for i in ODD])
    project.write("answers.jsonl", project.lines([{"case_id": i, "output": "y"} for i in ODD]))
    project.write("candidate.yaml", project.manifest("{recording: answers.jsonl}"))
    cases = project.junit("-n", "2", spawn=True)
    assert [case.get("name") for case in cases] == [*ODD, "small[exact:at_least:0.5]"]
    assert project.decisions == ["promote"]


@pytest.mark.parametrize("bad", ["a::b", "a[1]", "tab\there"])
def test_ids_that_no_node_id_can_hold_are_errors(recording: Project, bad: str) -> None:
    recording.suite("small", [*recording.numbered(), {"id": bad, "input": "x", "expected": "y"}])
    result = recording.run()
    assert result.ret == 4
    assert "cases.jsonl:9" in recording.text(result)


def test_markers_select_nothing_of_ours(python_app: Project, provider: Provider) -> None:
    python_app.write("pytest.ini", "[pytest]\nmarkers = slow\n")
    assert python_app.run("-m", "slow").ret == 5
    assert provider.calls == 0
    assert python_app.run("-m", "not slow").ret == 0
    assert provider.calls == 8


def test_all_deselected_is_5(python_app: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    result = python_app.judge(mode, "-k", "nothing_like_this")
    assert result.ret == 5
    assert provider.calls == 0
    said = "no verdict: no case was selected: -k nothing_like_this left out all 8 cases"
    assert said in result.stdout.str()
    assert python_app.decisions == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-m", "slow and not fast"), "-m 'slow and not fast' left out all 8 cases"),
        (("--deselect", FILE), "--deselect left out all 8 cases"),
        ((f"{FILE}::c1", "-k", "c2"), "-k c2 left out the only case"),
        (("-k", "test_ordinary"), "-k test_ordinary left out all 8 cases"),
    ],
)
def test_a_run_that_selects_no_case_says_by_what(
    recording: Project, options: tuple[str, ...], said: str
) -> None:
    recording.write("pytest.ini", "[pytest]\nmarkers =\n  slow\n  fast\n")
    recording.write("golden_sets/test_more.py", "def test_ordinary(): pass\n")
    result = recording.run(*options)
    assert result.ret == 5
    assert f"no verdict: no case was selected: {said}" in result.stdout.str()


def test_a_run_that_collects_no_case_blames_no_selection(recording: Project) -> None:
    recording.write("test_more.py", "def test_ordinary(): pass\n")
    shown = recording.run("test_more.py", "-k", "ordinary").stdout.str()
    assert "no verdict: the run did not finish, or measured nothing" in shown


@pytest.mark.parametrize("flag", ["--collect-only", "--setup-plan", "--setup-only"])
def test_looking_only_makes_no_call(
    python_app: Project, provider: Provider, mode: tuple[str, ...], flag: str
) -> None:
    result = python_app.judge(mode, flag)
    assert result.ret == 0
    assert provider.calls == 0
    assert python_app.rows("runs") == []
    assert "PROMOTE" not in result.stdout.str()


def test_collect_only_lists_node_ids(python_app: Project) -> None:
    shown = python_app.run("--co", "-q").stdout.str()
    assert [line for line in shown.splitlines() if "::" in line] == [f"{FILE}::c{n}" for n in range(8)]


def test_an_unknown_node_id_is_a_usage_error(python_app: Project, provider: Provider) -> None:
    result = python_app.run(f"{FILE}::nobody")
    assert result.ret == 4
    assert provider.calls == 0
    assert python_app.decisions == []


def reports(project: Project) -> dict[str, str]:
    return {path.name: path.read_text() for path in (project.path / "reports/desk-1.1.0").iterdir()}


def test_a_part_leaves_the_whole_scorecard_and_names_what_it_wrote(
    python_app: Project, mode: tuple[str, ...]
) -> None:
    assert python_app.judge(mode).ret == 0
    whole = reports(python_app)
    assert set(whole) == {"scorecard.md", "scorecard.json"}
    result = python_app.judge(mode, f"{FILE}::c3")
    assert result.ret == 10
    shown = result.stdout.str()
    assert "reports: reports/desk-1.1.0/partial.md, reports/desk-1.1.0/partial.json" in shown
    assert "all gates are in partial.md" in shown
    after = reports(python_app)
    assert {name: after[name] for name in whole} == whole
    partial = json.loads(after["partial.json"])
    assert partial["verdict"]["partial"] is True
    assert partial["schema"] == python_app.scorecard()["schema"]


def test_a_part_of_other_content_takes_the_scorecards_place(python_app: Project) -> None:
    assert python_app.run().ret == 0
    python_app.write("candidate.yaml", python_app.live("answerer-3"))
    assert python_app.run("-k", "c3").ret == 10
    assert set(reports(python_app)) == {"scorecard.md", "scorecard.json"}
    assert python_app.scorecard()["verdict"]["partial"] is True


def test_a_broken_scorecard_is_no_whole_one(python_app: Project) -> None:
    python_app.write("reports/desk-1.1.0/scorecard.json", '{"verdict": 1')
    assert python_app.run("-k", "c3").ret == 10
    assert python_app.scorecard()["verdict"]["partial"] is True


def test_the_plan_of_a_part_counts_only_what_runs(python_app: Project, provider: Provider) -> None:
    python_app.suite("other", python_app.numbered())
    provider.wrong["answerer-2"] = {f"question {n}" for n in range(8)}
    assert python_app.run().ret == 1
    python_app.write("candidate.yaml", python_app.live("answerer-3"))
    part = python_app.run(f"{FILE}::c3")
    shown = part.stdout.str()
    assert "  1 case in 1 suite, 1 call\n" in shown
    assert "attempt 2" not in shown
    assert "partial, no attempt, policy" in shown
    assert not [note for note in python_app.scorecard()["notes"] if "attempt" in note]
    whole = python_app.run()
    assert "  16 cases in 2 suites, 16 calls\n" in whole.stdout.str()
    assert "note: attempt 2 on these golden sets" in whole.stdout.str()
    assert [note for note in python_app.scorecard()["notes"] if "attempt 2" in note]
