"""What a run without a verdict showed is gone on with at the same attempt, and drawn anew at another one."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

CALLS = 80
STOPPED = ("--full", "--budget-calls=50")
OUTAGE = """def application(request):
        import pathlib
        from relgate import ProviderOutage
        if pathlib.Path("away").exists() and request.case_id in ("c3", "c5"):
            raise ProviderOutage("away")"""


@pytest.fixture(autouse=True)
def slowly(provider):
    """Fast enough, and slow enough to be interrupted in the middle."""
    provider.seconds = 0.005


def _forget(project) -> None:
    for path in (project.path / ".relgate").glob("responses.db*"):
        path.unlink()


def _attempt(project) -> tuple[int, float]:
    card = project.scorecard()
    return card["verdict"]["attempts"], card["gate_policy"]["alpha"]


def _interrupt(project, provider, number=signal.SIGINT) -> None:
    provider.asked.clear()
    provider.answers = 60
    process = project.start("--full", "--concurrency=4", "-p", "no:xdist", "-v")
    project.wait_for_calls(provider, 64)
    project.wait_for_rows("unfinished_runs")
    project.finish(process, number, 45)
    provider.answers = None


def test_going_on_after_a_budget_is_the_same_attempt(drifting):
    assert drifting.run(*STOPPED).ret == 10
    assert drifting.rows("unfinished_runs", "discarded") == [(0,)]
    assert drifting.run("--full").ret == 0
    assert _attempt(drifting) == (1, 0.05)
    assert drifting.rows("unfinished_runs") == []


def test_deleting_what_a_budget_ended_is_a_further_attempt(drifting):
    drifting.run(*STOPPED)
    _forget(drifting)
    result = drifting.run("--full")
    assert result.ret == 0
    assert _attempt(drifting) == (2, 0.0125)
    assert "an earlier run of this candidate showed outcomes without a verdict" in drifting.text(result)
    assert sorted(drifting.rows("attempts", "number")) == [(1,), (2,)]
    assert drifting.rows("unfinished_runs") == []


def test_each_draw_that_was_thrown_away_counts(drifting):
    for _ in range(3):
        drifting.run(*STOPPED)
        _forget(drifting)
    drifting.run("--full")
    assert _attempt(drifting) == (4, 0.05 / 2**4)
    card = drifting.scorecard()
    assert any(note.startswith("3 earlier runs of this candidate") for note in card["notes"])


def test_a_run_that_went_on_and_was_stopped_again_is_one_draw(drifting):
    drifting.run("--full", "--budget-calls=20")
    drifting.run("--full", "--budget-calls=20")
    _forget(drifting)
    drifting.run("--full")
    assert _attempt(drifting)[0] == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["int", "kill"])
def test_an_interruption_is_no_attempt_and_deleting_its_answers_makes_it_one(drifting, provider, number):
    _interrupt(drifting, provider, number)
    assert drifting.run("--full").ret == 0
    assert _attempt(drifting)[0] == 1
    drifting.write("candidate.yaml", (drifting.path / "candidate.yaml").read_text().replace("r-2", "r-3"))
    _interrupt(drifting, provider, number)
    _forget(drifting)
    assert drifting.run("--full").ret == 0
    assert _attempt(drifting)[0] == 3, "the first candidate's, the interrupted one, this one"


def test_asking_anew_on_purpose_is_a_further_attempt(drifting):
    drifting.run(*STOPPED)
    drifting.run("--full", "--reuse=never")
    assert _attempt(drifting)[0] == 2


def test_a_part_that_asks_anew_breaks_what_was_stopped(drifting):
    """Else whoever did not like some answers could draw those again, and go on with the others."""
    drifting.run(*STOPPED)
    drifting.run("--full", "-k", "c1 or c2", "--reuse=never")
    drifting.run("--full")
    assert _attempt(drifting)[0] == 2


def test_a_screen_that_asks_anew_hides_nothing_that_a_stopped_run_left(drifting, provider):
    drifting.run(*STOPPED)
    drifting.run("--screen", "--reuse=never")
    calls = provider.calls
    drifting.run("--full")
    assert _attempt(drifting)[0] == 1
    assert provider.calls - calls == CALLS - 50
    assert drifting.rows("unfinished_runs") == []


def test_a_part_that_goes_on_leaves_what_was_stopped(drifting, provider):
    drifting.run(*STOPPED)
    drifting.run("--full", "-k", "c1 or c2")
    calls = provider.calls
    drifting.run("--full")
    assert _attempt(drifting)[0] == 1
    assert provider.calls - calls < CALLS - 40


def test_a_part_of_the_cases_is_no_attempt_of_its_own(drifting):
    drifting.run("--full", "-k", "c1 or c2")
    assert drifting.rows("unfinished_runs") == []
    drifting.run("--full")
    assert _attempt(drifting)[0] == 1


def test_answers_of_a_part_of_the_cases_promote_nothing(drifting, provider):
    drifting.run("--full", "-k", "not c7")
    result = drifting.run("--full", "--reuse=always")
    assert result.ret == 10, drifting.text(result)
    assert "of a screen or of a run of some cases" in drifting.scorecard()["verdict"]["reason"]
    calls = provider.calls
    assert drifting.run("--full", "--reuse=always", "-k", "c3").ret == 10, "again, now that a run took them"
    assert drifting.run("--full", "--reuse=always").ret == 10
    assert provider.calls == calls


def test_a_provider_that_answered_nobody_showed_nothing(drifting, provider, monkeypatch):
    monkeypatch.setenv("PROVIDER_URL", "http://127.0.0.1:9/v1")
    drifting.run("--full", "--budget-calls=5")
    assert drifting.rows("unfinished_runs") == []
    monkeypatch.setenv("PROVIDER_URL", provider.url)
    drifting.run("--full")
    assert _attempt(drifting)[0] == 1


def test_what_answers_the_same_again_is_drawn_once(python_app, provider):
    python_app.suite("golden", python_app.numbered(40), "gates: [{metric: exact, at_least: 0.5}]\n")
    python_app.run("--full", "--budget-calls=20")
    _forget(python_app)
    python_app.run("--full")
    assert _attempt(python_app)[0] == 1
    assert python_app.rows("unfinished_runs") == []


def test_a_recording_of_another_registry_is_a_draw_beside_what_was_shown_here(drifting, provider):
    """A recording that nobody judged here may be the luckiest of several."""
    for count in (1, 2):
        provider.asked.clear()
        provider.answers = CALLS - 1
        process = drifting.start("--full", "--reuse=never", "-p", "no:xdist")
        drifting.wait_for_calls(provider, CALLS)
        drifting.wait_for_rows("unfinished_runs", count)
        drifting.finish(process, signal.SIGINT, 45)
    provider.answers = None
    drifting.run("--full", "--record=third.jsonl", "--registry=other.db")
    assert drifting.run("--full", "--replay=third.jsonl").ret == 0
    assert _attempt(drifting)[0] == 3


def test_a_judged_candidate_is_not_judged_again_on_answers_that_no_attempt_stands_on(drifting, provider):
    """They would be a second draw at the first one's alpha."""
    assert drifting.run("--full").ret == 0
    suite = drifting.path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text() + "  - {metric: exact, at_least: 0.4, role: report}\n")
    drifting.run(*STOPPED)
    drifting.run("--full", "--reuse=always")
    assert _attempt(drifting) == (2, 0.0125)


