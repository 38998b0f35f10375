"""When stored scores of a stochastic baseline may decide a promote: age, trials, model id, fingerprint."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

COUNT = 60
PROBES = 40
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.1}}]
PINNED = "small-2026-04-30"
APPLICATION = """
import pathlib
from relgate import Response

FOLDER = pathlib.Path({folder!r})

def build(release):
    old = release.version == "1.0.0"

    def application(request):
        with (FOLDER / (release.version + ".count")).open("a") as file:
            file.write("x")
        model = (FOLDER / "model.txt").read_text() if old else "another-7b"
        words = (FOLDER / "words.txt").read_text() if old else "yes"
        return Response(words + " to " + request.text, model=model or None)

    return application
"""


class World:
    """Release 1.0.0 judged with two trials; candidate 2.0.0 compared with that run."""

    def __init__(self, project, module):
        self.project = project
        self.says(PINNED, "yes")
        self.named = project.module(module, APPLICATION.format(folder=str(project.folder)))

    def says(self, model=PINNED, words="yes"):
        self.project.write("model.txt", model)
        self.project.write("words.txt", words)

    def store(self, *, count=COUNT, trials=2):
        cases = [{"id": f"c{n}", "input": f"question {n}", "expected": "yes"} for n in range(count)]
        self.project.suite(cases, gates=GATES, trials=trials)
        self.project.manifest("old.yaml", "1.0.0", application=self.named, baseline="none")
        self.run_id = self.project.card("old.yaml").run.id
        (self.project.folder / "1.0.0.count").unlink()
        more = {"artifacts": {"limits": {"tokens": {"version": "2"}}}}
        self.project.manifest(application=self.named, **more)

    def judge(self):
        return self.project.card(baseline=f"run:{self.run_id}")

    @property
    def asked(self):
        path = self.project.folder / "1.0.0.count"
        return len(path.read_text()) if path.exists() else 0


@pytest.fixture
def world(project, request):
    # every test's module is another one: Python imports a name once
    name = "".join(char if char.isalnum() else "_" for char in request.node.name)
    return World(project, f"stale_{name}")


def test_a_fresh_pinned_baseline_that_answers_as_before_decides_a_promote(world):
    world.store()
    card = world.judge()
    assert card.verdict.decision == "promote", card.verdict.reason
    assert world.asked == PROBES
    assert card.calls.made == card.calls.planned == 2 * COUNT + PROBES
    assert any("the fingerprint of 40 cases passed" in note for note in card.notes)
    assert (card.stored_baseline.run, card.stored_baseline.stale) == (world.run_id, [])
    assert "the fingerprint of 40 cases passed" in card.stored_baseline.fingerprint


def test_calls_of_the_fingerprint_enter_no_gate(world):
    world.store()
    world.says(words="yes, sure,")
    card = world.judge()
    [metric] = [m for s in card.suites for m in s.metrics if m.metric == "contains" and m.slice == ""]
    assert (metric.n, metric.baseline) == (COUNT, 1.0)


@pytest.mark.parametrize(
    ("model", "words", "says"),
    [
        ("small-2026-05-31", "yes", "the provider reports the model small-2026-05-31"),
        ("", "yes", "the provider reports the model nothing"),
        (PINNED, "yes, as you know,", "the fingerprint of 40 cases differs"),
    ],
    ids=["another model", "no model", "other texts"],
)
def test_a_baseline_that_changed_since_is_stale(world, model, words, says):
    world.store()
    world.says(model, words)
    card = world.judge()
    assert card.gates[0].result == "pass"
    assert card.verdict.decision == "hold"
    assert "the baseline is stale" in card.verdict.reason
    assert says in card.verdict.reason
    assert says in card.stored_baseline.stale[0]
    step = f"name its manifest as the baseline: both sides are asked then, about {4 * COUNT} calls"
    assert card.verdict.next_step == step


@pytest.mark.parametrize(
    ("model", "stored", "says"),
    [
        (PINNED, {"trials": 1}, "one trial a case"),
        (PINNED, {"count": 39}, "fewer than 40 cases"),
        ("small", {}, "no pinned model id"),
        ("small-latest", {}, "no pinned model id"),
        ("", {}, "no model id"),
    ],
    ids=["one trial", "few cases", "a bare name", "latest", "no id"],
)
def test_what_cannot_be_trusted_holds_without_a_call_to_the_baseline(world, model, stored, says):
    world.says(model)
    world.store(**stored)
    card = world.judge()
    assert card.verdict.decision == "hold"
    assert says in card.verdict.reason
    assert says in "; ".join(card.stored_baseline.stale)
    assert world.asked == 0


@pytest.mark.parametrize(("hours", "decision"), [(23, "promote"), (25, "hold")])
def test_stored_scores_are_stale_after_a_day(world, hours, decision):
    world.store()
    finished = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")
    registry = world.project.folder / ".relgate" / "registry.db"
    with closing(sqlite3.connect(registry)) as connection, connection:
        connection.execute("update runs set finished = ?", (finished.replace("+00:00", "Z"),))
    card = world.judge()
    assert card.verdict.decision == decision
    assert ("older than 24 hours" in card.verdict.reason) is (decision == "hold")


def test_an_edited_manifest_cannot_be_asked_for_a_fingerprint(world):
    world.store()
    edited = {"artifacts": {"limits": {"tokens": {"version": "9"}}}}
    world.project.manifest("old.yaml", "1.0.0", application=world.named, baseline="none", **edited)
    card = world.judge()
    assert (card.verdict.decision, world.asked) == ("hold", 0)
    assert "no fingerprint can be taken" in card.verdict.reason
