"""Long case files and recordings stay where they are, and say what short ones say, their errors too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relgate.decision.duplicates import duplicated, unit_count
from relgate.domain.case_set import CaseSet
from relgate.domain.errors import FileChanged, InputError
from relgate.domain.long_cases import LongCases
from relgate.files import jsonl, load_recording
from relgate.files.long import lines as long_lines
from relgate.files.long.recording_file import RecordingFile
from relgate.files.suites import read_suite

SUITE = "suite: s\nkind: golden\nscorers: [contains]\nslices: [lang]\n"
PLAIN = [
    {
        "id": f"c{n:02}",
        "input": f"what: {n}?",
        "expected": f"a {n}",
        "tags": {"lang": "de" if n % 3 else "en"},
    }
    for n in range(12)
]


@pytest.fixture(autouse=True)
def short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LONG_SUITE", 5)
    monkeypatch.setattr(long_lines, "BLOCK_BYTES", 200)


def write(folder: Path, lines: list[str], suite: str = SUITE, **others: str) -> Path:
    (folder / "suite.yaml").write_text(suite)
    (folder / "cases.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    for name, text in others.items():
        (folder / f"{name}.jsonl").write_text(text)
    return folder / "suite.yaml"


def both(path: Path):
    """The suite with its cases in memory, and with them left in their file where that is possible."""
    short, long = (read_suite(path, golden_sets=path.parent, long=long) for long in (False, True))
    assert not isinstance(short.cases, LongCases)
    return short, long


def lines(rows=PLAIN) -> list[str]:
    return [json.dumps(row, ensure_ascii=False) for row in rows]


SOUND = {
    "plain": lines(),
    "no newline at the end, and blank lines": ["", *lines(), "  \t\r", "\u00a0", ""],
    "a byte order mark": ["\ufeff" + lines()[0], *lines()[1:]],
    "carriage returns": [f"{line}\r" for line in lines()],
    "not in the order of ids": lines()[::-1],
    "spaces and escapes": [line.replace(": ", " : ").replace("what", "w\\u0068at\\n") for line in lines()],
    "strange ids": lines([{**row, "id": f"größe {row['id']} @x"} for row in PLAIN]),
    "everything that a case may hold": lines(
        [
            {
                "id": f"c{n}",
                "input": [{"role": "user", "content": "Hi"}] if n % 2 else None,
                "expected": [{"tool": "t", "arguments": {"n": 1e30, "m": -0.0}}, None, 12345678901234567890],
                "tags": {"lang": n % 2 == 0, "level": n, "share": n / 7},
                "cluster": n // 3 if n > 2 else None,
                "critical": [True, False, "never"][n % 3],
                "source": "chat",
                "pair": "p",
            }
            for n in range(9)
        ]
    ),
    "the same inputs": lines(
        [{**row, "input": [" Who ", "who", "WHO  are"][n % 3]} for n, row in enumerate(PLAIN)]
    ),
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_a_long_file_holds_the_cases_of_a_short_one(tmp_path, text):
    short, long = both(write(tmp_path, text))
    assert short.problems == long.problems == ()
    assert isinstance(long.cases, LongCases)
    assert tuple(long.cases) == short.cases
    assert [long.cases[n] for n in (0, 3, -1)] == [short.cases[n] for n in (0, 3, -1)]
    assert list(long.cases.ids) == [case.id for case in short.cases]
    assert [long.cases.find(case.id) for case in short.cases] == list(range(len(short.cases)))
    assert long.cases.find("c") == -1
    assert long.suite is not None
    assert short.suite is not None
    assert replace(long.suite, cases=tuple(long.suite.cases)) == short.suite
    assert long.expects == short.expects
    assert unit_count(long.suite, long.cases) == unit_count(short.suite, short.cases)
    assert duplicated(long.suite) == duplicated(short.suite)


@pytest.mark.parametrize("tag", ["lang", "level", "nothing"])
@pytest.mark.parametrize("value", ["True", "de", 3, "None"])
def test_cases_with_a_tag_are_found(tmp_path, tag, value):
    text = SOUND["everything that a case may hold"] + lines(PLAIN[10:])
    short, long = both(write(tmp_path, text))
    assert isinstance(long.cases, LongCases)
    wanted = [case for case in short.cases if str(case.tags.get(tag)) == str(value)]
    assert list(long.cases.tagged({tag: value})) == wanted
    assert long.cases.tag_values(tag) == sorted({str(c.tags[tag]) for c in short.cases if tag in c.tags})
    assert list(long.cases.critical) == [case for case in short.cases if case.critical is not False]


WRONG = {
    "an id twice": [*lines(), lines()[0]],
    "a key twice": [*lines(), '{"id": "x", "input": "a", "input": "b"}'],
    "a tag twice": [*lines(), '{"id": "x", "input": "a", "tags": {"lang": "de", "lang": "en"}}'],
    "bad JSON": [*lines(), '{"id": "x", }'],
    "no number": [*lines(), '{"id": "x", "expected": NaN}'],
    "a number too large": [*lines(), '{"id": "x", "tags": {"lang": 1e999}}'],
    "no object": [*lines(), "[1]"],
    "an unknown key": [*lines(), '{"id": "x", "inptu": "a"}'],
    "no id": [*lines(), '{"input": "a"}'],
    "an id that is no name": [*lines(), '{"id": "a::b", "input": "a"}'],
    "half a character": [*lines(), '{"id": "x", "input": "\\ud83d"}'],
    "no UTF-8": [*lines(), '{"id": "x", "input": "\ud83d"}'],
    "a NUL": [*lines(), '{"id": "x", "input": "\0"}'],
    "wrong values": [*lines(), '{"id": 1, "input": 2, "tags": {"a": []}, "critical": 1, "cluster": true}'],
    "nothing": [" "] * 9,
    "nested too deep": [*lines(), '{"id": "x", "expected": ' + "[" * 5000 + "]" * 5000 + "}"],
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_long_file_is_said_as_of_a_short_one(tmp_path, text):
    short, long = both(write(tmp_path, text))
    assert short.problems
    assert long.problems == short.problems
    assert long.cases == short.cases


def test_an_id_of_a_regression_case_is_used_once_over_both_files(tmp_path):
    short, long = both(write(tmp_path, lines(), regressions='{"id": "c03", "input": "again"}\n'))
    assert "duplicate id" in str(short.problems)
    assert long.problems == short.problems


@pytest.mark.parametrize(
    ("suite", "others"),
    [
        (SUITE.replace("golden", "safety"), {}),
        (SUITE + "sealed: true\n", {}),
        (SUITE, {"labels": '{"case_id": "c01", "side": "candidate", "score": 1, "by": "ann"}\n'}),
    ],
)
def test_what_must_be_looked_at_one_by_one_is_held_in_memory(tmp_path, suite, others):
    rows = [{**row, "tags": {**row["tags"], "harmful": True}} for row in PLAIN]
    short, long = both(write(tmp_path, lines(rows), suite, **others))
    assert not isinstance(long.cases, LongCases)
    assert long.suite == short.suite


@pytest.mark.parametrize("change", ["another word", "gone", "shorter"])
def test_a_file_that_changes_meanwhile_is_an_error(tmp_path, change):
    _, long = both(write(tmp_path, lines()))
    file = tmp_path / "cases.jsonl"
    if change == "gone":
        file.unlink()
    else:
        file.write_text(file.read_text().replace("what: 7", "whaT: 7") if change == "another word" else "{}")
    with pytest.raises(FileChanged, match=r"cases\.jsonl changed while it was judged; run again"):
        list(long.cases)


def test_two_ids_that_share_a_hash_are_told_apart_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("relgate.files.long.case_scan.hash", lambda value: 7, raising=False)
    short, long = both(write(tmp_path, lines()[::-1]))
    assert not isinstance(long.cases, LongCases)
    assert long.suite == short.suite


ANSWERS = [
    {"case_id": f"c{n:02}", "trial": trial, "output": f"a {n}", "scores": {"judge": n / 20}}
    for n in range(6)
    for trial in range(2)
]


@pytest.mark.parametrize("order", [1, -1])
def test_a_long_recording_holds_the_answers_of_a_short_one(tmp_path, monkeypatch, order):
    rows = [
        *ANSWERS,
        {"case_id": "c09", "error": "boom", "latency_ms": 3},
        {"case_id": "other", "output": "x"},
    ]
    file = tmp_path / "r.jsonl"
    file.write_text("\n\n".join(map(json.dumps, rows[::order])))
    long = load_recording(file)
    monkeypatch.setattr(jsonl, "LONG_SUITE", 10_000)
    short = load_recording(file)
    assert isinstance(long, RecordingFile)
    assert isinstance(short, dict)
    assert dict(long) == short
    assert long == short
    assert ("c00", 2) not in long
    assert ("c", 0) not in long


def test_a_long_recording_is_laid_beside_a_long_suite(tmp_path):
    rows = [*ANSWERS[::-1], {"case_id": "other", "output": "x"}]
    (tmp_path / "r.jsonl").write_text("\n".join(map(json.dumps, rows)))
    long = load_recording(tmp_path / "r.jsonl")
    assert isinstance(long, RecordingFile)
    _, suite = both(write(tmp_path, lines()))
    assert isinstance(suite.cases, LongCases)
    found = long.answers(suite.cases)
    assert np.diff(found.first.astype(int)).tolist() == [2] * 6 + [0] * 6
    assert long.case_ids(found.lines) == [f"c{n:02}" for n in range(6) for _ in range(2)]
    assert long.trials[found.lines].tolist() == [0, 1] * 6
    assert long.case_ids(found.strange) == ["other"]


WRONG_ANSWERS = {
    "a trial twice": [*ANSWERS, ANSWERS[3]],
    "no case": [*ANSWERS, {"output": "x"}],
    "a negative number": [*ANSWERS, {"case_id": "x", "tokens": -1}],
    "an endless trial": [*ANSWERS, {"case_id": "x", "trial": 10**30}],
    "nothing": [{}] * 9,
}


@pytest.mark.parametrize("rows", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_what_is_wrong_in_a_long_recording_is_said_as_of_a_short_one(tmp_path, monkeypatch, rows):
    file = tmp_path / "r.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    said = []
    for long in (5, 10_000):
        monkeypatch.setattr(jsonl, "LONG_SUITE", long)
        try:
            said.append(dict(load_recording(file)))
        except InputError as error:
            said.append(error.problems)
    assert said[0] == said[1]


def test_a_set_of_cases_knows_those_of_long_suites_by_number(tmp_path):
    _, long = both(write(tmp_path, lines(), regressions='{"id": "old", "input": "again"}\n'))
    assert long.suite is not None
    everything = CaseSet.of_all([long.suite])
    keys = {("s", case.id) for case in long.suite.all_cases}
    assert everything == keys
    assert set(everything) == keys
    assert len(everything) == 13
    assert everything == CaseSet.chosen([long.suite], keys)
    some = CaseSet.chosen([long.suite], [("s", "c03"), ("s", "old")], [("s", long.suite.cases[8:10])])
    assert set(some) == {("s", name) for name in ("c03", "old", "c08", "c09")}
    assert ("s", "c03") in some
    assert ("s", "c04") not in some
    assert ("t", "c03") not in some
    assert some != everything
    assert everything - some == keys - set(some)


@pytest.mark.parametrize("blank", [False, True], ids=["no blank line", "a blank line"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_lines_are_found_again_one_by_one_and_side_by_side(tmp_path, monkeypatch, blank, start, end):
    monkeypatch.setattr(long_lines, "BLOCK_BYTES", 5000)
    texts = ["ä" * (7 * i % 41 + 300 * (i % 97 == 0)) + f" {i}" for i in range(1500)]
    written = texts[:700] + [""] * blank + texts[700:]
    path = tmp_path / "lines.txt"
    path.write_bytes((start + end.join(written)).encode())
    index = long_lines.LineIndex(path)
    for begin, lines in long_lines.scan(path):
        index.add(begin, lines, [place for place, line in enumerate(lines) if not line.strip()])
    found = index.lines()
    assert len(found) == 1500
    rng = np.random.default_rng(3)
    wanted = [
        np.arange(1500),
        np.arange(250, 262),
        np.array([1499, 0, 256, 255, 257, 1024]),
        np.array([511]),
        rng.permutation(1500)[:300],
        np.array([3, 2, 1], np.uint16),
    ]
    for numbers in wanted:
        assert [line.decode().rstrip("\r") for line in found.read(numbers)] == [
            texts[number] for number in numbers
        ]