def test_a_recording_of_a_run_without_a_verdict_is_another_draw(drifting, provider):
    assert drifting.run("--full").ret == 0
    suite = drifting.path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text() + "  - {metric: exact, at_least: 0.4, role: report}\n")
    provider.asked.clear()
    provider.answers = CALLS - 1
    process = drifting.start("--full", "--record=lucky.jsonl", "-p", "no:xdist")
    drifting.wait_for_calls(provider, CALLS)
    drifting.wait_for_rows("unfinished_runs")
    drifting.finish(process, signal.SIGINT, 45)
    provider.answers = None
    drifting.run("--full", "--record=whole.jsonl", "--registry=other.db", "--report-dir=other")
    drifting.run("--full", "--replay=whole.jsonl")
    assert _attempt(drifting)[0] == 3, "the judged one, the interrupted one, this one"


@pytest.mark.parametrize("how", [("--screen",), ("-k", "c1 or c2 or c3")], ids=["screen", "part"])
def test_a_recording_of_a_screen_or_of_some_cases_promotes_nothing(drifting, how):
    drifting.run("--full", "--record=some.jsonl", *how)
    rest = ("-k", "not (c1 or c2 or c3)") if how[0] == "-k" else how
    drifting.run("--full", "--record=more.jsonl", *rest)
    some, more = (
        (drifting.path / name).read_text().splitlines(True) for name in ("some.jsonl", "more.jsonl")
    )
    drifting.write("all.jsonl", "".join([*some, *more[1:]]))
    result = drifting.run("--full", "--replay=all.jsonl")
    assert result.ret == 10, drifting.text(result)
    assert "of a screen or of a run of some cases" in drifting.scorecard()["verdict"]["reason"]


