from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from relgate.redaction import Redactor
from relgate.store.opening import open_registry

COMMAND = ("incident", "add", "--run", "run-1", "--suite", "support-golden")


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "golden_sets" / "support_desk" / "golden"
    folder.mkdir(parents=True)
    lines = [
        {
            "id": "refund-001",
            "input": "When?",
            "expected": "14 days",
            "tags": {"lang": "en", "topic": "refund"},
        },
        {"id": "refund-002", "input": [{"role": "user", "content": "Mail ann@example.com, when?"}]},
    ]
    (folder / "cases.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def registry(relgate, make, tmp_path):
    with open_registry(tmp_path / ".relgate" / "registry.db") as opened:
        opened.record(make.run_record("run-1", make.release("1.0.0"), decision="reject"))
        yield opened


def lines_of(path: Path) -> list[dict]:
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_missed_case_becomes_a_redacted_regression_case(relgate, registry, folder):
    result = relgate(
        *COMMAND,
        "--case",
        "refund-001",
        "--expected",
        "14 days; write to bob@example.com",
        "--severity",
        "high",
    )
    assert result.exit_code == 0, result.errors
    path = folder / "regressions.jsonl"
    (line,) = lines_of(path)
    assert list(line) == ["id", "input", "expected", "tags", "source"]
    assert line["id"] == "refund-001-incident-1"
    assert line["input"] == "When do I get my money back for order 1?"
    assert line["expected"].startswith("14 days; write to <EMAIL_")
    assert line["tags"] == {"lang": "en", "topic": "refund"}
    assert line["source"] == "incident:1"
    assert result.output.splitlines() == [
        "incident  1 (correctness, high)",
        "case      refund-001-incident-1",
        "line      golden_sets/support_desk/golden/regressions.jsonl:1",
        "redacted  1 EMAIL",
        "note      a placeholder in expected stands for anything of its type",
        "next      pytest --manifest candidate.yaml "
        "'golden_sets/support_desk/golden/regressions.jsonl::refund-001-incident-1'",
        "          must exit 1 on the bad release; a release that mends it exits 10, "
        "for a part of the cases holds",
        "          (it is asked once: where the application answers otherwise each time, add --trials 5)",
        "          (a recording needs a line for the new case first)",
    ]
    (stored,) = registry.regression_cases()
    assert (stored.case_id, stored.line, stored.redacted) == ("refund-001-incident-1", 1, {"EMAIL": 1})
    assert (stored.input, stored.expected) == (line["input"], line["expected"])


def test_a_conversation_stays_a_conversation(relgate, registry, folder):
    assert relgate(*COMMAND, "--case", "refund-002", "--expected", "14 days").exit_code == 0
    (line,) = lines_of(folder / "regressions.jsonl")
    assert line["input"][0]["role"] == "user"
    assert line["input"][0]["content"].startswith("Mail <EMAIL_")
    assert line["tags"] == {}


def test_an_expected_object_stays_an_object(relgate, registry, folder):
    relgate(*COMMAND, "--case", "refund-001", "--expected", '{"tool": "lookup_order"}')
    relgate(*COMMAND, "--case", "refund-001", "--expected", '["as", "it was"]')
    first, second = lines_of(folder / "regressions.jsonl")
    assert first["expected"] == {"tool": "lookup_order"}
    assert second["expected"] == ["as", "it was"]


def test_lines_are_appended_to_what_is_there(relgate, registry, folder):
    path = folder / "regressions.jsonl"
    path.write_text('{"id": "refund-001-incident-1", "input": "größer"}')
    path.chmod(0o640)
    result = relgate(*COMMAND, "--case", "refund-001", "--expected", "x")
    assert "regressions.jsonl:2" in result.output
    assert [line["id"] for line in lines_of(path)] == ["refund-001-incident-1", "refund-001-incident-2"]
    assert lines_of(path)[0]["input"] == "größer"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in folder.iterdir()) == ["cases.jsonl", "regressions.jsonl"]


def test_its_line_is_a_case_that_the_suite_can_read(relgate, registry, folder, tmp_path):
    suites = pytest.importorskip("relgate.files.suites")
    (folder / "suite.yaml").write_text("suite: support-golden\nkind: golden\nscorers: [exact]\n")
    cases = [{"id": f"case-{number}", "input": "a?", "expected": "b"} for number in range(2)]
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    relgate(*COMMAND, "--case", "refund-001", "--expected", "14 days")
    suite = suites.load_suite(folder / "suite.yaml", golden_sets=tmp_path / "golden_sets")
    assert [case.id for case in suite.regressions] == ["refund-001-incident-1"]


def test_the_suites_folder_names_it_too(relgate, registry, folder):
    arguments = ("incident", "add", "--run", "run-1", "--suite", "support_desk/golden")
    assert relgate(*arguments, "--case", "refund-001", "--expected", "x").exit_code == 0


def test_a_given_id_is_taken_when_it_is_free(relgate, registry, folder):
    arguments = (*COMMAND, "--case", "refund-001", "--expected", "x", "--id")
    assert "case      inc-7" in relgate(*arguments, "inc-7").output
    again = relgate(*arguments, "inc-7")
    assert again.exit_code == 1
    assert "the suite has a case 'inc-7' already" in again.errors
    assert "is no case id" in relgate(*arguments, "inc::7").errors
    assert len(lines_of(folder / "regressions.jsonl")) == 1


