"""Lines of a cases.jsonl that are plainly sound cases of two texts and tags, read many at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from relgate.domain.digest import canonical_json
from relgate.domain.gate import Scalar
from relgate.files.long.lines import hold_one_each

_ID_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_MOST_ID = 200
_SPACES = (b'" ', b'"\t', b'"\r')
_SPACED_KEY = re.compile(rb'"[ \t\r]+:').search
_MOST_TAGS = 10_000


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    input: str | msgspec.UnsetType | None = msgspec.UNSET
    expected: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Line).decode_lines
_decode_tags = msgspec.json.Decoder(dict[str, str | bool]).decode


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a case.

    Attributes:
        values: by name.
        text: as canonical JSON.
    """

    values: Mapping[str, Scalar]
    text: str


class KnownTags:
    """Reads tags, and knows those that it read before: most cases share theirs with others."""

    def __init__(self) -> None:
        self._known: dict[bytes, Tags] = {}

    def of(self, written: bytes) -> Tags:
        """The tags that are written like this, "" for a case without.

        Raises:
            msgspec.MsgspecError: they are no object of texts and truth values.
        """
        found = self._known.get(written)
        if found is None:
            values = _decode_tags(written or b"{}")
            if len(self._known) == _MOST_TAGS:
                self._known.clear()
            found = self._known[written] = Tags(values, canonical_json(values).decode())
        return found


@dataclass(frozen=True, slots=True)
class PlainCases:
    """Some sound cases, a column each.

    Attributes:
        ids: their ids, of ASCII.
        inputs: what each asks, None where it asks nothing.
        expected: what each expects, None where it expects nothing.
        tags: the tags of each.
        escaped: whether any text may hold what JSON spells with a backslash.
    """

    ids: list[str]
    inputs: list[str | None]
    expected: list[str | None]
    tags: list[Tags]
    escaped: bool


def plain_cases(lines: Sequence[bytes], known: KnownTags) -> PlainCases | None:
    """The cases on these lines; None where one of them must be looked at by itself.

    No key is there twice in a line: there are no more quotes with a colon behind them than different keys.

    Args:
        lines: without their ends, UTF-8.
        known: reads tags.
    """
    block = b"\n".join(lines)
    escaped = b"\\" in block
    if (escaped and b"\\u" in block) or not hold_one_each(block, len(lines)):
        return None
    try:
        found = _decode(block)
        written = [bytes(case.tags) for case in found]
        tags_of = {each: known.of(each) for each in dict.fromkeys(written)}
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    ids = [case.id for case in found]
    if len(ids) != len(lines) or not _are_plain(ids):
        return None
    tags = [tags_of[each] for each in written]
    inputs = [case.input for case in found]
    expected = [case.expected for case in found]
    keys = 4 * len(ids) - inputs.count(msgspec.UNSET) - expected.count(msgspec.UNSET) - written.count(b"")
    if _keys(block) != keys + sum(len(each.values) for each in tags):
        return None
    return PlainCases(
        ids,
        [None if text is msgspec.UNSET else text for text in inputs],
        [None if text is msgspec.UNSET else text for text in expected],
        tags,
        escaped,
    )


def _keys(block: bytes) -> int:
    """At least as many as there are keys, each counted as often as it is there; -1 where they are spaced."""
    found = block.count(b'":')
    if found != block.count(b":") and any(space in block for space in _SPACES) and _SPACED_KEY(block):
        return -1
    return found


def _are_plain(ids: Sequence[str]) -> bool:
    sizes = list(map(len, ids))
    if min(sizes) < 1 or max(sizes) > _MOST_ID:
        return False
    return not "".join(ids).encode().translate(None, _ID_CHARACTERS)
