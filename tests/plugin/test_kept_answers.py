"""Never paid twice: an interrupted run goes on, a changed scorer asks nobody, a file moves a run."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from contextlib import closing

import pytest

CASES = 40
GATES = "gates:\n  - {metric: exact, at_least: 0.5}\n  - {metric: exact, non_inferior: {margin: 0.2}}\n"
CALLS = 2 * CASES


@pytest.fixture
def paired(drifting):
    drifting.suite("golden", drifting.numbered(CASES), GATES)
    return drifting


def _kept(project) -> int:
    path = project.path / ".relgate/responses.db"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("select count(*) from answers").fetchone()[0]


def _wait_for_kept(project, count: int, seconds: float = 20.0) -> None:
    """Only time passes: the provider answers nobody, so no later answer takes the earlier ones along."""
    deadline = time.monotonic() + seconds
    while (kept := _kept(project)) < count:
        assert time.monotonic() < deadline, f"{kept} of {count} answers are kept after {seconds} s"
        time.sleep(0.02)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["int", "term", "kill"]
)
def test_an_interrupted_run_goes_on_and_repeats_only_what_was_in_flight(paired, provider, number):
    provider.answers = 26
    process = paired.start("--full", "--concurrency=4")
    paired.wait_for_calls(provider, 30)
    # two may be lost to connections that a busy machine drops: they are asked again, among the thirty
    _wait_for_kept(paired, 26 - 2)
    paired.finish(process, number, 45)
    assert provider.calls == 30
    assert paired.decisions == []
    provider.answers = None
    assert paired.spawn("--full").ret == 0
    assert CALLS + 4 <= provider.calls <= CALLS + 4 + 2, "what was in flight is asked again"
    card = paired.scorecard()
    assert card["calls"]["made"] + card["calls"]["reused"] == CALLS
    assert 26 - 2 <= card["calls"]["reused"] <= 26
    assert card["calls"]["reused_since"]
    assert any("were kept from before and not asked for again" in note for note in card["notes"])


def test_an_answer_is_on_the_disk_before_the_next_one_comes(paired, provider):
    provider.answers = 5
    process = paired.start("--full", "--concurrency=1")
    paired.wait_for_calls(provider, 6)
    _wait_for_kept(paired, 5)
    paired.finish(process, signal.SIGKILL, 45)
    assert _kept(paired) == 5


def test_a_run_with_a_verdict_is_asked_anew(paired, provider):
    assert paired.run("--full").ret == 0
    paired.write(
        "production.yaml", (paired.path / "production.yaml").read_text().replace("answerer-1", "answerer-0")
    )
    assert paired.run("--full").ret == 0
    assert provider.calls == 2 * CALLS


def test_a_part_of_the_cases_is_asked_anew_each_time(paired, provider):
    for _ in range(2):
        paired.run("-k", "c1 or c2")
    assert provider.calls % 2 == 0
    assert provider.asked["answerer-2", "question 1"] == 2


def test_what_a_budget_ended_goes_on(paired, provider):
    assert paired.run("--full", "--budget-calls=50").ret == 10
    assert paired.run("--full").ret == 0
    assert provider.calls <= CALLS + 1
    assert paired.scorecard()["calls"]["reused"] >= 49


def test_never_asks_for_everything(paired, provider):
    paired.run("--full", "--budget-calls=50")
    assert paired.run("--full", "--reuse=never").ret == 0
    assert provider.calls == 50 + CALLS


def test_a_changed_scorer_scores_again_without_a_call(paired, provider):
    paired.run("--full")
    suite = paired.path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text().replace("[exact]", "[exact, {contains: {as: has}}]"))
    result = paired.run("--full", "--reuse=always")
    assert result.ret == 0, paired.text(result)
    assert "fewer as answers are kept from before: --reuse always takes these first" in paired.text(result)
    assert provider.asked.total() == CALLS, "both sides answered side by side, an hour ago at most"
    card = paired.scorecard()
    assert card["calls"]["reused"] == CALLS
    assert card["verdict"]["attempts"] == 1
    assert any("were scored again without a call" in note for note in card["notes"])
    assert {m["metric"]: m["candidate"] for m in card["suites"][0]["metrics"]}["has"] == 1.0


def _rescore(project) -> None:
    suite = project.path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text().replace("[exact]", "[exact, {contains: {as: has}}]"))


def test_answers_of_a_run_of_another_candidate_do_not_stand_for_the_baseline(paired, provider):
    assert paired.run("--full").ret == 0
    first = (paired.path / "candidate.yaml").read_text()
    paired.write("candidate.yaml", first.replace("answerer-2", "answerer-3").replace('"1.1.0"', '"1.2.0"'))
    assert paired.run("--full", "--reuse=always").ret == 0
    assert provider.asked.total() == 2 * CALLS


def test_a_candidate_that_answered_before_is_not_held_against_a_baseline_that_answers_now(paired, provider):
    assert paired.run("--full").ret == 0
    path = paired.path / "production.yaml"
    paired.write("production.yaml", path.read_text().replace("answerer-1", "answerer-0"))
    result = paired.run("--full", "--reuse=always")
    assert result.ret == 10, paired.text(result)
    card = paired.scorecard()
    assert (
        "40 cases were answered by one release before and by the other one now" in card["verdict"]["reason"]
    )
    assert "without `--reuse always`" in card["verdict"]["next_step"]


def test_kept_answers_of_another_day_promote_nothing(paired):
    assert paired.run("--full").ret == 0
    with closing(sqlite3.connect(paired.path / ".relgate/responses.db")) as connection, connection:
        for number, body in connection.execute("select id, body from answers").fetchall():
            old = body.replace(b'"at":"20', b'"at":"19')
            assert old != body
            connection.execute("update answers set body = ? where id = ?", (old, number))
    _rescore(paired)
    result = paired.run("--full", "--reuse=always")
    assert result.ret == 10, paired.text(result)
    assert "older than 24 hours" in paired.scorecard()["verdict"]["reason"]


def test_a_hold_for_the_answers_that_it_took_is_not_served_to_the_next_run(paired):
    paired.run("--full", "--screen")
    assert paired.run("--full", "--reuse=always").ret == 10
    assert "of a screen or of a run of some cases" in paired.scorecard()["verdict"]["reason"]
    result = paired.run("--full")
    assert result.ret == 0, paired.text(result)
    assert "judged before" not in paired.text(result)


def test_whoever_is_asked_again_is_judged_in_a_further_attempt(paired, provider):
    assert paired.run("--full").ret == 0
    (paired.path / ".relgate/responses.db").unlink()
    _rescore(paired)
    assert paired.run("--full", "--reuse=always").ret == 0
    assert provider.asked.total() == 2 * CALLS
    assert paired.scorecard()["verdict"]["attempts"] == 2


def test_scorers_of_raw_text_keep_what_the_raw_text_got(paired, provider):
    provider.suffix = " write to ana.lopez@example.org"
    cases = [case | {"expected": case["expected"] + provider.suffix} for case in paired.numbered(CASES)]
    paired.suite("golden", cases, "gates:\n  - {metric: no_pii, at_least: 0.5, role: guard}\n")
    suite = paired.path / "golden_sets/golden/suite.yaml"
    suite.write_text(suite.read_text().replace("[exact]", "[no_pii]"))
    paired.run("--full")
    suite.write_text(suite.read_text().replace("[no_pii]", "[no_pii, contains]"))
    result = paired.run("--full", "--reuse=always")
    card = paired.scorecard()
    metrics = {m["metric"]: m["candidate"] for m in card["suites"][0]["metrics"] if not m["slice"]}
    assert metrics["no_pii"] == 0.0, "the kept text holds no address any more"
    assert any("no_pii kept the score that the raw text got" in note for note in card["notes"])
    assert "ana.lopez" not in paired.text(result)


def test_no_secret_and_no_address_reach_the_store_or_a_recording(paired, provider, monkeypatch):
    monkeypatch.setenv("DESK_KEY", "sk-very-secret-0123456789")
    provider.suffix = " write to ana.lopez@example.org, key sk-very-secret-0123456789"
    for name in ("production.yaml", "candidate.yaml"):
        text = (paired.path / name).read_text()
        paired.write(name, text.replace('{PROVIDER_URL}"', '{PROVIDER_URL}", api_key: "${DESK_KEY}"'))
    paired.run("--full", "--record=answers.jsonl")
    for path in [*(paired.path / ".relgate").iterdir(), paired.path / "answers.jsonl"]:
        raw = path.read_bytes()
        assert b"ana.lopez" not in raw, path
        assert b"sk-very-secret" not in raw, path
    assert (paired.path / ".relgate/responses.db").stat().st_mode & 0o077 == 0


def test_a_recorded_run_is_replayed_elsewhere_without_a_call(paired, provider, monkeypatch):
    provider.wrong["answerer-2"] = {"question 3"}
    paired.run("--full", "--record=out/answers.jsonl")
    first = paired.scorecard()
    provider.asked.clear()
    monkeypatch.setenv("PROVIDER_URL", "http://127.0.0.1:9/v1")
    result = paired.run("--full", "--replay=out/answers.jsonl", "--registry=other.db", "--report-dir=other")
    second = paired.scorecard("other")
    assert result.ret == 0, paired.text(result)
    assert provider.calls == 0
    assert second["calls"]["made"] == 0
    assert second["calls"]["reused"] == CALLS
    same = ("gates", "alarms", "suites", "cases", "worst", "changed")
    assert {key: first[key] for key in same} == {key: second[key] for key in same}


def test_a_replay_needs_no_variable_of_a_provider_and_its_plan_announces_no_cost(chat, provider, monkeypatch):
    chat.write("candidate.yaml", chat.live(kind="chat", key=', api_key: "${PROVIDER_KEY}"'))
    monkeypatch.setenv("PROVIDER_KEY", "sk-very-secret")
    assert "about 2,100 tokens" in chat.run("--record=answers.jsonl").stdout.str()
    elsewhere = ("--registry=other.db", "--report-dir=other")
    for name in ("PROVIDER_KEY", "PROVIDER_URL"):
        monkeypatch.delenv(name)
    assert "variable PROVIDER_KEY is not set" in chat.text(chat.run(*elsewhere))
    result = chat.run("--replay=answers.jsonl", *elsewhere)
    shown = chat.text(result)
    assert result.ret == 0, shown
    assert "  8 cases in 1 suite, 8 answers taken from answers.jsonl; nobody is called\n" in shown
    assert "tokens" not in shown.split("golden_sets/small")[0]


def test_a_replay_says_beforehand_what_is_missing(paired, provider):
    paired.run("--full", "--record=answers.jsonl")
    path = paired.path / "answers.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-7]))
    provider.asked.clear()
    result = paired.run("--full", "--replay=answers.jsonl", "--registry=other.db")
    assert result.ret == 4
    assert "answers.jsonl:1:1: holds no answer to " in paired.text(result)
    assert "and 2 more" in paired.text(result)
    assert provider.calls == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "holds no answers"),
        (lambda text: "hello\n" + text, "answers.jsonl:1:1: is no kept answer"),
        (lambda text: text.replace('"candidate":"sha256:', '"candidate":"sha256:0'), "another candidate"),
    ],
    ids=["empty", "foreign", "another release"],
)
def test_a_file_that_is_none_is_a_usage_error(paired, provider, change, said):
    paired.run("--full", "--record=answers.jsonl")
    path = paired.path / "answers.jsonl"
    path.write_text(change(path.read_text()))
    result = paired.run("--full", "--replay=answers.jsonl", "--registry=other.db")
    assert result.ret == 4
    assert said in paired.text(result)


def test_a_replay_of_old_answers_promotes_nothing(paired, provider):
    paired.run("--full", "--record=answers.jsonl")
    path = paired.path / "answers.jsonl"
    year = json.loads(path.read_text().splitlines()[1])["at"][:4]
    path.write_text(path.read_text().replace(f'"at":"{year}', '"at":"2020'))
    assert paired.run("--full", "--replay=answers.jsonl", "--registry=other.db").ret == 10
    assert "older than 24 hours" in paired.scorecard()["verdict"]["reason"]


def test_sealed_cases_are_not_kept(paired, provider):
    paired.suite("golden", paired.numbered(120), "sealed: true\n" + GATES)
    paired.run("--full", "--record=answers.jsonl")
    card = paired.scorecard()
    assert card["cases"]["sealed"] > 40
    assert _kept(paired) == 2 * (120 - card["cases"]["sealed"])


def test_an_answer_store_that_is_full_loses_no_verdict(paired, provider):
    path = paired.path / "limited.py"
    path.write_text(
        "import resource, signal, sys, pytest\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "sys.exit(pytest.main(sys.argv[1:]))\n"
    )
    conftest = paired.path / "conftest.py"
    conftest.write_text(
        "import resource, pathlib\n"
        "from relgate.store.responses import ResponseStore\n"
        "put = ResponseStore.put\n"
        "def full(self, rows, run, at):\n"
        "    limit = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limit[1]))\n"
        "    try:\n"
        "        put(self, rows, run, at)\n"
        "    finally:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, limit)\n"
        "ResponseStore.put = full\n"
    )
    result = paired.pytester.run(
        sys.executable, path, "-p", "no:replay", "--manifest=candidate.yaml", "--full", "--record=all.jsonl"
    )
    assert result.ret == 0, paired.text(result)
    recorded = (paired.path / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum('"key"' in line for line in recorded) == CALLS, "one full disk is no reason for the other file"
    assert any(note.startswith("answers are not kept: ") for note in paired.scorecard()["notes"]), (
        paired.text(result)
    )


@pytest.mark.parametrize(
    "option",
    ["--reuse=sometimes", "--record=/proc/no/such", "--record=golden_sets", "--replay=missing.jsonl"],
)
def test_what_cannot_be_is_said_and_nothing_is_called(paired, provider, option):
    result = paired.run(option)
    assert result.ret in (3, 4), paired.text(result)
    assert "Traceback" not in paired.text(result)
    assert provider.calls == 0
