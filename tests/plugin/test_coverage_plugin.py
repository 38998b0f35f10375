"""pytest-cov counts what an application runs in relgate's threads, and its limit keeps its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Crowd, Project, Provider

COVERAGE = ("--cov=desk_app", "--cov-report=json", "--cov-report=term")


@pytest.mark.parametrize(
    ("mode", "least", "status"), [((), 100, 1), (("-n", "2"), 80, 0)], ids=["fails", "holds-n2"]
)
def test_coverage_of_the_application(
    python_app: Project, provider: Provider, crowd: Crowd, mode: tuple[str, ...], least: int, status: int
) -> None:
    python_app.write("desk_app.py", python_app.application + "\n\ndef never():\n    return 1\n")
    python_app.write("test_ordinary.py", "def test_good(): pass\n")
    result = crowd.run(
        python_app, *mode, *COVERAGE, f"--cov-fail-under={least}", "golden_sets", "test_ordinary.py"
    )
    shown = result.stdout
    assert result.returncode == status, shown + result.stderr
    assert provider.calls == 8
    assert python_app.rows("verdicts", "decision, exit_status") == [("promote", 0)]
    assert "PROMOTE  desk@1.1.0" in shown
    [measured] = json.loads((python_app.path / "coverage.json").read_text())["files"].values()
    missing = [measured["missing_lines"], measured["summary"]["covered_lines"]]
    source = (python_app.path / "desk_app.py").read_text().splitlines()
    assert missing == [[source.index("    return 1") + 1], 11]
    assert ("Required test coverage of 100% not reached" in shown) is (status == 1)
