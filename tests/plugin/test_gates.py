"""Gates are tests ``gates::<suite>[<gate>]`` after the last case, with their numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

SERIAL = ("-p", "no:xdist")
PARALLEL = ("-n", "2")
GATES = (
    "gates:\n"
    "  - {metric: exact, at_least: 0.5}\n"
    "  - {metric: exact, at_least: 0.9, role: report}\n"
    "  - {metric: exact, at_least: 0.2, role: guard}\n"
)


def outputs(project: Project, right: int, name: str = "answers.jsonl") -> None:
    rows: list[dict[str, Any]] = [
        {"case_id": f"c{n}", "output": f"answer {n}" if n < right else "wrong"} for n in range(8)
    ]
    project.write(name, project.lines(rows))


@pytest.fixture(params=[SERIAL, PARALLEL], ids=["serial", "n2"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def test_gates_come_after_the_last_case(recording: Project, mode: tuple[str, ...]) -> None:
    recording.suite("second", recording.numbered(), GATES)
    shown = recording.judge(mode, "-v").stdout.str()
    names = [line.split()[0] for line in shown.splitlines() if "::" in line and "%]" in line]
    assert [name.startswith("gates::") for name in names] == [False] * 16 + [True] * 4
    assert "gates::small[exact:at_least:0.5] GATE PASSED" in shown
    assert "gates::second[exact:at_least:0.5] GATE PASSED" in shown


def test_a_failed_gate_has_its_numbers_in_the_failure_text(recording: Project, mode: tuple[str, ...]) -> None:
    outputs(recording, 0)
    result = recording.judge(mode)
    shown = result.stdout.str()
    assert result.ret == 1
    assert "_ small[exact:at_least:0.5] _" in shown
    message = recording.scorecard()["gates"][0]["message"]
    assert f"small[exact:at_least:0.5]: {message}" in shown
    for number in ("0 %", "floor 50 %", "n = 8", "31.2"):
        assert number in message
    assert "FAILED gates::small[exact:at_least:0.5]" in shown
    assert recording.decisions == ["reject"]


@pytest.mark.parametrize(
    ("right", "word", "status"), [(8, "GATE PASSED", 0), (5, "GATE HOLD", 10), (0, "FAILED", 1)]
)
def test_words_of_a_required_gate(recording: Project, right: int, word: str, status: int) -> None:
    outputs(recording, right)
    result = recording.run("-v")
    assert f"gates::small[exact:at_least:0.5] {word}" in result.stdout.str()
    assert result.ret == status


@pytest.mark.parametrize(("right", "floor"), [(8, "PASSED"), (0, "HOLD")])
def test_a_report_is_shown_and_a_first_releases_floor_is_required(
    recording: Project, right: int, floor: str
) -> None:
    recording.suite("small", recording.numbered(), GATES)
    outputs(recording, right)
    shown = recording.run("-v").stdout.str()
    assert "gates::small[exact:at_least:0.9] GATE SHOWN" in shown
    assert f"gates::small[exact:at_least:0.2] GATE {floor}" in shown


SLICED = (
    "slices: [area]\n"
    "gates:\n"
    "  - {metric: exact, at_least: 0.1}\n"
    "  - {metric: exact, by: area, non_inferior: {margin: 0.5}}\n"
)


def test_guards_have_one_word_in_progress_tail_terminal_and_junit(
    recording: Project, mode: tuple[str, ...]
) -> None:
    cases = recording.numbered(44)
    for n, case in enumerate(cases):
        case["tags"] = {"area": "fell" if n < 20 else "same" if n < 42 else "tiny"}
        case["cluster"] = f"article-{min(n, 42)}"
    recording.suite("small", cases, SLICED)

    def answer(n: int, wrong: range) -> dict[str, str]:
        return {"case_id": f"c{n}", "output": "wrong" if n in wrong else f"answer {n}"}

    recording.write("before.jsonl", recording.lines([answer(n, range(0)) for n in range(44)]))
    recording.write("answers.jsonl", recording.lines([answer(n, range(8)) for n in range(44)]))
    recording.write("production.yaml", recording.manifest("{recording: before.jsonl}", version="1.0.0"))
    result = recording.judge(mode, "--baseline=production.yaml", "--junitxml=j.xml")
    shown = result.stdout.str()
    assert result.ret == 10
    words = {"fell": "alarm", "same": "clear", "tiny": "untested"}
    assert re.search(r"(?m)^(gates )?\.*Pacu\b", shown)
    for word in words.values():
        assert f"1 gate {word}" in shown
    assert re.search(r"(?m)^  alarm +guard ", shown)
    assert "alarm: a guard that found harm" in shown
    assert "1 guard clear, 1 guard untested: all gates" in shown
    found = ElementTree.parse(recording.path / "j.xml").getroot().iter("testcase")
    by_name = {case.get("name", ""): properties(case) for case in found}
    raw = {"fell": "hold", "same": "pass", "tiny": "hold"}
    for area, word in words.items():
        [one] = [values for name, values in by_name.items() if f"area={area}" in name]
        assert (one["relgate.result"], one["relgate.shown"]) == (raw[area], word)
    assert by_name["small[exact:at_least:0.1]"]["relgate.shown"] == "passed"


def test_a_gate_of_a_part_is_not_judged_in_every_word(recording: Project, mode: tuple[str, ...]) -> None:
    result = recording.judge(mode, "-k", "c1", "--junitxml=j.xml")
    shown = result.stdout.str()
    assert re.search(r"(?m)^(gates )?p +\[", shown)
    assert "1 gate not judged" in shown
    case = [*ElementTree.parse(recording.path / "j.xml").getroot().iter("testcase")][-1]
    [skipped] = case.iter("skipped")
    assert skipped.get("message") == "not judged: 1 of 8 cases of the suite ran"
    assert properties(case)["relgate.result"] == "partial"
    assert properties(case)["relgate.shown"] == "not judged"


def test_the_verdict_stands_apart_from_failures_before_it(recording: Project) -> None:
    outputs(recording, 0)
    lines = recording.run().stdout.str().splitlines()
    [section] = [n for n, line in enumerate(lines) if line.strip("= ") == "relgate" and "=" in line]
    assert lines[section - 1] == "", "a blank line, as there is one where nothing failed"
    assert lines[section - 2] != ""
    assert lines[section + 1].startswith("REJECT")


def properties(case: Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in case.iter("property")}


def shape(cases: list[Element]) -> list[Any]:
    """Everything of a JUnit file but times."""
    return [
        (
            {k: v for k, v in case.attrib.items() if k != "time"},
            properties(case),
            [(child.tag, child.get("message")) for child in case if child.tag != "properties"],
        )
        for case in cases
    ]


@pytest.mark.parametrize(("family", "right"), [("xunit1", 8), ("xunit2", 5), ("xunit1", 0), ("xunit2", 0)])
def test_junit_has_cases_and_gates_and_is_equal_under_xdist(
    recording: Project, family: str, right: int
) -> None:
    recording.suite("small", recording.numbered(), GATES)
    outputs(recording, right)
    recording.write("pytest.ini", f"[pytest]\njunit_family = {family}\n")
    serial = recording.junit("--registry=1.db", name="serial.xml")
    parallel = recording.junit("-n", "2", "--registry=2.db", name="parallel.xml", spawn=True)
    assert shape(serial) == shape(parallel)
    assert len(serial) == 8 + 3
    assert [case.get("name") for case in serial[:8]] == [f"c{n}" for n in range(8)]
    assert [case.get("name") for case in serial[8:]] == [
        "small[exact:at_least:0.5]",
        "small[exact:at_least:0.9]",
        "small[exact:at_least:0.2]",
    ]
    children = [[child.tag for child in case if child.tag != "properties"] for case in serial]
    assert children[:8] == [[]] * 8, "a miss fails nothing by itself"
    assert children[8] == {8: [], 5: ["skipped"], 0: ["failure"]}[right]


def test_junit_properties(recording: Project) -> None:
    outputs(recording, 5)
    cases = recording.junit()
    assert properties(cases[0]) == {
        "relgate.outcome": "hit",
        "relgate.score.answered": "1",
        "relgate.score.exact": "1",
        "relgate.trial": "1",
    }
    assert properties(cases[7])["relgate.outcome"] == "miss"
    assert properties(cases[7])["relgate.score.exact"] == "0"
    gate = properties(cases[8])
    assert gate["relgate.result"] == "hold"
    assert float(gate["relgate.estimate"]) == 0.625
    assert float(gate["relgate.boundary"]) == 0.5
    assert float(gate["relgate.lower"]) < 0.5 < float(gate["relgate.upper"])
    assert 0 < float(gate["relgate.p"]) < 1
    assert 0 < float(gate["relgate.p_fail"]) < 1, "what would let the gate fail, beside what lets it pass"
    assert gate["relgate.n"] == "8"
    [skipped] = cases[8].iter("skipped")
    assert skipped.get("message", "").startswith("hold: ")


def test_regressed_and_fixed_against_a_baseline(recording: Project, mode: tuple[str, ...]) -> None:
    outputs(recording, 7)
    before = [{"case_id": f"c{n}", "output": f"answer {n}" if n != 2 else "wrong"} for n in range(8)]
    recording.write("before.jsonl", recording.lines(before))
    recording.write("production.yaml", recording.manifest("{recording: before.jsonl}", version="1.0.0"))
    shown = recording.judge(mode, "-v", "--baseline=production.yaml").stdout.str()
    assert "cases.jsonl::c2 FIXED" in shown
    assert "cases.jsonl::c7 REGRESSED" in shown
    assert "cases.jsonl::c3 HIT" in shown
    assert "6 hit, 1 fixed, 1 regressed" in shown


def test_a_missed_critical_case_fails_by_name(python_app: Project, provider: Provider) -> None:
    cases = python_app.numbered()
    cases[3]["critical"] = True
    python_app.suite("small", cases)
    provider.wrong["answerer-2"] = {"question 3"}
    result = python_app.run("-v")
    shown = result.stdout.str()
    assert result.ret == 1
    assert "cases.jsonl::c3 FAILED" in shown
    assert "_ c3 _" in shown
    assert "critical case c3 missed 3 of 3 trials" in shown
    assert provider.asked["answerer-2", "question 3"] == 3, "two more trials confirm a critical miss"
    assert python_app.decisions == ["reject"]


def test_a_suite_and_a_gate_with_dots_keep_their_names(recording: Project) -> None:
    recording.suite("small", recording.numbered())
    path = recording.path / "golden_sets/small/suite.yaml"
    path.write_text(path.read_text().replace("suite: small", "suite: desk.en"))
    assert "gates::desk.en[exact:at_least:0.5] GATE PASSED" in recording.run("-v").stdout.str()


def test_the_verdict_comes_first_in_the_section(recording: Project) -> None:
    shown = recording.run().stdout.str()
    section = [line for line in shown.split(" relgate ===")[1].splitlines()[1:] if line.strip()]
    assert section[0].startswith("PROMOTE  desk@1.1.0")
    assert section[1].startswith("reason")
    assert section[2].startswith("next")


@pytest.mark.parametrize(
    ("flags", "verdict", "gates"),
    [((), 1, True), (("-q",), 1, True), (("-qq",), 1, False), (("-v",), 1, True)],
)
def test_quiet_and_verbose(recording: Project, flags: tuple[str, ...], verdict: int, gates: bool) -> None:
    shown = recording.run(*flags).stdout.str()
    assert shown.count("PROMOTE  desk@1.1.0") == verdict
    assert ("exact:at_least:0.5  100.0 %" in shown) is gates
    assert ("relgate: desk@1.1.0 without a baseline" in shown) is (flags != ("-qq",))


def test_without_a_terminal(recording: Project, mode: tuple[str, ...]) -> None:
    result = recording.judge(mode, "-p", "no:terminal", "--junitxml=j.xml")
    assert result.ret == 0
    assert recording.decisions == ["promote"]
    assert 'tests="9"' in (recording.path / "j.xml").read_text()


def test_before_any_call_each_gate_says_whether_it_can_pass(project: Project) -> None:
    project.suite("small", project.numbered(3))
    project.write(
        "answers.jsonl", project.lines([{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(3)])
    )
    project.write("candidate.yaml", project.manifest("{recording: answers.jsonl}"))
    result = project.run()
    shown = result.stdout.str()
    assert result.ret == 10
    assert shown.index("! small[exact:at_least:0.5] (require) n = 3: cannot pass") < shown.index(
        "cases.jsonl ..."
    )


def test_the_few_cases_that_a_required_metric_says_nothing_of_are_told(recording: Project) -> None:
    rows = recording.numbered()
    for row in rows[:3]:
        del row["expected"]
    recording.suite("small", rows)
    shown = " ".join(recording.text(recording.run()).split())
    assert "small: exact says nothing of 3 of 8 cases, such as c0: they count in no gate on it" in shown
    recording.suite("small", recording.numbered())
    assert "says nothing of" not in recording.text(recording.run())
