from __future__ import annotations

import json
import logging
import threading
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from relgate.demo.providers import serve
from relgate.domain.errors import ProviderOutage
from relgate.domain.release import Secret
from relgate.domain.response import Request
from relgate.files import bind_environment

QUESTION = "How long may I return an order?"


def _call(url, body=None, headers=None):
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _chat(
    model="answerer", content="Cite.\n## Question\nHow old?\n## Evidence\n[a] Age\nIt is ten years old."
):
    return {"model": model, "messages": [{"role": "user", "content": content}]}


def test_three_servers_run_and_stop(candidate):
    before = threading.active_count()
    with serve(candidate) as variables:
        assert sorted(variables) == ["HOSTED_A_URL", "HOSTED_B_URL", "SELF_HOSTED_URL"]
        assert len(set(variables.values())) == 3
        for url in variables.values():
            assert url.startswith("http://127.0.0.1:")
            assert _call(f"{url}/models")[0] == 200
    assert threading.active_count() == before
    with pytest.raises(urllib.error.URLError):
        _call(f"{variables['HOSTED_A_URL']}/models")


def test_a_completion_has_the_form_of_openai(candidate):
    with serve(candidate) as variables:
        status, body = _call(f"{variables['HOSTED_A_URL']}/chat/completions", _chat())
    assert status == 200
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "It is ten years old. [a]"}
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_a_tool_call_has_the_form_of_openai(candidate):
    tools = [json.loads(candidate.artifact("tool_schema", "lookup_order").text)]
    asked = {**_chat(content="## Question\nWhere is FW-10442?\n"), "tools": tools}
    with serve(candidate) as variables:
        _, body = _call(f"{variables['HOSTED_A_URL']}/chat/completions", asked)
    choice = body["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    function = choice["message"]["tool_calls"][0]["function"]
    assert function["name"] == "lookup_order"
    assert json.loads(function["arguments"]) == {"order_id": "FW-10442"}


def test_a_provider_serves_its_own_models_by_name_and_by_id(candidate):
    with serve(candidate) as variables:
        _, body = _call(f"{variables['HOSTED_B_URL']}/models")
        assert [model["id"] for model in body["data"]] == ["answerer_medium", "answerer-medium-2026-04-02"][
            ::-1
        ]
        status, body = _call(f"{variables['HOSTED_B_URL']}/chat/completions", _chat("answerer"))
    assert status == 404
    assert body["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"model": "answerer", "messages": "hi"}'])
def test_what_is_no_chat_completion_is_a_400(candidate, body):
    with serve(candidate) as variables:
        status, answer = _call(f"{variables['HOSTED_A_URL']}/chat/completions", body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("written", ["sesame", "${DEMO_KEY}"])
def test_a_key_is_asked_for_when_one_is_set(candidate, monkeypatch, written):
    monkeypatch.setenv("DEMO_KEY", "sesame")
    provider = replace(candidate.providers["hosted_a"], api_key=Secret(written))
    release = candidate.with_providers({**candidate.providers, "hosted_a": provider})
    with serve(release) as variables:
        url = f"{variables['HOSTED_A_URL']}/chat/completions"
        assert _call(url, _chat())[0] == 401
        assert _call(url, _chat(), {"Authorization": "Bearer wrong"})[1]["error"]["code"] == "invalid_api_key"
        assert _call(url, _chat(), {"Authorization": "Bearer sesame"})[0] == 200
        assert _call(variables["HOSTED_A_URL"] + "/models")[0] == 401


def test_requests_are_counted_and_logged_with_the_release(candidate, caplog):
    with serve(candidate) as variables, caplog.at_level(logging.INFO, "relgate.demo.providers"):
        url = variables["HOSTED_A_URL"]
        for _ in range(2):
            _call(f"{url}/chat/completions", _chat(), {"X-Relgate-Release": "sha256:abc"})
        assert _call(url.removesuffix("/v1") + "/stats") == (
            200,
            {"requests": 2, "by_model": {"answerer": 2}},
        )
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert all("release sha256:abc" in line for line in lines)


def test_the_next_hop_answers_when_one_is_away(candidate, ask):
    primary = ask(candidate, [QUESTION])[0]
    assert primary.served_by == "hosted_a/answerer"
    assert primary.failed_hops == ()
    last = ask(candidate, [QUESTION], down=["hosted_a", "hosted_b"])[0]
    assert last.served_by == "self_hosted/answerer_small"
    assert last.failed_hops == ("hosted_a/answerer", "hosted_b/answerer_medium")
    assert last.output.count("[") == 1 < primary.output.count("[")
    assert last.cost_usd < primary.cost_usd


def test_an_outage_of_every_hop_is_an_outage(candidate, ask):
    with pytest.raises(ProviderOutage, match="self_hosted/answerer_small"):
        ask(candidate, [QUESTION], down=["hosted_a", "hosted_b", "self_hosted"])


def test_a_wrong_key_is_a_failure_of_the_application(candidate, ask):
    # The service and the desk see different keys, as when a secret was rotated on one side only.
    provider = replace(candidate.providers["hosted_a"], api_key=Secret("right"))
    served = candidate.with_providers({**candidate.providers, "hosted_a": provider})
    with serve(served) as variables:
        url = variables["HOSTED_A_URL"]
        other = replace(provider, base_url=url, api_key=Secret("wrong"))
        release = candidate.with_providers({**candidate.providers, "hosted_a": other})
        with pytest.raises(RuntimeError, match="HTTP 401"):
            ask(release, [QUESTION])


def test_headers_reach_the_provider_and_default_to_the_release(candidate, ask, caplog):
    with caplog.at_level(logging.INFO, "relgate.demo"):
        ask(
            candidate,
            [Request("c", QUESTION, headers={"X-Relgate-Release": "sha256:given"}), "What is delivery?"],
        )
    provider = [r.getMessage() for r in caplog.records if r.name == "relgate.demo.providers"]
    desk = [r.getMessage() for r in caplog.records if r.name == "relgate.demo.support_desk"]
    assert "sha256:given" in provider[0]
    assert candidate.digest in provider[1]
    assert len(desk) == 2
    assert all(candidate.digest in line for line in desk)


def test_a_bound_release_keeps_its_digest(candidate):
    with serve(candidate) as variables:
        assert bind_environment(candidate, variables).digest == candidate.digest
