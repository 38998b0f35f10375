"""Long names always, short names only with a manifest; other owners keep theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

OWNER = """
def pytest_addoption(parser):
    parser.addoption("{name}", dest="theirs", help="a team's own option")

def pytest_report_header(config):
    return f"theirs={{config.getoption('theirs')}}"
"""
LONG = "--relgate-manifest=candidate.yaml"


def test_the_long_name_judges(recording: Project) -> None:
    result = recording.pytester.runpytest_inprocess("-p", "no:replay", "-p", "no:xdist", LONG)
    assert result.ret == 0
    assert recording.decisions == ["promote"]


def test_a_manifest_in_addopts_judges(recording: Project) -> None:
    recording.write("pytest.ini", "[pytest]\naddopts = --manifest=candidate.yaml -p no:replay -p no:xdist\n")
    assert recording.pytester.runpytest_inprocess().ret == 0
    assert recording.decisions == ["promote"]


def test_a_manifest_in_pytest_addopts_judges(recording: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytester clears PYTEST_ADDOPTS once, when its fixture is made
    monkeypatch.setenv("PYTEST_ADDOPTS", "--manifest=candidate.yaml -p no:replay")
    assert recording.pytester.runpytest_subprocess("-W", "error").ret == 0
    assert recording.decisions == ["promote"]


@pytest.mark.parametrize("name", ["--suite=small", "--advisory", "--full", "--baseline=none", "--trials=2"])
def test_short_names_do_not_exist_without_a_manifest(project: Project, name: str) -> None:
    result = project.pytester.runpytest_inprocess("-p", "no:replay", name)
    assert result.ret == 4
    assert "unrecognized arguments" in project.text(result)


def test_help_shows_both_names_and_the_ini_keys(project: Project) -> None:
    shown = project.text(project.pytester.runpytest_inprocess("-p", "no:replay", "--help"))
    for name in ("--manifest=FILE", "--relgate-manifest=FILE", "--report-dir=DIR", "relgate_golden_sets"):
        assert name in shown


def test_a_conftest_that_owns_suite_keeps_it(recording: Project) -> None:
    recording.write("conftest.py", OWNER.format(name="--suite"))
    result = recording.pytester.runpytest_subprocess("-p", "no:replay", LONG, "--suite=mine")
    shown = recording.text(result)
    assert result.ret == 0
    assert "theirs=mine" in shown
    assert "--suite belongs to" in shown
    assert "use --relgate-suite" in shown
    assert "partial" not in shown


def test_the_long_name_works_beside_another_owner(recording: Project) -> None:
    recording.suite("other", recording.numbered())
    recording.write("conftest.py", OWNER.format(name="--suite"))
    result = recording.spawn("--relgate-suite=small")
    shown = recording.text(result)
    assert result.ret == 10
    assert recording.scorecard()["verdict"]["partial"] is True
    assert "belongs to" not in shown, "nobody used the short name"


def test_a_conftest_that_owns_manifest_keeps_it(recording: Project) -> None:
    recording.write("conftest.py", OWNER.format(name="--manifest"))
    recording.write("test_ordinary.py", "def test_one(): pass\n")
    result = recording.pytester.runpytest_subprocess("-p", "no:replay", "--manifest=theirs.txt")
    shown = recording.text(result)
    assert result.ret == 0
    assert "theirs=theirs.txt" in shown
    assert "--manifest belongs to" in shown
    assert recording.decisions == []
    judged = recording.pytester.runpytest_subprocess("-p", "no:replay", LONG)
    assert judged.ret == 0
    assert recording.decisions == ["promote"]


def test_another_owner_does_not_break_a_run_where_warnings_are_errors(recording: Project) -> None:
    recording.write("conftest.py", OWNER.format(name="--suite"))
    recording.write("pytest.ini", "[pytest]\nfilterwarnings = error\n")
    result = recording.pytester.runpytest_subprocess("-p", "no:replay", LONG, "--suite=mine")
    shown = recording.text(result)
    assert result.ret == 0
    assert "--suite belongs to" in shown
    assert "Traceback" not in shown


@pytest.fixture
def _needs_replay() -> None:
    pytest.importorskip("pytest_replay", reason="pytest-replay is not installed: it owns --replay")


@pytest.mark.usefixtures("_needs_replay")
@pytest.mark.parametrize("name", ["--manifest=candidate.yaml", LONG])
def test_beside_pytest_replay(recording: Project, name: str) -> None:
    result = recording.pytester.runpytest_subprocess("-W", "error", name)
    shown = recording.text(result)
    assert result.ret == 0
    assert "Traceback" not in shown
    assert "belongs to" not in shown
    assert recording.decisions == ["promote"]


@pytest.mark.usefixtures("_needs_replay")
def test_without_a_manifest_pytest_replay_is_untouched(project: Project) -> None:
    project.write("test_ordinary.py", "def test_one(): pass\n")
    project.write("names.txt", '{"nodeid": "test_ordinary.py::test_one", "start": 0.1}\n')
    assert project.pytester.runpytest_subprocess("--replay=names.txt").ret == 0


def test_without_the_plugin_the_options_are_unknown(recording: Project) -> None:
    result = recording.spawn("-p", "no:relgate")
    assert result.ret == 4
    assert "unrecognized arguments: --manifest" in recording.text(result)


def test_without_autoload_the_plugin_can_be_named(
    recording: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = recording.pytester.runpytest_subprocess("-p", "relgate.plugin", "--manifest=candidate.yaml")
    assert result.ret == 0
    assert recording.decisions == ["promote"]
