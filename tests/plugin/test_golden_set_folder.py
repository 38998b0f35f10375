"""Where the golden sets are looked for: option, variable, ini key, default; and the rootdir matrix."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

INI = "[pytest]\naddopts = -p no:replay\n"


def judged(project: Project, *args: str, cwd: Path | None = None) -> str:
    """Run in a folder of the project; the suites that were judged."""
    here = cwd or project.path
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        result = project.pytester.runpytest_inprocess("-p", "no:replay", "-p", "no:xdist", *args)
    shown = project.text(result)
    assert result.ret == 0, shown
    return shown


@pytest.mark.parametrize("ini", [None, "pytest.ini", "tox.ini"])
@pytest.mark.parametrize("manifest", [("--manifest=candidate.yaml",), ("--manifest", "candidate.yaml")])
def test_the_default_lies_where_pytest_was_called(
    recording: Project, ini: str | None, manifest: tuple[str, ...]
) -> None:
    if ini:
        recording.write(ini, INI)
    shown = judged(recording, *manifest)
    assert "small/cases.jsonl" in shown
    assert "warning" not in shown.lower()
    assert recording.registry.exists()


@pytest.mark.parametrize("manifest", [("--manifest=../candidate.yaml",), ("--manifest", "../candidate.yaml")])
def test_from_a_subfolder_of_a_project_the_rootdir_counts(
    recording: Project, manifest: tuple[str, ...]
) -> None:
    recording.write("pytest.ini", INI)
    below = recording.path / "deep"
    below.mkdir()
    shown = judged(recording, *manifest, cwd=below)
    assert "rootdir: " + str(recording.path) in shown
    assert "names a place outside" not in shown
    assert recording.registry.exists()
    assert not (below / "reports").exists()


def test_testpaths_do_not_add_ordinary_tests(recording: Project) -> None:
    recording.write("pytest.ini", INI + "testpaths = tests\n")
    recording.write("tests/test_ordinary.py", "def test_one(): assert 0\n")
    assert "test_ordinary" not in judged(recording, "--manifest=candidate.yaml")


@pytest.fixture
def outside(recording: Project) -> Path:
    """The manifest and its recording in a folder beside the project, which has an ini file."""
    home = recording.path / "home"
    home.mkdir()
    shutil.move(recording.path / "golden_sets", home / "golden_sets")
    recording.write("home/pytest.ini", INI + "markers = ours\n")
    recording.write("releases/place.txt", "")
    for name in ("candidate.yaml", "answers.jsonl"):
        shutil.move(recording.path / name, recording.path / "releases" / name)
    return home


def test_a_manifest_outside_in_one_word_keeps_the_rootdir(recording: Project, outside: Path) -> None:
    shown = judged(recording, "--manifest=../releases/candidate.yaml", cwd=outside)
    assert f"rootdir: {outside}" in shown
    assert "configfile: pytest.ini" in shown
    assert "names a place outside" not in shown
    assert (outside / ".relgate" / "registry.db").exists()


def refused(project: Project, *args: str, cwd: Path | None = None) -> str:
    """Run in a folder of the project; the one line of a refusal, before anything was made."""
    before = everything(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd or project.path)
        result = project.pytester.runpytest_inprocess("-p", "no:replay", "-p", "no:xdist", *args)
    assert result.ret == 4, project.text(result)
    assert everything(project) == before
    [line] = [line for line in result.stderr.lines if line]
    return line


def everything(project: Project) -> set[Path]:
    return {path for path in project.path.rglob("*") if "__pycache__" not in path.parts}


def test_a_manifest_outside_in_two_words_is_refused(recording: Project, outside: Path) -> None:
    line = refused(recording, "--manifest", "../releases/candidate.yaml", cwd=outside)
    assert f"and so {recording.path} for its rootdir instead of {outside}" in line
    assert line.endswith("write --manifest=../releases/candidate.yaml")


@pytest.fixture
def home(recording: Project) -> Path:
    """A project without an ini file in a folder that other projects lie in as well."""
    home = recording.path / "home"
    home.mkdir()
    for name in ("golden_sets", "candidate.yaml", "answers.jsonl"):
        shutil.move(recording.path / name, home / name)
    return home


RECORD = ("--record", "../kept.jsonl")


@pytest.mark.parametrize(
    ("manifest", "remedy"),
    [
        (("--manifest", "candidate.yaml"), ", or put a pytest.ini beside the manifest"),
        (("--manifest=candidate.yaml",), ""),
    ],
    ids=["two", "one"],
)
def test_an_answers_file_outside_in_two_words_is_refused_once_it_exists(
    recording: Project, home: Path, manifest: tuple[str, ...], remedy: str
) -> None:
    judged(recording, *manifest, *RECORD, cwd=home)
    recording.write("kept.jsonl", "")
    line = refused(recording, *manifest, *RECORD, cwd=home)
    assert line.endswith(f"write --record=../kept.jsonl{remedy}")
    judged(recording, *manifest, "--record=../kept.jsonl", cwd=home)
    assert not recording.registry.exists()
    if remedy:
        recording.write("home/pytest.ini", INI)
        judged(recording, *manifest, *RECORD, cwd=home)


def test_the_refusal_comes_before_every_other_error(recording: Project, home: Path) -> None:
    recording.write("kept.jsonl", "")
    recording.write("home/candidate.yaml", recording.manifest("{recording: nowhere.jsonl}"))
    recording.write("conftest.py", "raise RuntimeError\n")
    line = refused(recording, "-W", "error", "--manifest", "candidate.yaml", *RECORD, cwd=home)
    assert "write --record=../kept.jsonl" in line


def test_values_that_move_no_rootdir_may_stand_in_words_of_their_own(recording: Project, home: Path) -> None:
    """They lie within, the parent is the rootdir anyhow, or a rootdir was given."""
    recording.write("kept.jsonl", "")
    inside = ("--report-dir", "reports", "--golden-sets", "golden_sets", "--suite", "small")
    for _ in range(2):
        judged(recording, "--manifest", "candidate.yaml", *inside, cwd=home)
    judged(recording, "--manifest=candidate.yaml", *RECORD, "--rootdir=.", cwd=home)
    judged(recording, "--manifest=candidate.yaml", *RECORD, "..", "golden_sets", cwd=home)
    recording.write("pytest.ini", INI)
    judged(recording, "--manifest", "candidate.yaml", *RECORD, cwd=home)


def test_a_manifest_below_in_two_words_brings_the_rootdir_of_its_own_project(
    recording: Project, home: Path
) -> None:
    recording.write("home/pytest.ini", INI)
    shown = judged(recording, "--manifest", "home/candidate.yaml")
    assert f"rootdir: {home}" in shown
    assert (home / ".relgate" / "registry.db").exists()


def test_a_registry_that_is_found_above_the_rootdir_is_named(recording: Project, home: Path) -> None:
    own = "found above the rootdir"
    assert own not in judged(
        recording, "--manifest=candidate.yaml", "--registry=../.relgate/registry.db", cwd=home
    )
    shown = judged(recording, "--manifest=candidate.yaml", cwd=home)
    assert f"relgate: registry {recording.registry}, found above the rootdir" in shown
    recording.write("home/pytest.ini", INI)
    assert own not in judged(recording, "--manifest=candidate.yaml", cwd=home)


def test_the_manifests_parents_are_searched(recording: Project) -> None:
    recording.write("elsewhere/pytest.ini", INI)
    shown = judged(recording, f"--manifest={recording.path}/candidate.yaml", cwd=recording.path / "elsewhere")
    assert "small/cases.jsonl" in shown


@pytest.fixture
def four(recording: Project) -> Project:
    """Four folders of golden sets, each with a suite of the folder's name."""
    for name in ("by_option", "by_variable", "by_ini"):
        shutil.copytree(recording.path / "golden_sets" / "small", recording.path / name / name)
        path = recording.path / name / name / "suite.yaml"
        path.write_text(path.read_text().replace("suite: small", f"suite: {name}"))
    return recording


