from __future__ import annotations

import copy
import json

import pytest

from relgate.demo.orders import execute, find_order
from relgate.demo.tools import choose_call
from relgate.domain.response import ToolCall


@pytest.fixture(scope="module")
def tools(candidate):
    return [json.loads(artifact.text) for artifact in candidate.of_kind("tool_schema")]


def test_a_question_for_the_state_of_an_order_is_a_lookup(tools):
    for question in ("where is my order FW-10442", "When will fw-10442 arrive?", "Is FW-10442 shipped yet"):
        assert choose_call(question, tools) == ToolCall("lookup_order", {"order_id": "FW-10442"})


def test_a_refund_names_order_amount_and_reason(tools):
    call = choose_call("Please refund $1,080.50 for FW-10233, it came damaged. Approval: AP-1234", tools)
    arguments = {"order_id": "FW-10233", "amount_usd": 1080.5, "reason": "damaged", "approval_id": "AP-1234"}
    assert call == ToolCall("create_refund_case", arguments)
    assert choose_call("pay back 35 dollars for FW-10233 please", tools).arguments["reason"] == "other"


def test_without_order_or_amount_there_is_no_call(tools):
    assert choose_call("How long does a refund take?", tools) is None
    assert choose_call("Refund $80 please", tools) is None
    assert choose_call("FW-10233", tools) is None
    assert choose_call("where is my order FW-10442", []) is None


def test_a_renamed_property_changes_the_call(tools):
    changed = copy.deepcopy(tools)
    parameters = changed[1]["function"]["parameters"]
    parameters["properties"]["sum"] = parameters["properties"].pop("amount_usd")
    parameters["required"] = ["order_id", "sum"]
    assert choose_call("Refund $80 for FW-10233", changed).arguments["sum"] == 80.0


def test_an_amount_above_the_schemas_maximum_is_not_called(tools):
    assert choose_call("Refund $10,001 for FW-10233", tools) is None


def test_the_order_book_is_the_same_in_every_process():
    assert find_order("fw-10442") == find_order("FW-10442")
    assert execute(ToolCall("lookup_order", {"order_id": "FW-10442"})).startswith("Your order FW-10442 (")
    text = execute(ToolCall("create_refund_case", {"order_id": "FW-10233", "amount_usd": 80}))
    assert "over $80.00 for your order FW-10233" in text
    assert len({find_order(f"FW-{n}").state for n in range(10000, 10040)}) > 2
