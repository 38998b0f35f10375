"""Verdicts that are served again, and what a later run says against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select, update

from relgate.domain.gate import ABSOLUTE_FORMS
from relgate.domain.run import ReleaseRow, stands_for
from relgate.store.reading import release_of
from relgate.store.rows import StoredVerdict
from relgate.store.tables import releases, runs, verdicts


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
    """``speaking_against`` the verdict of a run, among the runs after it.

    Args:
        connection: the registry.
        digest: of its release.
        number: its number.
    """
    row = connection.execute(select(runs.c.baseline).where(runs.c.number == number)).scalar_one()
    baseline = None if row is None else release_of(connection, row)
    return speaking_against(connection, digest, baseline, number)


def newest_begun(connection: Connection, moment: str) -> int:
    """The number of the newest run that had begun at a moment (ISO 8601, UTC), 0 where there is none."""
    begun = select(func.max(runs.c.number)).where(runs.c.started <= moment)
    return connection.execute(begun).scalar_one() or 0


def speaking_against(
    connection: Connection, digest: str, baseline: ReleaseRow | None, number: int
) -> tuple[str, str] | None:
    """The newest later run of a release's content that speaks against a promote of it, with its reason.

    Against what stands for the promote's baseline it rejects, shows harm (what is proven worse, an alarm), or
    is a screen that found something; a hold of what is merely not proven, say by other gates, says nothing.
    Or it showed what counts against any baseline: a confirmed critical miss, a violation, a returned
    incident, a broken absolute limit, creep against the anchor, answers that are worse or others than
    before; be it a part of the cases.

    Args:
        connection: the registry.
        digest: of the release.
        baseline: what the promote compared it with.
        number: of the run after which it is looked for.
    """
    rows = connection.execute(
        select(
            runs.c.id,
            runs.c.baseline,
            verdicts.c.decision,
            verdicts.c.reason,
            verdicts.c.partial,
            verdicts.c.scorecard,
        )
        .join(verdicts, verdicts.c.run == runs.c.number)
        .join(releases, releases.c.id == runs.c.release)
        .where(releases.c.digest == digest, runs.c.number > number)
        .order_by(runs.c.number.desc())
    )
    for row in rows:
        verdict = row.scorecard["verdict"]
        found = row.decision == "reject" or _shows_harm(row.scorecard)
        alike = found and _compared_alike(connection, row.baseline, baseline)
        if alike or verdict.get("seen") or _shows_its_own_fault(row.scorecard):
            return row.id, "; ".join(verdict.get("seen") or [row.reason])
    return None


def _compared_alike(connection: Connection, compared: int | None, baseline: ReleaseRow | None) -> bool:
    if compared is None or baseline is None:
        return compared is None and baseline is None
    return stands_for(release_of(connection, compared), baseline)


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
