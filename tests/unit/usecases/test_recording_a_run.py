"""What is stored and written: redacted, whole or not at all, and never a key."""

from __future__ import annotations

import json

import pytest

from relgate.domain.errors import RegistryError
from relgate.store import Registry

EMAIL, CARD, KEY = "jo.doe@customer-mail.net", "4111 1111 1111 1111", "sk-live-0123456789abcdefghijklmn"
CANARY = f"write to {EMAIL}, card {CARD}, key {KEY}"
OWN_KEY = "my-own-provider-key-7"

LEAKING = f"""
from relgate import Response, ToolCall
CANARY = {CANARY!r}
def build(release):
    def answer(request):
        if request.case_id == "crash":
            raise ValueError(CANARY)
        if request.case_id == "away":
            raise ConnectionResetError(CANARY)
        call = ToolCall("refund", {{"to": CANARY, "deep": [{{"again": CANARY}}]}})
        key = release.providers["p"].api_key.reveal()
        return Response(CANARY + " " + key, tool_calls=(call,), retrieved=(CANARY,), served_by="p/m")
    return answer
"""


@pytest.fixture
def leaking(project):
    """A project whose cases, answers, failures and scorers are full of what must not be kept."""
    cases = [
        {"id": "said", "input": CANARY, "expected": f"{EMAIL} or {CARD}"},
        {"id": "crash", "input": [{"role": "user", "content": CANARY}], "expected": {"to": CANARY}},
        {"id": "away", "input": "q", "expected": "yes", "critical": True},
    ]
    project.suite(cases, trials=1, scorers=[{"regex": {"pattern": EMAIL}}])
    project.environment = {"OWN_KEY": OWN_KEY}
    base = {
        "application": project.module("leaking_app", LEAKING),
        "providers": {"p": {"base_url": "http://127.0.0.1:9/v1", "api_key": "${OWN_KEY}"}},
        "routes": {"r": {"chain": ["p/m"]}},
        "artifacts": {"model": {"m": {"version": "1", "id": "m-1", "provider": "p"}}},
    }
    project.manifest("old.yaml", "1.0.0", baseline="none", **base)
    base["artifacts"] = {"model": {"m": {"version": "2", "id": "m-2", "provider": "p"}}}
    project.manifest(baseline="./old.yaml", **base)
    return project


def _stored(folder):
    """Every byte below .relgate/ and reports/."""
    return b"".join(
        path.read_bytes()
        for name in (".relgate", "reports")
        for path in (folder / name).rglob("*")
        if path.is_file()
    )


def test_nothing_that_must_be_redacted_is_stored_or_reported(leaking):
    summary = leaking.folder / "summary.md"
    leaking.environment["GITHUB_STEP_SUMMARY"] = str(summary)
    report = leaking.run()
    kept = _stored(leaking.folder) + summary.read_bytes()
    for secret in (EMAIL, CARD, CARD.replace(" ", ""), KEY, OWN_KEY):
        assert secret.encode() not in kept, secret
    assert b"write to <" in kept
    assert {"EMAIL", "CARD"} <= report.scorecard.run.redacted.keys()


def test_nothing_that_must_be_redacted_reaches_the_messages_of_gates_and_cases(leaking):
    run = leaking.open()
    keys = [("mine", case) for case in ("said", "crash", "away")]
    run.start(keys)
    said = [run.case(*key).message for key in keys]
    report = run.conclude()
    text = json.dumps([said, [g.message for g in report.gates]])
    assert EMAIL not in text
    assert KEY not in text
    assert any("ValueError: write to <" in message for message in said)


ODD = """
def build(release):
    return lambda request: "half \\ud83d and nul \\x00 yes"
"""


def test_an_answer_that_no_file_can_hold_is_kept_readable(project):
    project.suite([{"id": "c", "input": "q", "expected": "yes"}], trials=1)
    project.manifest(application=project.module("odd_app", ODD))
    report = project.run()
    with project.registry() as registry:
        (row,) = registry.case_measurements(report.scorecard.run.id, "c")
    assert row.output == "half \ufffd and nul \ufffd yes"


CASES = [{"id": f"c{i}", "input": "q", "expected": "yes"} for i in range(3)]


@pytest.fixture
def small(project):
    project.suite(CASES)
    project.manifest(application=project.recording("r.jsonl", {c["id"]: "yes" for c in CASES}))
    return project


