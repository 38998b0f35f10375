"""Two fresh registries give the same scorecard, whatever was redacted: no key reaches a report."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest

from relgate.store import open_registry

ANN, BEN, KEY = "ann.lee@customer-mail.net", "ben.ray@customer-mail.net", "sk-live-0123456789abcdefghijklmn"
KEYED = re.compile(r"<[A-Z_]+_[0-9a-f]{6}>")
BOTH_SIDES = {
    "right": (f"yes, write to {ANN}", f"yes, write to {BEN}"),
    "fell": (f"no, ask {BEN} with {KEY}", f"yes, {ANN} knows"),
    "fell-too": (f"no, {ANN} left", f"yes, {BEN} or {ANN}"),
    "critical": (f"no, {KEY}", "yes"),
}


@pytest.fixture
def talking(project: Any) -> Any:
    """Recordings whose answers, cases and failing scorers are full of addresses and a key."""
    project.suite(
        [
            {"id": case, "input": f"May {BEN} write?", "expected": "yes", "critical": case == "critical"}
            for case in BOTH_SIDES
        ],
        scorers=["contains", {"json_schema": {"schema": {"type": "object"}, "as": "shape"}}],
        gates=[{"metric": "contains", "non_inferior": {"margin": 0.05}}],
    )
    for number, name in enumerate(("candidate", "old")):
        recording = project.recording(f"{name}.jsonl", {c: said[number] for c, said in BOTH_SIDES.items()})
        baseline = "./old.yaml" if name == "candidate" else "none"
        project.manifest(f"{name}.yaml", f"{2 - number}.0.0", application=recording, baseline=baseline)
    return project


def _timeless(project: Any) -> str:
    text = (project.folder / "reports/desk-2.0.0/scorecard.json").read_text(encoding="utf-8")
    document = json.loads(text)
    for name in ("id", "started", "finished"):
        text = text.replace(json.dumps(document["run"][name]), '""')
    return text


def _run_in_a_fresh_registry(project: Any) -> tuple[str, bytes]:
    shutil.rmtree(project.folder / ".relgate", ignore_errors=True)
    project.run()
    with project.registry() as registry:
        key = registry.redaction_key()
    return _timeless(project), key


def test_two_fresh_registries_give_the_same_bytes(talking: Any) -> None:
    first, one_key = _run_in_a_fresh_registry(talking)
    second, another_key = _run_in_a_fresh_registry(talking)
    assert one_key != another_key
    assert first == second
    assert "<EMAIL_1>" in first
    assert "<EMAIL_2>" in first
    assert "<KEY_1>" in first
    assert not KEYED.search(first)
    markdown = (talking.folder / "reports/desk-2.0.0/scorecard.md").read_text(encoding="utf-8")
    assert not KEYED.search(markdown.replace("\\", ""))


def test_one_person_has_one_number_in_the_whole_report(talking: Any) -> None:
    worst = {part.case_id: part for part in talking.card().worst}
    (ann,) = re.findall("<EMAIL_[0-9]>", worst["fell"].baseline)
    (ben,) = re.findall("<EMAIL_[0-9]>", worst["fell"].candidate)
    assert ann != ben
    assert worst["fell-too"].candidate == f"no, {ann} left"
    assert worst["fell-too"].baseline == f"yes, {ben} or {ann}"
    assert worst["fell-too"].input == f"May {ben} write?"


def test_the_registry_keeps_keyed_placeholders(talking: Any) -> None:
    report = talking.run()
    with open_registry(f"sqlite:///{talking.folder}/.relgate/registry.db") as registry:
        rows = registry.case_measurements(report.scorecard.run.id, "fell")
    assert all(KEYED.search(row.output) for row in rows)


def test_the_stored_verdict_shows_a_later_waiver_without_a_key(talking: Any) -> None:
    report = talking.run()
    with talking.registry() as registry:
        asked = KEYED.search(registry.case_measurements(report.scorecard.run.id, "fell")[0].input)
        assert asked is not None
        registry.promote("desk", "2.0.0", by="ann", waive=f"agreed with {asked.group()}")
    again = talking.run()
    assert again.stored
    (waiver,) = again.scorecard.verdict.waivers
    assert re.fullmatch(r"agreed with <EMAIL_[0-9]>", waiver.reason)
