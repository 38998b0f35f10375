"""Incidents, the regression cases made of them, and the registry's own secret."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from relgate.store.reading import run_number
from relgate.store.recording import now
from relgate.store.rows import Incident, RegressionCase
from relgate.store.tables import incidents, regression_cases, settings

REDACTION_KEY = "redaction_key"


def add_incident(connection: Connection, incident: Incident) -> int:
    """Write an incident and give its number."""
    result = connection.execute(
        insert(incidents).values(
            run=run_number(connection, incident.run_id),
            suite=incident.suite,
            case_id=incident.case_id,
            category=incident.category,
            severity=incident.severity,
            at=now(),
            actor=incident.by,
        )
    )
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def add_regression_case(connection: Connection, case: RegressionCase) -> int:
    """Write a regression case and give its number."""
    result = connection.execute(
        insert(regression_cases).values(
            incident=case.incident,
            suite=case.suite,
            case_id=case.case_id,
            file=case.file,
            line=case.line,
            input=case.input,
            expected=case.expected,
            redacted=dict(case.redacted),
            at=now(),
        )
    )
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def regression_case_rows(connection: Connection) -> list[RegressionCase]:
    """Every regression case, oldest first."""
    return [
        RegressionCase(
            row.incident, row.suite, row.case_id, row.file, row.line, row.input, row.expected, row.redacted
        )
        for row in connection.execute(select(regression_cases).order_by(regression_cases.c.id))
    ]


def stored_key(connection: Connection) -> str | None:
    """The key for placeholders that this registry keeps, if it has one."""
    found: str | None = connection.scalar(select(settings.c.value).where(settings.c.name == REDACTION_KEY))
    return found


def make_key(connection: Connection) -> str:
    """The key for placeholders, made now unless another process was quicker."""
    key = stored_key(connection)
    if key is None:
        key = secrets.token_hex(32)
        connection.execute(insert(settings).values(name=REDACTION_KEY, value=key))
    return key
