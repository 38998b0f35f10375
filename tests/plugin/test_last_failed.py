"""``--lf`` and its relatives: a miss is what they mean by failed, and they never promote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

FILE = "golden_sets/small/cases.jsonl"


def remembered(project: Project) -> list[str]:
    path = project.path / ".pytest_cache/v/cache/lastfailed"
    return sorted(json.loads(path.read_text())) if path.exists() else []


def text_of(n: int) -> str:
    return f"question {n}"


@pytest.fixture
def missed(python_app: Project, provider: Provider) -> Project:
    """A first run in which c1 and c6 missed."""
    provider.wrong["answerer-2"] = {text_of(1), text_of(6)}
    python_app.run()
    assert remembered(python_app) == [f"{FILE}::c1", f"{FILE}::c6"]
    provider.asked.clear()
    return python_app


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["serial", "n2"])
def test_lf_asks_the_misses_again(missed: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    provider.wrong.clear()
    result = missed.judge(mode, "--lf")
    assert result.ret == 10
    assert {key[1] for key in provider.asked} == {text_of(1), text_of(6)}
    assert provider.calls == 2
    assert missed.decisions[1:] == ["hold"]
    assert remembered(missed) == [], "both hit now"


def test_a_miss_that_misses_again_stays(missed: Project, provider: Provider) -> None:
    provider.wrong["answerer-2"] = {text_of(6)}
    missed.run("--lf")
    assert remembered(missed) == [f"{FILE}::c6"]


def test_what_did_not_run_keeps_its_mark(missed: Project, provider: Provider) -> None:
    provider.wrong.clear()
    missed.run("-k", "c1")
    assert remembered(missed) == [f"{FILE}::c6"]


def test_a_stored_verdict_forgets_no_miss(missed: Project, provider: Provider) -> None:
    before = remembered(missed)
    result = missed.run()
    assert provider.calls == 0
    assert "judged before" in missed.text(result)
    assert remembered(missed) == before


def test_a_failed_gate_is_not_remembered(python_app: Project, provider: Provider) -> None:
    provider.wrong["answerer-2"] = {text_of(n) for n in range(8)}
    assert python_app.run().ret == 1
    assert remembered(python_app) == [f"{FILE}::c{n}" for n in range(8)]


def test_lf_with_an_ordinary_failure(missed: Project, provider: Provider) -> None:
    missed.write("test_ordinary.py", "def test_one(): assert 0\ndef test_two(): pass\n")
    missed.run("golden_sets", "test_ordinary.py", "-k", "test_")
    assert remembered(missed) == [f"{FILE}::c1", f"{FILE}::c6", "test_ordinary.py::test_one"]
    assert missed.run("--lf", "golden_sets", "test_ordinary.py").ret == 1
    assert provider.calls == 2


def test_a_miss_in_an_interrupted_run_is_remembered(python_app: Project, provider: Provider) -> None:
    provider.wrong["answerer-2"] = {text_of(2)}
    python_app.write("test_ordinary.py", "def test_one(): assert 0\n")
    result = python_app.run("-x", "golden_sets", "test_ordinary.py")
    assert result.ret == 1
    assert python_app.decisions == []
    assert remembered(python_app) == [f"{FILE}::c2", "test_ordinary.py::test_one"]


@pytest.mark.parametrize("flag", ["--ff", "--nf"])
def test_an_order_of_pytest_asks_every_case_once(missed: Project, provider: Provider, flag: str) -> None:
    provider.suffix = " "  # the registry holds a verdict of this release, so ask another one
    missed.write("candidate.yaml", missed.live("answerer-3"))
    missed.run(flag)
    assert provider.calls == 8
    assert set(provider.asked.values()) == {1}
    assert missed.scorecard()["verdict"]["partial"] is False


def test_ff_runs_misses_first(missed: Project) -> None:
    missed.write("candidate.yaml", missed.live("answerer-3"))
    shown = missed.run("--ff", "-v").stdout.str()
    order = [line.split("::")[1].split()[0] for line in shown.splitlines() if line.startswith(FILE)]
    assert order == ["c1", "c6", "c0", "c2", "c3", "c4", "c5", "c7"]


def test_stepwise_stops_at_no_miss(python_app: Project, provider: Provider) -> None:
    provider.wrong["answerer-2"] = {text_of(1)}
    assert python_app.run("--sw").ret == 0
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


def test_stepwise_stops_at_a_critical_miss_without_a_verdict(python_app: Project, provider: Provider) -> None:
    cases = python_app.numbered()
    cases[0]["critical"] = "never"
    python_app.suite("small", cases)
    provider.wrong["answerer-2"] = {text_of(0)}
    assert python_app.run("--sw").ret == 2
    assert python_app.decisions == []


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["serial", "n2"])
def test_without_the_cache_plugin(python_app: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    provider.wrong["answerer-2"] = {text_of(1)}
    assert python_app.judge(mode, "-p", "no:cacheprovider").ret == 0
    assert provider.calls == 8
    assert remembered(python_app) == []