@pytest.mark.parametrize("case", ["refund-000", "refund-003"])
def test_a_case_that_was_not_missed_is_refused_unless_forced(relgate, registry, folder, case):
    result = relgate(*COMMAND, "--case", case, "--expected", "x")
    assert result.exit_code == 1
    assert "it shows no bad output; --force takes it all the same" in result.errors
    assert not (folder / "regressions.jsonl").exists()
    assert relgate(*COMMAND, "--case", case, "--expected", "x", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--run", "zzz", "there is no run 'zzz'"),
        ("--suite", "support-gold", "measured no suite 'support-gold'; did you mean support-golden"),
        (
            "--case",
            "refund-01",
            "measured no case 'refund-01' in suite 'support-golden'; did you mean refund-00",
        ),
        ("--golden-sets", "elsewhere", "there is no suite folder"),
    ],
)
def test_what_is_unknown_is_refused_and_nothing_is_written(relgate, registry, folder, option, value, error):
    given = {"--run": "run-1", "--suite": "support-golden", "--case": "refund-001", "--expected": "x"}
    words = [word for pair in (given | {option: value}).items() for word in pair]
    result = relgate("incident", "add", *words)
    assert result.exit_code == 1
    assert error in result.errors
    assert not (folder / "regressions.jsonl").exists()
    assert registry.regression_cases() == []


def test_a_case_of_the_baseline_alone_is_refused(relgate, registry, folder, make):
    row = next(row for row in make.measurements() if row.side == "baseline" and row.case_id == "refund-001")
    registry.record(make.run_record("run-2", make.release("1.1.0"), rows=[replace(row, trial=0)]))
    words = ("incident", "add", "--run", "run-2", "--suite", "support-golden")
    result = relgate(*words, "--case", "refund-001", "--expected", "x")
    assert "on the baseline only" in result.errors


def test_an_unknown_category_is_a_usage_error(relgate, registry, folder):
    result = relgate(*COMMAND, "--case", "refund-001", "--expected", "x", "--category", "odd")
    assert result.exit_code == 2


def test_an_empty_expectation_is_refused(relgate, registry, folder):
    result = relgate(*COMMAND, "--case", "refund-001", "--expected", " ")
    assert result.exit_code == 1
    assert "every answer would pass" in result.errors
    assert not (folder / "regressions.jsonl").exists()


def test_an_expectation_may_be_left_out_only_for_a_harmful_case(relgate, registry, folder):
    result = relgate(*COMMAND, "--case", "refund-001")
    assert result.exit_code == 1
    assert "--expected TEXT" in result.errors


def test_the_same_case_is_not_added_twice(relgate, registry, folder):
    words = (*COMMAND, "--case", "refund-001", "--expected", "14 days")
    assert relgate(*words).exit_code == 0
    again = relgate(*words)
    assert again.exit_code == 1
    assert "asks and expects the same already" in again.errors
    assert relgate(*words, "--force").exit_code == 0
    assert len(lines_of(folder / "regressions.jsonl")) == 2


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ("{}", "must say what it expects"),
        ('{"contain": ["x"]}', "did you mean 'contains'"),
        ('{"regex": "("}', "not a regular expression"),
        ('{"contains": [""]}', "stands in every answer"),
        ("[]", "must say what it expects"),
        ('{"contains": []}', "must say what it expects"),
        ('{"refusal": null}', "must say what it expects"),
        ('{"regex": ".*"}', "matches every answer"),
        ('{"contains": [" "]}', "stands in every answer"),
        ('{"contains": ["x"', "looks like JSON"),
        ('{"not_contains": ["evil@shop.example"]}', "may not be stored"),
        ('{"regex": "help@shop\\\\.example"}', "may not be stored"),
    ],
)
def test_an_expectation_that_cannot_be_judged_is_refused(relgate, registry, folder, expected, why):
    result = relgate(*COMMAND, "--case", "refund-001", "--expected", expected)
    assert result.exit_code == 1
    assert why in result.errors
    assert not (folder / "regressions.jsonl").exists()


def test_values_of_the_variables_of_the_runs_manifest_are_redacted(
    relgate, registry, folder, make, monkeypatch
):
    manifest = (
        'providers:\n  a: {base_url: https://x, api_key: "${DESK_KEY_2}"}\n'
        'dependencies:\n  db: {url: "db://me:${DESK_DB_2}@host"}\n'
    )
    stored = Redactor(key=b"key").redact(manifest).text
    release = replace(make.release("1.1.0"), manifest=stored)
    registry.record(make.run_record("run-9", release, decision="reject"))
    monkeypatch.setenv("DESK_KEY_2", "plain words of nobody")
    monkeypatch.setenv("DESK_DB_2", "hunter-of-two")
    words = ("incident", "add", "--run", "run-9", "--suite", "support-golden", "--case", "refund-001")
    result = relgate(*words, "--expected", "say plain words of nobody or hunter-of-two")
    assert result.exit_code == 0, result.errors
    [line] = lines_of(folder / "regressions.jsonl")
    assert re.fullmatch(r"say <SECRET_\w{6}> or <SECRET_\w{6}>", line["expected"])
    assert "redacted  2 SECRET" in result.output
    [kept] = registry.regression_cases()
    assert kept.expected == line["expected"]
    refused = relgate(*words, "--expected", "x", "--id", "hunter-of-two")
    assert "--id holds something that may not be stored" in refused.errors
