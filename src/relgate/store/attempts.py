"""Counting attempts: how many candidates were judged for one key, and what was shown meanwhile.

A baseline that holds production, for the first time or again, keeps its whole count: a rollback drill gives
nobody a fresh alpha. A pinned baseline's count begins anew when a release that never held production takes
it (verdict.md 5.3: "promotion resets j"); moves between releases that held it before leave the count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, update

from relgate.decision.sealing import HIDDEN
from relgate.domain.case import CaseKey
from relgate.domain.run import AttemptKey
from relgate.store import blocks
from relgate.store.tables import (
    alias_history,
    aliases,
    attempts,
    case_blocks,
    cases,
    releases,
    runs,
    unfinished_runs,
)

SCREEN, PART = 0, -1
"""Numbers of what is no attempt and showed cases: what follows was tuned on them. A candidate is tuned on its
own screen, but not on its own run of a part of the cases, which it goes on with."""

PRODUCTION = "production"


class Attempt(NamedTuple):
    """Which attempt under a key: numbers begin anew after a promotion, so the epoch belongs to it."""

    epoch: int
    number: int


def number_of(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    *,
    again: bool = False,
    discarded: int = 0,
    draw: str = "",
) -> int:
    """The number that a run of this candidate has or would get.

    Judging the same answers again keeps their number, of several the latest and highest; measuring them again
    is a further attempt.

    Args:
        connection: the registry.
        key: what counts attempts together.
        release_digest: the candidate.
        again: whether the candidate is measured anew (a live system that may answer otherwise), or on more
            cases than before.
        discarded: how many unfinished runs of the candidate showed what it does not go on with; each is an
            attempt before it.
        draw: the run's own draw, which another one may have counted already.
    """
    if (reserved := _reserved(connection, draw)) is not None:
        return reserved
    return _attempt(connection, key, release_digest, again, discarded).number


def judged_runs(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    recorded: tuple[str, str] | None = None,
) -> list[tuple[str, str]]:
    """Golden digest and run id of every whole run of a candidate that counts for a baseline, newest first.

    Args:
        connection: the registry.
        key: the release line and the baseline; any golden set.
        release_digest: the candidate.
        recorded: name and version of a recorded candidate, whose digest changes with its file.
    """
    same = attempts.c.release_digest == release_digest
    if recorded is not None:
        same |= (releases.c.name == recorded[0]) & (releases.c.version == recorded[1])
    rows = connection.execute(
        select(attempts.c.golden_digest, runs.c.id, runs.c.number)
        .join(runs, runs.c.number == attempts.c.run)
        .join(releases, releases.c.id == runs.c.release)
        .where(*counted(connection, key), same, attempts.c.number > SCREEN)
        .distinct()
        .order_by(runs.c.number.desc())
    )
    return [(row.golden_digest, row.id) for row in rows]


def add(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    run: int,
    *,
    again: bool = False,
    discarded: Sequence[str] = (),
    draw: str = "",
) -> int:
    """Count a run, and before it the draws that it discarded, and give its number.

    To be called inside the transaction that writes the run. Of several runs at once those that are recorded
    later have the numbers that the first one counted for them.

    Args:
        connection: the registry.
        key: what counts attempts together.
        release_digest: the candidate.
        run: the run's number.
        again: as in ``number_of``.
        discarded: draws of the candidate without a verdict.
        draw: the run's own.
    """
    if (reserved := _reserved(connection, draw)) is not None:
        connection.execute(update(attempts).where(attempts.c.draw == draw).values(run=run, draw=None))
        return reserved
    attempt = _attempt(connection, key, release_digest, again, len(discarded))
    first = attempt.number - len(discarded)
    for number, other in enumerate(discarded, start=first):
        _insert(connection, key, release_digest, run, attempt._replace(number=number), other)
    _insert(connection, key, release_digest, run, attempt)
    return attempt.number


def _reserved(connection: Connection, draw: str) -> int | None:
    """The number that another run counted for this draw; None where none did."""
    if not draw:
        return None
    return connection.scalar(select(attempts.c.number).where(attempts.c.draw == draw))


def is_judged(connection: Connection, draw: str) -> bool:
    """Whether an attempt stands on the answers of this draw."""
    query = (
        select(attempts.c.id)
        .join(runs, runs.c.number == attempts.c.run)
        .where(runs.c.draw == draw, attempts.c.number > SCREEN)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def add_shown(
    connection: Connection, key: AttemptKey, release_digest: str, run: int, *, screen: bool
) -> None:
    """Remember that a run which is no attempt showed cases of these golden sets."""
    number = SCREEN if screen else PART
    _insert(connection, key, release_digest, run, Attempt(last_promotion(connection, key.line), number))


def showed(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    known: Collection[CaseKey],
    *,
    interrupted_too: bool = True,
) -> bool:
    """Whether a screen, or any run of another candidate, showed one of these cases, or one was interrupted.

    What counts is what counts for attempts: all that a baseline in production ever saw, and for a pinned one
    what came after the last new release.

    A candidate is not tuned on what its own runs showed. The golden digest counts for nothing: a case
    that was added makes the others no less known.

    Args:
        connection: the registry.
        key: the release line and the baseline.
        release_digest: the candidate.
        known: suite and id of each.
        interrupted_too: whether a run without a verdict may have shown any case of its suites.
    """
    interrupted = (
        *counted(connection, key, unfinished_runs),
        unfinished_runs.c.release_digest != release_digest,
    )
    of_suites = (
        connection.scalars(select(unfinished_runs.c.suites).where(*interrupted)).all()
        if interrupted_too
        else []
    )
    # which of their cases it showed is nowhere written
    if of_suites and (
        None in of_suites or {suite for suite, _ in known} & set(chain(*filter(None, of_suites)))
    ):
        return True
    shown = (
        *counted(connection, key),
        (attempts.c.number == SCREEN) | (attempts.c.release_digest != release_digest),
    )
    rows = connection.execute(
        select(cases.c.suite, cases.c.case_id)
        .distinct()
        .join(attempts, cases.c.run == attempts.c.run)
        .where(*shown, cases.c.outcome != HIDDEN)
    )
    if any((row.suite, row.case_id) in known for row in rows):
        return True
    packed = connection.execute(
        select(case_blocks.c.suite, case_blocks.c.case_ids)
        .join(attempts, case_blocks.c.run == attempts.c.run)
        .where(*shown)
    )
    return any((row.suite, case_id) in known for row in packed for case_id in blocks.case_ids(row.case_ids))


def uses(connection: Connection, golden_digest: str) -> int:
    """How many candidates these golden cases gave a whole verdict on, over every line and baseline."""
    query = select(func.count(attempts.c.release_digest.distinct())).where(
        _on(golden_digest), attempts.c.number > SCREEN
    )
    return connection.execute(query).scalar_one()


def continued_set(connection: Connection, key: AttemptKey) -> str | None:
    """The golden set under which the latest candidate was counted that was judged on this very one.

    A set that only grew continues the earlier one for the candidates that were judged on that; whoever is
    judged on it after them is counted with them.
    """
    query = (
        select(attempts.c.golden_digest)
        .where(*counted(connection, key), attempts.c.number > SCREEN, _on(key.golden_digest))
        .order_by(attempts.c.number.desc(), attempts.c.id.desc())
        .limit(1)
    )
    return connection.scalar(query)


def _on(golden_digest: str) -> ColumnElement[bool]:
    """Attempts that were judged on a golden set, or counted under it."""
    return (attempts.c.golden_digest == golden_digest) | (attempts.c.judged_digest == golden_digest)


def _insert(
    connection: Connection,
    key: AttemptKey,
    release_digest: str,
    run: int,
    attempt: Attempt,
    draw: str | None = None,
) -> None:
    connection.execute(
        insert(attempts).values(
            line=key.line,
            baseline_digest=key.baseline_digest,
            golden_digest=key.golden_digest,
            epoch=attempt.epoch,
            release_digest=release_digest,
            number=attempt.number,
            run=run,
            draw=draw,
            judged_digest=key.judged_digest,
        )
    )


def _attempt(
    connection: Connection, key: AttemptKey, release_digest: str, again: bool, discarded: int
) -> Attempt:
    """The attempt that a run of this candidate belongs to.

    The highest number counts beside how many there are: where the window of a pinned baseline opened on
    numbers that went on from earlier ones, none of them is given twice. What others were judged on a set
    that continues another counts with those of the other.
    """
    same = attempts.c.golden_digest == key.golden_digest
    if key.judged_digest:
        same |= _on(key.judged_digest)
    rows = connection.execute(
        select(attempts.c.epoch, attempts.c.number, attempts.c.golden_digest, attempts.c.release_digest)
        .distinct()
        .where(*counted(connection, key), same, attempts.c.number > SCREEN)
    ).all()
    own = [Attempt(row.epoch, row.number) for row in rows if row.release_digest == release_digest]
    if own and not (again or discarded):
        return max(own, key=lambda attempt: (attempt.number, attempt.epoch))
    given = {(row.golden_digest, Attempt(row.epoch, row.number)) for row in rows}
    counted_here = len(given) + (_elsewhere(connection, key, release_digest) if again else 0)
    # which holds what was drawn elsewhere before it
    highest = max((attempt.number for _, attempt in given), default=0)
    return Attempt(last_promotion(connection, key.line), max(counted_here, highest) + discarded + 1)


def _elsewhere(connection: Connection, key: AttemptKey, release_digest: str) -> int:
    """How often this candidate was drawn against other baselines since the line's last promotion.

    Naming another baseline is no way to a first attempt.
    """
    rows = connection.execute(
        select(attempts.c.baseline_digest, attempts.c.epoch, attempts.c.number)
        .distinct()
        .where(
            attempts.c.line == key.line,
            attempts.c.release_digest == release_digest,
            attempts.c.number > SCREEN,
            attempts.c.epoch >= last_promotion(connection, key.line),
            ~_against(key, attempts),
        )
    )
    return len(rows.all())


def counted(
    connection: Connection, key: AttemptKey, table: Table = attempts
) -> tuple[ColumnElement[bool], ...]:
    """Which attempts and screens, or unfinished runs, of the line count for this baseline.

    The golden set counts for nothing.
    """
    against = (table.c.line == key.line, _against(key, table))
    if _holds_production(connection, key):
        return against
    return (*against, table.c.epoch >= _last_new_promotion(connection, key.line))


def _against(key: AttemptKey, table: Table) -> ColumnElement[bool]:
    same = table.c.baseline_digest == key.baseline_digest
    if key.recorded_baseline is None:
        return same
    name, version = key.recorded_baseline
    grown = select(releases.c.digest).where(releases.c.name == name, releases.c.version == version)
    return same | table.c.baseline_digest.in_(grown)


def _holds_production(connection: Connection, key: AttemptKey) -> bool:
    holder = connection.execute(
        select(releases.c.name, releases.c.version, releases.c.digest)
        .join(aliases, aliases.c.release == releases.c.id)
        .where(aliases.c.line == key.line, aliases.c.alias == PRODUCTION)
    ).first()
    if holder is None:
        return False
    return holder.digest == key.baseline_digest or (holder.name, holder.version) == key.recorded_baseline


def last_promotion(connection: Connection, line: str) -> int:
    """Id of the line's last move of production, 0 before: the epoch of what is counted now."""
    promotions = (alias_history.c.line == line) & (alias_history.c.alias == PRODUCTION)
    return connection.scalar(select(func.max(alias_history.c.id)).where(promotions)) or 0


def _last_new_promotion(connection: Connection, line: str) -> int:
    """The last move of production to what never held it before, by its content and by its name; 0 before."""
    held: set[str | tuple[str, str]] = set()
    newest = 0
    for move in connection.execute(
        select(alias_history.c.id, releases.c.name, releases.c.version, releases.c.digest)
        .join(releases, releases.c.id == alias_history.c.to_release)
        .where(alias_history.c.line == line, alias_history.c.alias == PRODUCTION)
        .order_by(alias_history.c.id)
    ):
        marks = {move.digest, (move.name, move.version)}
        if not marks & held:
            newest = move.id
        held |= marks
    return newest
