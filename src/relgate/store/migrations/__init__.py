"""Alembic migrations, packaged: ``opening.open_registry`` runs them."""
