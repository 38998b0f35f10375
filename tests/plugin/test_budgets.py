"""``--budget-calls``, ``-usd`` and ``-seconds`` end a run cleanly: a hold that says what is missing."""

from __future__ import annotations

import socket
import time

import pytest

CASES = 60


@pytest.fixture
def paired(python_app, provider):
    """A candidate against a live baseline: 136 calls."""
    python_app.suite("golden", python_app.numbered(CASES), "gates:\n  - {metric: exact, at_least: 0.5}\n")
    python_app.write("production.yaml", python_app.live("answerer-1", version="1.0.0"))
    python_app.write("candidate.yaml", python_app.live("answerer-2", baseline="production.yaml"))
    return python_app


@pytest.mark.parametrize("mode", [(), ("-n", "2")], ids=["plain", "xdist"])
def test_no_more_calls_are_made_than_allowed(paired, provider, mode):
    result = paired.judge(mode, "--full", "--budget-calls=50")
    shown = paired.text(result)
    assert result.ret == 10, shown
    assert provider.calls == 50
    card = paired.scorecard()
    assert card["verdict"]["decision"] == "hold"
    assert card["verdict"]["reason"].startswith("the budget of 50 calls was spent; not measured: ")
    assert "a larger budget" in card["verdict"]["next_step"]
    assert card["verdict"]["partial"] is True
    assert card["cases"]["not_run"] >= CASES - 25
    assert card["calls"]["made"] == 50
    assert card["calls"]["saved"] == 0


def test_a_budget_that_is_large_enough_changes_nothing(paired, provider):
    assert paired.run("--full", "--budget-calls=136", "--budget-seconds=600").ret == 0
    assert provider.calls == 136


def test_a_stopped_run_is_no_attempt_and_says_so_in_no_verdict_of_the_next(paired, provider):
    paired.run("--budget-calls=50")
    assert paired.rows("attempts") == []
    assert paired.run().ret == 0
    assert paired.rows("verdicts", "attempt")[-1] == (1,)


def test_seconds_end_the_calls(paired, provider):
    provider.seconds = 0.1
    result = paired.run("--full", "--budget-seconds=1.5", "--concurrency=2")
    assert result.ret == 10
    assert "the budget of 1.5 s was spent" in paired.scorecard()["verdict"]["reason"]
    assert 2 <= provider.calls < 60


def test_dollars_end_the_calls(paired, provider):
    application = paired.path / "desk_app.py"
    priced = application.read_text().replace(
        'return json.load(answer)["choices"][0]["message"]["content"]',
        'return Response(json.load(answer)["choices"][0]["message"]["content"], cost_usd=0.25)',
    )
    application.write_text("from relgate import Response\n" + priced)
    result = paired.spawn("--full", "--budget-usd=5", "--concurrency=4")
    assert result.ret == 10, paired.text(result)
    assert paired.scorecard()["verdict"]["reason"].startswith("the budget of $5 was spent")
    assert 16 <= provider.calls <= 24


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--budget-calls=0", "--budget-calls must be at least 1, not 0"),
        ("--budget-usd=-1", "--budget-usd must be at least 0, not -1"),
        ("--budget-seconds=nan", "--budget-seconds must be at least 0, not nan"),
    ],
)
def test_a_budget_that_makes_no_sense_is_a_usage_error(paired, provider, option, said):
    result = paired.run(option)
    assert result.ret == 4
    assert said in paired.text(result)
    assert provider.calls == 0


def test_the_variable_and_the_ini_key_work(paired, provider, monkeypatch):
    monkeypatch.setenv("RELGATE_BUDGET_CALLS", "30")
    assert paired.run("--full").ret == 10
    assert provider.calls == 30
    monkeypatch.delenv("RELGATE_BUDGET_CALLS")
    paired.write("pytest.ini", "[pytest]\nrelgate_budget_calls = 20\n")
    provider.asked.clear()
    assert paired.run("--full").ret == 10
    assert provider.calls == 20


def test_cases_that_early_stop_spared_are_not_missing(paired, provider):
    paired.run("--budget-calls=50")
    card = paired.scorecard()
    assert card["verdict"]["reason"] == "the budget of 50 calls was spent; not measured: 8 of 8 of small"
    spared = card["cases"]["not_run"] - 8
    assert spared > 30
    assert card["calls"]["saved"] == 2 * spared


