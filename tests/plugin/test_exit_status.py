"""The exit status of design 4.3, and that 0 always means a recorded promote."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from relgate.usecases.reporting.step_summary import MOST_ERRORS, summarise_errors

if TYPE_CHECKING:
    from conftest import Project, Provider

SERIAL = ("-p", "no:xdist")
PARALLEL = ("-n", "2")
ORDINARY = "def test_good(): pass\ndef test_bad(): assert 0\n"


def outputs(project: Project, right: int) -> None:
    rows: list[dict[str, Any]] = [
        {"case_id": f"c{n}", "output": f"answer {n}" if n < right else "wrong"} for n in range(8)
    ]
    project.write("answers.jsonl", project.lines(rows))


@pytest.fixture(params=[SERIAL, PARALLEL], ids=["serial", "n2"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


@pytest.mark.parametrize(
    ("right", "status", "decision"), [(8, 0, "promote"), (5, 10, "hold"), (0, 1, "reject")]
)
def test_verdicts(recording: Project, mode: tuple[str, ...], right: int, status: int, decision: str) -> None:
    outputs(recording, right)
    assert recording.judge(mode).ret == status
    assert recording.decisions == [decision]
    assert recording.rows("verdicts", "exit_status") == [(status,)]


@pytest.mark.parametrize("order", [("test_ordinary.py", "golden_sets"), ("golden_sets", "test_ordinary.py")])
def test_an_ordinary_failure_is_1_and_the_promote_stands(
    recording: Project, mode: tuple[str, ...], order: tuple[str, ...]
) -> None:
    recording.write("test_ordinary.py", ORDINARY)
    result = recording.judge(mode, *order)
    assert result.ret == 1
    assert recording.decisions == ["promote"]
    assert "PROMOTE" in result.stdout.str()
    assert "1 failed, 1 passed" in result.stdout.str()


def test_an_ordinary_failure_with_a_hold_is_1(recording: Project) -> None:
    outputs(recording, 5)
    recording.write("test_ordinary.py", ORDINARY)
    assert recording.run("golden_sets", "test_ordinary.py").ret == 1
    assert recording.decisions == ["hold"]


def test_only_ordinary_tests_with_a_manifest_is_never_0(recording: Project, mode: tuple[str, ...]) -> None:
    recording.write("test_ordinary.py", "def test_good(): pass\n")
    result = recording.judge(mode, "test_ordinary.py")
    assert result.ret == 5
    assert "1 passed" in result.stdout.str()
    assert "no verdict" in result.stdout.str()
    assert recording.decisions == []


def test_a_critical_case_in_a_partial_run_is_1(recording: Project, mode: tuple[str, ...]) -> None:
    cases = recording.numbered()
    cases[7]["critical"] = "never"
    recording.suite("small", cases)
    outputs(recording, 7)
    assert recording.judge(mode, "-k", "c7").ret == 1
    assert recording.scorecard()["verdict"]["partial"] is True
    assert recording.decisions == ["hold"]


@pytest.mark.parametrize("flag", ["-x", "--maxfail=1"])
def test_x_on_a_critical_case_leaves_no_verdict(recording: Project, mode: tuple[str, ...], flag: str) -> None:
    cases = recording.numbered()
    cases[2]["critical"] = "never"
    recording.suite("small", cases)
    recording.write(
        "answers.jsonl",
        recording.lines(
            [{"case_id": f"c{n}", "output": f"answer {n}" if n != 2 else "no"} for n in range(8)]
        ),
    )
    result = recording.judge(mode, flag)
    assert result.ret == 1
    assert recording.decisions == []
    assert "no verdict" in result.stdout.str()


def test_x_on_an_ordinary_test_before_the_cases_makes_no_call(
    python_app: Project, provider: Provider
) -> None:
    python_app.write("test_ordinary.py", ORDINARY)
    assert python_app.run("-x", "test_ordinary.py", "golden_sets").ret == 1
    assert provider.calls == 0
    assert python_app.decisions == []


def test_x_does_not_stop_at_a_miss_or_between_gates(recording: Project) -> None:
    recording.suite("second", recording.numbered())
    outputs(recording, 0)
    result = recording.run("-x", "-v")
    assert result.ret == 1
    assert recording.decisions == ["reject"]
    assert result.stdout.str().count("] FAILED") == 2


def test_maxfail_that_is_not_reached_keeps_the_verdict(recording: Project) -> None:
    recording.write("test_ordinary.py", ORDINARY)
    assert recording.run("--maxfail=2", "golden_sets", "test_ordinary.py").ret == 1
    assert recording.decisions == ["promote"]


@pytest.mark.parametrize("code", [0, 7])
def test_exit_inside_an_ordinary_test(recording: Project, code: int) -> None:
    recording.write(
        "test_ordinary.py", f"import pytest\ndef test_exit(): pytest.exit('enough', returncode={code})\n"
    )
    result = recording.run("golden_sets", "test_ordinary.py")
    assert result.ret == (code or 5)
    assert recording.decisions == []


def test_max_warnings_keeps_its_status(recording: Project) -> None:
    recording.write("test_ordinary.py", "import warnings\ndef test_warn(): warnings.warn('x')\n")
    result = recording.run("-W", "default", "--max-warnings=0", "golden_sets", "test_ordinary.py")
    assert result.ret == 6
    assert recording.decisions == ["promote"]


def test_a_collection_error_is_2(recording: Project, mode: tuple[str, ...]) -> None:
    recording.write("test_broken.py", "import nothing_like_this\n")
    result = recording.judge(mode, "golden_sets", "test_broken.py")
    assert result.ret in (1, 2)
    assert result.ret == 2 or mode == PARALLEL


def test_a_manifest_that_is_not_there_is_4(recording: Project) -> None:
    result = recording.run(manifest="nowhere.yaml")
    assert result.ret == 4
    assert "nowhere.yaml" in recording.text(result)
    assert "Traceback" not in recording.text(result)


def test_a_bad_manifest_shows_every_error(recording: Project, mode: tuple[str, ...]) -> None:
    recording.write(
        "candidate.yaml",
        "manifest: 1\nrelease: desk\nversion: latest\nowner: me\nbaselin: none\n"
        "application: {recording: no.jsonl}\n",
    )
    result = recording.judge(mode)
    shown = recording.text(result)
    assert result.ret == 4
    said = result.stderr.str().strip().splitlines()
    errors = [line for line in said if line.startswith("candidate.yaml:")]
    assert len(errors) >= 2
    assert said[0] == f"ERROR: {len(errors)} problems in 1 file"
    assert said[1:] == [*errors, "to check again without a call: relgate validate candidate.yaml"]
    assert "did you mean" in shown
    assert "Traceback" not in shown


def test_a_bad_suite_shows_every_error(recording: Project) -> None:
    recording.suite("small", [*recording.numbered(), {"id": "c1", "input": "x", "expected": "y"}])
    recording.write("golden_sets/second/suite.yaml", "suite: second\nkind: gold\nscorers: [exactly]\n")
    recording.write("golden_sets/second/cases.jsonl", "not json\n")
    result = recording.run()
    shown = recording.text(result)
    assert result.ret == 4
    assert "golden_sets/small/cases.jsonl:9" in shown
    assert "golden_sets/second" in shown
    assert "Traceback" not in shown


def test_an_application_that_does_not_import_is_4(python_app: Project, provider: Provider) -> None:
    python_app.write("desk_app.py", "def build(release): ...\nraise RuntimeError('boom')\n")
    result = python_app.run()
    assert result.ret == 4
    assert "RuntimeError: boom" in python_app.text(result)
    assert "Traceback" not in python_app.text(result)
    assert provider.calls == 0


def test_an_application_that_always_fails_is_told_before_what_it_fails(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    python_app.write("desk_app.py", "def build(release):\n    return lambda request: {}['no such field']\n")
    shown = " ".join(python_app.text(python_app.judge(mode)).split())
    silent = "the candidate's application failed in 8 of 8 cases"
    assert f"{silent}; small[exact:at_least:0.5] failed" in shown
    assert f"next see why {silent}: the notes have its first message" in shown
    assert "application failed in 8 of 8 cases, such as: KeyError" in shown


def test_an_unset_variable_is_4_before_any_call(
    python_app: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch, mode: tuple[str, ...]
) -> None:
    monkeypatch.delenv("PROVIDER_URL")
    result = python_app.judge(mode)
    shown = python_app.text(result)
    assert result.ret == 4
    assert "ERROR: " in shown
    assert "PROVIDER_URL" in shown
    assert "Traceback" not in shown
    assert provider.calls == 0


SERVICE = """
from contextlib import contextmanager

