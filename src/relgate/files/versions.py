"""Which versions and model ids are pinned (design 4.7): they mean the same thing next month."""

from __future__ import annotations

import re

FLOATING = frozenset({"latest", "stable", "current", "main", "master", "*"})
ALIASES = frozenset({"production", "candidate", "previous"})

_RANGE = re.compile(r"^\s*(>|<|~|\^|!=|==?\s)|\*|\|\||(^|\.)[xX](\.|$)|,\s*[<>]")
_LAST_WORD = re.compile(r"[^A-Za-z*]([A-Za-z*]+)$")


def unpinned_version(version: str) -> str:
    """Why a version is not pinned, empty when it is."""
    word = version.strip().lower()
    if not word:
        return "is empty"
    if word in FLOATING:
        return "moves with time"
    if word in ALIASES:
        return "is an alias, not a version"
    if _RANGE.search(version):
        return "is a range"
    return ""


def unpinned_reference(version: str) -> str:
    """Why a baseline or a rollback target cannot be found again; aliases are fine there."""
    return "" if version.strip().lower() in ALIASES else unpinned_version(version)


def unpinned_model_id(model_id: str) -> str:
    """Why a provider's model id is not pinned, empty when it is."""
    reason = unpinned_version(model_id)
    if reason:
        return reason
    last = _LAST_WORD.search(model_id)
    if last and last.group(1).lower() in FLOATING:
        return "moves with time"
    if not any(char.isdigit() for char in model_id):
        return "has no date, digest or number"
    return ""
