"""The tables of the registry at the newest schema.

A run is one row in ``runs`` and its children are numbered within it, from 0: the keys are known before
anything is inserted, so thousands of rows go in by executemany without asking the database for ids.
Cases and responses are numbered on over the rows of their own and those in ``case_blocks``.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    true,
)

SCHEMA = "0007"
"""The schema that this version reads and writes: the newest revision in ``migrations/versions``."""

VERSION_TABLE = "relgate_schema"
"""Not alembic's default name: a team's database may hold another application's alembic_version."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class StoredText(TypeDecorator[str]):
    """Text that every database takes.

    A model may answer with NUL, which PostgreSQL refuses, or with half of a surrogate pair, which has no
    UTF-8; both become U+FFFD rather than losing the run.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what cannot be stored."""
        return None if value is None else stored_text(value)


def stored_text(value: str) -> str:
    """The text as every database takes it."""
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(name: str) -> Column[str]:
    return Column(name, StoredText, nullable=False)


releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("name"),
    _text("version"),
    _text("digest"),
    _text("owner"),
    _text("manifest"),
    _text("manifest_path"),
    _text("recorded"),
    UniqueConstraint("name", "version", "digest"),
    Index(None, "digest"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("release_digest", StoredText, primary_key=True),
    Column("kind", StoredText, primary_key=True),
    Column("name", StoredText, primary_key=True),
    _text("version"),
    _text("digest"),
    _text("path"),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", StoredText, nullable=False, unique=True),
    _text("started"),
    _text("finished"),
    Column("release", ForeignKey("releases.id"), nullable=False),
    Column("baseline", ForeignKey("releases.id")),
    _text("manifest_path"),
    Column("cases", JSON, nullable=False),
    Column("draw", StoredText, comment="names it where its answers are kept; NULL: nobody was asked"),
    Index(None, "release", "number"),
)

