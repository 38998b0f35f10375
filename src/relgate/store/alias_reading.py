"""Queries of aliases: who holds one, who held it, and every move of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from relgate.domain.errors import Refusal
from relgate.domain.run import ReleaseRow
from relgate.store.attempts import PRODUCTION
from relgate.store.reading import release_of
from relgate.store.rows import AliasRow, ReleaseName
from relgate.store.tables import alias_history, aliases, releases

_AFTER, _BEFORE = releases.alias("after"), releases.alias("before")


def holder_id(connection: Connection, alias: str, line: str | None) -> int | None:
    """Which release holds an alias.

    Raises:
        Refusal: no line was named, and the alias is held in several.
    """
    query = select(aliases.c.line, aliases.c.release).where(aliases.c.alias == alias).order_by(aliases.c.line)
    holders = connection.execute(query if line is None else query.where(aliases.c.line == line)).all()
    if len(holders) > 1:
        names = ", ".join(f"{holder.line}@{alias}" for holder in holders)
        raise Refusal(f"several releases hold {alias!r} in this registry; say which: {names}")
    return int(holders[0].release) if holders else None


def alias_rows(connection: Connection) -> list[AliasRow]:
    """Every alias of every line with its holder."""
    last = (
        select(func.max(alias_history.c.id))
        .where(alias_history.c.line == aliases.c.line, alias_history.c.alias == aliases.c.alias)
        .correlate(aliases)
        .scalar_subquery()
    )
    query = (
        _moves()
        .join(aliases, (aliases.c.line == alias_history.c.line) & (aliases.c.alias == alias_history.c.alias))
        .where(alias_history.c.id == last)
        .order_by(aliases.c.line, aliases.c.alias.desc())
    )
    return [_alias_row(row) for row in connection.execute(query)]


def alias_moves(
    connection: Connection, alias: str, line: str | None = None, limit: int | None = None
) -> list[AliasRow]:
    """Every move of an alias, newest first: who took it, from whom, when, by whom and why."""
    query = _moves().where(alias_history.c.alias == alias).order_by(alias_history.c.id.desc()).limit(limit)
    if line is not None:
        query = query.where(alias_history.c.line == line)
    return [_alias_row(row) for row in connection.execute(query)]


def _moves() -> Select[Any]:
    return (
        select(
            alias_history.c.line,
            alias_history.c.alias,
            alias_history.c.at,
            alias_history.c.actor,
            alias_history.c.waived,
            alias_history.c.reason,
            *(_AFTER.c[name] for name in ("name", "version", "digest")),
            *(_BEFORE.c[name].label(f"before_{name}") for name in ("name", "version", "digest")),
        )
        .join(_AFTER, _AFTER.c.id == alias_history.c.to_release)
        .outerjoin(_BEFORE, _BEFORE.c.id == alias_history.c.from_release)
    )


def _alias_row(row: Row[Any]) -> AliasRow:
    before = (
        None
        if row.before_name is None
        else ReleaseName(row.before_name, row.before_version, row.before_digest)
    )
    holder = ReleaseName(row.name, row.version, row.digest)
    return AliasRow(row.line, row.alias, holder, row.at, row.actor, row.waived, before, row.reason)


def former_holders(connection: Connection, line: str, alias: str) -> list[ReleaseName]:
    """Every release that an alias was taken from, in the order of its first loss."""
    rows = connection.execute(
        select(releases.c.name, releases.c.version, releases.c.digest)
        .join(alias_history, alias_history.c.from_release == releases.c.id)
        .where(alias_history.c.line == line, alias_history.c.alias == alias)
        .order_by(alias_history.c.id)
    )
    return list(dict.fromkeys(ReleaseName(*row) for row in rows))


def holders(connection: Connection, line: str, alias: str, limit: int) -> list[ReleaseRow]:
    """The last releases that held an alias of a line, the newest first, each once."""
    moves = connection.execute(
        select(alias_history.c.to_release)
        .where(alias_history.c.line == line, alias_history.c.alias == alias)
        .order_by(alias_history.c.id.desc())
    )
    held = list(dict.fromkeys(row.to_release for row in moves))[:limit]
    return [release_of(connection, identity) for identity in held]


def fled(connection: Connection, line: str) -> dict[str, Row[Any]]:
    """Digests of the contents that production was taken from by a way back and that have not held it since.

    A way back is a move to a content that held production before, unless it was fled itself: putting what was
    fled back flees nobody, and neither does another version of what holds it.
    """
    held: set[str] = set()
    gone: dict[str, Row[Any]] = {}
    for move in connection.execute(
        select(alias_history, _BEFORE.c.digest.label("old"), _AFTER.c.digest.label("new"))
        .outerjoin(_BEFORE, _BEFORE.c.id == alias_history.c.from_release)
        .join(_AFTER, _AFTER.c.id == alias_history.c.to_release)
        .where(alias_history.c.line == line, alias_history.c.alias == PRODUCTION)
        .order_by(alias_history.c.id)
    ):
        if move.new in held and move.new not in gone and move.old not in (None, move.new):
            gone[move.old] = move
        gone.pop(move.new, None)
        held.add(move.new)
    return gone
