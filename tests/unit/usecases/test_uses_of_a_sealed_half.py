"""After twenty verdicts a sealed half has told too much of itself, and later ones say so (verdict.md 5.2)."""

from __future__ import annotations

import sqlite3

import pytest

CASES = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(40)]
GATES = [{"metric": "contains", "at_least": 0.5}]
WARNING = "the sealed half of mine has served {} verdicts before this one; after 20 it has told too much"


def _judged(project, version):
    """The notes of a candidate of its own: another version answers in other words."""
    answers = {case["id"]: f"yes {version}" for case in CASES}
    recording = project.recording(f"{version}.jsonl", answers)
    project.manifest(version=version, application=recording, baseline="none")
    return project.card().notes


def _used_by(project, candidates):
    """As if these had been judged too: one attempt each on the same golden cases."""
    with sqlite3.connect(project.folder / ".relgate/registry.db") as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(attempts)") if not row[5]]
        same = ", ".join("?" if name == "release_digest" else name for name in names)
        for candidate in candidates:
            database.execute(
                f"INSERT INTO attempts ({', '.join(names)}) SELECT {same} FROM attempts LIMIT 1", (candidate,)
            )


@pytest.mark.parametrize(("before", "warns"), [(19, False), (20, True), (21, True)])
def test_the_verdict_after_the_twentieth_warns(project, before, warns):
    project.suite(CASES, gates=GATES, sealed=True)
    assert not any("told too much" in note for note in _judged(project, "1.0.0"))
    _used_by(project, [f"sha256:{i}" for i in range(before - 1)])
    notes = _judged(project, "2.0.0")
    assert any(note.startswith(WARNING.format(before)) for note in notes) is warns


def test_verdicts_on_cases_that_nobody_sealed_are_not_counted(project):
    project.suite(CASES, gates=GATES)
    _judged(project, "1.0.0")
    _used_by(project, [f"sha256:{i}" for i in range(30)])
    assert not any("told too much" in note for note in _judged(project, "2.0.0"))
