"""A sealed half: its cases run, and no sink says what became of any of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from relgate.decision.sealing import sealed_ids
from relgate.files import load_suite

N = 120
GATES = """sealed: true
slices: [area]
gates:
  - {metric: exact, non_inferior: {margin: 0.10}}
  - {metric: exact, at_least: 0.5, role: guard}
"""


@pytest.fixture
def sealed(project, provider):
    """A golden set with a sealed half; both releases miss ten sealed cases, with a text of their own."""
    project.write("desk_app.py", project.application)
    cases = project.numbered(N)
    for i, case in enumerate(cases):
        case["tags"] = {"area": "a" if i % 2 else "b"}
    project.suite("golden", cases, GATES)
    path = project.path / "golden_sets/golden/suite.yaml"
    path.write_text(path.read_text().replace("trials: 1\n", ""))
    project.write("production.yaml", project.live("answerer-1", version="1.0.0"))
    project.write("candidate.yaml", project.live("answerer-2", baseline="production.yaml"))
    suite = load_suite(path, golden_sets=project.path / "golden_sets")
    project.hidden = sorted(sealed_ids(suite))
    provider.wrong["answerer-2"] = {f"question {i[1:]}" for i in project.hidden[:6]}
    provider.suffix = ""
    return project


@pytest.mark.parametrize("mode", [("-v",), ("-rA",), ("-n", "2", "-v")])
def test_no_sink_tells_what_became_of_a_sealed_case(sealed, provider, mode):
    result = sealed.spawn(*mode, "--junitxml=junit.xml", "-p", "cacheprovider")
    shown = sealed.text(result)
    card = sealed.scorecard()
    hidden = len(sealed.hidden)
    assert 40 <= hidden <= 80
    assert card["cases"]["sealed"] == hidden
    assert card["cases"]["regressed"] == card["cases"]["miss"] == 0
    assert card["cases"]["hit"] == N - hidden
    assert card["worst"] == []
    for name in sealed.hidden[:6]:
        assert f"::{name} REGRESSED" not in shown
        assert f"::{name} MISS" not in shown
        number = name[1:]
        for path in (sealed.path / "reports").rglob("scorecard.*"):
            assert f"question {number}" not in path.read_text()
    for case in ElementTree.parse(sealed.path / "junit.xml").getroot().iter("testcase"):
        found = {p.get("name"): p.get("value") for p in case.iter("property")}
        if case.attrib["name"] in sealed.hidden:
            assert found == {"relgate.outcome": "sealed"}
            assert not [*case.iter("failure"), *case.iter("skipped")]
    if "-v" in mode:
        assert shown.count(" SEALED ") == hidden
    cache = sealed.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    assert not cache.exists() or not any(name in cache.read_text() for name in sealed.hidden)


def test_the_gate_counts_them_and_guards_do_not(sealed, provider):
    sealed.run()
    required, guard = sealed.scorecard()["gates"]
    hidden = len(sealed.hidden)
    assert (required["n"], guard["n"]) == (N, N - hidden)
    assert required["estimate"] == pytest.approx(-6 / N)
    assert guard["estimate"] == 1.0
    assert any(
        f"golden: {hidden} of {N} cases are sealed; nothing was shown since the baseline was set" in note
        for note in sealed.scorecard()["notes"]
    )
    slices = [m for m in sealed.scorecard()["suites"][0]["metrics"] if m["slice"]]
    assert sum(m["n"] for m in slices if m["metric"] == "exact") == N - hidden


def _relgate(project, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "relgate", *arguments],
        cwd=project.path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_registry_holds_no_text_of_them_and_commands_refuse_them(sealed, provider):
    sealed.run()
    run = sealed.scorecard()["run"]["id"]
    name = sealed.hidden[0]
    stored = sealed.registry.read_bytes()
    assert f'question {name[1:]}"'.encode() not in stored
    with sqlite3.connect(sealed.registry) as connection:
        rows = connection.execute(
            "select c.input, c.expected, c.outcome, r.output from cases c join responses r "
            "on r.run = c.run and r.case_number = c.number where c.case_id = ?",
            (name,),
        ).fetchall()
    assert rows
    assert set(rows) == {("", "", "sealed", "")}
    shown = _relgate(sealed, "show", run, name)
    assert shown.returncode == 1
    assert f"case {name!r} is sealed" in shown.stderr
    added = _relgate(
        sealed,
        "incident",
        "add",
        "--run",
        run,
        "--case",
        name,
        "--suite",
        "golden",
        "--expected",
        "x",
        "--force",
    )
    assert added.returncode == 1
    assert "is sealed, and nobody may know what became of it" in added.stderr


def test_a_screen_asks_the_open_cases_only(sealed, provider):
    sealed.run("--screen")
    asked = {text.split()[-1] for model, text in provider.asked if model == "answerer-2"}
    assert {name[1:] for name in sealed.hidden} & asked == set()
    assert len(asked) == N - len(sealed.hidden)


def test_once_open_cases_were_shown_the_sealed_half_alone_proves(sealed, provider):
    shown = next(f"question {i}" for i in range(N) if f"c{i}" not in sealed.hidden)
    provider.wrong["answerer-2"].add(shown)
    assert sealed.run("--screen").ret in (0, 10)
    sealed.run()
    required, _ = sealed.scorecard()["gates"]
    assert required["n"] == len(sealed.hidden)
    assert any("so the sealed ones alone prove non-inferiority" in n for n in sealed.scorecard()["notes"])


def test_a_new_case_or_a_new_wording_makes_no_shown_case_unseen(sealed, provider):
    shown = next(f"question {i}" for i in range(N) if f"c{i}" not in sealed.hidden)
    provider.wrong["answerer-2"].add(shown)
    sealed.run("--screen")
    path = sealed.path / "golden_sets/golden/cases.jsonl"
    first, *rest = path.read_text().splitlines()
    more = json.dumps(json.loads(first) | {"id": "added", "input": "question 7000", "expected": "7000"})
    path.write_text("\n".join([first.replace("question", "Question"), *rest, more]) + "\n")
    sealed.run()
    assert sealed.scorecard()["verdict"]["attempts"] == 1
    required, _ = sealed.scorecard()["gates"]
    assert len(sealed.hidden) <= required["n"] <= len(sealed.hidden) + 1


INTERRUPTED = """
reports = []

