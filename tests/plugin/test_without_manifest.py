"""Without a manifest the plugin costs nothing and changes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

PROBE = """
import json, sys

def test_modules():
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""
THIRD_PARTY = (
    "numpy",
    "scipy",
    "pydantic",
    "yaml",
    "sqlalchemy",
    "alembic",
    "aiohttp",
    "click",
    "msgspec",
    "jinja2",
)


def test_only_three_modules_of_relgate_are_imported(project: Project) -> None:
    project.write("test_probe.py", PROBE)
    result = project.pytester.runpytest_subprocess(
        "-p", "no:xdist", "-p", "no:hypothesispytest", "-p", "no:replay"
    )
    assert result.ret == 0
    modules = json.loads((project.path / "modules.json").read_text())
    ours = [name for name in modules if name.split(".")[0] == "relgate"]
    assert ours == ["relgate", "relgate.plugin", "relgate.plugin.options"]
    assert [name for name in modules if name.split(".")[0] in THIRD_PARTY] == []


def test_the_plugin_itself_needs_the_standard_library_and_pytest() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import relgate.plugin; "
        "print(*sorted({n.split('.')[0] for n in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["relgate"]


@pytest.mark.parametrize("flags", [(), ("-n", "2")])
def test_suites_are_not_collected(recording: Project, flags: tuple[str, ...]) -> None:
    recording.write("test_ordinary.py", "def test_one(): pass\ndef test_two(): assert 0\n")
    result = recording.pytester.runpytest_subprocess("-p", "no:replay", *flags)
    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    assert "relgate:" not in result.stdout.str()
    assert not recording.registry.exists()


def test_a_variable_alone_starts_nothing(recording: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELGATE_MANIFEST", "candidate.yaml")
    recording.write("test_ordinary.py", "def test_one(): pass\n")
    result = recording.pytester.runpytest_subprocess("-p", "no:replay")
    result.assert_outcomes(passed=1)
    assert recording.decisions == []
