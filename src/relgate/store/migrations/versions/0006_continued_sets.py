"""Which golden set an attempt was judged on, and when a stored verdict was given again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; of what was recorded before them neither is known."""
    judged: sa.Column[str] = sa.Column(
        "judged_digest",
        sa.Text(),
        nullable=False,
        server_default="",
        comment="of the golden cases that were judged, where they continue others",
    )
    op.add_column("attempts", judged)
    served: sa.Column[int | None] = sa.Column(
        "served", sa.Integer(), nullable=True, comment="runs.number of the newest run when it was given again"
    )
    op.add_column("verdicts", served)
