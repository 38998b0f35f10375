"""Long files that are read many lines at once say what they say line by line, whatever stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relgate.files.long import case_scan, lines, recording_file

texts = st.sampled_from(
    [
        "a",
        " What  is\t: it? ",
        'so "x": y',
        '"',
        '" :',
        "\\",
        "İß é",
        "\u2028",
        "}\n{",
        '{"id":"x"}',
        "\x7f",
        "",
    ]
) | st.text(max_size=8)
ids = st.integers(0, 60).map(lambda n: f"c{n:02}") | st.sampled_from(["größe", "a b", "x" * 201, "", 'q"'])
tags = st.dictionaries(
    st.sampled_from(["lang", "t:u", 'q"', "ü"]),
    st.sampled_from(["de", 'e"n', "true", "3"]) | st.booleans() | st.sampled_from([3, 0.5, None]),
    max_size=3,
)
cases = st.fixed_dictionaries(
    {"id": ids},
    optional={
        "input": texts | st.none() | st.just([{"role": "user", "content": "hi"}]),
        "expected": texts | st.none() | st.sampled_from([["a"], 3]),
        "tags": tags,
    },
)
plain_cases = st.fixed_dictionaries(
    {"id": st.integers(0, 10**9).map("c{:010}".format)},
    optional={"input": texts, "expected": texts | st.none(), "tags": tags},
)
answers = st.fixed_dictionaries(
    {"case_id": ids},
    optional={
        "output": texts | st.none(),
        "trial": st.sampled_from([0, 1, 2, -1, 2**40]),
        "latency_ms": st.sampled_from([1, 2.5, None, -1, 0.0, -0.0]),
        "tokens": st.sampled_from([1, None, -3]),
        "cost_usd": st.sampled_from([0.5, None]),
        "error": texts | st.none(),
        "evidence": st.just(["x"]),
    },
)
STRANGE = [
    "", " ", "{}", '{"id":"x"}{"id":"y"}', '{"id":"x"} {"id":"y"}', '{"id":"k"', '"input":"z"}', "[{", "}",
    '{"id":"a1","id":"a2"}', '{"id":"a1","id" :"a2"}', '{"id":"a3","tags":{"lang":"x","lang":"y"}}',
    '{"id":"a3","tags":{"lang":"x","lang"\t:"y"}}', '{"id":"a4","input":"\\":","input":"b"}', '{"id":"a5"',
    '{"id":"a6","tags":null}', '{"id":"a7","tags":[{}', '{"id":"a8","critical":true}', "null", "3",
    '{"case_id":"a","case_id":"b"}', '{"case_id":"a"}{"case_id":"b"}', '{"case_id":"a","output":"x',
    '{"id":"\\u0041"}', '{"id":"b1","input":"\\ud83d"}', '{"id":"b2","input":"\\ud83d\\ude00"}',
    '{"id":"a9","cluster":3}',
]  # fmt: skip
SEPARATORS = [(",", ":"), (",", ":"), (", ", ": "), (" ,\t", " : "), (" , ", "\t:")]


@st.composite
def files(draw, rows) -> str:
    """The text of a file of rows, spelled one way or another, with strange lines between some of them."""
    found = draw(st.lists(rows, max_size=8))
    usual, other = draw(st.sampled_from(SEPARATORS)), draw(st.sampled_from(SEPARATORS))
    spelled = []
    for row in found:
        separators = draw(st.sampled_from([usual, usual, other]))
        spelled.append(json.dumps(row, ensure_ascii=draw(st.booleans()), separators=separators))
    for line in draw(st.lists(st.sampled_from(STRANGE), max_size=2)):
        spelled.insert(draw(st.integers(0, len(spelled))), line)
    return draw(st.sampled_from(["\n", "\n", "\r\n"])).join(spelled) + draw(st.sampled_from(["", "\n", "\r"]))


def _cases(path: Path) -> object:
    found = case_scan.scanned(path, ["lang"])
    if found is None:
        return None
    whole, known = found
    table = whole.table
    return (
        list(whole),
        list(whole.ids),
        known,
        table.id_hashes.tolist(),
        table.digests.tobytes(),
        table.input_hashes.tolist(),
        None if table.clusters is None else table.clusters.tolist(),
        table.critical.tolist(),
        {name: (list(values), codes.tolist()) for name, (values, codes) in table.tags.items()},
        table.expects,
        table.digest,
    )


def _answers(path: Path) -> object:
    found = recording_file.scanned(path)
    if found is None:
        return None
    columns = (found.hashes, found.trials, found.has_latency, found.has_cost)
    return list(found.items()), [column.tolist() for column in columns]


def _at_once_and_singly(path: Path, text: str, read, module, reader: str, size: int) -> tuple[object, object]:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with mock.patch.object(lines, "BLOCK_BYTES", size):
        at_once = read(path)
        with mock.patch.object(module, reader, return_value=None):
            return at_once, read(path)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("long") / "rows.jsonl"


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(cases) | files(plain_cases), st.sampled_from([30, 150, 10_000]))
def test_cases_are_read_at_once_as_one_by_one(path: Path, text: str, size: int) -> None:
    at_once, singly = _at_once_and_singly(path, text, _cases, case_scan, "plain_cases", size)
    assert at_once == singly


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files(answers), st.sampled_from([30, 150, 10_000]))
def test_answers_are_read_at_once_as_one_by_one(path: Path, text: str, size: int) -> None:
    at_once, singly = _at_once_and_singly(path, text, _answers, recording_file, "plain_rows", size)
    assert at_once == singly


def test_plain_lines_are_read_at_once(path: Path) -> None:
    rows = [{"id": f"c{n}", "input": f"a: {n}", "tags": {"lang": "de", "x": True}} for n in range(50)]
    written = [json.dumps(row).encode() for row in rows]
    found = case_scan.plain_cases(written, case_scan.KnownTags())
    assert found is not None
    assert found.ids == [row["id"] for row in rows]
    assert [dict(tags.values) for tags in found.tags] == [row["tags"] for row in rows]
    assert case_scan.plain_cases([*written, b""], case_scan.KnownTags()) is None


def test_an_object_over_two_lines_is_none_beside_two_on_one(path: Path) -> None:
    split = ['{"id":"a"', ',"input":"b"}', '{"id":"c"}{"id":"d"}']
    assert case_scan.plain_cases([line.encode() for line in split], case_scan.KnownTags()) is None
    spelled = "\n".join([*split, ""]).replace("id", "case_id").replace("input", "output")
    path.write_text(spelled, encoding="utf-8")
    assert recording_file.scanned(path) is None
