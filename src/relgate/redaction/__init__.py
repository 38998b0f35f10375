"""Redaction: finds what must not be stored or shown and replaces it; pure, used at every sink."""

from relgate.redaction.finder import Finder, Finding
from relgate.redaction.numbering import cut, number_placeholders
from relgate.redaction.patterns import BUILTIN_FINDERS, PATTERNS, SECRET_TYPES
from relgate.redaction.redactor import (
    Redacted,
    RedactedValue,
    Redactor,
    find,
    generic,
    mask,
    placeholder_types,
)

__all__ = [
    "BUILTIN_FINDERS",
    "PATTERNS",
    "SECRET_TYPES",
    "Finder",
    "Finding",
    "Redacted",
    "RedactedValue",
    "Redactor",
    "cut",
    "find",
    "generic",
    "mask",
    "number_placeholders",
    "placeholder_types",
]
