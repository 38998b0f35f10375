"""Cases of long suites in blocks: in rows of their own they took longer to write than to score."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table and the column; runs recorded before have every case in rows of its own."""
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
    comment = "the cases of a long suite in place of ``cases``"
    op.add_column("suites", sa.Column("packed", sa.LargeBinary(), nullable=True, comment=comment))
