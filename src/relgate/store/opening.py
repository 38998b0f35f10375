"""Opening a registry: create it, upgrade an older one, refuse a newer one and what is no registry."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from relgate.domain.errors import RegistryError
from relgate.store.database import BUSY_SECONDS, Database
from relgate.store.location import is_postgres, normalise, shown
from relgate.store.registry import Registry
from relgate.store.tables import SCHEMA, VERSION_TABLE

MIGRATIONS = Path(__file__).parent / "migrations"


class NoRegistryError(RegistryError):
    """There is no registry at this place, and it was not to be created."""


def open_registry(place: str | Path, *, create: bool = True) -> Registry:
    """Open the registry at a path or URL; close it, or use it as a context manager.

    Args:
        place: a path, ``sqlite:///path`` or ``postgresql://...``.
        create: whether to create it where there is none.

    Raises:
        RegistryError: it cannot be opened, or a newer relgate has written it.
        NoRegistryError: there is none and ``create`` is False.
        MissingExtra: PostgreSQL without its driver.
    """
    place = normalise(str(place), Path.cwd())
    if not is_postgres(place):
        _prepare_file(Path(place), create)
    database = Database(place)
    try:
        if not _at_head(database):
            if not create and _version_of(database) is None:
                raise _no_registry(place)
            _upgrade(place)
        if not database.postgres:
            _use_wal(database)
    except BaseException:
        database.close()
        raise
    return Registry(database)


def _no_registry(place: str) -> NoRegistryError:
    return NoRegistryError(
        f"there is no registry at {shown(place)} yet: the first `pytest --manifest candidate.yaml` "
        "creates it; another place is named with --registry or RELGATE_REGISTRY"
    )


def _prepare_file(path: Path, create: bool) -> None:
    if path.is_dir():
        raise RegistryError(
            f"registry {path} is a folder; name a file in it: --registry {path / 'registry.db'}"
        )
    try:
        if path.exists():
            return
        if not create:
            raise _no_registry(str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegistryError(
            f"registry {path}: {error.strerror or error}; make its folder writable, or name another place "
            "with --registry or RELGATE_REGISTRY"
        ) from None


def _version_of(database: Database) -> str | None:
    with database.read() as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return version


def _at_head(database: Database) -> bool:
    version = _version_of(database)
    if version is not None and version > SCHEMA:
        raise RegistryError(
            f"registry {database.place} has schema {version}, and this relgate knows schemas up to {SCHEMA}: "
            "a newer relgate has written it; upgrade relgate"
        )
    return version == SCHEMA


def _upgrade(place: str) -> None:
    # Foreign keys are off here: a batch migration on SQLite drops and recreates tables that others refer to.
    database = Database(place, foreign_keys=False)
    try:
        with database.write() as connection:
            version = _version(connection)
            if version is None and not database.postgres and inspect(connection).get_table_names():
                raise RegistryError(
                    f"registry {database.place}: the file is another application's database; "
                    "name another with --registry or RELGATE_REGISTRY"
                )
            if version != SCHEMA:  # another process may have done it while this one waited
                _run_migrations(connection)
                _check_foreign_keys(database, connection)
    finally:
        database.close()


def _run_migrations(connection: Connection) -> None:
    # alembic takes longer to import than a registry at the newest schema takes to open.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _check_foreign_keys(database: Database, connection: Connection) -> None:
    if not database.postgres and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise RegistryError(
            f"registry {database.place}: rows refer to rows that are gone; restore it from a backup"
        )


def _use_wal(database: Database) -> None:
    # SQLite does not wait for its lock when the journal mode changes, whatever busy_timeout says.
    deadline = time.monotonic() + BUSY_SECONDS
    while database.pragma("journal_mode") == "delete":
        try:
            database.pragma("journal_mode = WAL")
            return
        except RegistryError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