@pytest.mark.parametrize(
    ("option", "variable", "ini", "expected"),
    [
        (True, True, True, "by_option"),
        (False, True, True, "by_variable"),
        (False, False, True, "by_ini"),
        (False, False, False, "small"),
    ],
)
def test_option_then_variable_then_ini_then_default(
    four: Project, monkeypatch: pytest.MonkeyPatch, option: bool, variable: bool, ini: bool, expected: str
) -> None:
    four.write("pytest.ini", INI + ("relgate_golden_sets = by_ini\n" if ini else ""))
    if variable:
        monkeypatch.setenv("RELGATE_GOLDEN_SETS", "by_variable")
    judged(four, "--manifest=candidate.yaml", *(["--golden-sets=by_option"] if option else []))
    assert [suite["suite"] for suite in four.scorecard()["suites"]] == [expected]


def test_the_ini_key_counts_from_the_ini_file(four: Project) -> None:
    four.write("pytest.ini", INI + "relgate_golden_sets = by_ini\n")
    below = four.path / "deep"
    below.mkdir()
    judged(four, "--manifest=../candidate.yaml", cwd=below)
    assert [suite["suite"] for suite in four.scorecard()["suites"]] == ["by_ini"]


def test_a_missing_folder_is_a_usage_error(recording: Project) -> None:
    result = recording.run("--golden-sets=nowhere")
    assert result.ret == 4
    assert "ERROR: " in recording.text(result)
    assert "nowhere" in recording.text(result)


def test_another_path_outside_in_two_words_is_refused_too(recording: Project) -> None:
    (recording.path.parent / "elsewhere").mkdir(exist_ok=True)
    registry = recording.path.parent / "elsewhere" / f"{recording.path.name}.db"
    named = ("--manifest=candidate.yaml", "--registry", str(registry))
    shown = judged(recording, *named)  # no such file yet
    assert f"relgate promote --registry {registry} desk@1.1.0" in shown
    assert refused(recording, *named).endswith(f"write --registry={registry}")
