from __future__ import annotations

import json
from pathlib import Path

import pytest

from relgate.domain.case import Case
from relgate.domain.errors import InputError
from relgate.domain.response import Response, ScorerFailure


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("Paris", "paris"),
        ("  Par is\n", "par is"),
        ("par   is", "par is"),
        ("don’t", "don't"),
        ("B", ["A", "B"]),
        ("18", 18),
        ("5600", "5,600"),
        ("true", True),
    ],
)
def test_exact_ignores_case_spacing_typographic_quotes_and_thousands(judge, output, expected):
    assert judge("exact", output, expected) is True


def test_exact_misses_an_answer_with_more_around_it(judge):
    assert judge("exact", "It is Paris", "Paris") is False


def test_exact_tells_case_apart_on_demand(judge):
    assert judge("exact", "paris", "Paris", case_sensitive=True) is False


def test_exact_reads_what_follows_the_last_marker(judge):
    assert judge("exact", "A: 3 no\nA: 18", "18", after="A:") is True


def test_text_scorers_do_not_apply_to_cases_that_expect_a_tool_or_nothing(judge):
    for name in ("exact", "contains", "one_of", "regex", "numeric"):
        assert judge(name, "x", {"tool": "refund"}) is None
        assert judge(name, "x", [{"tool": "refund"}, {"tool": "lookup"}]) is None
        assert judge(name, "x", None) is None


def test_a_malformed_expectation_is_a_failure_to_judge(judge):
    assert isinstance(judge("exact", "x", {"text": "x"}), ScorerFailure)
    assert isinstance(judge("contains", "x", []), ScorerFailure)


def test_contains_wants_every_text_of_a_list(judge):
    assert judge("contains", "30 days, free of charge", ["30 days", "free"]) is True
    assert judge("contains", "30 days", ["30 days", "free"]) is False


def test_contains_any_wants_one_of_them(judge):
    assert judge("contains", "30 days", ["30 days", "free"], any=True) is True


def test_the_value_option_replaces_what_the_case_expects(judge):
    assert judge("contains", "see help centre", "refund", value="help centre") is True
    assert judge("one_of", "yes", None, value=["yes", "no"]) is True
    assert judge("one_of", "perhaps", None, value=["yes", "no"]) is False


def test_regex_searches_the_pattern_of_the_option_or_of_the_case(judge):
    assert judge("regex", "order 8841-2231", None, value=r"\d{4}-\d{4}") is True
    assert judge("regex", "order 8841-2231", None, pattern=r"^\d{4}-\d{4}") is False
    assert judge("regex", "order 8841-2231", r"order \d+") is True


def test_a_bad_pattern_is_an_error_at_the_place_of_the_scorer(make):
    what = r"suite\.yaml:3:12: scorer regex: option 'value': '\(' is not a regular expression: .*position 0$"
    with pytest.raises(InputError, match=what):
        make("regex", {"value": "("})


def test_regex_looks_at_a_bounded_part_of_a_long_answer(judge):
    assert judge("regex", "x" * 200_000 + "needle", None, value="needle") is False


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("The total is $1,234.50.", "1234.5"),
        ("so 45 %", "45%"),
        ("between 5-10", 10),
        ("-$5", -5),
        ("$-5", -5),
        ("−3", -3),
        ("x = .5", 0.5),
        ("1,2,3", 3),
        ("1.5e3 units", 1500),
        ("12 apples in 3 boxes of 4.", "4"),
        ("16oz", 16),
        ("1,234,567", 1234567),
    ],
)
def test_numeric_reads_the_last_number(judge, output, expected):
    assert judge("numeric", output, expected) is True


@pytest.mark.parametrize("output", ["none at all", "gpt4", "5 or 6", ""])
def test_numeric_misses_another_number_and_no_number(judge, output):
    assert judge("numeric", output, 5) is False


def test_numeric_tolerates_what_its_options_say(judge):
    assert judge("numeric", "10.4", 10, abs=0.5) is True
    assert judge("numeric", "104", 100, rel=0.05) is True
    assert judge("numeric", "106", 100, rel=0.05) is False
    assert judge("numeric", "0.3", "0.1") is False


def test_numeric_cannot_judge_an_expectation_without_a_number(judge):
    assert isinstance(judge("numeric", "5", "five"), ScorerFailure)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("exact", {"case_sensitve": True}, "unknown option 'case_sensitve', did you mean 'case_sensitive'?"),
        ("numeric", {"abs": -1}, "option 'abs'"),
        ("numeric", {"value": "many"}, "holds no number"),
        ("one_of", {"value": "yes"}, "must be a list"),
        ("regex", {"value": "a", "pattern": "b"}, "either 'value' or 'pattern'"),
        ("refusal", {"strict": True}, "unknown option 'strict', it takes none"),
    ],
)
def test_wrong_options_are_named(make, name, options, message):
    with pytest.raises(InputError) as caught:
        make(name, options)
    assert message in str(caught.value)


@pytest.mark.shared_data
def test_exact_after_the_marker_reproduces_every_published_label_of_gsm8k(make, shared_data: Path):
    folder = shared_data / "gsm8k-openai"
    with (folder / "cases.jsonl").open(encoding="utf-8") as lines:
        reference = {case["id"]: case["reference"] for case in map(json.loads, lines)}
    judge = make("exact", {"after": "A:"}).judge
    with (folder / "outputs.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    agreed = [
        judge(Case(row["case_id"], "?", reference[row["case_id"]]), Response(row["output"])) == row["score"]
        for row in rows
    ]
    assert (sum(agreed), len(agreed)) == (5276, 5276)
