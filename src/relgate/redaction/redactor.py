"""Replacing what must not be shown by keyed, stable placeholders."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from relgate.redaction.finder import Finder, Finding
from relgate.redaction.hints import hints_at_a_finding
from relgate.redaction.patterns import PATTERNS

PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,30}_[0-9a-f]{6}>")
"""A keyed placeholder."""

_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,30}")
_SHORTEST_SECRET = 6
_NUMBERS = frozenset({"CARD", "IBAN", "PHONE", "SSN"})
_HINTED = frozenset(map(id, PATTERNS))
_LONGEST_NAME, _NAMES_KEPT = 64, 512


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text that may be stored, and what was replaced in it, by type and count."""

    text: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class RedactedValue:
    """A JSON value that may be stored, and what was replaced in it, by type and count."""

    value: Any
    counts: dict[str, int]


class Redactor:
    """Finds and replaces; pure, and safe to share between threads.

    The same value gets the same placeholder under the same key, so that two mentions of one person stay
    linked without the person being shown.

    Texts as short as the name of a model come again and again: what became of the last of them is kept.

    Args:
        patterns: finders; where two findings overlap they become one, of the earlier finder's type.
        key: of the placeholders' HMAC.
        known_secrets: exact values that are replaced wherever they occur, such as the API keys of this
            run; values shorter than 6 characters are left out, since they would hit ordinary words.
    """

    def __init__(
        self, patterns: Iterable[Finder] = PATTERNS, key: bytes = b"", known_secrets: Iterable[str] = ()
    ) -> None:
        self._key = key
        known = sorted({s for s in known_secrets if len(s) >= _SHORTEST_SECRET}, key=lambda s: (-len(s), s))
        given = tuple(patterns)
        self._known = tuple(known)
        self._finders = ((_known_secret_finder(known),) if known else ()) + given
        self._unhinted = tuple(finder for finder in given if id(finder) not in _HINTED)
        self._redacted_name = lru_cache(_NAMES_KEPT)(self._redacted)

    def redact(self, text: str) -> Redacted:
        """The text with every finding replaced; redacting the result again changes nothing."""
        return self._redacted_name(text) if len(text) <= _LONGEST_NAME else self._redacted(text)

    def _redacted(self, text: str) -> Redacted:
        counts: dict[str, int] = {}
        return Redacted(_replaced(text, self.find, self._placeholder, counts), dict(sorted(counts.items())))

    def surely_finds_nothing(self, text: str) -> bool:
        """Whether a quick look says that nothing in the text, nor in any line of it, would be replaced."""
        return not self._unhinted and not self._is_suspicious(text)

    def redact_value(self, value: Any) -> RedactedValue:
        """A JSON value with every string in it redacted; keys, numbers and truth values stay."""
        counts: dict[str, int] = {}
        return RedactedValue(self._walk(value, counts), dict(sorted(counts.items())))

    def find(self, text: str) -> list[Finding]:
        """Where the text holds something that ``redact`` would replace, in order and without overlaps."""
        finders = self._finders if self._is_suspicious(text) else self._unhinted
        if not finders:
            return []
        return [
            (offset + start, offset + end, kind)
            for offset, part in _outside_placeholders(text)
            for start, end, kind in _merged(part, finders)
        ]

    def _is_suspicious(self, text: str) -> bool:
        """Whether a built-in finder or that of the known secrets may find something."""
        for secret in self._known:
            if secret in text:
                return True
        return hints_at_a_finding(text)

    def residual(self, text: str) -> dict[str, int]:
        """What is left to find, by type and count; empty for a redacted text."""
        return dict(sorted(Counter(kind for _, _, kind in self.find(text)).items()))

    def _placeholder(self, kind: str, value: str) -> str:
        same = re.sub(r"[\W_]", "", value).upper() if kind in _NUMBERS else value
        same = same.casefold() if kind == "EMAIL" else same
        message = f"{kind}\0{same}".encode("utf-8", "surrogatepass")
        return f"<{kind}_{hmac.new(self._key, message, hashlib.sha256).hexdigest()[:6]}>"

    def _walk(self, value: Any, counts: dict[str, int]) -> Any:
        if isinstance(value, str):
            return _replaced(value, self.find, self._placeholder, counts)
        if isinstance(value, Mapping):
            return {key: self._walk(item, counts) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._walk(item, counts) for item in value]
        return value


def placeholder_types(text: str) -> list[str]:
    """The types of the placeholders that a text holds, in order."""
    return [match.group()[1:].rpartition("_")[0] for match in PLACEHOLDER.finditer(text)]


def generic(text: str) -> str:
    """The text with every placeholder reduced to its type, as ``mask`` writes it."""
    return PLACEHOLDER.sub(lambda match: match.group().rpartition("_")[0] + ">", text)


def mask(text: str) -> str:
    """The text with every finding replaced by its bare type: for texts that must not need a key."""
    return _replaced(text, _KEYLESS.find, lambda kind, _: f"<{kind}>", {})


def find(text: str, patterns: Iterable[Finder] = PATTERNS) -> list[Finding]:
    """Where a text holds something that must not be shown."""
    return Redactor(patterns).find(text)


_KEYLESS = Redactor()


def _replaced(
    text: str,
    find: Callable[[str], list[Finding]],
    placeholder: Callable[[str, str], str],
    counts: dict[str, int],
) -> str:
    # A finding that goes may uncover another one beside it, so scan until nothing is found.
    while findings := find(text):
        pieces: list[str] = []
        last = 0
        for start, end, kind in findings:
            pieces += (text[last:start], placeholder(kind, text[start:end]))
            counts[kind] = counts.get(kind, 0) + 1
            last = end
        pieces.append(text[last:])
        text = "".join(pieces)
    return text


def _known_secret_finder(known: list[str]) -> Finder:
    expression = re.compile("|".join(map(re.escape, known)))

    def find_known(text: str) -> Iterator[Finding]:
        for match in expression.finditer(text):
            yield match.start(), match.end(), "SECRET"

    return find_known


def _outside_placeholders(text: str) -> Iterator[tuple[int, str]]:
    last = 0
    if "<" in text:
        for match in PLACEHOLDER.finditer(text):
            if match.start() > last:
                yield last, text[last : match.start()]
            last = match.end()
    if last < len(text):
        yield last, text[last:]


def _merged(text: str, finders: tuple[Finder, ...]) -> list[Finding]:
    found = [
        (start, end, rank, kind)
        for rank, finder in enumerate(finders)
        for start, end, kind in finder(text)
        if _is_finding(text, start, end, kind)
    ]
    if not found:
        return []
    found.sort()
    merged: list[Finding] = []
    start, end, rank, kind = found[0]
    for next_start, next_end, next_rank, next_kind in found[1:]:
        if next_start >= end:
            merged.append((start, end, kind))
            start, end, rank, kind = next_start, next_end, next_rank, next_kind
            continue
        end = max(end, next_end)
        if next_rank < rank:
            rank, kind = next_rank, next_kind
    merged.append((start, end, kind))
    return merged


def _is_finding(text: str, start: int, end: int, kind: str) -> bool:
    if not _TYPE.fullmatch(kind):
        raise ValueError(f"a redactor reported the type {kind!r}: use capitals, digits and _")
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"a redactor reported {start}:{end} in a text of {len(text)} characters")
    return start < end
