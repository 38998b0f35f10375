"""The registry: SQLAlchemy Core over a SQLite file by default, PostgreSQL by URL."""

from relgate.store.blocks import ABSENT, block_of_columns, packed
from relgate.store.location import registry_url, responses_file, shown
from relgate.store.opening import NoRegistryError, open_registry
from relgate.store.registry import Registry
from relgate.store.rows import (
    AliasChange,
    AliasRow,
    CaseRow,
    Incident,
    RegressionCase,
    RunRow,
    StoredVerdict,
    Waiver,
)

__all__ = [
    "ABSENT",
    "AliasChange",
    "AliasRow",
    "CaseRow",
    "Incident",
    "NoRegistryError",
    "Registry",
    "RegressionCase",
    "RunRow",
    "StoredVerdict",
    "Waiver",
    "block_of_columns",
    "open_registry",
    "packed",
    "registry_url",
    "responses_file",
    "shown",
]
