"""Promoting a release: moving an alias on the strength of its verdict, or of a waiver."""

from __future__ import annotations

import getpass
import os

from relgate.domain.digest import short
from relgate.domain.errors import Refusal
from relgate.redaction import Redactor
from relgate.store.registry import Registry
from relgate.store.rows import AliasChange
from relgate.usecases.find_release import find_release


def promote_release(
    registry: Registry,
    reference: str,
    *,
    alias: str,
    by: str | None,
    waive: str | None,
    reason: str | None = None,
) -> AliasChange:
    """Let the release that a reference names (``find_release``) hold an alias of its line.

    The reasons are redacted before they are stored: every later report shows a waiver, status the other.

    Raises:
        Refusal: the reference names nothing or several releases, neither verdict nor waiver allows it, or it
            was taken out of production and is not named by version with a reason.
    """
    found = find_release(registry, reference)
    last = registry.release(found.name, found.version)
    if last is not None and last.digest != found.digest:
        label = f"{found.name}@{found.version}"
        raise Refusal(
            f"{reference!r} is {label} with the digest {short(found.digest)}, but {label} was judged again "
            f"with other content since ({short(last.digest)}); "
            "judge the older content under a version of its own"
        )
    redactor = Redactor(key=registry.redaction_key(os.environ.get("RELGATE_REDACTION_KEY")))
    waive, reason = (None if text is None else redactor.redact(text).text for text in (waive, reason))
    return registry.promote(
        found.name,
        found.version,
        alias=alias,
        by=by or user(),
        waive=waive,
        reason=reason,
        named=reference == f"{found.name}@{found.version}",
    )


def user() -> str:
    """The login name of who runs the command, "unknown" in a container that has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
