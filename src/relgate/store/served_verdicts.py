"""Verdicts that are served again, and what a later run says against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from relgate.domain.gate import ABSOLUTE_FORMS
from relgate.store.rows import StoredVerdict
from relgate.store.tables import releases, runs, verdicts

_BASELINE = releases.alias("compared")


def judged(connection: Connection, key: str) -> StoredVerdict | None:
    """The last whole run under this key; no promote that a later run of the same content speaks against."""
    row = connection.execute(
        select(
            runs.c.id,
            runs.c.number,
            releases.c.digest,
            runs.c.finished,
            verdicts.c.decision,
            verdicts.c.exit_status,
            verdicts.c.scorecard,
        )
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(releases, releases.c.id == runs.c.release)
        .where(verdicts.c.judged_key == key, verdicts.c.judged_key != "", verdicts.c.partial.is_(False))
        .order_by(runs.c.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    if row.decision == "promote" and rejecting_since(connection, row.digest, row.number) is not None:
        return None
    return StoredVerdict(row.id, row.decision, row.exit_status, row.scorecard, row.finished)


def spoken_against(connection: Connection, run_id: str) -> tuple[str, str] | None:
    """``rejecting_since`` of the run with this id."""
    row = connection.execute(
        select(releases.c.digest, runs.c.number)
        .join(releases, releases.c.id == runs.c.release)
        .where(runs.c.id == run_id)
    ).one()
    return rejecting_since(connection, row.digest, row.number)


def rejecting_since(connection: Connection, digest: str, number: int) -> tuple[str, str] | None:
    """The newest later run of a release's content that speaks against it, with its reason.

    Against a baseline of the same content it rejects, shows harm (what is proven worse, an alarm), or is a
    screen that found something; a hold of what is merely not proven, say by other gates, says nothing. Or it
    showed what counts against any baseline: a confirmed critical miss, a violation, a returned incident, a
    broken absolute limit, creep against the anchor, answers that are worse or others than before; be it a
    part of the cases.

    Args:
        connection: the registry.
        digest: of the release.
        number: of the run after which it is looked for.
    """
    baseline = connection.execute(
        select(_BASELINE.c.digest)
        .select_from(runs)
        .outerjoin(_BASELINE, _BASELINE.c.id == runs.c.baseline)
        .where(runs.c.number == number)
    ).scalar_one()
    rows = connection.execute(
        select(
            runs.c.id,
            _BASELINE.c.digest.label("baseline"),
            verdicts.c.decision,
            verdicts.c.reason,
            verdicts.c.partial,
            verdicts.c.scorecard,
        )
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(releases, releases.c.id == runs.c.release)
        .outerjoin(_BASELINE, _BASELINE.c.id == runs.c.baseline)
        .where(releases.c.digest == digest, runs.c.number > number)
        .order_by(runs.c.number.desc())
    )
    for row in rows:
        verdict = row.scorecard["verdict"]
        found = row.decision == "reject" or _shows_harm(row.scorecard)
        if (found and row.baseline == baseline) or verdict.get("seen") or _shows_its_own_fault(row.scorecard):
            return row.id, "; ".join(verdict.get("seen") or [row.reason])
    return None


def _shows_harm(card: Mapping[str, Any]) -> bool:
    """Whether a screen found something, or a whole run what got worse; a part that saw nothing does not."""
    verdict = card["verdict"]
    if verdict.get("partial"):
        return False
    if verdict.get("screen"):
        return not verdict.get("clear")
    worse = any(gate.get("proven_worse") and gate["role"] == "require" for gate in card.get("gates", ()))
    return worse or bool(card.get("alarms"))


def _shows_its_own_fault(card: Mapping[str, Any]) -> bool:
    """Whether a scorecard holds what rejects whatever the release is compared with."""
    broken = any(
        gate["form"] in ("violations", *ABSOLUTE_FORMS)
        and gate["result"] == "fail"
        and gate["role"] != "report"
        for gate in card.get("gates", ())
    )
    crept = not card["verdict"].get("screen") and any(part["holds"] for part in card.get("anchor", ()))
    return broken or crept or any(miss["confirmed"] for miss in card.get("critical", ()))


def serve(connection: Connection, run_id: str) -> None:
    """Remember that a stored verdict was given again: it is the newest one on its content then."""
    newest = connection.execute(select(func.max(runs.c.number))).scalar_one()
    before = select(func.max(verdicts.c.turn)).where(verdicts.c.served == newest)
    turn = 1 + (connection.execute(before).scalar_one() or 0)
    number = select(runs.c.number).where(runs.c.id == run_id).scalar_subquery()
    connection.execute(update(verdicts).where(verdicts.c.run == number).values(served=newest, turn=turn))


def newest_first() -> tuple[ColumnElement[int], ...]:
    """The order of verdicts: one that was given again is newer than the runs before that."""
    after = func.coalesce(verdicts.c.served, runs.c.number)
    given_again = case((verdicts.c.served.is_not(None), 1), else_=0)
    return after.desc(), given_again.desc(), verdicts.c.turn.desc(), runs.c.number.desc()
