"""Many rows of one table, given as columns: a run writes thousands of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, insert

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
    dialect = connection.dialect
    statement = insert(table).compile(dialect=dialect, column_keys=list(columns))
    bound = []
    for name in statement.positiontup or ():
        values = columns[name]
        process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        bound.append(values if process is None else map(process, values))
    rows = zip(*bound, strict=True)
    while chunk := list(islice(rows, CHUNK)):
        connection.exec_driver_sql(str(statement), chunk)
