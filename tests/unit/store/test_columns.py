"""Rows that SQLite's driver takes as columns are stored as SQLAlchemy stores them, to the type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, create_engine, delete, insert, text
from sqlalchemy.schema import CreateTable

from relgate.store.columns import CHUNK, insert_columns
from relgate.store.tables import cases, responses, scores

TEXTS = st.text(st.characters(codec=None), max_size=6) | st.sampled_from(
    ["", "\0", "a\0b", "\ud83d", "\udc00x", "\ud83d\ude00", "Größe", '{"a": 1}', "1", "null"]
)
NUMBERS = st.none() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.sampled_from([0, 1.0])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
RESPONSE = st.fixed_dictionaries(
    {
        "case_number": st.integers(0, 3),
        "side": st.sampled_from(["candidate", "baseline"]),
        "trial": st.integers(0, 3),
        "hop": TEXTS,
        "confirmation": st.booleans(),
        "outcome": st.sampled_from(["response", "outage"]),
        "output": TEXTS,
        "served_by": TEXTS,
        "latency_ms": NUMBERS,
        "tokens": st.none() | st.integers(0, 2**40),
        "cost_usd": NUMBERS,
        "tool_calls": st.lists(JSON, max_size=2),
        "retrieved": st.lists(st.text(max_size=4), max_size=2),
        "model": st.none() | TEXTS,
    }
)
CASE = st.fixed_dictionaries(
    {
        "suite": TEXTS,
        "suite_folder": TEXTS,
        "case_id": TEXTS,
        "case_line": st.integers(0, 2**40),
        "input": TEXTS,
        "expected": TEXTS,
        "outcome": TEXTS,
    }
)
SCORE = st.fixed_dictionaries({"metric": TEXTS, "value": NUMBERS})


ENGINE = create_engine("sqlite://")
with ENGINE.begin() as made:
    for one in (cases, responses, scores):
        made.execute(CreateTable(one, include_foreign_key_constraints=[]))


def stored(table: Table, rows: Sequence[dict[str, Any]], *, slowly: bool) -> list[tuple[Any, ...]]:
    """What lies in the file, with the type of each value."""
    with ENGINE.begin() as connection:
        connection.execute(delete(table))
        if slowly:
            connection.execute(insert(table), rows)
        else:
            insert_columns(connection, table, {name: [row[name] for row in rows] for name in rows[0]})
        names = [column.name for column in table.columns]
        wanted = ", ".join(f'"{name}", typeof("{name}")' for name in names)
        found = connection.execute(text(f"select {wanted} from {table.name} order by 1, 3"))
        return [tuple(row) for row in found]


def numbered(rows: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [{"run": 1, column: number, **row} for number, row in enumerate(rows)]


@given(st.lists(RESPONSE, min_size=1, max_size=5))
def test_responses_are_stored_alike(rows):
    rows = numbered(rows, "number")
    assert stored(responses, rows, slowly=False) == stored(responses, rows, slowly=True)


@given(st.lists(CASE, min_size=1, max_size=5))
def test_cases_are_stored_alike(rows):
    rows = [{**row, "case_id": f"{n}{row['case_id']}"} for n, row in enumerate(numbered(rows, "number"))]
    assert stored(cases, rows, slowly=False) == stored(cases, rows, slowly=True)


@given(st.lists(SCORE, min_size=1, max_size=5))
def test_scores_are_stored_alike(rows):
    rows = numbered(rows, "response")
    assert stored(scores, rows, slowly=False) == stored(scores, rows, slowly=True)


def test_more_rows_than_go_into_one_statement():
    rows = [{"run": 1, "response": n, "metric": "m", "value": n / 2} for n in range(CHUNK + 1)]
    assert len(stored(scores, rows, slowly=False)) == CHUNK + 1


def test_no_rows():
    with ENGINE.begin() as connection:
        connection.execute(delete(scores))
        insert_columns(connection, scores, {"run": [], "response": [], "metric": [], "value": []})
        assert connection.scalar(text("select count(*) from scores")) == 0
