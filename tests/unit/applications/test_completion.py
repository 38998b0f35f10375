"""Completions, whole and streamed, in the shapes that OpenAI's API and its look-alikes send."""

from __future__ import annotations

import json

import pytest

from relgate.applications.completion import (
    BrokenStreamError,
    NoCompletionError,
    read_completion,
    read_stream,
)
from relgate.domain.release import Price
from relgate.domain.response import ToolCall

PRICE = Price(1.0, 10.0)
WHOLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-x-2026-01-01",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    "system_fingerprint": "fp",
}


def _chunk(delta=None, finish=None, **more) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"object": "chat.completion.chunk", "choices": choices, **more}).encode()


def test_a_whole_completion():
    found = read_completion(json.dumps(WHOLE).encode(), PRICE)
    assert (found.output, found.tokens, found.model) == ("Hi", 150, "gpt-x-2026-01-01")
    assert found.backend == "fp"
    assert found.cost_usd == pytest.approx((100 * 1.0 + 50 * 10.0) / 1e6)


def test_the_quick_and_the_slow_way_agree():
    slow = json.loads(json.dumps(WHOLE))
    slow["choices"][0]["message"]["tool_calls"] = []
    assert read_completion(json.dumps(slow).encode(), PRICE) == read_completion(
        json.dumps(WHOLE).encode(), PRICE
    )


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{}", b'{"choices": []}', b"[1]", b'{"choices": [{"message": 7}]}']
)
def test_what_is_no_completion_is_said(body):
    with pytest.raises(NoCompletionError, match="no chat completion"):
        read_completion(body, None)


def test_invalid_utf8_inside_an_answer_becomes_the_replacement_character():
    body = json.dumps(WHOLE).encode().replace(b"Hi", b"H\xff")
    assert read_completion(body, None).output == "H\ufffd"


def test_a_stream_is_put_together():
    events = [
        _chunk({"role": "assistant", "content": ""}, model="m-1"),
        _chunk({"content": "Hel"}),
        _chunk({"content": "lo"}),
        _chunk({}, "stop"),
        _chunk(usage={"prompt_tokens": 7, "completion_tokens": 2}),
        b"[DONE]",
    ]
    found = read_stream(events, PRICE)
    assert (found.output, found.tokens, found.model) == ("Hello", 9, "m-1")


def test_streamed_tool_calls_are_put_together_by_index():
    def call(index, **function):
        return {"tool_calls": [{"index": index, "function": function}]}

    events = [
        _chunk(call(0, name="refund", arguments="")),
        _chunk(call(1, name="notify", arguments="{}")),
        _chunk(call(0, arguments='{"amount"')),
        _chunk(call(0, arguments=": 3}")),
        _chunk({}, "tool_calls"),
    ]
    assert read_stream(events, None).tool_calls == (ToolCall("refund", {"amount": 3}), ToolCall("notify", {}))


@pytest.mark.parametrize(
    "events",
    [
        [_chunk({"content": "Hel"})],
        [],
        [_chunk({"content": "Hel"}), json.dumps({"error": {"message": "overloaded"}}).encode(), b"[DONE]"],
    ],
    ids=["broken off", "empty", "error"],
)
def test_a_stream_without_an_end_is_the_providers(events):
    with pytest.raises(BrokenStreamError, match="stream ended"):
        read_stream(events, None)


@pytest.mark.parametrize("event", [b"{", b"[1]", b'{"choices": [{"delta": {"content": 3}}]}', b"NaN"])
def test_an_event_that_is_no_chunk_is_no_completion(event):
    with pytest.raises(NoCompletionError):
        read_stream([event], None)


@pytest.mark.parametrize("calls", [None, []], ids=["quickly", "slowly"])
def test_a_number_of_tokens_that_is_no_float_any_more_is_unknown(calls):
    answer = json.loads(json.dumps(WHOLE))
    answer["usage"]["prompt_tokens"] = 10**400
    if calls is not None:
        answer["choices"][0]["message"]["tool_calls"] = calls
    found = read_completion(json.dumps(answer).encode(), PRICE)
    assert (found.output, found.tokens, found.cost_usd) == ("Hi", None, None)