def test_a_recording_made_of_kept_answers_of_a_screen_promotes_nothing(drifting):
    drifting.run("--full", "--screen")
    assert drifting.run("--full", "--reuse=always", "--record=laundered.jsonl").ret == 10
    assert drifting.rows("verdicts", "attempt")[-1] == (None,), "answers of a screen make no attempt"
    result = drifting.run("--full", "--replay=laundered.jsonl")
    assert result.ret == 10, drifting.text(result)
    assert "no attempt" in drifting.text(result)
    assert drifting.run("--full").ret == 0, "and whoever asks anew is not served that hold"
    assert _attempt(drifting)[0] == 1


def test_a_release_compared_with_itself_replaces_nobody_in_production(drifting):
    assert drifting.run("--full", "--baseline=none", manifest="production.yaml").ret == 0
    assert drifting.relgate("promote", "desk@1.0.0").returncode == 0
    same = (drifting.path / "candidate.yaml").read_text().replace("baseline: production.yaml\n", "")
    drifting.write("self.yaml", same)
    result = drifting.run("--full", "--baseline=self.yaml", "--report-dir=other")
    assert result.ret == 10, drifting.text(result)
    verdict = drifting.scorecard("other")["verdict"]
    assert "this release was compared with itself alone" in verdict["reason"]
    assert "--baseline production" in verdict["next_step"]


def test_a_recorded_release_compared_with_itself_leaves_its_scorecard(recording):
    recording.run()
    whole = recording.scorecard()
    recording.write(
        "again.yaml", recording.manifest("{recording: answers.jsonl}", baseline="./candidate.yaml")
    )
    recording.run(manifest="again.yaml")
    assert recording.scorecard() == whole
    assert (recording.path / "reports/desk-1.1.0/unchanged.md").exists()


def test_the_line_that_runs_a_case_again_names_the_baseline_that_was_given(recording):
    recording.write("before.yaml", recording.manifest("{recording: answers.jsonl}", version="1.0.0"))
    recording.run("--baseline=./before.yaml")
    run = recording.scorecard()["run"]
    assert run["baseline_given"] == "./before.yaml"
    shown = subprocess.run(
        [sys.executable, "-m", "relgate", "show", run["id"], "c0"],
        cwd=recording.path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "run it again: pytest --manifest candidate.yaml --baseline ./before.yaml 'golden_sets/" in shown


def test_a_rejected_release_is_not_promoted_by_a_comparison_with_itself(drifting, provider):
    provider.wrong["answerer-2"] = {f"question {n}" for n in range(20)}
    assert drifting.run("--full").ret == 1
    same = (drifting.path / "candidate.yaml").read_text().replace("baseline: production.yaml\n", "")
    drifting.write("self.yaml", same)
    result = drifting.run("--full", "--baseline=self.yaml", "--report-dir=other")
    assert result.ret == 10, drifting.text(result)
    assert "is reject" in drifting.scorecard("other")["verdict"]["reason"]


def test_of_two_runs_at_once_the_first_to_end_counts_the_other(drifting, provider):
    provider.answers = 60
    beside = drifting.start("--full", "--concurrency=4", "-p", "no:xdist")
    drifting.wait_for_calls(provider, 64)
    drifting.wait_for_rows("unfinished_runs")
    provider.answers = None
    assert drifting.run("--full").ret == 0
    assert _attempt(drifting)[0] == 2
    assert drifting.scorecard()["verdict"]["tuned"] is True
    drifting.finish(beside, signal.SIGKILL, 45)


def test_another_baseline_is_no_way_to_a_first_attempt(drifting):
    assert drifting.run("--full").ret == 0
    other = (drifting.path / "production.yaml").read_text().replace("answerer-1", "answerer-0")
    drifting.write("older.yaml", other.replace('"1.0.0"', '"0.9.0"'))
    drifting.run("--full", "--baseline=older.yaml")
    assert _attempt(drifting)[0] == 2


def test_an_outage_is_no_attempt_and_the_next_run_goes_on(drifting, provider):
    drifting.write("desk_app.py", drifting.application.replace("def application(request):", OUTAGE))
    away = drifting.write("away", "")
    assert drifting.run("--full").ret == 10
    assert drifting.scorecard()["verdict"]["lacking"] is True
    assert drifting.rows("attempts", "number") in ([], [(-1,)])
    away.unlink()
    calls = provider.calls
    result = drifting.run("--full")
    assert result.ret == 0, drifting.text(result)
    assert _attempt(drifting) == (1, 0.05)
    assert provider.calls - calls < CALLS / 2, "what answered is kept"
    assert "tuned" not in drifting.scorecard()["verdict"]["reason"]


def test_the_split_form_counts_alike(drifting):
    drifting.judge(("-n", "2"), *STOPPED)
    _forget(drifting)
    drifting.judge(("-n", "2"), "--full")
    assert _attempt(drifting)[0] == 2
