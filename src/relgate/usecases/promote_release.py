"""Promoting a release: moving an alias on the strength of its verdict, or of a waiver."""

from __future__ import annotations

import getpass
import os

from relgate.domain.errors import Refusal
from relgate.redaction import Redactor
from relgate.store.registry import Registry
from relgate.store.rows import AliasChange


def promote_release(
    registry: Registry, reference: str, *, alias: str, by: str | None, waive: str | None
) -> AliasChange:
    """Let the release that ``release@version`` (or ``release@alias``) names hold an alias of its line.

    The waiver's reason is redacted before it is stored: every later report shows it.

    Raises:
        Refusal: the reference names nothing, or neither verdict nor waiver allows it.
    """
    name, at, version = reference.rpartition("@")
    if not at or not name or not version:
        raise Refusal(f"{reference!r} is not release@version, such as support-desk@1.3.0")
    if registry.release(name, version) is None and (held := registry.alias(version, name)) is not None:
        version = held.version
    if waive is not None:
        key = registry.redaction_key(os.environ.get("RELGATE_REDACTION_KEY"))
        waive = Redactor(key=key).redact(waive).text
    return registry.promote(name, version, alias=alias, by=by or user(), waive=waive)


def user() -> str:
    """The login name of who runs the command, "unknown" in a container that has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
