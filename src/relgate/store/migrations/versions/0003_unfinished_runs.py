"""Runs that showed outcomes and have no verdict: what they showed is drawn a second time at a price."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table and the columns; what was interrupted before is not known and counts for nothing."""
    op.create_table(
        "unfinished_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("baseline_digest", sa.Text(), nullable=False),
        sa.Column("release_digest", sa.Text(), nullable=False),
        sa.Column(
            "epoch",
            sa.Integer(),
            nullable=False,
            comment="as in attempts",
        ),
        sa.Column("began", sa.Text(), nullable=False),
        sa.Column(
            "discarded",
            sa.Boolean(),
            nullable=False,
            comment="a later run asked anew what this one showed",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_unfinished_runs"),
    )
    comment = "names it where its answers are kept; NULL: nobody was asked"
    op.add_column("runs", sa.Column("draw", sa.Text(), nullable=True, comment=comment))
    comment = "of a draw that was counted before it was recorded, if ever"
    op.add_column("attempts", sa.Column("draw", sa.Text(), nullable=True, comment=comment))
    op.create_index("ix_unfinished_runs_line_release_digest", "unfinished_runs", ["line", "release_digest"])
