from __future__ import annotations

import json
from typing import Any

import pytest

from relgate.domain.errors import InputError
from relgate.domain.release import Artifact
from relgate.domain.response import Response, ScorerFailure, ToolCall

PARAMETERS = {
    "type": "object",
    "required": ["order_id", "amount_usd"],
    "properties": {
        "order_id": {"type": "string"},
        "amount_usd": {"type": "number"},
        "approval_id": {"type": "string"},
    },
}
WRAPPED = {"type": "function", "function": {"name": "create_refund_case", "parameters": PARAMETERS}}
NAMED = {"name": "create_refund_case", "parameters": PARAMETERS}


def artifact(document: Any, **settings: Any) -> Artifact:
    content = json.dumps(document).encode()
    return Artifact("tool_schema", "create_refund_case", "3", "sha256:1", settings, None, content)


def called(*calls: tuple[str, dict[str, Any]]) -> Response:
    return Response("", tool_calls=tuple(ToolCall(name, arguments) for name, arguments in calls))


REFUND = ("create_refund_case", {"order_id": "8841", "amount_usd": 40})


def test_the_expected_call_with_the_expected_arguments_scores(judge):
    expected = {"tool": "create_refund_case", "arguments": {"amount_usd": 40.0}}
    assert judge("tool_call", called(REFUND), expected) is True


@pytest.mark.parametrize(
    "response",
    [
        called(),
        called(("lookup_order", {"order_id": "8841"})),
        called(("create_refund_case", {"order_id": "8841", "amount_usd": 41})),
        called(("create_refund_case", {"order_id": "8841", "amount_usd": True})),
    ],
)
def test_no_call_another_tool_or_other_arguments_miss(judge, response):
    expected = {"tool": "create_refund_case", "arguments": {"amount_usd": 40}}
    assert judge("tool_call", response, expected) is False


def test_the_same_refund_twice_is_a_miss_but_a_lookup_before_it_is_not(judge):
    expected = {"tool": "create_refund_case"}
    assert judge("tool_call", called(REFUND, REFUND), expected) is False
    assert judge("tool_call", called(("lookup_order", {"order_id": "1"}), REFUND), expected) is True


def test_several_expected_calls_may_come_in_any_order(judge):
    first, second = ("lookup", {"id": "1", "full": True}), ("lookup", {"id": "2"})
    expected = [{"tool": "lookup"}, {"tool": "lookup", "arguments": {"id": "1"}}]
    assert judge("tool_call", called(first, second), expected) is True
    assert judge("tool_call", called(second, first), expected) is True
    assert judge("tool_call", called(second, second), expected) is False


def test_tool_null_means_that_nothing_may_be_called(judge):
    assert judge("tool_call", called(), {"tool": None}) is True
    assert judge("tool_call", called(REFUND), {"tool": None}) is False


def test_it_does_not_apply_where_no_tool_is_expected(judge):
    assert judge("tool_call", called(REFUND), "30 days") is None
    assert judge("tool_call", called(REFUND), None) is None


@pytest.mark.parametrize("document", [PARAMETERS, WRAPPED, NAMED])
def test_arguments_must_fit_the_releases_tool_schema(judge, document):
    artifacts = (artifact(document),)
    expected = {"tool": "create_refund_case"}
    assert judge("tool_call", called(REFUND), expected, artifacts) is True
    bad = called(("create_refund_case", {"order_id": 8841, "amount_usd": 40}))
    assert judge("tool_call", bad, expected, artifacts) is False


def test_schemas_given_as_option_come_before_the_releases(judge, tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(WRAPPED), encoding="utf-8")
    bad = called(("create_refund_case", {}))
    expected = {"tool": "create_refund_case"}
    assert judge("tool_call", bad, expected, schemas={"create_refund_case": "t.json"}) is False


@pytest.mark.parametrize(
    ("amount", "approval", "good"),
    [(500, None, True), (501, None, False), (501, "AP-7", True), (501, "  ", False), ("$1,000", None, False)],
)
def test_a_call_above_the_limit_needs_an_approval(judge, amount, approval, good):
    arguments = {"order_id": "1", "amount": amount} | ({"approval_id": approval} if approval else {})
    response = called(("create_refund_case", arguments))
    limited = artifact({"type": "object"}, approval_required_above_usd=500)
    assert judge("tool_call", response, {"tool": "create_refund_case"}, (limited,)) is good
    option = judge("tool_call", response, {"tool": "create_refund_case"}, approval_required_above_usd=500)
    assert option is good


def test_an_amount_that_cannot_be_read_needs_an_approval(judge):
    response = called(("create_refund_case", {"amount": "all of it"}))
    expected = {"tool": "create_refund_case"}
    assert judge("tool_call", response, expected, approval_required_above_usd=500) is False


def test_the_option_tool_asks_only_whether_it_was_called(judge):
    assert judge("tool_call", called(("lookup_order", {})), None, tool="lookup_order") is True
    assert judge("tool_call", called(), None, tool="lookup_order") is False


@pytest.mark.parametrize(
    "expected",
    [
        {"tool": "x", "args": {}},
        {"tool": 3},
        {"tool": "x", "arguments": [1]},
        [{"tool": None}, {"tool": "x"}],
    ],
)
def test_a_malformed_expectation_is_a_failure_to_judge(judge, expected):
    assert isinstance(judge("tool_call", called(), expected), ScorerFailure)


def test_a_tool_schema_that_is_not_json_is_an_error_that_names_it(make):
    broken = Artifact("tool_schema", "refund", "3", "sha256:1", {}, None, b"{")
    with pytest.raises(InputError, match="tool_schema/refund@3 is not JSON"):
        make("tool_call", {}, (broken,))
