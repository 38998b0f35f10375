"""Request templates and pointers into answers."""

from __future__ import annotations

import json

import pytest

from relgate.applications.mapping import UnmappedError, fill, read_response
from relgate.domain.deployed import ResponseMapping, ToolCallMapping
from relgate.domain.release import Price
from relgate.domain.response import ToolCall

VALUES = {"question": "How long?", "messages": [{"role": "user", "content": "How long?"}], "trial": 2}


def test_a_text_that_is_one_placeholder_becomes_its_value():
    template = {
        "m": "{{ messages }}",
        "n": ["{{trial}}", 7, None, True],
        "q": "Q: {{ question }} #{{ trial }}",
    }
    assert fill(template, VALUES) == {
        "m": VALUES["messages"],
        "n": [2, 7, None, True],
        "q": "Q: How long? #2",
    }


def test_what_is_filled_in_is_not_filled_again():
    assert fill("{{ question }}!", {"question": "{{ trial }}"}) == "{{ trial }}!"


def _read(document, mapping, price=None):
    return read_response(json.dumps(document).encode(), mapping, price)


def test_pointers_lead_through_objects_lists_and_every_item():
    document = {"a": [{"t": "x"}, {"u": 1}, {"t": "y"}], "b/c": {"~": "z"}}
    assert _read(document, ResponseMapping("/a/*/t")).output == "xy"
    assert _read(document, ResponseMapping("/a/0/t")).output == "x"
    assert _read(document, ResponseMapping("/b~1c/~0")).output == "z"


def test_every_part_of_a_response():
    document = {
        "text": "Five days.",
        "meta": {"target": "a/b", "model": "m-1", "hops": ["c/d"], "mode": "cached"},
        "docs": [{"id": "h1"}, {"id": "h2"}],
        "usage": {"in": 100, "out": 10},
        "tools": [{"name": "refund", "arguments": '{"amount": 3}'}, {"type": "text"}],
    }
    mapping = ResponseMapping(
        "/text",
        {
            "served_by": "/meta/target",
            "model": "/meta/model",
            "failed_hops": "/meta/hops",
            "degraded": "/meta/mode",
            "retrieved": "/docs/*/id",
            "prompt_tokens": "/usage/in",
            "completion_tokens": "/usage/out",
        },
        ToolCallMapping("/tools/*"),
    )
    found = _read(document, mapping, Price(1.0, 10.0))
    assert (found.output, found.served_by, found.model, found.degraded) == (
        "Five days.",
        "a/b",
        "m-1",
        "cached",
    )
    assert (found.retrieved, found.failed_hops, found.tokens) == (("h1", "h2"), ("c/d",), 110)
    assert found.cost_usd == pytest.approx(200e-6)
    assert found.tool_calls == (ToolCall("refund", {"amount": 3}),)


def test_a_cost_that_the_service_gives_goes_before_a_price():
    mapping = ResponseMapping("/t", {"prompt_tokens": "/i", "completion_tokens": "/o", "cost_usd": "/c"})
    assert _read({"t": "x", "i": 1, "o": 1, "c": 0.5}, mapping, Price(1.0, 1.0)).cost_usd == 0.5


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "no JSON"),
        (b'{"t": NaN}', "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"u": 1}', "nothing at /t"),
        (b'{"t": 7}', "no text at /t"),
        (b'{"t": "x", "n": "many"}', "tokens at /n is str"),
        (b'{"t": "x", "n": -1}', "tokens at /n is int"),
        (b'{"t": "x", "n": 1.5}', "tokens at /n is float"),
        (b'{"t": "x", "r": [1]}', "retrieved at /r holds int"),
        (b'{"t": "x", "c": [{"name": "f", "arguments": "{"}]}', "the arguments of f are no JSON"),
        (b'{"t": "x", "c": [{"name": "f", "arguments": [1]}]}', "the arguments of f are no JSON object"),
    ],
)
def test_what_is_not_there_is_said(body, said):
    mapping = ResponseMapping("/t", {"tokens": "/n", "retrieved": "/r"}, ToolCallMapping("/c/*"))
    with pytest.raises(UnmappedError, match=said):
        read_response(body, mapping, None)


def test_invalid_utf8_becomes_the_replacement_character():
    assert read_response(b'{"t": "a\xff"}', ResponseMapping("/t"), None).output == "a\ufffd"
