"""Many rows of one table, given as columns: a run writes thousands of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Column, Connection, Dialect, Table, insert

from relgate.store.tables import StoredText, stored_text

CHUNK = 5000
"""Rows of one statement's executemany."""

Columns = Mapping[str, Sequence[Any]]
"""Values by the column's name, all of them for the same rows in the same order."""


def insert_columns(connection: Connection, table: Table, columns: Columns) -> None:
    """Insert rows, on SQLite by its driver: SQLAlchemy would look twice at a dictionary of each."""
    if connection.dialect.name == "sqlite":
        _insert_by_driver(connection, table, columns)
        return
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(insert(table), chunk)


def _insert_by_driver(connection: Connection, table: Table, columns: Columns) -> None:
    statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
    rows = zip(
        *(_bound(table.c[name], columns[name], connection.dialect) for name in statement.positiontup or ()),
        strict=True,
    )
    while chunk := list(islice(rows, CHUNK)):
        connection.exec_driver_sql(str(statement), chunk)


def _bound(column: Column[Any], values: Sequence[Any], dialect: Dialect) -> Iterable[Any]:
    """The values as the driver takes them; what SQLAlchemy would do in three calls is done in one."""
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    if process is None:
        return values
    if isinstance(column.type, StoredText):
        return [None if value is None else stored_text(value) for value in values]
    if isinstance(column.type, JSON):
        nothing = process([])
        return [nothing if value == [] else process(value) for value in values]
    return map(process, values)
