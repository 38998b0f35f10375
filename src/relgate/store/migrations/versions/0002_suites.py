"""The suites of a run, to compare later runs with, and the model id that a provider reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the table and the column; runs recorded before have nothing in them."""
    op.create_table(
        "suites",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("suite", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("gates", sa.JSON(), nullable=False),
        sa.Column("cases", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name="fk_suites_run_runs"),
        sa.PrimaryKeyConstraint("run", "suite", name="pk_suites"),
    )
    op.add_column("responses", sa.Column("model", sa.Text(), nullable=True))
