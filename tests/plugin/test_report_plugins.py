"""Cases and gates in the reports of pytest-html, pytest-json-report, teamcity-messages, instafail and sugar.

JUnit of both families, equal under xdist, is in ``test_gates.py``.
"""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Crowd, Project, Provider

FILE = "golden_sets/small/cases.jsonl"
GATES = """gates:
  - {metric: exact, at_least: 0.2}
  - {metric: exact, at_least: 0.5}
  - {metric: exact, at_most: 0.2}
"""
PASSED, HELD, FAILED = (
    f"gates::small[exact:{gate}]" for gate in ("at_least:0.2", "at_least:0.5", "at_most:0.2")
)
REPORTS = ("--html=r.html", "--self-contained-html", "--json-report", "--teamcity", "--junitxml=j.xml")


def in_html(project: Project) -> dict[str, str]:
    """Node id -> what pytest-html calls its result."""
    page = (project.path / "r.html").read_text(encoding="utf-8")
    found = re.search(r'data-jsonblob="(.*?)"></div>', page, re.DOTALL)
    assert found is not None
    tests: dict[str, list[dict[str, Any]]] = json.loads(html.unescape(found.group(1)))["tests"]
    assert {len(results) for results in tests.values()} == {1}
    return {name: results[0]["result"] for name, results in tests.items()}


def in_json(project: Project) -> tuple[dict[str, str], dict[str, Any]]:
    """Node id -> outcome, and the whole report."""
    report = json.loads((project.path / ".report.json").read_text(encoding="utf-8"))
    return {test["nodeid"]: test["outcome"] for test in report["tests"]}, report


def in_teamcity(shown: str) -> dict[str, list[str]]:
    """Test name -> its messages in their order, as TeamCity and PyCharm read them."""
    found: dict[str, list[str]] = {}
    for kind, name in re.findall(r"##teamcity\[(test\w+) .*?name='((?:\|.|[^'|])*)'\]", shown):
        found.setdefault(name, []).append(kind)
    return found


def in_junit(project: Project) -> Counter[str]:
    """How many testcases hold what."""
    cases = ElementTree.parse(project.path / "j.xml").getroot().iter("testcase")
    tags = [[child.tag for child in case if child.tag != "properties"] for case in cases]
    return Counter(tag[0] if tag else "passed" for tag in tags)


@pytest.fixture
def mixed(python_app: Project, provider: Provider) -> Project:
    """Six hits, a miss and a critical miss; a gate of each result; a good and a bad ordinary test."""
    cases = python_app.numbered()
    cases[2]["critical"] = "never"
    python_app.suite("small", cases, GATES)
    provider.wrong["answerer-2"] = {"question 2", "question 5"}
    python_app.write("test_ordinary.py", "def test_good(): pass\ndef test_bad(): assert 0\n")
    return python_app


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["serial", "n2"])
def test_every_report_holds_cases_and_gates(
    mixed: Project, provider: Provider, crowd: Crowd, mode: tuple[str, ...]
) -> None:
    result = crowd.run(mixed, *mode, *REPORTS, "--instafail", "--full", "golden_sets", "test_ordinary.py")
    shown = result.stdout
    assert result.returncode == 1, shown + result.stderr
    assert provider.calls == 8
    assert mixed.decisions == ["reject"]
    assert "3 failed, 1 passed" in shown.replace("6 hit, 1 miss, ", "")

    expected = {f"{FILE}::c{n}": "passed" for n in range(8)} | {
        f"{FILE}::c2": "failed",
        "test_ordinary.py::test_good": "passed",
        "test_ordinary.py::test_bad": "failed",
        PASSED: "passed",
        HELD: "skipped",
        FAILED: "failed",
    }
    assert {name: result.lower() for name, result in in_html(mixed).items()} == expected
    assert in_junit(mixed) == {"passed": 9, "failure": 3, "skipped": 1}

    outcomes, report = in_json(mixed)
    words = {name: "hit" if "::c" in name and word == "passed" else word for name, word in expected.items()}
    assert outcomes == words | {f"{FILE}::c5": "miss", PASSED: "gate passed", HELD: "gate hold"}
    assert report["exitcode"] == 1
    assert report["summary"]["total"] == 13

    messages = in_teamcity(shown)
    middle = {"passed": [], "failed": ["testFailed"], "skipped": ["testIgnored"]}
    assert {name.rpartition(".")[2]: kinds for name, kinds in messages.items() if "jsonl" in name} == {
        f"c{n}": ["testStarted", *(["testFailed"] if n == 2 else []), "testFinished"] for n in range(8)
    }
    gates = {name: kinds for name, kinds in messages.items() if name.startswith("gates.")}
    assert list(gates.values()) == [
        ["testStarted", *middle[expected[name]], "testFinished"] for name in (PASSED, HELD, FAILED)
    ]
    assert len(messages) == 13

    said = "critical case c2 missed its only trial"
    assert shown.index(said) < shown.index("= relgate ="), "instafail shows a failure when it happens"
    assert "= FAILURES =" not in shown


