"""The percentage of a run with cases, gates and ordinary tests rises to 100 and never falls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

ORDINARY = "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_ordinary(n): pass\n"
SELECTIONS = {
    "cases": ("golden_sets",),
    "cases-first": ("golden_sets", "test_ordinary.py"),
    "ordinary-first": ("test_ordinary.py", "golden_sets"),
}


def percentages(result: pytest.RunResult) -> list[int]:
    return [int(number) for number in re.findall(r"\[ *(\d+)%\]", result.stdout.str())]


@pytest.mark.parametrize("flags", [(), ("-n", "2")], ids=["serial", "n2"])
@pytest.mark.parametrize("verbose", [(), ("-v",)], ids=["dots", "v"])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_it_rises_to_100(
    recording: Project, selection: str, verbose: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    recording.write("test_ordinary.py", ORDINARY)
    shown = percentages(recording.judge(flags, *SELECTIONS[selection], *verbose, *flags))
    assert shown == sorted(shown)
    assert shown[-1] == 100
    if verbose:
        reports = 8 + 1 + (9 if selection != "cases" else 0)
        assert shown[:-1] == [100 * n // reports for n in range(1, reports)], "gates count from the start"


@pytest.mark.parametrize("flags", [(), ("-n", "2")], ids=["serial", "n2"])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_cases_of_a_stored_verdict_are_not_counted(
    recording: Project, selection: str, flags: tuple[str, ...]
) -> None:
    recording.write("test_ordinary.py", ORDINARY)
    assert recording.run().ret == 0
    result = recording.judge(flags, *SELECTIONS[selection], "-v", *flags)
    assert "8 not needed" in result.stdout.str()
    assert "cases.jsonl" not in result.stdout.str(), "nothing is printed of what is not run"
    reports = 1 + (9 if selection != "cases" else 0)
    assert percentages(result) == [100 * n // reports for n in range(1, reports + 1)]


def test_a_worker_that_replaces_a_killed_one_does_not_set_it_back(recording: Project) -> None:
    dies = "import os, pytest\n@pytest.mark.parametrize('n', range(9))\n"
    recording.write("test_ordinary.py", dies + "def test_ordinary(n): n == 2 and os.kill(os.getpid(), 9)\n")
    shown = percentages(recording.spawn("-n", "1", "-v", "golden_sets", "test_ordinary.py"))
    assert shown == sorted(shown)
    assert shown[-1] == 100


def test_xdist_says_how_many_tests_its_workers_run_on_a_line_of_its_own(
    python_app: Project, provider: Provider
) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    result = python_app.spawn("-n", "2", "golden_sets", "test_ordinary.py")
    assert result.ret == 0
    assert provider.calls == 8
    lines = result.stdout.str().splitlines()
    assert "2 workers [9 items]" in lines
    assert "." * 8 in lines
