"""A conftest.py of the golden sets: what it registers judges, and one that fails is an error of the input."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

SECRET = "sk-proj-" + "a1b2c3d4e5f6g7h8"
BROKEN = {
    "syntax": ("import os\ndef f(:\n", "2:7: cannot be imported, SyntaxError: invalid syntax"),
    "missing": ("import os\nimport no_such_module_of_ours\n", "2:1: cannot be imported, ModuleNotFoundError"),
    "raises": (
        f"import os\ndef f():\n    raise ValueError('a\\n{SECRET} of me@example.com')\nf()\n",
        "3:1: cannot be imported, ValueError: a <KEY> of <EMAIL>",
    ),
    "skips": ("import pytest\n\npytest.importorskip('nowhere_at_all')\n", "3:1: cannot be imported, Skipped"),
    "exits": (f"raise SystemExit('{SECRET}')\n", "1:1: cannot be imported, SystemExit: <KEY>"),
}


def relgate(project: Project, *args: str) -> str:
    command = [sys.executable, "-m", "relgate", *args]
    done = subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("flags", [(), ("-n", "2")], ids=["serial", "n2"])
@pytest.mark.parametrize("folder", ["golden_sets", "golden_sets/small"])
@pytest.mark.parametrize("kind", BROKEN)
def test_one_that_cannot_be_imported_is_one_line(
    recording: Project, kind: str, folder: str, flags: tuple[str, ...]
) -> None:
    content, line = BROKEN[kind]
    recording.write(f"{folder}/conftest.py", content)
    result = recording.judge(flags, *flags)
    shown = recording.text(result)
    assert result.ret == 4, shown
    assert f"ERROR: {folder}/conftest.py:{line}" in shown
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown
    assert SECRET not in shown
    assert "me@example.com" not in shown
    assert recording.rows("runs") == []


@pytest.mark.parametrize("kind", ["syntax", "missing", "raises"])
def test_naming_the_folder_changes_nothing(recording: Project, kind: str) -> None:
    content, line = BROKEN[kind]
    recording.write("golden_sets/conftest.py", content)
    result = recording.run("golden_sets")
    assert result.ret == 4
    assert f"ERROR: golden_sets/conftest.py:{line}" in recording.text(result)
    assert "Traceback" not in recording.text(result)
    assert SECRET not in recording.text(result)


def test_the_other_problems_are_named_with_it_as_validate_does(recording: Project) -> None:
    recording.write("golden_sets/conftest.py", BROKEN["syntax"][0])
    recording.write("golden_sets/small/conftest.py", BROKEN["missing"][0])
    recording.suite("small", recording.numbered(), "gates:\n  - {metric: exact, at_leest: 0.5}\n")
    recording.write(
        "candidate.yaml", recording.manifest("{recording: answers.jsonl}").replace("owner", "ownr")
    )
    result = recording.run()
    assert result.ret == 4
    said = result.stderr.str().splitlines()
    problems = [line for line in said if line.startswith(("candidate.yaml:", "golden_sets/"))]
    assert said[0] == f"ERROR: {len(problems)} problems in 4 files"
    checked = relgate(recording, "validate").splitlines()
    assert [
        line.removeprefix("error: ") for line in checked if "error: " in line or ".yaml:" in line
    ] == problems


REGISTERS = {
    "taken": (
        "register('exact', lambda case, r: 1)",
        "registers the scorer 'exact', which relgate registered before",
    ),
    "raises": ("raise ValueError('no table')", "relgate_register_scorers fails, ValueError: no table"),
    "signature": ("register.factory('x', lambda o: 1)", "registers the scorer 'x', it must be a function"),
}


@pytest.mark.parametrize("folder", [".", "golden_sets"])
@pytest.mark.parametrize("kind", REGISTERS)
def test_a_wrong_registration_hides_nothing_and_comes_alike_from_validate(
    recording: Project, kind: str, folder: str
) -> None:
    line, said = REGISTERS[kind]
    recording.write(f"{folder}/conftest.py", f"def relgate_register_scorers(register):\n    {line}\n")
    recording.write(
        "golden_sets/small/conftest.py", "import os\n\ndef relgate_register_scorer(register):\n    pass\n"
    )
    recording.write(
        "golden_sets/small/suite.yaml",
        "suite: small\nkind: golden\nscorers: [exact, of_the_project, {contains: {anny: true}}]\n",
    )
    recording.write(
        "candidate.yaml", recording.manifest("{recording: answers.jsonl}").replace("owner", "ownr")
    )
    result = recording.spawn()
    assert result.ret == 4
    problems = result.stderr.str().splitlines()[1:-1]
    prefix = "" if folder == "." else "golden_sets/"
    own = [one for one in problems if one.startswith(f"{prefix}conftest.py:2:1: {said}")]
    assert len(own) == 1, problems
    assert (
        "golden_sets/small/conftest.py:3:1: relgate_register_scorer is no hook of relgate, "
        "did you mean relgate_register_scorers?"
    ) in problems
    others = [one for one in problems if "conftest.py" not in one]
    assert [one.partition(" ")[0] for one in others] == [
        "candidate.yaml:1:1:",
        "candidate.yaml:4:1:",
        "golden_sets/small/suite.yaml:3:46:",
    ]
    checked = [line.removeprefix("error: ") for line in relgate(recording, "validate").splitlines()]
    assert checked == problems


def test_a_scorer_of_the_golden_sets_judges(recording: Project) -> None:
    recording.write(
        "golden_sets/beside.py", "def lowered(case, response):\n    return response.output.islower()\n"
    )
    recording.write(
        "golden_sets/conftest.py",
        "import beside\ncount = 0\n"
        "def relgate_register_scorers(register):\n    register('lowered', beside.lowered)\n",
    )
    recording.write(
        "golden_sets/small/suite.yaml",
        "suite: small\nkind: golden\nscorers: [lowered]\ngates:\n  - {metric: lowered, at_least: 0.5}\n",
    )
    assert recording.spawn().ret == 0
    assert [gate["metric"] for gate in recording.scorecard()["gates"]] == ["lowered"]


def test_it_is_imported_once(recording: Project) -> None:
    recording.write(
        "golden_sets/conftest.py", "with open('imported.txt', 'a') as file:\n    file.write('x')\n"
    )
    assert recording.spawn().ret == 0
    assert (recording.path / "imported.txt").read_text() == "x"


def test_noconftest_reads_none(recording: Project) -> None:
    recording.write("golden_sets/conftest.py", BROKEN["syntax"][0])
    assert recording.run("--noconftest").ret == 0


def test_a_required_gate_without_a_score_does_not_pass_because_nothing_changed(recording: Project) -> None:
    recording.write(
        "golden_sets/conftest.py",
        "def broken(case, response):\n    raise KeyError('no such field')\n\n\n"
        "def relgate_register_scorers(register):\n    register('broken', broken)\n",
    )
    recording.write(
        "golden_sets/small/suite.yaml",
        "suite: small\nkind: golden\nscorers: [broken]\ngates:\n"
        "  - {metric: broken, non_inferior: {margin: 0.5}}\n",
    )
    candidate = (recording.path / "candidate.yaml").read_text()
    recording.write("production.yaml", candidate.replace('"1.1.0"', '"1.0.0"').replace("1.1.0", "1.0.0"))
    recording.write("candidate.yaml", candidate.replace("baseline: none", "baseline: production.yaml"))
    assert recording.spawn().ret == 10
    [gate] = recording.scorecard()["gates"]
    assert gate["result"] == "error"
    assert "its scorer failed on each: KeyError" in gate["message"]
