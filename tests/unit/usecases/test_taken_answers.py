"""What a run takes from another one keeps its name and its end, recorded again or not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from relgate.domain.kept import Kept
from relgate.domain.response import Response
from relgate.files.kept import encode_kept
from relgate.redaction import Redactor
from relgate.store.responses import ResponseStore, State
from relgate.usecases.measuring.kept_answers import KeptAnswers

KEY = "sha256:key"


def test_an_answer_of_a_screen_stays_one_when_a_run_that_records_took_it_and_was_killed(tmp_path: Path):
    path, record = tmp_path / "responses.db", tmp_path / "record.jsonl"
    now = datetime.now(UTC)
    body = encode_kept(Kept(KEY, now, Response("yes"), (), "", False))
    store = ResponseStore(path)
    store.put([(KEY, body)], "1-screen-mark", now)
    store.finish("1-screen-mark", [], State.OF_NO_ATTEMPT)
    store.close()
    answers = KeptAnswers(path, "always", steady=True, redactor=Redactor(key=b"key"), record=record)
    try:
        assert answers.find(KEY, baseline=False) is not None
        assert answers.of_no_attempt
        answers.flush()
        assert answers.count == 1
    finally:
        answers.close()  # and no finish: as after a kill
    assert b'"yes"' in record.read_bytes()
    store = ResponseStore(path)
    try:
        found = store.find(KEY, not_of="")
        assert found is not None
        assert (found.state, found.run) == (State.OF_NO_ATTEMPT, "1-screen-mark")
        assert not store.has_unfinished()
    finally:
        store.close()
