"""labels.jsonl: every problem at once, each at its line, and labels that count in the suite's digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.case import Label
from relgate.files.labels import read_labels

CASES = {"refund-1", "refund-2"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_line_is_a_label_and_no_file_holds_none() -> None:
    assert read_labels(Path("labels.jsonl"), CASES) == ((), [])
    Path("labels.jsonl").write_text(
        '{"case_id": "refund-1", "side": "candidate", "score": true, "by": "ann"}\n'
        '{"case_id": "refund-1", "side": "candidate", "score": 0.5, "by": "bob"}\n'
        '{"case_id": "refund-1", "side": "baseline", "score": 0, "by": "ann"}\n'
    )
    labels, problems = read_labels(Path("labels.jsonl"), CASES)
    assert problems == []
    assert labels == (
        Label("refund-1", "candidate", 1.0, "ann"),
        Label("refund-1", "candidate", 0.5, "bob"),
        Label("refund-1", "baseline", 0.0, "ann"),
    )


def test_all_problems_are_named_at_once_each_at_its_place() -> None:
    right = '{"case_id": "refund-2", "side": "baseline", "score": 1, "by": "ann"}\n'
    Path("labels.jsonl").write_text(
        right
        + '{"case_id": "refund-3", "side": "both", "score": 1.5, "by": " "}\n'
        + right
        + '{"case_id": "refund-2", "side": "baseline", "scor": 1, "by": "ann"}\n'
        + "nonsense\n"
    )
    labels, problems = read_labels(Path("labels.jsonl"), CASES)
    assert len(labels) == 1
    shown = [str(problem) for problem in problems]
    assert [line.split(":")[1] for line in shown] == ["2", "2", "2", "2", "3", "4", "4", "5"]
    text = "\n".join(shown)
    assert "there is no case 'refund-3', did you mean 'refund-1'" in text or "did you mean 'refund-2'" in text
    for part in (
        "'side' should be candidate or baseline",
        "'score' should be a number from 0 to 1",
        "'by' should say who labelled",
        "the first label is on line 1",
        "unknown key 'scor', did you mean 'score'",
        "'score' is missing",
    ):
        assert part in text
