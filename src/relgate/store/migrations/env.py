"""Alembic's environment: the connection comes from ``opening``, which holds the transaction."""

from __future__ import annotations

from alembic import context

from relgate.store.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
context.run_migrations()
