"""The nouns: what names itself, what hides itself, and what identifies a thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.domain.case import Case, Message
from relgate.domain.digest import canonical_json, digest_json, short
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.domain.release import ApplicationSpec, Artifact, Release, Secret, Target
from relgate.domain.response import Measurement, Request, Response, Score

RELEASE = Release(
    name="desk",
    version="1",
    owner="me",
    digest="d",
    path=Path("candidate.yaml"),
    application=ApplicationSpec("recording", "r.jsonl"),
    artifacts=(Artifact("prompt", "a", "1", "d", content=b"text"), Artifact("prompt", "b", "2", "d")),
)


def test_a_secret_shows_itself_to_nobody_who_does_not_ask():
    secret = Secret("sk-1")
    assert "sk-1" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "sk-1"
    assert secret == Secret("sk-1")
    assert hash(secret) == hash(Secret("sk-1"))
    assert not Secret("")


def test_an_artifact_is_found_by_kind_and_name():
    assert RELEASE.artifact("prompt", "a").text == "text"
    with pytest.raises(KeyError, match="the release has prompt/a, prompt/b"):
        RELEASE.artifact("prompt")
    with pytest.raises(KeyError, match="the release has none"):
        RELEASE.artifact("model")
    with pytest.raises(ValueError, match="prompt/b@2 has no file"):
        _ = RELEASE.artifact("prompt", "b").text


def test_a_target_is_provider_and_model():
    assert str(Target.parse("a/b/c")) == "a/b/c"
    for wrong in ("a", "/b", "a/", ""):
        with pytest.raises(ValueError, match="is not provider/model"):
            Target.parse(wrong)


def test_a_place_is_written_as_editors_read_it():
    assert [str(Place("f")), str(Place("f", 3)), str(Place("f", 3, 7))] == ["f", "f:3:1", "f:3:7"]
    assert (
        str(Problem(Place("f", 3, 7), "no such file", "'x'", "make it"))
        == "f:3:7: no such file, 'x', make it"
    )


def test_an_error_of_the_user_has_at_least_one_problem():
    with pytest.raises(ValueError, match="at least one problem"):
        InputError([])


@pytest.mark.parametrize(
    ("gate", "name"),
    [
        (GateSpec("correct", "non_inferior", 0.05), "correct:non_inferior:0.05"),
        (GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.95), "latency_ms:p95:ratio_at_most:1.5"),
        (GateSpec("violation", "violations", 0), "violation:zero"),
        (GateSpec("correct", "superior", 0), "correct:superior"),
        (
            GateSpec("correct", "non_inferior", 0.1, against="primary", pooled="hops", only={"lang": "de"}),
            "correct:non_inferior:0.1:against-primary:pooled-hops:lang=de",
        ),
    ],
)
def test_a_gate_has_a_name_that_tells_it_from_others(gate, name):
    assert gate.name == name


def test_only_gates_against_the_baseline_are_relative():
    assert GateSpec("m", "non_inferior", 0.1).relative
    assert not GateSpec("m", "non_inferior", 0.1, against="primary").relative
    assert not GateSpec("m", "at_least", 0.1).relative


def test_a_gates_place_does_not_enter_its_digest():
    assert (
        GateSpec("m", "at_least", 0.1, line=3).document() == GateSpec("m", "at_least", 0.1, line=9).document()
    )


def test_the_text_of_a_conversation_is_what_the_user_asked_last():
    talk = (Message("user", "one"), Message("assistant", "two"), Message("user", "three"))
    assert Request("c", talk).text == "three"
    assert Request("c", (Message("assistant", "two"),)).text == "two"
    assert Request("c", ()).text == ""
    assert Case("c", talk).text == "one\ntwo\nthree"
    assert Case("c", None).text == ""


def test_equal_values_have_equal_digests_whatever_their_order():
    assert digest_json({"b": 1, "a": [1, "é"]}) == digest_json({"a": [1, "é"], "b": 1})
    assert canonical_json({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
    assert short("sha256:" + "ab" * 32) == "ab" * 6


def test_a_measurement_finds_its_score_by_metric():
    score = Score("exact", 1.0, "binary")
    row = Measurement("candidate", "s", "c", 0, Response("x"), (score,))
    assert (row.score("exact"), row.score("other")) == (score, None)


def test_bounded_metrics_are_those_between_zero_and_one():
    assert [Metric("m", kind).bounded for kind in ("binary", "unit", "count")] == [True, True, False]
