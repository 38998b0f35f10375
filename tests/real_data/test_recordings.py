"""Recordings of any eval runner: the kind of recorded scores, what is absent, the smallest project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

SUITE = """\
suite: recorded
kind: golden
scorers:
  - recorded: {name: quality}
gates:
  - {metric: quality, non_inferior: {margin: 0.1}}
"""
GATE = "quality:non_inferior:0.1"


def _project(project: Any, base: Sequence[float], cand: Sequence[float], suite: str = SUITE) -> Any:
    project.suite(suite, [{"id": f"case-{i:03}"} for i in range(len(base))])
    for name, version, scores in (("base", "1.0.0", base), ("cand", "2.0.0", cand)):
        rows = [{"case_id": f"case-{i:03}", "scores": {"quality": s}} for i, s in enumerate(scores)]
        project.release(name, version, rows)
    return project


BINARY = [0.0, 1.0, 1.0, 1.0, 1.0] * 12
GRADED = [0.25, 1.0, 0.75, 1.0, 1.0] * 12


@pytest.mark.parametrize(
    ("base", "cand", "method"),
    [
        (BINARY, BINARY[1:] + BINARY[:1], "exact unconditional, Tango interval"),
        (GRADED, BINARY, "min(Hall, Gaffke) on case means"),
    ],
    ids=["binary when every score on both sides is 0 or 1", "unit when one side has a score between"],
)
def test_the_kind_of_recorded_scores_is_read_off_both_sides(
    project: Any, base: list[float], cand: list[float], method: str
) -> None:
    done = _project(project, base, cand).run()
    assert done.gate(GATE)["method"] == method, done.output


def test_scores_outside_0_to_1_ask_for_their_kind(project: Any) -> None:
    done = _project(project, BINARY, [*BINARY[:-1], 7.0]).run()
    assert done.status == 4, done.output
    assert "suite.yaml:4:" in done.output
    assert "'quality' lie outside [0, 1]" in done.output
    assert "kind: count, latency or cost" in done.output
    assert not done.scorecard


def test_a_given_kind_is_taken_at_its_word(project: Any) -> None:
    suite = SUITE.replace("quality}", "quality, kind: count}", 1).replace(
        "non_inferior: {margin: 0.1}", "ratio_at_most: 1.5"
    )
    base = [3.0, 4.0, 5.0] * 20
    done = _project(project, base, [value + 0.5 for value in base], suite).run()
    gate = done.gate("quality:ratio_at_most:1.5")
    assert gate["method"] == "Fieller, paired"
    assert gate["result"] == "pass", done.output
    assert gate["estimate"] == pytest.approx(4.5 / 4.0)


def test_a_case_that_the_recording_lacks_never_passes_silently(project: Any) -> None:
    _project(project, BINARY, BINARY[1:] + BINARY[:1])
    lines = (project.folder / "cand.jsonl").read_text().splitlines()
    (project.folder / "cand.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    done = project.run()
    assert done.verdict["decision"] == "hold", done.output
    assert "1 of 60 cases was not measured" in done.gate(GATE)["message"]


def test_the_smallest_project_is_a_suite_a_recording_and_a_manifest(project: Any) -> None:
    project.suite(
        "suite: recorded\nkind: golden\nscorers: [exact]\n",
        [{"id": f"q{i}", "input": f"{i} + 1?", "expected": str(i + 1)} for i in range(40)],
    )
    project.release("cand", "1.0.0", [{"case_id": f"q{i}", "output": str(i + 1)} for i in range(40)])
    assert {path.name for path in project.folder.iterdir()} == {"golden_sets", "cand.jsonl", "cand.yaml"}
    done = project.run(baseline=False)
    assert done.verdict["decision"] == "promote", done.output
    assert done.status == 0
    assert done.scorecard["baseline"] is None
    floor = done.gate("exact:at_least:0.85")
    assert (floor["role"], floor["result"], floor["method"]) == ("require", "pass", "Clopper-Pearson")
