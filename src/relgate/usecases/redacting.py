"""Redaction at every sink of a run, with a count of what was replaced."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relgate.domain.release import Release
from relgate.redaction import Redactor

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Half a surrogate pair is no UTF-8, and PostgreSQL takes no NUL; a model may answer with either."""


def storable(text: str) -> str:
    """The text with a replacement character for what no store and no file can hold."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub("\ufffd", text)


def secrets_of(releases: Iterable[Release | None]) -> list[str]:
    """The keys of every provider of these releases: they are masked wherever they turn up."""
    return [
        provider.api_key.reveal()
        for release in releases
        if release is not None
        for provider in release.providers.values()
        if provider.api_key is not None
    ]


_FEW = 16
"""Texts from which it is quicker to look at each."""


class CountingRedactor:
    """Redacts texts and keeps count of what was replaced, by type."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.counts: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """The text, redacted and counted."""
        if not text:
            return text
        found = self._redactor.redact(storable(text))
        if found.counts:
            self.counts.update(found.counts)
        return found.text

    def texts(self, texts: Sequence[str]) -> list[str]:
        """Many texts, each redacted and counted; those that hold nothing are looked at together."""
        joined = "\n".join(texts)
        if joined.isascii() and "\0" not in joined and self._redactor.surely_finds_nothing(joined):
            return list(texts)
        if len(texts) <= _FEW:
            return list(map(self.text, texts))
        half = len(texts) // 2
        return self.texts(texts[:half]) + self.texts(texts[half:])

    def value(self, value: Any) -> Any:
        """The JSON value, redacted and counted."""
        found = self._redactor.redact_value(_storable_value(value))
        self.counts.update(found.counts)
        return found.value


def _storable_value(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _storable_value(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_value(held) for held in value]
    return value
