"""A deployed service, asked over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from relgate.applications.http import HttpResponder
from relgate.domain.case import Message
from relgate.domain.deployed import HttpSpec, ResponseMapping
from relgate.domain.response import Failure, Request, Response
from relgate.engine.transport import HttpTransport

SPEC = HttpSpec(
    "p0",
    "/chat/completions",
    {"q": "{{ question }}", "m": "{{ messages }}", "id": "{{ case_id }}-{{ trial }}", "r": "{{ release }}"},
    ResponseMapping("/answer"),
)


def _ask(release, spec=SPEC, request=None):
    async def ask():
        transport = HttpTransport()
        try:
            responder = HttpResponder(spec, release.providers["p0"], release, transport)
            return await responder.respond(
                request or Request("c", "How long?", 2, {"X-Relgate-Release": "d"})
            )
        finally:
            await transport.close()

    return asyncio.run(ask())


def test_the_template_is_filled_and_the_answer_read(api):
    with api.Server(api.body('{"answer": "Five days."}')) as server:
        release = api.release(server.url)
        found = _ask(release)
    assert isinstance(found, Response)
    assert found.output == "Five days."
    assert found.latency_ms is not None
    assert server.bodies == [
        {
            "q": "How long?",
            "m": [{"role": "user", "content": "How long?"}],
            "id": "c-2",
            "r": release.digest,
        }
    ]
    assert server.headers[0]["X-Relgate-Release"] == "d"


def test_a_conversation_goes_as_messages_and_its_last_question(api):
    talk = (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "How long?"))
    with api.Server(api.body('{"answer": "x"}')) as server:
        _ask(api.release(server.url), request=Request("c", talk))
    assert [m["role"] for m in server.bodies[0]["m"]] == ["user", "assistant", "user"]
    assert server.bodies[0]["q"] == "How long?"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ("bearer", "Authorization", "Bearer sk-1"),
        ("x-api-key", "x-api-key", "sk-1"),
    ],
)
def test_the_key_goes_where_the_service_wants_it(api, auth, header, value):
    spec = HttpSpec("p0", SPEC.path, SPEC.request, SPEC.response, auth=auth, headers={"version": "7"})
    with api.Server(api.body('{"answer": "x"}')) as server:
        _ask(api.release(server.url, key="sk-1"), spec)
    assert server.headers[0][header] == value
    assert server.headers[0]["version"] == "7"


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_what_the_service_breaks_itself_is_its_failure_and_is_asked_once(api, status):
    with api.Server(api.status(status, "no\nluck")) as server:
        found = _ask(api.release(server.url))
    assert found == Failure("application", f"p0: HTTP {status}: no luck", found.latency_ms)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_stands_before_the_service_is_an_outage_after_retries(api, status):
    with api.Server(api.status(status)) as server:
        found = _ask(api.release(server.url))
    assert isinstance(found, Failure)
    assert found.kind == "outage"
    assert len(server.bodies) > 1


def test_an_answer_that_cannot_be_read_is_the_applications_failure(api):
    with api.Server(api.body("<html>")) as server:
        found = _ask(api.release(server.url))
    assert isinstance(found, Failure)
    assert found.kind == "application"
    assert found.message == "p0: the answer is no JSON (JSONDecodeError)"


def test_half_a_surrogate_pair_in_a_question_is_sent_as_an_escape(api):
    with api.Server(api.body('{"answer": "x"}')) as server:
        _ask(api.release(server.url), request=Request("c", "half \ud800"))
    assert server.bodies[0]["q"] == "half \ud800"
