"""In which order stored verdicts were given again where no run was recorded between."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column; of what was given again before, the order is not known."""
    turn: sa.Column[int] = sa.Column(
        "turn",
        sa.Integer(),
        nullable=False,
        server_default="0",
        comment="which of those that were given again after the same run it was, from 1",
    )
    op.add_column("verdicts", turn)
