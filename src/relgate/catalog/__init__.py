"""The catalog: names that manifests and suites use, and what makes the thing behind each name.

It is filled in this order: relgate's own, the entry points of the group ``relgate``, then plugins that are
handed over, such as a project's conftest.py. A plugin is any object or module with functions named after
the hooks in ``relgate.catalog.hooks``; a name may be registered once.
"""

from relgate.catalog.catalog import ARTIFACT_KINDS, BUILTIN_RENDERERS, Catalog
from relgate.catalog.hooks import CatalogHooks, hookimpl
from relgate.catalog.registers import ApplicationFactory, Register, Renderer, ScorerRegister

__all__ = [
    "ARTIFACT_KINDS",
    "BUILTIN_RENDERERS",
    "ApplicationFactory",
    "Catalog",
    "CatalogHooks",
    "Register",
    "Renderer",
    "ScorerRegister",
    "hookimpl",
]
