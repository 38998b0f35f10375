"""Recordings: what a line becomes, what is wrong with it, and that many lines are read quickly."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from relgate.domain.errors import InputError
from relgate.domain.response import Failure, Response, ToolCall
from relgate.files import load_recording
from relgate.files.jsonl import MOST_PROBLEMS
from relgate.files.reading import in_order


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_line_is_the_outcome_of_a_case_and_trial() -> None:
    Path("r.jsonl").write_text(
        '{"case_id": "a", "output": "o", "served_by": "p/m", "tool_calls": [{"name": "t", "arguments": '
        '{"x": 1}}], "retrieved": ["d"], "scores": {"n": 1, "b": true, "gone": null}, "latency_ms": 3, '
        '"tokens": 7, "cost_usd": 0.1}\n'
        '\n{"case_id": "a", "trial": 1, "error": "boom", "latency_ms": 2}\n'
        '{"case_id": "b", "scores": {"n": 0.5}}\n'
    )
    assert load_recording(Path("r.jsonl")) == {
        ("a", 0): Response(
            "o", (ToolCall("t", {"x": 1}),), ("d",), "p/m", tokens=7, cost_usd=0.1, latency_ms=3.0,
            scores={"n": 1.0, "b": 1.0},
        ),
        ("a", 1): Failure("application", "boom", 2.0),
        ("b", 0): Response("", scores={"n": 0.5}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"case_id": "a", "trail": 1}', "r.jsonl:1:18: unknown key 'trail', did you mean 'trial'?"),
        ('{"output": "x"}', "r.jsonl:1:1: 'case_id' is missing"),
        ('{"case_id": 3}', "r.jsonl:1:13: 'case_id' should be text that is not empty"),
        ('{"case_id": "a", "trial": -1}', "r.jsonl:1:27: 'trial' should be a whole number from 0"),
        (
            '{"case_id": "a", "scores": {"n": "1"}}',
            "r.jsonl:1:28: score 'n' should be a number, true, false or null",
        ),
        ('{"case_id": "a", "scores": {"n": NaN}}', "r.jsonl:1:34: is not JSON, NaN"),
        ('{"case_id": "a", "scores": {"n": 1e999}}', "r.jsonl:1:34: a number too large, 1e999"),
        ('{"case_id": "a", "latency_ms": -1}', "r.jsonl:1:32: 'latency_ms' should be a number from 0"),
        ('{"case_id": "a", "tokens": 1.5}', "r.jsonl:1:28: 'tokens' should be a whole number from 0"),
        (
            '{"case_id": "a", "tool_calls": [{"nam": "x"}]}',
            "r.jsonl:1:32: 'tool_calls' should be a list of {name,",
        ),
        ('{"case_id": "a", "retrieved": "d"}', "r.jsonl:1:31: 'retrieved' should be a list of texts"),
        ('{"case_id": "a", "evidence": [1]}', "r.jsonl:1:30: 'evidence' should be a list of texts"),
        ('{"case_id": "a", "error": 1}', "r.jsonl:1:27: 'error' should be text"),
        ('{"case_id": "a"}\n{"case_id": "a"}', "r.jsonl:2:1: case 'a' trial 0 again, the first is on line 1"),
        ("x", "r.jsonl:1:1: bad JSON, expecting value"),
        ("", "r.jsonl:1:1: is empty"),
    ],
)
def test_the_problem_with_its_place(line: str, problem: str) -> None:
    Path("r.jsonl").write_text(line + "\n")
    with pytest.raises(InputError) as caught:
        load_recording(Path("r.jsonl"))
    assert problem in str(caught.value)


def test_a_hundred_thousand_lines_are_read_within_seconds() -> None:
    row = {"output": "words " * 20, "scores": {"a": 1, "b": 0.5}, "latency_ms": 12.5}
    Path("r.jsonl").write_text(
        "".join(json.dumps({"case_id": f"c{n}", **row}) + "\n" for n in range(100_000))
    )
    start = time.perf_counter()
    assert len(load_recording(Path("r.jsonl"))) == 100_000
    assert time.perf_counter() - start < 10


def test_a_file_that_is_no_recording_is_one_problem() -> None:
    Path("r.jsonl").write_text("".join(f"line {n} of a page\n" for n in range(400)))
    with pytest.raises(InputError) as caught:
        load_recording(Path("r.jsonl"))
    assert str(caught.value) == (
        "r.jsonl:1:1: is no recording: none of its 400 lines is an object with 'case_id', "
        'write {"case_id": ..., "output": ...} per line'
    )


def test_a_recording_with_many_problems_lists_fifty_and_counts_the_rest_at_the_end() -> None:
    Path("r.jsonl").write_text("".join(f'{{"case_id": "c{n}", "a": 1, "b": 2}}\n' for n in range(400)))
    with pytest.raises(InputError) as caught:
        load_recording(Path("r.jsonl"))
    lines = [str(problem) for problem in in_order(caught.value.problems)]
    assert len(lines) == MOST_PROBLEMS + 1
    assert lines[-1] == f"r.jsonl: ... and {800 - MOST_PROBLEMS} more"
