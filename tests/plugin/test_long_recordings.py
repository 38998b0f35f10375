"""A long recorded suite that stays in its files reports through pytest what one in memory reports."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

import relgate.plugin.items as items
from relgate.files import jsonl
from relgate.store import suites
from relgate.usecases.measuring.long_suites import long_suite
from relgate.usecases.reporting import registry_rows

if TYPE_CHECKING:
    from conftest import Project

FILE = "golden_sets/small/cases.jsonl"
MODULES = (jsonl, long_suite, registry_rows, suites)
WHEN = re.compile(r"\d+\.\d+s|\d{8}-\d{6}-[0-9a-f]{6}|\d{4}-\d\d-\d\d[T ][\d:.+Z]+|(?<=reports/)\w+|\w+\.xml")


@pytest.fixture(params=["", "never", "true"], ids=["plain", "never", "critical"])
def long(request: pytest.FixtureRequest, recording: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Eight cases in chunks of three: two are missed, one of them critical; one has no answer."""
    for name, value in (("CASE_ITEMS_AT_MOST", 5), ("CHUNK", 3)):
        monkeypatch.setattr(items, name, value)
    for module in MODULES:
        monkeypatch.setattr(module, "LONG_SUITE", module.LONG_SUITE)
    monkeypatch.setattr(long_suite, "AT_ONCE", 2)
    cases = recording.numbered()
    if request.param:
        cases[4]["critical"] = {"true": True, "never": "never"}[request.param]
    recording.suite("small", cases, "gates:\n  - {metric: exact, at_least: 0.2}\n")
    answers = [{"case_id": f"c{n}", "output": f"answer {n}" if n not in (1, 4) else "no"} for n in range(7)]
    recording.write("answers.jsonl", recording.lines(answers))
    return recording


def told(project: Project, name: str, *options: str) -> dict[str, object]:
    """Everything that a reader sees of a run, without times and names of runs."""
    result = project.run(
        *options, f"--registry={name}.db", f"--report-dir=reports/{name}", f"--junitxml={name}.xml"
    )
    cases = ElementTree.parse(project.path / f"{name}.xml").iter("testcase")
    last = project.path / ".pytest_cache/v/cache/lastfailed"
    return {
        "status": result.ret,
        "output": [
            WHEN.sub("", line).replace(f" --registry {name}.db", "").strip("= -")
            for line in result.stdout.lines
        ],
        "junit": [
            (case.get("name"), [(p.get("name"), p.get("value")) for p in case.iter("property")], len(case))
            for case in cases
        ],
        "last failed": json.loads(last.read_text()) if last.exists() else None,
    }


@pytest.mark.parametrize(
    "runs",
    [
        [["-v", "-rA"], ["--lf", "-v"], ["-v"]],
        [["-q"], ["--ff"]],
        [["-k", "c1 or c2"], [f"{FILE}::c4"], [f"{FILE}::cases[4-6]"]],
        [["--deselect", f"{FILE}::c0"], ["--co", "-q"], [f"{FILE}::c3", f"{FILE}::cases[7-8]", "-v"]],
        [["-x"], ["--maxfail=1", "-v"]],
    ],
    ids=lambda runs: " / ".join(" ".join(options) for options in runs),
)
def test_every_report_is_that_of_a_suite_in_memory(
    long: Project, monkeypatch: pytest.MonkeyPatch, runs: list[list[str]]
) -> None:
    cache = long.path / ".pytest_cache/v/cache/lastfailed"
    found = []
    for name, lines in (("memory", 10_000), ("files", 5)):
        for module in MODULES:
            monkeypatch.setattr(module, "LONG_SUITE", lines)
        cache.unlink(missing_ok=True)
        found.append([told(long, name, *options) for options in runs])
    for in_memory, in_files, options in zip(*found, runs, strict=True):
        assert in_files == in_memory, options


def test_a_file_that_changes_while_it_is_judged_ends_the_run_without_a_verdict(
    long: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in MODULES:
        monkeypatch.setattr(module, "LONG_SUITE", 5)
    long.write(
        "conftest.py",
        "import pathlib\n"
        "def pytest_collection_finish():\n"
        f"    path = pathlib.Path({FILE!r})\n"
        "    path.write_text(path.read_text().replace('question 7', 'question 8'))\n",
    )
    result = long.run()
    assert result.ret == 3
    assert "cases.jsonl changed while it was judged; run again; no verdict" in result.stdout.str()
    assert long.decisions == []