def test_a_run_that_cannot_be_recorded_leaves_no_report(small, monkeypatch):
    def fail(self, record):
        raise RegistryError("disk full")

    monkeypatch.setattr(Registry, "record", fail)
    with pytest.raises(RegistryError, match="disk full"):
        small.run()
    assert [p.name for p in small.folder.rglob("*") if "scorecard" in p.name] == []


def test_a_report_that_cannot_be_written_loses_no_run_and_leaves_nothing_staged(small):
    blocked = small.folder / "reports" / "desk-2.0.0" / "scorecard.md"
    blocked.mkdir(parents=True)
    report = small.run()
    assert report.files == ()
    assert "the scorecard could not be written to" in report.unwritten[0]
    assert [path.name for path in blocked.parent.iterdir()] == ["scorecard.md"]
    with small.registry() as registry:
        assert len(list(registry.runs())) == 1


def test_a_run_publishes_both_reports_and_nothing_else(small):
    report = small.run()
    folder = small.folder / "reports" / "desk-2.0.0"
    assert sorted(p.name for p in folder.iterdir()) == ["scorecard.json", "scorecard.md"]
    assert sorted(p.name for p in report.files) == ["scorecard.json", "scorecard.md"]
    assert json.loads((folder / "scorecard.json").read_text()) == report.scorecard.document()


def test_the_report_folder_can_be_chosen(small):
    report = small.run(report_dir=small.folder / "elsewhere")
    assert all(path.is_relative_to(small.folder / "elsewhere") for path in report.files)


def test_the_step_summary_is_appended_to(small):
    summary = small.folder / "summary.md"
    summary.write_text("what another step wrote\n")
    small.environment["GITHUB_STEP_SUMMARY"] = str(summary)
    small.run()
    text = summary.read_text()
    assert text.startswith("what another step wrote\n### relgate: HOLD")


@pytest.mark.parametrize("before", [0, 990_000, 999_990, 1_200_000])
def test_a_step_summary_never_grows_over_githubs_limit(small, monkeypatch, before):
    long = "### relgate: HOLD\n" + "| a long line é |\n" * 100_000
    monkeypatch.setattr("relgate.usecases.reporting.write_report.render_markdown", lambda card: long)
    summary = small.folder / "summary.md"
    summary.write_bytes(b"x" * before)
    small.environment["GITHUB_STEP_SUMMARY"] = str(summary)
    small.run()
    written = summary.read_bytes()
    assert len(written) <= max(before, 1_000_000)
    written.decode("utf-8")
    if before < 999_000:
        assert "*Cut: the whole scorecard is in desk-2.0.0/scorecard.md.*" in written.decode()[-200:]


def test_a_partial_run_holds_and_is_no_attempt(small):
    report = small.run(only=["c0"])
    assert (report.decision, report.exit_status) == ("hold", 10)
    assert report.scorecard.verdict.partial
    assert report.scorecard.cases.not_run == 2
    assert {g.result for g in report.gates} == {"partial"}
    assert small.open().settled is None


def test_the_same_run_again_gives_the_stored_verdict(small):
    first = small.run()
    again = small.run()
    assert again.stored
    assert again.scorecard == first.scorecard
    assert again.exit_status == first.exit_status


def test_another_version_with_the_same_content_is_a_run_of_its_own_and_said_aloud(small):
    small.run()
    small.manifest(version="2.0.1", application={"recording": "r.jsonl"})
    report = small.run()
    assert not report.stored
    assert any("equal in content to desk@2.0.0" in note for note in report.scorecard.notes)


def test_a_version_used_for_other_content_is_said_aloud(small):
    small.run()
    small.recording("r.jsonl", {c["id"]: "no" for c in CASES})
    assert any("the version was used twice" in note for note in small.card().notes)


def test_a_suite_left_out_makes_the_run_partial(small):
    small.suite(CASES, folder="other")
    report = small.run(suites=("mine",))
    assert report.scorecard.verdict.partial
    assert "left out by --suite: other" in report.scorecard.notes


def test_missing_rows_of_a_recording_are_not_measured(small):
    small.recording("r.jsonl", {"c0": "yes", "c1": {"error": "crashed"}})
    report = small.run()
    assert report.decision == "hold"
    card = report.scorecard
    assert (card.cases.failed, card.cases.miss, card.cases.hit) == (1, 1, 1)
