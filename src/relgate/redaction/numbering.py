"""Placeholders of a report: numbered by first appearance, so that a report depends on no key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Any

from relgate.redaction.redactor import PLACEHOLDER

_NUMBERED = re.compile(r"<([A-Z][A-Z0-9_]{0,30})_([1-9][0-9]{0,4})>")
_CUT = re.compile(r"<(?:[A-Z][A-Z0-9_]{0,30}[0-9a-f]{0,6})?\Z")


def number_placeholders(value: Any, fields: Collection[str]) -> Any:
    """A JSON value whose keyed placeholders are numbered by type: ``<EMAIL_1>``, ``<EMAIL_2>``.

    The number follows the first appearance in the order of the value, so two mentions of one person keep
    one placeholder, and two values that differ in nothing but the key of their placeholders become equal.
    A number that the texts hold already is left out: what somebody wrote as ``<EMAIL_1>`` is linked to
    nobody.

    Args:
        value: mappings, lists and texts.
        fields: keys whose texts are rewritten, those in lists below them too; names and ids are not.
    """
    texts = list(_texts(value, fields, False))
    taken = {match.group() for text in texts for match in _NUMBERED.finditer(text)}
    names: dict[str, str] = {}
    numbers: dict[str, Iterator[int]] = {}
    for text in texts:
        for match in PLACEHOLDER.finditer(text):
            keyed = match.group()
            if keyed not in names:
                kind = keyed[1:].rpartition("_")[0]
                free = numbers.setdefault(kind, count(1))
                names[keyed] = next(name for n in free if (name := f"<{kind}_{n}>") not in taken)
    return _rewritten(value, fields, names, False)


def cut(text: str, length: int) -> str:
    """At most so many characters, with an ellipsis where some went, and never half a placeholder."""
    if len(text) <= length:
        return text
    kept = text[: length - 1]
    return _CUT.sub("", kept) + "…"


def _texts(value: Any, fields: Collection[str], inside: bool) -> Iterator[str]:
    if isinstance(value, str):
        if inside:
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, fields, key in fields)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, fields, inside)


def _rewritten(value: Any, fields: Collection[str], names: Mapping[str, str], inside: bool) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: names[match.group()], value) if inside else value
    if isinstance(value, Mapping):
        return {key: _rewritten(item, fields, names, key in fields) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rewritten(item, fields, names, inside) for item in value]
    return value
