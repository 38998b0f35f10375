"""Every ``--import-mode``: the application, the scorers of a conftest.py and the ordinary tests are found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

CONFTEST = """
def lowered(case, response):
    return response.output.islower()

def relgate_register_scorers(register):
    register("lowered", lowered)
"""
SUITE = (
    "suite: small\nkind: golden\ntrials: 1\nscorers: [lowered]\ngates: [{metric: lowered, at_least: 0.5}]\n"
)
ORDINARY = "import desk_app\ndef test_it(): assert callable(desk_app.build)\n"


@pytest.mark.parametrize("importing", ["prepend", "append", "importlib"])
def test_an_import_mode(
    python_app: Project, provider: Provider, importing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `python -m pytest` puts our own conftest.py before that of the project, which "append" puts last
    others = [path for path in sys.path if not (Path(path) / "conftest.py").exists()]
    monkeypatch.setattr(sys, "path", others)
    python_app.write("golden_sets/small/suite.yaml", SUITE)
    python_app.write("golden_sets/conftest.py", CONFTEST)
    python_app.write("pytest.ini", "[pytest]\npythonpath = .\n")
    for name in ("golden_sets/test_beside.py", "unit/test_ordinary.py"):
        python_app.write(name, ORDINARY)
    result = python_app.run(f"--import-mode={importing}", "golden_sets", "unit")
    assert result.ret == 0, python_app.text(result)
    assert provider.calls == 8
    assert "2 passed" in result.stdout.str().replace("8 hit, ", "")
    assert [gate["metric"] for gate in python_app.scorecard()["gates"]] == ["lowered"]
    assert python_app.decisions == ["promote"]
