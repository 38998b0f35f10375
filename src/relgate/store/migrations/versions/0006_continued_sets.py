"""Which golden set an attempt was judged on, beside the one that it continues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; of attempts before it is not known."""
    judged: sa.Column[str] = sa.Column(
        "judged_digest",
        sa.Text(),
        nullable=False,
        server_default="",
        comment="of the golden cases that were judged, where they continue others",
    )
    op.add_column("attempts", judged)
