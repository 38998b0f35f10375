"""relgate: the release gate for LLM systems.

What an application, a scorer or a service of a project needs stands here; everything else is internal. The
names are looked up when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relgate.catalog import hookimpl
    from relgate.domain.case import Case, Message
    from relgate.domain.errors import ProviderOutage
    from relgate.domain.release import Artifact, Provider, Release, Route, Target
    from relgate.domain.response import Failure, Request, Response, ScorerFailure, ToolCall

__all__ = [
    "Artifact",
    "Case",
    "Failure",
    "Message",
    "Provider",
    "ProviderOutage",
    "Release",
    "Request",
    "Response",
    "Route",
    "ScorerFailure",
    "Target",
    "ToolCall",
    "hookimpl",
]

_HOME = {
    "Artifact": "relgate.domain.release",
    "Case": "relgate.domain.case",
    "Failure": "relgate.domain.response",
    "Message": "relgate.domain.case",
    "Provider": "relgate.domain.release",
    "ProviderOutage": "relgate.domain.errors",
    "Release": "relgate.domain.release",
    "Request": "relgate.domain.response",
    "Response": "relgate.domain.response",
    "Route": "relgate.domain.release",
    "ScorerFailure": "relgate.domain.response",
    "Target": "relgate.domain.release",
    "ToolCall": "relgate.domain.response",
    "hookimpl": "relgate.catalog",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'relgate' has no attribute {name!r}") from None
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
