"""A name that serves another model is noticed, though no digest changed."""

from __future__ import annotations

import pytest


@pytest.fixture
def named(chat, provider, monkeypatch):
    """A chat application whose provider says which model answers."""
    chat.suite("small", chat.numbered(20))
    chat.write("candidate.yaml", chat.live(kind="chat", model="gpt-5-2026-04-30"))
    return chat


def _notes(project, result, folder="reports") -> str:
    assert result.ret == 0, project.text(result)
    return " ".join(project.scorecard(folder)["notes"])


def test_another_model_under_the_same_name_is_said(named, provider):
    provider.says = "gpt-5-2026-04-30"
    assert "answers as" not in _notes(named, named.run())
    provider.says = "gpt-5-2026-09-01"
    named.write("candidate.yaml", named.live(kind="chat", model="gpt-5-2026-04-30", version="1.2.0"))
    said = _notes(named, named.run("--reuse=never", "--report-dir=second"), "second")
    assert (
        "local/answerer of desk@1.2.0 answers as gpt-5-2026-09-01 and answered as gpt-5-2026-04-30 before: "
        "the same name serves another model"
    ) in said


def test_another_model_than_was_asked_for_is_said(named, provider):
    provider.says = "mistral-7b"
    said = _notes(named, named.run())
    assert "local/answerer of desk@1.1.0 was asked for gpt-5-2026-04-30 and answers as mistral-7b" in said


def test_a_provider_that_says_nothing_is_not_suspected(named, provider):
    assert "answers as" not in _notes(named, named.run())


def test_a_longer_name_of_the_same_model_is_the_same(named, provider):
    provider.says = "openai/gpt-5-2026-04-30"
    assert "answers as" not in _notes(named, named.run())


def test_another_system_behind_the_same_name_is_said(named, provider):
    provider.backends = ["fp_1"]
    assert "system_fingerprint" not in _notes(named, named.run())
    assert named.scorecard("reports")["run"]["backends"]["candidate"] == {"local/answerer": ["fp_1"]}
    provider.backends = ["fp_2"]
    said = _notes(named, named.run("--reuse=never", "--report-dir=second", "--trials=2"), "second")
    assert "what answers as local/answerer of desk@1.1.0 is fp_2 and was fp_1 in run " in said


def test_one_system_of_several_is_no_other_one(named, provider):
    provider.backends = ["fp_1"]
    _notes(named, named.run())
    provider.backends = ["fp_1", "fp_2"]
    again = named.run("--reuse=never", "--report-dir=second", "--trials=2")
    assert "system_fingerprint" not in _notes(named, again, "second")
    assert named.scorecard("second")["run"]["backends"]["candidate"] == {"local/answerer": ["fp_1", "fp_2"]}


def test_what_is_no_name_of_a_system_is_not_kept(named, provider):
    provider.backends = ["a secret of the provider"]
    _notes(named, named.run())
    assert (
        "backends" not in named.scorecard("reports")["run"]
        or not named.scorecard("reports")["run"]["backends"]
    )