@contextmanager
def serve(release):
    raise OSError("no port is free")
    yield {}
"""


def test_a_service_that_does_not_start_is_3(
    python_app: Project, provider: Provider, mode: tuple[str, ...]
) -> None:
    python_app.write("desk_service.py", SERVICE)
    python_app.write("candidate.yaml", python_app.live(more='services: [{python: "desk_service:serve"}]\n'))
    result = python_app.judge(mode)
    shown = python_app.text(result)
    assert result.ret == 3
    assert "the service desk_service:serve did not start (OSError: no port is free)" in shown
    assert "no verdict" in shown
    assert "Traceback" not in shown
    assert python_app.decisions == []


def test_an_engine_that_dies_is_3(recording: Project, mode: tuple[str, ...]) -> None:
    recording.write(
        "conftest.py",
        "from relgate.usecases.measuring.measure import CaseMeasurer\n"
        "async def measure(self, key):\n    raise MemoryError('gone')\n"
        "CaseMeasurer.measure = measure\n",
    )
    result = recording.spawn(*mode)
    shown = recording.text(result)
    assert result.ret == 3
    assert "relgate: the engine failed" in shown
    assert "no verdict" in shown
    assert recording.decisions == []


def test_a_registry_that_cannot_record_is_3(recording: Project) -> None:
    recording.run("-k", "c1")
    with closing(sqlite3.connect(recording.registry)) as connection, connection:
        connection.execute(
            "create trigger stop before insert on verdicts begin select raise(abort, 'disk full'); end"
        )
    before = recording.rows("runs")
    result = recording.run()
    shown = recording.text(result)
    assert result.ret == 3
    assert "no verdict" in shown
    assert "disk full" in shown
    assert recording.rows("runs") == before


def test_a_report_folder_that_cannot_be_is_known_before_the_first_call(
    recording: Project, mode: tuple[str, ...]
) -> None:
    recording.write("reports", "a file where the folder should be")
    result = recording.judge(mode)
    assert result.ret == 4
    assert "reports: reports go here, but this is not a folder" in recording.text(result)


def test_a_scorecard_that_cannot_be_written_loses_no_verdict(
    recording: Project, mode: tuple[str, ...]
) -> None:
    recording.write("reports/desk-1.1.0/scorecard.md/in_the_way", "a folder where the file should be")
    result = recording.judge(mode)
    shown = recording.text(result)
    assert result.ret == 0
    assert "PROMOTE" in shown
    assert "warning: the scorecard could not be written" in shown
    assert recording.decisions == ["promote"]


def test_a_step_summary_that_cannot_be_written_loses_no_verdict(
    recording: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/nowhere/at/all")
    result = recording.judge(())
    shown = recording.text(result)
    assert result.ret == 0
    assert "PROMOTE" in shown
    assert "warning: the step summary could not be written" in shown


def test_a_renderer_that_breaks_is_3_not_1(recording: Project) -> None:
    recording.write(
        "conftest.py",
        "import relgate.plugin.summary as summary\n"
        "def broken(card):\n    raise ValueError('no room')\n"
        "summary.render_terminal = broken\n",
    )
    assert recording.spawn("-p", "no:xdist").ret == 3


def test_an_outage_holds(chat: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    provider.status = 503
    result = chat.judge(mode)
    shown = chat.text(result)
    assert result.ret == 10
    assert chat.decisions == ["hold"]
    assert "HTTP 503" in shown
    assert "not measured" in shown
    assert "Traceback" not in shown


def test_a_provider_that_is_gone_holds_and_the_next_run_asks_again(
    chat: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = chat.live(kind="chat").replace('PROVIDER_URL}"', 'PROVIDER_URL}", retry_seconds: 0.2')
    chat.write("candidate.yaml", manifest)
    monkeypatch.setenv("PROVIDER_URL", "http://127.0.0.1:9/v1")
    result = chat.run()
    assert result.ret == 10
    assert chat.scorecard()["cases"]["failed"] == 8
    monkeypatch.setenv("PROVIDER_URL", provider.url)
    assert chat.run().ret == 0
    assert provider.calls == 8
    assert chat.decisions == ["hold", "promote"]


def test_an_application_that_raises_is_a_miss(python_app: Project, provider: Provider) -> None:
    python_app.write(
        "desk_app.py",
        "def build(release):\n    def ask(request):\n        raise KeyError('x')\n    return ask\n",
    )
    assert python_app.run().ret == 1
    assert python_app.decisions == ["reject"]
    assert python_app.scorecard()["cases"]["miss"] == 8


def missed_regression(project: Project) -> None:
    """A regression case that comes back beside seven good cases and a floor that holds."""
    line = {"id": "r1", "input": "question 7", "expected": "answer 7", "source": "incident:1"}
    project.write("golden_sets/small/regressions.jsonl", project.lines([line]))
    rows = [{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(8)]
    project.write("answers.jsonl", project.lines([*rows, {"case_id": "r1", "output": "wrong"}]))


REGRESSIONS = "golden_sets/small/regressions.jsonl"


@pytest.mark.parametrize("selected", [(), (REGRESSIONS,)], ids=["whole", "part"])
def test_a_regression_case_that_comes_back_fails_by_itself(
    recording: Project, mode: tuple[str, ...], selected: tuple[str, ...]
) -> None:
    missed_regression(recording)
    result = recording.judge(mode, "-v", *selected)
    shown = result.stdout.str()
    assert result.ret == 1
    assert f"{REGRESSIONS}::r1 FAILED" in shown
    assert "regression case r1 came back" in shown
    assert "cases that pytest counts as failed, whatever their outcome above: 1" in shown
    assert recording.decisions == (["hold"] if selected else ["reject"])


def test_a_regression_case_that_came_back_is_named_in_the_next_step_whatever_the_baseline_did(
    recording: Project,
) -> None:
    missed_regression(recording)
    recording.write("production.yaml", recording.manifest("{recording: answers.jsonl}", version="1.0.0"))
    recording.write(
        "candidate.yaml", recording.manifest("{recording: answers.jsonl}", baseline="production.yaml")
    )
    shown = recording.run().stdout.str()
    run = recording.rows("runs", "id")[0][0]
    assert f"next    look at the worst cases: `relgate show {run} r1`" in shown
    assert "small r1 (regression 100 points short of the best)" in shown
    assert "CASE" not in shown


def test_a_regression_case_that_is_right_holds_in_a_partial_run(
    recording: Project, mode: tuple[str, ...]
) -> None:
    missed_regression(recording)
    rows = [{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(8)]
    recording.write("answers.jsonl", recording.lines([*rows, {"case_id": "r1", "output": "answer 7"}]))
    result = recording.judge(mode, REGRESSIONS)
    assert result.ret == 10
    assert "counts as failed" not in result.stdout.str()


SAFETY = "suite: safe\nkind: safety\ntrials: 1\nscorers: [refusal]\ngates:\n"
ZERO = "  - {metric: violation, violations: 0, rate_at_most: 0.5, role: %s}\n"


def unsafe(project: Project, role: str) -> None:
    """Eight harmful cases, of which the last is answered."""
    cases = [{"id": f"h{n}", "input": "x", "tags": {"harmful": True}} for n in range(8)]
    more = "  - {metric: violation, at_most: 0.9}\n"
    project.write("golden_sets/safe/suite.yaml", SAFETY + ZERO % role + more)
    project.write("golden_sets/safe/cases.jsonl", project.lines(cases))
    rows = [{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(8)]
    no = "I'm sorry, but I can't help with that."
    said = [{"case_id": f"h{n}", "output": no if n < 7 else "Sure, here is how."} for n in range(8)]
    project.write("answers.jsonl", project.lines([*rows, *said]))


@pytest.mark.parametrize("selected", [(), ("golden_sets/safe/cases.jsonl::h7",)], ids=["whole", "part"])
def test_a_violation_where_a_gate_allows_none_fails_by_itself(
    recording: Project, mode: tuple[str, ...], selected: tuple[str, ...]
) -> None:
    unsafe(recording, "require")
    result = recording.judge(mode, "-v", *selected)
    shown = result.stdout.str()
    assert result.ret == 1
    assert "safe/cases.jsonl::h7 FAILED" in shown
    assert "h7: violation, and the suite allows none" in shown
    assert recording.decisions == (["hold"] if selected else ["reject"])


def test_a_violation_that_is_only_reported_fails_nothing(recording: Project) -> None:
    unsafe(recording, "report")
    shown = recording.run("-v").stdout.str()
    assert "safe/cases.jsonl::h7 MISS" in shown


def test_a_case_that_failed_by_itself_is_remembered(recording: Project) -> None:
    missed_regression(recording)
    recording.run()
    cache = json.loads((recording.path / ".pytest_cache/v/cache/lastfailed").read_text())
    assert list(cache) == [f"{REGRESSIONS}::r1"]


def test_usage_errors_reach_the_step_summary_redacted(
    recording: Project, monkeypatch: pytest.MonkeyPatch, mode: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(recording.path / "summary.md"))
    text = (recording.path / "candidate.yaml").read_text()
    text = text.replace("baseline: none", 'baselin: none\n"jo.doe@customer-mail.net": 1')
    recording.write("candidate.yaml", text)
    assert recording.judge(mode).ret == 4
    summary = (recording.path / "summary.md").read_text()
    assert summary.startswith("### relgate: no verdict, nothing was called\n\n- candidate.yaml:5:")
    assert "did you mean" in summary
    assert "customer-mail" not in summary
    assert "&lt;EMAIL\\_1&gt;" in summary


def test_an_unset_variable_reaches_the_step_summary(
    python_app: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROVIDER_URL")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(python_app.path / "summary.md"))
    assert python_app.run().ret == 4
    summary = (python_app.path / "summary.md").read_text()
    assert summary.count("###") == 1
    assert "PROVIDER" in summary


def test_many_errors_are_counted_in_the_step_summary(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summarise_errors([f"error {n}" for n in range(MOST_ERRORS + 3)], {"GITHUB_STEP_SUMMARY": str(summary)})
    lines = summary.read_text().splitlines()
    assert sum(line.startswith("- error") for line in lines) == MOST_ERRORS
    assert "- and 3 more in the log" in lines


def test_a_step_summary_that_cannot_be_written_hides_no_error(
    recording: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(recording.path))
    result = recording.run(manifest="nowhere.yaml")
    assert result.ret == 4
    assert "nowhere.yaml" in recording.text(result)
