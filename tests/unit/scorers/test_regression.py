from __future__ import annotations

import pytest

from relgate.domain.response import Response, ScorerFailure, ToolCall

ANSWER = Response("You have 30 days, free of charge.", tool_calls=(ToolCall("lookup_order"),))


@pytest.mark.parametrize(
    ("expected", "held"),
    [
        ("30 days", True),
        (["30 Days", "free"], True),
        (["30 days", "14 days"], False),
        ({"contains": "30 days", "not_contains": ["14 days"]}, True),
        ({"not_contains": "30 days"}, False),
        ({"regex": r"\d+ days"}, True),
        ({"not_regex": r"\d+ days"}, False),
        ({"tool": "lookup_order"}, True),
        ({"tool": "create_refund_case"}, False),
        ({"refusal": False}, True),
        ({"refusal": True}, False),
        ({"contains": "30 days", "refusal": True}, False),
    ],
)
def test_every_assertion_must_hold(judge, expected, held):
    assert judge("regression", ANSWER, expected) is held


@pytest.mark.parametrize(
    "expected", [None, "", [], {}, {"contain": "x"}, {"regex": "("}, {"refusal": "yes"}, 7, [7]]
)
def test_what_cannot_be_asserted_is_a_failure_to_judge(judge, expected):
    result = judge("regression", ANSWER, expected)
    assert isinstance(result, ScorerFailure)
    assert "case c" in result.message


def test_a_placeholder_in_expected_stands_for_anything_of_its_type(judge):
    expected = "Write to <EMAIL_f6fd02>."
    assert judge("regression", Response("Write to help@corp.example."), expected) is True
    assert judge("regression", Response("Write to nobody."), expected) is False