cases = Table(
    "cases",
    metadata,
    Column("run", ForeignKey("runs.number"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("suite"),
    _text("suite_folder"),
    _text("case_id"),
    Column("case_line", Integer, nullable=False),
    _text("input"),
    _text("expected"),
    _text("outcome"),
    UniqueConstraint("run", "suite", "case_id"),
)

suites = Table(
    "suites",
    metadata,
    Column("run", ForeignKey("runs.number"), primary_key=True),
    Column("suite", StoredText, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("gates", JSON, nullable=False),
    Column("cases", JSON, nullable=False),
    Column("cases_digest", StoredText, nullable=False, server_default=""),
    Column("settings", JSON(none_as_null=True)),
)

suite_blocks = Table(
    "suite_blocks",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("suite", StoredText, primary_key=True),
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("cases", LargeBinary, nullable=False),
    ForeignKeyConstraint(["run", "suite"], ["suites.run", "suites.suite"]),
)
"""The cases of long suites, many in a row (``blocks``); ``suites.cases`` is empty for these."""

responses = Table(
    "responses",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("case_number", Integer, nullable=False),
    Column("side", String(16), nullable=False),
    Column("trial", Integer, nullable=False),
    _text("hop"),
    Column("confirmation", Boolean, nullable=False),
    Column("outcome", String(16), nullable=False),
    _text("output"),
    _text("served_by"),
    Column("latency_ms", Float),
    Column("tokens", Integer),
    Column("cost_usd", Float),
    Column("tool_calls", JSON, nullable=False),
    Column("retrieved", JSON, nullable=False),
    Column("model", StoredText),
    ForeignKeyConstraint(["run", "case_number"], ["cases.run", "cases.number"]),
    Index(None, "run", "case_number"),
)

scores = Table(
    "scores",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("response", Integer, primary_key=True, autoincrement=False),
    Column("metric", StoredText, primary_key=True),
    Column("value", Float, comment="NULL: the scorer failed"),
    ForeignKeyConstraint(["run", "response"], ["responses.run", "responses.number"]),
    sqlite_with_rowid=False,
)

case_blocks = Table(
    "case_blocks",
    metadata,
    Column("run", ForeignKey("runs.number"), primary_key=True),
    Column("first_case", Integer, primary_key=True, autoincrement=False),
    Column("first_response", Integer, nullable=False),
    _text("suite"),
    Column("models", JSON, nullable=False),
    Column("case_ids", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Cases of long suites, many in a row (``blocks``); they are in none of the three tables above."""

verdicts = Table(
    "verdicts",
    metadata,
    Column("run", ForeignKey("runs.number"), primary_key=True),
    Column("decision", String(16), nullable=False),
    _text("reason"),
    _text("next_step"),
    Column("exit_status", Integer, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("attempt", Integer, comment="NULL: the run was no attempt"),
    _text("policy_digest"),
    _text("judged_key"),
    Column("scorecard", JSON, nullable=False),
    Column("served", Integer, comment="runs.number of the newest run when it was given again"),
    Column(
        "turn",
        Integer,
        nullable=False,
        server_default="0",
        comment="which of those that were given again after the same run it was, from 1",
    ),
    Index(None, "judged_key"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("line"),
    _text("baseline_digest"),
    _text("golden_digest"),
    Column(
        "epoch", Integer, nullable=False, comment="alias_history.id of the line's last promotion, 0 before"
    ),
    _text("release_digest"),
    Column("number", Integer, nullable=False),
    Column("run", ForeignKey("runs.number"), nullable=False),
    Column("draw", StoredText, comment="of a draw that was counted before it was recorded, if ever"),
    Column(
        "judged_digest",
        StoredText,
        nullable=False,
        server_default="",
        comment="of the golden cases that were judged, where they continue others",
    ),
    Index(None, "line", "baseline_digest", "golden_digest", "epoch"),
)

unfinished_runs = Table(
    "unfinished_runs",
    metadata,
    Column("id", StoredText, primary_key=True),
    _text("line"),
    _text("baseline_digest"),
    _text("release_digest"),
    Column("epoch", Integer, nullable=False, comment="as in attempts"),
    _text("began"),
    Column("discarded", Boolean, nullable=False, comment="a later run asked anew what this one showed"),
    Column(
        "draws", Boolean, nullable=False, server_default=true(), comment="may answer otherwise the next time"
    ),
    Column("suites", JSON(none_as_null=True), comment="whose cases it showed; NULL: not known"),
    Index(None, "line", "release_digest"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("line", StoredText, primary_key=True),
    Column("alias", StoredText, primary_key=True),
    Column("release", ForeignKey("releases.id"), nullable=False),
    _text("since"),
)

alias_history = Table(
    "alias_history",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("line"),
    _text("alias"),
    Column("from_release", ForeignKey("releases.id")),
    Column("to_release", ForeignKey("releases.id"), nullable=False),
    _text("at"),
    _text("actor"),
    _text("reason"),
    Column("waived", Boolean, nullable=False),
    Index(None, "line", "alias"),
)

waivers = Table(
    "waivers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("release", ForeignKey("releases.id"), nullable=False),
    Column(
        "run", ForeignKey("runs.number"), comment="the verdict that was waived, NULL where there was none"
    ),
    _text("alias"),
    _text("at"),
    _text("actor"),
    _text("reason"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("runs.number"), nullable=False),
    _text("suite"),
    _text("case_id"),
    Column("category", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    _text("at"),
    _text("actor"),
)

regression_cases = Table(
    "regression_cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey("incidents.id"), nullable=False),
    _text("suite"),
    _text("case_id"),
    _text("file"),
    Column("line", Integer, nullable=False),
    Column("input", JSON, nullable=False),
    Column("expected", JSON, nullable=False),
    Column("redacted", JSON, nullable=False),
    _text("at"),
)

settings = Table(
    "settings",
    metadata,
    Column("name", StoredText, primary_key=True),
    _text("value"),
)
