"""Recorded outputs: found by case and trial; a row that is not there is missing, not wrong."""

from __future__ import annotations

import asyncio

from relgate.applications.recording import RecordingResponder, trials_of
from relgate.domain.response import Failure, Request, Response

ROWS = {
    ("a", 0): Response("one"),
    ("a", 2): Response("three"),
    ("b", 0): Failure("application", "crashed"),
}


def _ask(case_id, trial=0):
    responder = RecordingResponder(ROWS)

    async def ask():
        await responder.open()
        found = await responder.respond(Request(case_id, "", trial))
        await responder.close()
        return found

    return asyncio.run(ask())


def test_a_row_answers_by_case_and_trial():
    assert _ask("a", 2).output == "three"


def test_a_recorded_failure_stays_a_failure():
    assert _ask("b") == Failure("application", "crashed")


def test_a_row_that_is_not_there_is_missing():
    assert _ask("a", 1) == Failure("missing", "the recording holds nothing for trial 1")
    assert _ask("c").kind == "missing"


def test_the_trials_of_a_case_are_those_that_were_recorded():
    assert trials_of(ROWS) == {"a": (0, 2), "b": (0,)}
