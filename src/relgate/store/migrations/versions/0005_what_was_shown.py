"""What the cases of a suite were, apart from what scores them; what a run without a verdict has shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; runs before drew all that they showed, and of which suites is not known."""
    op.add_column("suites", sa.Column("cases_digest", sa.Text(), nullable=False, server_default=""))
    op.add_column("suites", sa.Column("settings", sa.JSON(), nullable=True))
    draws: sa.Column[bool] = sa.Column(
        "draws",
        sa.Boolean(),
        nullable=False,
        server_default=sa.true(),
        comment="may answer otherwise the next time",
    )
    op.add_column("unfinished_runs", draws)
    shown: sa.Column[list[str]] = sa.Column(
        "suites", sa.JSON(), nullable=True, comment="whose cases it showed; NULL: not known"
    )
    op.add_column("unfinished_runs", shown)
