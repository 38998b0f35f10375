"""Which of several verdicts is the newest."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func

from relgate.store.tables import runs, verdicts


def newest_first() -> tuple[ColumnElement[int], ...]:
    """The order of verdicts: one that was given again is newer than the runs before that."""
    after = func.coalesce(verdicts.c.served, runs.c.number)
    given_again = case((verdicts.c.served.is_not(None), 1), else_=0)
    return after.desc(), given_again.desc(), verdicts.c.turn.desc(), runs.c.number.desc()
