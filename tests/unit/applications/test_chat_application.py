"""The chat application against a real OpenAI-compatible server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from relgate.applications.chat import ChatResponder, question_template
from relgate.domain.case import Message
from relgate.domain.errors import InputError
from relgate.domain.release import Price
from relgate.domain.response import Failure, Request, Response, ToolCall
from relgate.engine.transport import HttpTransport


def _ask(release, request=None):
    async def ask():
        transport = HttpTransport()
        try:
            responder = ChatResponder(release, transport)
            return await responder.respond(request or Request("c", "How long?"))
        finally:
            await transport.close()

    return asyncio.run(ask())


def _closed_url():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"


def test_the_prompt_is_rendered_with_the_question(api):
    with api.Server(api.completion()) as server:
        found = _ask(api.release(server.url, prompt="Be brief.\n{{ question }}"))
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Be brief.\nHow long?"}]
    assert server.bodies[0]["model"] == "model-0"
    assert (found.output, found.served_by, found.failed_hops) == ("Hello.", "p0/m0", ())


def test_a_prompt_without_the_question_is_the_system_message(api):
    with api.Server(api.completion()) as server:
        _ask(api.release(server.url, prompt="Be brief."))
    assert [m["role"] for m in server.bodies[0]["messages"]] == ["system", "user"]


def test_a_conversation_keeps_its_order_and_only_its_last_question_is_put_into_the_prompt(api):
    talk = (
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "And how long?"),
        Message("assistant", "Well,"),
    )
    with api.Server(api.completion()) as server:
        _ask(api.release(server.url), Request("c", talk))
    said = [(m["role"], m["content"]) for m in server.bodies[0]["messages"]]
    assert said == [
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "Answer: And how long?"),
        ("assistant", "Well,"),
    ]


def test_text_in_braces_inside_a_question_is_not_rendered_again(api):
    with api.Server(api.completion()) as server:
        _ask(api.release(server.url), Request("c", "What is {{ question }}?"))
    assert server.bodies[0]["messages"][0]["content"] == "Answer: What is {{ question }}?"


def test_parameters_key_and_release_header_reach_the_provider(api):
    with api.Server(api.completion()) as server:
        release = api.release(server.url, key="sk-very-secret", parameters={"temperature": 0.3})
        _ask(release, Request("c", "?", headers={"X-Relgate-Release": release.digest}))
    assert server.bodies[0]["temperature"] == 0.3
    assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
    assert server.headers[0]["X-Relgate-Release"] == release.digest


def test_without_a_key_no_authorization_is_sent(api):
    with api.Server(api.completion()) as server:
        _ask(api.release(server.url))
    assert "Authorization" not in server.headers[0]


def test_tools_are_offered_and_calls_come_back_parsed(api):
    schema = {"name": "lookup", "parameters": {"type": "object"}}
    call = {"id": "1", "type": "function", "function": {"name": "lookup", "arguments": '{"order": 7}'}}
    with api.Server(api.completion(None, tool_calls=[call])) as server:
        found = _ask(api.release(server.url, tools=(json.dumps(schema),)))
    assert server.bodies[0]["tools"] == [{"type": "function", "function": schema}]
    assert (found.output, found.tool_calls) == ("", (ToolCall("lookup", {"order": 7}),))


def test_usage_becomes_tokens_and_cost(api):
    with api.Server(api.completion()) as server:
        found = _ask(api.release(server.url, price=Price(2.0, 10.0)))
        unpriced = _ask(api.release(server.url))
    assert (found.tokens, found.cost_usd) == (150, pytest.approx(0.0007))
    assert (unpriced.tokens, unpriced.cost_usd) == (150, None)


def test_an_answer_without_usage_has_unknown_tokens_and_cost(api):
    with api.Server(api.body('{"choices": [{"message": {"content": "x"}}]}')) as server:
        found = _ask(api.release(server.url, price=Price(2.0, 10.0)))
    assert (found.output, found.tokens, found.cost_usd) == ("x", None, None)


def test_content_in_parts_is_joined(api):
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    with api.Server(api.completion(parts)) as server:
        assert _ask(api.release(server.url)).output == "ab"


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_what_is_transient_is_tried_again(api, code):
    with api.Server(api.status(code), api.status(code), api.completion()) as server:
        found = _ask(api.release(server.url))
    assert isinstance(found, Response)
    assert len(server.bodies) == 3


def test_retries_end_and_are_an_outage(api):
    with api.Server(api.status(503)) as server:
        found = _ask(api.release(server.url))
    assert (found.kind, len(server.bodies)) == ("outage", 3)
    assert found.message == "p0/m0: HTTP 503, 3 times"


def test_retry_after_in_seconds_is_waited_for_once_per_retry(api):
    with api.Server(api.status(429, **{"Retry-After": "0.4"}), api.completion()) as server:
        started = time.monotonic()
        found = _ask(api.release(server.url, retry=5))
    assert isinstance(found, Response)
    assert 0.4 <= time.monotonic() - started < 2


def test_retry_after_is_not_waited_for_when_no_retry_is_left(api):
    with api.Server(api.status(503), api.status(503), api.status(503, **{"Retry-After": "60"})) as server:
        started = time.monotonic()
        found = _ask(api.release(server.url))
    assert found.message == "p0/m0: HTTP 503, 3 times (it asks to wait 60 s)"
    assert time.monotonic() - started < 50


def test_retry_after_as_a_date_is_waited_for(api):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    with api.Server(api.status(429, **{"Retry-After": when}), api.completion()) as server:
        started = time.monotonic()
        _ask(api.release(server.url, retry=5))
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize("asked", ["soon", "-3", "nan"])
def test_a_retry_after_that_makes_no_sense_does_not_hold_up_the_run(api, asked):
    with api.Server(api.status(429, **{"Retry-After": asked}), api.completion()) as server:
        started = time.monotonic()
        found = _ask(api.release(server.url))
    assert isinstance(found, Response)
    assert time.monotonic() - started < 50


def test_the_next_target_answers_when_the_first_is_away(api):
    with api.Server(api.completion("From b.")) as server:
        found = _ask(api.release(_closed_url(), server.url))
    assert (found.output, found.served_by, found.failed_hops) == ("From b.", "p1/m1", ("p0/m0",))
    assert server.bodies[0]["model"] == "model-1"


def test_a_chain_that_is_away_as_a_whole_is_an_outage_that_names_every_target(api):
    found = _ask(api.release(_closed_url(), _closed_url()))
    assert found.kind == "outage"
    assert "p0/m0: " in found.message
    assert "p1/m1: " in found.message


def test_a_refused_request_is_the_applications_failure_and_no_fallback_hides_it(api):
    with api.Server(api.status(400, "context\ntoo long")) as server, api.Server(api.completion()) as second:
        found = _ask(api.release(server.url, second.url))
    assert found == Failure("application", "p0/m0: HTTP 400: context too long")
    assert (len(server.bodies), len(second.bodies)) == (1, 0)


def test_a_redirect_is_not_followed(api):
    with api.Server(api.completion()) as other:
        target = other.url + "/chat/completions"
        with api.Server(api.status(307, "", Location=target)) as server:
            found = _ask(api.release(server.url, key="sk-very-secret"))
    assert found.kind == "application"
    assert other.bodies == []


GARBAGE = {
    "html": "<html>busy</html>",
    "empty": "",
    "list": "[]",
    "no choices": '{"choices": []}',
    "null message": '{"choices": [{"message": null}]}',
    "number as content": '{"choices": [{"message": {"content": 3}}]}',
    "parts that are none": '{"choices": [{"message": {"content": [7]}}]}',
    "usage is a list": '{"choices": [{"message": {"content": "x"}}], "usage": [1]}',
    "NaN": '{"choices": [{"message": {"content": NaN}}]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
def test_an_answer_that_is_no_completion_is_the_applications_failure(api, text):
    with api.Server(api.body(text)) as server:
        found = _ask(api.release(server.url))
    assert isinstance(found, Failure)
    assert found.kind == "application"
    assert "no chat completion" in found.message


@pytest.mark.parametrize("arguments", ["{", "[1]", "7", '{"amount": NaN}'])
def test_tool_arguments_that_are_no_json_object_are_the_applications_failure(api, arguments):
    call = {"function": {"name": "refund", "arguments": arguments}}
    with api.Server(api.completion(None, tool_calls=[call])) as server:
        found = _ask(api.release(server.url))
    assert found.kind == "application"
    assert "the arguments of refund are no JSON" in found.message


def test_a_body_that_breaks_off_is_tried_again(api):
    with api.Server(api.truncated, api.completion("whole")) as server:
        assert _ask(api.release(server.url)).output == "whole"


def test_a_body_that_always_breaks_off_is_an_outage(api):
    with api.Server(api.truncated) as server:
        assert _ask(api.release(server.url)).kind == "outage"


def test_a_server_that_hangs_is_an_outage_after_the_timeout(api):
    with api.Server(api.hanging) as server:
        started = time.monotonic()
        found = _ask(api.release(server.url, timeout=0.1))
    assert found == Failure("outage", "p0/m0: no answer within 0.1 s, 3 times")
    assert time.monotonic() - started < 3


def test_an_address_that_is_none_is_the_applications_failure(api):
    found = _ask(api.release("http://[::1"))
    assert found.kind == "application"


def test_a_prompt_with_other_variables_is_an_error_before_any_call(api):
    with pytest.raises(InputError, match=r"p\.md:1:1: .*fills only.*evidence.*\n.*p\.md:1:31: .*tone"):
        question_template(api.release("http://x", prompt="{{ evidence }} {{ question }} {{ tone }}"))


def test_the_key_never_shows_itself(api):
    release = api.release("http://x", key="sk-very-secret")
    assert "sk-very-secret" not in repr(release)
