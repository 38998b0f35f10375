"""Cases of long suites in blocks: in rows of their own they took longer to write than to score."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables; runs recorded before have every case in rows of its own."""
    op.create_table(
        "case_blocks",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("first_case", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_response", sa.Integer(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("case_ids", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name="fk_case_blocks_run_runs"),
        sa.PrimaryKeyConstraint("run", "first_case", name="pk_case_blocks"),
    )
    op.create_table(
        "suite_blocks",
        sa.Column("run", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("first", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cases", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "suite"], ["suites.run", "suites.suite"], name="fk_suite_blocks_run_suites"
        ),
        sa.PrimaryKeyConstraint("run", "suite", "first", name="pk_suite_blocks"),
    )
