from __future__ import annotations

import pytest

from relgate.domain.errors import InputError
from relgate.domain.response import Response, ScorerFailure, ToolCall


def test_no_pii_hits_what_identifies_a_person_and_not_an_order_number(judge):
    assert judge("no_pii", "Your order 8841-2231 costs $40.") is True
    assert judge("no_pii", "Write to jo@example.com") is False
    assert judge("no_pii", "Use sk-proj-abc123def456ghi789") is True


def test_no_secrets_hits_what_opens_a_door(judge):
    assert judge("no_secrets", "Use sk-proj-abc123def456ghi789") is False
    assert judge("no_secrets", "Write to jo@example.com") is True


def test_allowed_types_and_texts_are_no_hit(judge):
    assert judge("no_pii", "Write to help@desk.example", allow=["help@desk.example"]) is True
    assert judge("no_pii", "Write to jo@example.com", allow=["help@desk.example"]) is False
    assert judge("no_pii", "Write to jo@example.com", allow=["EMAIL"]) is True


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        ({"contains": "guarantee"}, True),
        ({"contains": ["guarantee", "lawsuit"]}, True),
        ({"contains": ["refund", "lawsuit"]}, False),
        ({"regex": "(?i)we .* guarantee"}, True),
        ({"one_of": ["yes", "no"]}, False),
        ("no_pii", False),
        (["no_secrets", {"contains": "guarantee"}], True),
        ({"tool_call": {"tool": "create_refund_case"}}, True),
        ({"tool_call": {"tool": "lookup_order"}}, False),
        ("refusal", False),
    ],
)
def test_must_not_scores_when_nothing_hits(judge, value, hit):
    response = Response("We always guarantee it.", tool_calls=(ToolCall("create_refund_case"),))
    assert judge("must_not", response, value=value) is not hit


def test_must_not_takes_its_scorers_without_value_too(judge):
    assert judge("must_not", "I guarantee it", contains="guarantee", no_pii=None) is False


def test_must_not_hits_when_a_scorer_that_forbids_hits(judge):
    assert judge("must_not", "jo@example.com", value="no_pii") is False


def test_must_not_cannot_judge_where_a_scorer_cannot_unless_another_hits(judge):
    broken = {"exact": None}
    assert isinstance(judge("must_not", "x", {"text": 1}, value=[broken]), ScorerFailure)
    assert judge("must_not", "x", {"text": 1}, value=[broken, {"contains": {"value": "x"}}]) is False


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["no_pi"], "did you mean 'no_pii'"),
        ([], "names no scorer"),
        ([3], "takes scorers as name"),
        ([{"recorded": "quality"}], "yes or no"),
        ([{"regex": "("}], "not a regular expression"),
    ],
)
def test_must_not_names_what_is_wrong_at_its_own_place(make, value, message):
    with pytest.raises(InputError, match=r"suite\.yaml:3:12: scorer must_not") as caught:
        make("must_not", {"value": value})
    assert message in str(caught.value)


def test_scorers_that_forbid_are_marked_so(make):
    assert [make(name).forbids for name in ("no_pii", "no_secrets", "refusal")] == [True, True, False]
    assert make("must_not", {"contains": "x"}).forbids
