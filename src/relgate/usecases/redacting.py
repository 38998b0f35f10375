"""Redaction at every sink of a run, with a count of what was replaced."""

from __future__ import annotations

from collections import Counter
from typing import Any

from relgate.redaction import Redactor


class CountingRedactor:
    """Redacts texts and keeps count of what was replaced, by type."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self.counts: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """The text, redacted and counted."""
        found = self._redactor.redact(text)
        self.counts.update(found.counts)
        return found.text

    def value(self, value: Any) -> Any:
        """The JSON value, redacted and counted."""
        found = self._redactor.redact_value(value)
        self.counts.update(found.counts)
        return found.value
