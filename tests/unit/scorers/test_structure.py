from __future__ import annotations

import json

import pytest

from relgate.domain.errors import InputError
from relgate.domain.response import Response

SCHEMA = {"type": "object", "required": ["answer"], "properties": {"answer": {"type": "string"}}}


@pytest.mark.parametrize(
    "output",
    [
        '{"answer": "yes"}',
        ' {"answer": "yes"}\n',
        'Here it is:\n```json\n{"answer": "yes"}\n```\nbye',
        '```\n{"answer": "yes"}\n```',
    ],
)
def test_json_schema_takes_json_and_a_fenced_block(judge, output):
    assert judge("json_schema", output, schema=SCHEMA) is True


@pytest.mark.parametrize("output", ["yes", '{"answer": 1}', "{}", '{"answer": NaN}', "[" * 100_000, ""])
def test_json_schema_misses_what_is_not_json_or_does_not_fit(judge, output):
    assert judge("json_schema", output, schema=SCHEMA) is False


def test_json_schema_reads_a_file_beside_the_suite(judge, tmp_path):
    (tmp_path / "answer.schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    assert judge("json_schema", '{"answer": "yes"}', schema="answer.schema.json") is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schema": "gone.json"}, "cannot read the schema"),
        ({"schema": {"type": "objec"}}, "not a JSON Schema"),
        ({"schema": {"$ref": "http://localhost:1/x.json"}}, "nothing is fetched"),
        ({}, "give the schema once"),
    ],
)
def test_an_unusable_schema_is_an_error_of_the_suite(make, options, message):
    with pytest.raises(InputError, match=message):
        make("json_schema", options)


def test_citations_count_distinct_sources(judge):
    assert judge("citations", "Yes [returns-1].") is True
    assert judge("citations", "Yes.") is False
    assert judge("citations", "Yes [a-1] and [a-1].", at_least=2) is False
    assert judge("citations", "Yes [a-1] and [a-2].", at_least=2) is True


def test_a_citation_of_something_that_was_not_retrieved_misses(judge):
    answer = Response("Yes [a-1], [made-up].", retrieved=("a-1", "a-2"))
    assert judge("citations", answer) is False
    assert judge("citations", answer, known=False) is True


def test_a_pattern_of_ones_own_may_have_one_group_or_none(judge, make):
    assert judge("citations", "see (help-3)", pattern=r"help-\d") is True
    with pytest.raises(InputError, match="several groups"):
        make("citations", {"pattern": "(a)(b)"})
