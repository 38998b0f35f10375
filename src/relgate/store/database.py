"""The database behind the registry: one engine, read and write transactions, errors a user can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, func, make_url, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from relgate.domain.errors import MissingExtra, RegistryError
from relgate.store.location import is_postgres, shown

BUSY_SECONDS = 30
_WRITE = "relgate_write"
_POSTGRES_LOCK = 0x72656C67617465  # "relgate": one writer at a time, as SQLite has it

_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        "file is not a database",
        "the file is no SQLite database; name another with --registry or RELGATE_REGISTRY",
    ),
    ("malformed", "the file is damaged; restore it from a backup"),
    (
        "readonly",
        "make the file and its folder writable, or name another with --registry or RELGATE_REGISTRY",
    ),
    ("unable to open", "make its folder writable, or name another with --registry or RELGATE_REGISTRY"),
    ("locked", f"another process has been writing for {BUSY_SECONDS} seconds; run again when it is done"),
    ("disk is full", "make room on the disk"),
    ("connection", "check that the server is up and that the URL names it rightly"),
    ("permission denied", "give the user of the URL the right to create and write tables in this database"),
)


class Database:
    """One engine with short transactions; safe to use from several threads."""

    def __init__(self, place: str, *, foreign_keys: bool = True) -> None:
        self.place = shown(place)
        self.postgres = is_postgres(place)
        self._engine = _postgres_engine(place) if self.postgres else _sqlite_engine(place, foreign_keys)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the registry."""
        with self._errors(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that no other writer can interleave: all of it is stored, or nothing."""
        with self._errors(), self._engine.connect() as connection:
            connection.execution_options(**{_WRITE: True})
            with connection.begin():
                if self.postgres:
                    connection.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
                yield connection

    def pragma(self, statement: str) -> Any:
        """Run a PRAGMA outside of a transaction and give its first value (SQLite only)."""
        with self._errors(), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            row = driver.execute(f"PRAGMA {statement}").fetchone()
            return None if row is None else row[0]

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise RegistryError(f"registry {self.place}: {explain(error)}") from error


def explain(error: DBAPIError) -> str:
    """The database's own first line and what mends it, without the statement and its parameters."""
    cause = error.orig or error
    what = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    if isinstance(error, IntegrityError):
        return what
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in str(cause).lower()), "")
    return f"{what}; {remedy}" if remedy else what


def to_json(value: Any) -> str:
    """The JSON text of a value as every database takes it."""
    try:
        return _STRICT.encode(value)
    except ValueError:
        # Arguments that a model gave a tool may hold NaN, which is no JSON to PostgreSQL: kept as a word.
        return json.dumps(json.loads(json.dumps(value, default=_mapping), parse_constant=str))


def _mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_STRICT = json.JSONEncoder(allow_nan=False, default=_mapping)


def _sqlite_engine(path: str, foreign_keys: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=path),
        json_serializer=to_json,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver begins no transaction by itself: it would begin a deferred one, which fails with
        # "database is locked" instead of waiting when two writers meet.
        connection.isolation_level = None
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgres_engine(place: str) -> Engine:
    try:
        url = make_url(place).set(drivername="postgresql+psycopg")
        return create_engine(url, json_serializer=to_json, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise MissingExtra(
            'a PostgreSQL registry needs the driver psycopg: pip install "relgate[postgres]"'
        ) from None
    except (SQLAlchemyError, ValueError):
        # Neither error is shown: both quote the URL with its password.
        raise RegistryError(
            f"{shown(place)} is no PostgreSQL URL; write postgresql://user@host:5432/database"
        ) from None