def pytest_runtest_logreport(report):
    reports.append(report)
    if len(reports) == 30:
        raise KeyboardInterrupt
"""


@pytest.mark.parametrize("kind", ["deterministic", "recorded"])
def test_what_an_interrupted_run_showed_is_known_whatever_asks(sealed, provider, kind):
    first = sealed.live("answerer-3", version="1.0.9", baseline="production.yaml")
    if kind == "recorded":
        rows = [{"case_id": f"c{i}", "output": "1"} for i in range(N)]
        sealed.write("answers.jsonl", sealed.lines(rows))
        application = "{recording: answers.jsonl}"
        first = sealed.manifest(application, version="1.0.9", baseline="production.yaml")
    sealed.write("first.yaml", first)
    sealed.write("conftest.py", INTERRUPTED)
    assert sealed.spawn("-p", "no:xdist", manifest="first.yaml").ret == 2
    sealed.write("conftest.py", "")
    sealed.run()
    required, _ = sealed.scorecard()["gates"]
    assert required["n"] == len(sealed.hidden)
    assert sealed.scorecard()["verdict"]["attempts"] == 1


def test_a_half_that_was_shown_while_the_suite_was_open_is_no_sealed_half(sealed, provider):
    path = sealed.path / "golden_sets/golden/suite.yaml"
    text = path.read_text()
    path.write_text(text.replace("sealed: true\n", "trials: 1\n"))
    provider.wrong = {"answerer-3": {f"question {name[1:]}" for name in sealed.hidden[:20]}}
    sealed.write("first.yaml", sealed.live("answerer-3", version="1.0.9", baseline="production.yaml"))
    sealed.run(manifest="first.yaml")
    shutil.rmtree(sealed.path / "reports")
    path.write_text(text)
    sealed.run("--full")
    assert any("so it counts as a suite without one" in note for note in sealed.scorecard()["notes"])
    required, _ = sealed.scorecard()["gates"]
    assert required["n"] == N
    assert sealed.scorecard()["verdict"]["reason"].endswith("; a promote on a tuned set")


def test_a_promote_after_a_screen_is_on_a_tuned_set_only_without_a_sealed_half(sealed, provider):
    provider.wrong = {"answerer-2": {"question 1000"}}
    path = sealed.path / "golden_sets/golden/suite.yaml"
    sealed.run("--screen")
    assert sealed.run().ret == 0
    assert "tuned set" not in sealed.scorecard()["verdict"]["reason"]
    path.write_text(path.read_text().replace("sealed: true\n", ""))
    provider.wrong["answerer-2"] = {"question 7"}
    sealed.run("--screen")
    provider.wrong["answerer-2"] = set()
    assert sealed.run().ret == 0
    assert sealed.scorecard()["verdict"]["reason"].endswith("; a promote on a tuned set")


def test_a_node_id_of_a_sealed_case_tells_nothing(sealed, provider):
    result = sealed.run(f"golden_sets/golden/cases.jsonl::{sealed.hidden[0]}")
    assert result.ret == 10
    [path] = (sealed.path / "reports").glob("*/*.json")
    card = json.loads(path.read_text())
    assert card["suites"][0]["metrics"] == []
    assert card["cases"] == card["cases"] | {"regressed": 0, "miss": 0, "sealed": 1}


@pytest.mark.parametrize("kind", ["safety", "fallback"])
def test_only_golden_suites_are_sealed(sealed, kind):
    path = sealed.path / "golden_sets/golden/suite.yaml"
    path.write_text(path.read_text().replace("kind: golden", f"kind: {kind}"))
    result = sealed.run()
    assert result.ret == 4
    assert "'sealed' goes with kind golden only" in sealed.text(result)