def test_the_plan_says_what_the_calls_will_cost_once_a_run_told(paired, provider):
    application = paired.path / "desk_app.py"
    priced = application.read_text().replace(
        'return json.load(answer)["choices"][0]["message"]["content"]',
        'return Response(json.load(answer)["choices"][0]["message"]["content"], cost_usd=0.25, tokens=40)',
    )
    application.write_text("from relgate import Response\n" + priced)
    first = paired.text(paired.spawn("--full"))
    assert "about" not in first.partition("golden_sets")[0]
    paired.write("candidate.yaml", paired.live("answerer-3", version="1.2.0", baseline="production.yaml"))
    second = paired.text(paired.spawn("--full"))
    assert "about 5,400 tokens, $34 (as in run " in second


def test_a_chat_application_is_estimated_by_its_prompts_and_needs_prices_for_dollars(project, provider):
    project.suite("golden", project.numbered(10), "gates:\n  - {metric: exact, at_least: 0.5}\n")
    project.write("prompt.md", "{{ question }}")
    chat = project.live(kind="chat")
    project.write("candidate.yaml", chat)
    result = project.run("--budget-usd=1")
    assert result.ret == 4
    assert "--budget-usd needs a price for every target" in project.text(result)
    assert provider.calls == 0
    price = "{input_per_million: 10, output_per_million: 100}"
    project.write(
        "candidate.yaml", chat.replace('PROVIDER_URL}"', f'PROVIDER_URL}}", prices: {{answerer: {price}}}')
    )
    shown = project.text(project.run("--budget-usd=1"))
    assert "about 2,600 tokens, $0.26 (by the length of prompts and questions, 256 tokens an answer)" in shown
    assert "an answer has no cost" in shown, "this provider reports no tokens"


def test_a_budget_in_dollars_ends_at_the_first_answer_without_a_cost(paired, provider):
    result = paired.run("--full", "--budget-usd=1", "--concurrency=2")
    assert result.ret == 10
    assert provider.calls <= 4
    verdict = paired.scorecard()["verdict"]
    assert "an answer has no cost, so the budget of $1 cannot be held to" in verdict["reason"]
    assert "let the application report what a call costs (`cost_usd`)" in verdict["next_step"]


@pytest.fixture
def away(monkeypatch):
    """The address of a provider that is down."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("PROVIDER_URL", f"http://127.0.0.1:{port}/v1")
    return f"127.0.0.1:{port}"


def test_a_provider_that_is_down_is_named_when_the_seconds_are_spent_and_not_waited_for(chat, away):
    began = time.monotonic()
    result = chat.run("--budget-seconds=1", "--concurrency=4")
    assert time.monotonic() - began < 30, "refused connections are tried for 60 s otherwise"
    assert result.ret == 10
    card = chat.scorecard()
    reason = card["verdict"]["reason"]
    assert reason.startswith(
        "the budget of 1 s was spent; not measured: 8 of 8 of small; 4 calls got no answer, such as: "
        f"local/answerer: {away} refuses connections"
    )
    assert card["verdict"]["next_step"].startswith(
        "make everything answer and run again with a larger budget"
    )
    assert (card["calls"]["made"], card["calls"]["unanswered"]) == (4, 4)
    assert "calls: 0 of 8 planned; 4 got no answer" in chat.text(result)


def test_a_budget_in_calls_that_an_outage_used_up_says_so_and_counts_its_cases_as_missing(python_app, away):
    assert python_app.run("--full", "--budget-calls=4", "--concurrency=2").ret == 10
    verdict = python_app.scorecard()["verdict"]
    assert verdict["reason"].startswith(
        "the budget of 4 calls was spent; not measured: 8 of 8 of small; 4 calls got no answer, such as: "
    )
    assert "Connection refused" in verdict["reason"]
    assert "(about 8 more calls)" in verdict["next_step"]


def test_an_outage_is_no_reason_where_every_call_was_answered(paired, provider):
    paired.run("--full", "--budget-calls=50")
    card = paired.scorecard()
    assert "got no answer" not in card["verdict"]["reason"]
    assert card["calls"]["unanswered"] == 0
