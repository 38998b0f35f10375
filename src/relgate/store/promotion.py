"""Moving an alias: allowed by the release's latest whole verdict, or by a waiver that stays visible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select

from relgate.domain.errors import Refusal
from relgate.domain.run import ReleaseRow, stands_for, told_apart
from relgate.store.alias_reading import fled, holder_id
from relgate.store.attempts import PRODUCTION
from relgate.store.reading import near, release_id, release_of
from relgate.store.recording import now
from relgate.store.rows import AliasChange
from relgate.store.served_verdicts import rejecting_since
from relgate.store.tables import alias_history, aliases, releases, runs, verdicts, waivers
from relgate.store.verdict_order import newest_first

PREVIOUS = "previous"


class LastVerdict(NamedTuple):
    """The newest whole verdict on a release."""

    run: int
    release: int
    run_id: str
    finished: str
    decision: str
    reason: str
    baseline: int | None


def promote(
    connection: Connection,
    name: str,
    version: str,
    *,
    alias: str,
    by: str,
    reason: str | None,
    waive: str | None,
    named: bool = True,
) -> AliasChange:
    """Let a release hold an alias of its line; see ``Registry.promote``."""
    if alias == PREVIOUS:
        raise Refusal(
            f"{PREVIOUS!r} is moved by relgate itself: it names the release that held production before"
        )
    if waive is not None and waive.strip() in ("", "REASON"):
        raise Refusal("a waiver needs a reason that a reader understands, in words of your own")
    verdict = _latest_verdict(connection, name, version)
    # The digest that was judged, not one of the same version that only a partial run has seen since.
    identity = release_id(connection, name, version) if verdict is None else verdict.release
    if identity is None:
        raise Refusal(_unknown(connection, name, version))
    before = holder_id(connection, alias, name)
    after, at = release_of(connection, identity), now()
    old = None if before is None else release_of(connection, before)
    if alias == PRODUCTION and old is not None and verdict is not None and verdict.decision != "promote":
        verdict = _promote_against(connection, after, old) or verdict
    decision = "" if verdict is None else verdict.decision
    if before == identity:
        return AliasChange(alias, old, after, False, decision, None, at, by)
    taken = _taken_out(connection, after) if alias == PRODUCTION else None
    if taken is not None and not (named and reason and reason.strip()):
        raise Refusal(_was_fled(after, release_of(connection, taken.from_release), taken))

    returns = _held_before(connection, alias, identity)
    if (
        alias == PRODUCTION
        and decision == "promote"
        and not (returns or waive or (reason and reason.strip()))
    ):
        _refuse_other_baseline(connection, after, old, verdict)
    if verdict is not None and decision == "promote" and not (returns or waive):
        _refuse_what_was_seen_since(connection, after, verdict)
    allowed = decision == "promote" or returns
    waived = None if allowed else waive
    if not allowed and waived is None:
        raise Refusal(_not_promoted(name, version, alias, verdict))
    if waived is not None:
        run = None if verdict is None else verdict.run
        connection.execute(
            insert(waivers).values(release=identity, run=run, alias=alias, at=at, actor=by, reason=waived)
        )
    words = "; ".join(part for part in (reason, waive) if part)
    _move(connection, name, alias, before, identity, at=at, by=by, reason=words, waived=waived is not None)
    if alias == PRODUCTION and before is not None:
        was = holder_id(connection, PREVIOUS, name)
        words = f"{name}@{version} took {PRODUCTION}"
        _move(connection, name, PREVIOUS, was, before, at=at, by=by, reason=words, waived=False)
    way_back = alias == PRODUCTION and old is not None and old.digest in fled(connection, name)
    return AliasChange(alias, old, after, True, decision, waived, at, by, way_back)


def _refuse_other_baseline(
    connection: Connection, after: ReleaseRow, old: ReleaseRow | None, verdict: LastVerdict | None
) -> None:
    """A verdict says nothing against a release that it did not compare with.

    Raises:
        Refusal: it compared with another release than the one that would be replaced.
    """
    if old is None or verdict is None or old.digest == after.digest:
        return
    label, with_what, holder = f"{after.name}@{after.version}", "nothing", old.label
    if verdict.baseline is not None:
        compared = release_of(connection, verdict.baseline)
        if stands_for(compared, old):
            return
        with_what, holder = told_apart(compared, old)
    raise Refusal(
        f"the verdict on {label} (run {verdict.run_id}) compared it with {with_what}, and "
        f"{holder} holds {PRODUCTION}\n"
        f"judge it against that one: pytest --manifest FILE --baseline {PRODUCTION}\n"
        f"or say why it may replace it all the same: relgate promote {label} --reason TEXT"
    )


def _refuse_what_was_seen_since(connection: Connection, release: ReleaseRow, verdict: LastVerdict) -> None:
    """A promote does not stand against what a later screen, or a part of the cases, showed.

    Raises:
        Refusal: a later run of the same content rejects.
    """
    found = rejecting_since(connection, release.digest, verdict.run)
    if found is None:
        return
    run_id, reason = found
    raise Refusal(
        f"the verdict on {release.label} is promote (run {verdict.run_id}), but run {run_id} of the same "
        f"content since then says: {reason}\n"
        f"run all cases again: pytest --manifest FILE\n"
        f"or promote it all the same: relgate promote {release.label} --waive REASON"
    )


def _taken_out(connection: Connection, release: ReleaseRow) -> Row[Any] | None:
    """The move that took production from what a release stands for, where that has not come back."""
    moves = fled(connection, release.name)
    if release.digest in moves:
        return moves[release.digest]
    gone = (move for move in moves.values() if stands_for(release, release_of(connection, move.from_release)))
    return next(gone, None)


def _held_before(connection: Connection, alias: str, identity: int) -> bool:
    """Whether this very release held the alias, or production, before: that needs no new verdict."""
    return (
        connection.execute(
            select(alias_history.c.to_release)
            .where(alias_history.c.alias.in_((alias, PRODUCTION)), alias_history.c.to_release == identity)
            .limit(1)
        ).first()
        is not None
    )


def _was_fled(release: ReleaseRow, gone: ReleaseRow, move: Row[Any]) -> str:
    why = f": {move.reason}" if move.reason else ""
    same = "" if gone.label == release.label else f", whose content {release.label} has,"
    return (
        f"{gone.label}{same} was taken out of production on {move.at[:10]} by {move.actor}{why}\n"
        f"to put it back all the same, name it and say why: "
        f"relgate promote {release.label} --reason TEXT"
    )


def _move(
    connection: Connection,
    line: str,
    alias: str,
    before: int | None,
    after: int,
    *,
    at: str,
    by: str,
    reason: str,
    waived: bool,
) -> None:
    connection.execute(delete(aliases).where(aliases.c.line == line, aliases.c.alias == alias))
    connection.execute(insert(aliases).values(line=line, alias=alias, release=after, since=at))
    connection.execute(
        insert(alias_history).values(
            line=line,
            alias=alias,
            from_release=before,
            to_release=after,
            at=at,
            actor=by,
            reason=reason,
            waived=waived,
        )
    )


def _latest_verdict(connection: Connection, name: str, version: str) -> LastVerdict | None:
    """The newest verdict on what was judged last under a version, whatever version it was given since."""
    judged = _newest_verdict(connection, name, releases.c.version == version)
    if judged is None:
        return None
    digest = release_of(connection, judged.release).digest
    newest = _newest_verdict(connection, name, releases.c.digest == digest)
    return judged if newest is None else newest._replace(release=judged.release)


def _promote_against(connection: Connection, release: ReleaseRow, holder: ReleaseRow) -> LastVerdict | None:
    """The newest verdict against the holder, where it is a promote that nothing later speaks against.

    A comparison with another release, which came after it, says nothing of the one that would be replaced.
    """
    for verdict in _verdicts(connection, release.name, releases.c.digest == release.digest):
        if verdict.baseline is None or not stands_for(release_of(connection, verdict.baseline), holder):
            continue
        since = rejecting_since(connection, release.digest, verdict.run)
        return verdict if verdict.decision == "promote" and since is None else None
    return None


def _newest_verdict(connection: Connection, name: str, which: ColumnElement[bool]) -> LastVerdict | None:
    return next(_verdicts(connection, name, which), None)


def _verdicts(connection: Connection, name: str, which: ColumnElement[bool]) -> Iterator[LastVerdict]:
    """The whole verdicts on releases of a line, newest first."""
    rows = connection.execute(
        select(
            runs.c.number,
            runs.c.release,
            runs.c.id,
            runs.c.finished,
            verdicts.c.decision,
            verdicts.c.reason,
            runs.c.baseline,
        )
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(releases, releases.c.id == runs.c.release)
        .where(releases.c.name == name, which, verdicts.c.partial.is_(False))
        .order_by(*newest_first())
    ).all()
    return (LastVerdict(*row) for row in rows)


def _unknown(connection: Connection, name: str, version: str) -> str:
    known = [
        f"{row.name}@{row.version}"
        for row in connection.execute(
            select(releases.c.name, releases.c.version)
            .distinct()
            .order_by(releases.c.name, releases.c.version)
        )
    ]
    label = f"{name}@{version}"
    return (
        f"there is no release {label} in this registry; {near(label, known)}\n"
        "a release enters the registry when it is judged: pytest --manifest FILE"
    )


def _not_promoted(name: str, version: str, alias: str, verdict: LastVerdict | None) -> str:
    label = f"{name}@{version}"
    also = "" if alias == PRODUCTION else f" or {PRODUCTION}"
    if verdict is None:
        said = (
            f"{label} has no verdict: no whole run has judged it, "
            f"and it never held {alias}{also} in this registry"
        )
    else:
        said = (
            f"the latest verdict on {label} is {verdict.decision} "
            f"(run {verdict.run_id}, {verdict.finished}): {verdict.reason}"
        )
    option = "" if alias == PRODUCTION else f" --alias {alias}"
    return (
        f"{said}\nto promote it all the same, in a way that every later report shows: "
        f"relgate promote {label}{option} --waive REASON"
    )
