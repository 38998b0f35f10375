"""Verdicts that are served again, and what a later run says against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from relgate.store.rows import StoredVerdict
from relgate.store.tables import releases, runs, verdicts


def judged(connection: Connection, key: str) -> StoredVerdict | None:
    """The last whole run under this key; no promote that a later run of the same content speaks against."""
    row = connection.execute(
        select(
            runs.c.id,
            runs.c.number,
            runs.c.baseline,
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
    if (
        row.decision == "promote"
        and rejecting_since(connection, row.digest, row.number, row.baseline) is not None
    ):
        return None
    return StoredVerdict(row.id, row.decision, row.exit_status, row.scorecard, row.finished)


def rejecting_since(
    connection: Connection, digest: str, number: int, baseline: int | None
) -> tuple[str, str] | None:
    """The newest later run of a release's content that speaks against it, with its reason.

    Against the same baseline it rejects, or is a screen that found something; or it showed what rejects
    against any (a confirmed critical miss, a violation, a returned incident), be it a part of the cases.

    Args:
        connection: the registry.
        digest: of the release.
        number: of the run after which it is looked for.
        baseline: the row of that run's baseline.
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
        found = row.decision == "reject" or (verdict.get("screen") and not verdict.get("clear"))
        if (found and row.baseline == baseline) or verdict.get("seen") or _shows_its_own_fault(row.scorecard):
            return row.id, row.reason
    return None


def _shows_its_own_fault(card: Mapping[str, Any]) -> bool:
    """Whether a scorecard holds what rejects whatever the release is compared with."""
    violated = any(
        gate["form"] == "violations" and gate["result"] == "fail" and gate["role"] != "report"
        for gate in card.get("gates", ())
    )
    return violated or any(miss["confirmed"] for miss in card.get("critical", ()))