N = 120


def test_cases_that_were_not_needed_are_skipped_in_every_report(
    mixed: Project, provider: Provider, crowd: Crowd
) -> None:
    cases = mixed.numbered(N)
    cases[0]["critical"] = "never"
    mixed.suite("small", cases, "gates:\n  - {metric: exact, non_inferior: {margin: 0.2}}\n")
    mixed.write("production.yaml", mixed.live("answerer-1", version="1.0.0"))
    provider.wrong["answerer-2"] = {"question 0"}
    result = crowd.run(mixed, *REPORTS, "-v", "-rs", "--baseline=production.yaml", "--concurrency=1")
    shown = result.stdout
    assert result.returncode == 1, shown + result.stderr
    assert mixed.decisions == ["reject"]
    ran = provider.calls // 2
    assert 1 <= ran < N
    counts = {"passed": ran, "failed": 1, "skipped": N - ran}  # a case failed, a gate passed
    assert Counter(result.lower() for result in in_html(mixed).values()) == counts
    assert in_junit(mixed) == {"passed": ran, "failure": 1, "skipped": N - ran}
    outcomes = Counter(in_json(mixed)[0].values())
    assert outcomes == {"hit": ran - 1, "failed": 1, "not run": N - ran, "gate passed": 1}
    assert Counter(kinds[1] for kinds in in_teamcity(shown).values()) == {
        "testFinished": ran,
        "testFailed": 1,
        "testIgnored": N - ran,
    }
    assert f" {N - ran} not run" in shown.splitlines()[-1]
    assert " SKIPPED" not in shown
    assert "short test summary" not in shown, "-rs lists no case that was not needed"


def test_sugar(mixed: Project, provider: Provider, crowd: Crowd) -> None:
    result = crowd.run(mixed, "--force-sugar", "--full", "golden_sets", "test_ordinary.py")
    shown = result.stdout
    assert result.returncode == 1, shown + result.stderr
    assert provider.calls == 8
    assert mixed.decisions == ["reject"]
    assert "REJECT  desk@1.1.0" in shown
    counts = re.findall(r"^ +(\d+) (passed|failed|skipped)$", shown, re.MULTILINE)
    assert counts == [("9", "passed"), ("3", "failed"), ("1", "skipped")]
    assert re.search(r"― c2 ―+\ncritical case c2 missed its only trial", shown)
    assert re.search(r"― small\[exact:at_most:0\.2\] ―", shown)
    assert "gates ✓s" in shown


CHUNKS = """
import relgate.plugin.items as items
items.CASE_ITEMS_AT_MOST, items.CHUNK = 5, 3
"""


def test_chunks_are_single_tests_in_every_report(mixed: Project, provider: Provider, crowd: Crowd) -> None:
    mixed.write("conftest.py", CHUNKS)
    result = crowd.run(mixed, *REPORTS, "--instafail", "--full", "--randomly-seed=3")
    shown = result.stdout
    assert result.returncode == 1, shown + result.stderr
    assert provider.calls == 8
    assert mixed.decisions == ["reject"]
    names = [f"{FILE}::cases[{span}]" for span in ("1-3", "4-6", "7-8")]
    found = in_html(mixed)
    assert [found[name].lower() for name in names] == ["failed", "passed", "passed"]
    outcomes, report = in_json(mixed)
    assert [outcomes[name] for name in names] == ["failed", "miss", "hit"]
    assert report["summary"]["total"] == 6
    assert in_junit(mixed) == {"passed": 3, "failure": 2, "skipped": 1}
    kinds = [kinds for name, kinds in in_teamcity(shown).items() if "cases_jsonl" in name]
    assert Counter(kind[-2] for kind in kinds) == {"testFailed": 1, "testStarted": 2}
    last = next(line for line in shown.splitlines() if re.search(r"=+ .* in [\d.]+s", line))
    assert set(re.findall(r"\d+ (?:failed|hit|miss)", last)) == {"2 failed", "6 hit", "1 miss"}
    said = "c2: critical case c2 missed its only trial"
    assert shown.index(said) < shown.index("= relgate ="), "instafail shows a failure when it happens"


def test_sugar_counts_chunks(mixed: Project, provider: Provider, crowd: Crowd) -> None:
    mixed.write("conftest.py", CHUNKS)
    result = crowd.run(mixed, "--force-sugar", "--full")
    assert result.returncode == 1, result.stdout + result.stderr
    assert provider.calls == 8
    assert mixed.decisions == ["reject"]
    assert "REJECT  desk@1.1.0" in result.stdout
    assert re.search(r"― cases\[1-3\] ―+\n1 of 3 cases failed", result.stdout)
