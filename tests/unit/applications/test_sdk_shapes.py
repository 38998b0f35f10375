"""The documented endpoints, against the request and response types of the providers' own SDKs."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pydantic
import pytest
import yaml

from relgate.applications.chat import ChatResponder
from relgate.applications.http import HttpResponder
from relgate.domain.response import Request, ToolCall
from relgate.engine.transport import HttpTransport
from relgate.files import bind_environment, load_manifest, resolve_release

DOCS = Path(__file__).parents[3] / "docs" / "applications.md"


def _documented(title: str) -> dict:
    section = DOCS.read_text().split(f"\n## {title}\n", 1)[1]
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", section, re.DOTALL).group(1))


@pytest.fixture
def documented(tmp_path, api):
    """A release of the manifest in the docs, at a server of ours; asks it."""

    def ask(title, reply, question="How long?", **provider):
        document = _documented(title)
        if "application" not in document:  # a variant of OpenAI's
            document = _documented("OpenAI") | {"providers": document["providers"]}
            document["artifacts"]["model"]["answerer"]["provider"] = "proxy"
            document["routes"] = {"answer": {"chain": ["proxy/answerer"]}}
        with api.Server(reply) as server:
            root = server.url.removesuffix("/v1")
            for name, entry in document["providers"].items():
                versioned = "/v1" in entry["base_url"] or title == "LiteLLM proxy"
                document["providers"][name] = entry | {
                    "base_url": server.url if versioned else root,
                    "api_key": "${TEST_KEY}",
                    **provider,
                }
            head = {"manifest": 1, "release": "desk", "version": "1.0.0", "owner": "me"}
            text = "Answer: {{ question }}" if "chat" in document["application"] else "Be brief."
            (tmp_path / "answer.md").write_text(text)
            path = tmp_path / "candidate.yaml"
            path.write_text(yaml.safe_dump(head | document))
            given = {"TEST_KEY": "sk-1"}
            release = bind_environment(resolve_release(load_manifest(path), environment=given), given)

            async def respond():
                transport = HttpTransport()
                try:
                    if release.application.kind == "chat":
                        responder = ChatResponder(release, transport)
                    else:
                        http = release.application.http
                        responder = HttpResponder(http, release.providers[http.provider], release, transport)
                    return await responder.respond(Request("c", question))
                finally:
                    await transport.close()

            return asyncio.run(respond()), server

    return ask


@pytest.mark.parametrize("title", ["OpenAI", "LiteLLM proxy"])
def test_openai_takes_the_request_and_its_answer_is_read(documented, api, title):
    openai_chat = pytest.importorskip("openai.types.chat")
    answer = openai_chat.ChatCompletion.model_validate(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-5-2026-04-30",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "logprobs": None,
                    "message": {
                        "role": "assistant",
                        "content": "Five days.",
                        "refusal": None,
                        "tool_calls": [
                            {
                                "id": "call_1",
                                "type": "function",
                                "function": {"name": "refund", "arguments": '{"days": 5}'},
                            }
                        ],
                    },
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
    )
    found, server = documented(title, api.body(answer.model_dump_json()))
    pydantic.TypeAdapter(
        openai_chat.completion_create_params.CompletionCreateParamsNonStreaming
    ).validate_python(server.bodies[0])
    assert server.headers[0]["Authorization"] == "Bearer sk-1"
    assert (found.output, found.model, found.tokens) == ("Five days.", "gpt-5-2026-04-30", 110)
    assert found.tool_calls == (ToolCall("refund", {"days": 5}),)


def test_openai_streams_are_read(documented, api, monkeypatch):
    openai_chat = pytest.importorskip("openai.types.chat")

    def chunk(choices, usage=None):
        return openai_chat.ChatCompletionChunk.model_validate(
            {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "gpt-5-2026-04-30",
                "choices": choices,
                "usage": usage,
            }
        ).model_dump_json()

    parts = [
        chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]),
        chunk([{"index": 0, "delta": {"content": "Five "}, "finish_reason": None}]),
        chunk([{"index": 0, "delta": {"content": "days."}, "finish_reason": "stop"}]),
        chunk([], {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}),
        "[DONE]",
    ]
    body = "".join(f"data: {part}\n\n" for part in parts)
    document = _documented("OpenAI")
    document["artifacts"]["model"]["answerer"]["parameters"] = {"stream": True}
    monkeypatch.setattr(f"{__name__}._documented", lambda _: json.loads(json.dumps(document)))
    found, server = documented("OpenAI", api.status(200, body, **{"Content-Type": "text/event-stream"}))
    assert server.bodies[0]["stream_options"] == {"include_usage": True}
    assert (found.output, found.tokens) == ("Five days.", 110)
    assert found.first_token_ms is not None


def test_anthropic_takes_the_request_and_its_answer_is_read(documented, api):
    types = pytest.importorskip("anthropic.types")
    answer = types.Message.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5-20260201",
            "content": [
                {"type": "text", "text": "Five "},
                {"type": "tool_use", "id": "toolu_1", "name": "refund", "input": {"days": 5}},
                {"type": "text", "text": "days."},
            ],
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 100, "output_tokens": 10},
        }
    )
    found, server = documented("Anthropic", api.body(answer.model_dump_json()))
    params = types.message_create_params.MessageCreateParamsNonStreaming
    pydantic.TypeAdapter(params).validate_python(server.bodies[0])
    assert server.paths == ["/v1/messages"]
    assert server.bodies[0]["system"] == "Be brief."
    assert server.headers[0]["x-api-key"] == "sk-1"
    assert server.headers[0]["anthropic-version"] == "2023-06-01"
    assert (found.output, found.model, found.tokens) == ("Five days.", "claude-sonnet-5-20260201", 110)
    assert found.tool_calls == (ToolCall("refund", {"days": 5}),)
    assert found.cost_usd == pytest.approx((100 * 3 + 10 * 15) / 1e6)
