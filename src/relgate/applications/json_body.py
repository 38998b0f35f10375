"""A JSON value as the bytes of a request."""

from __future__ import annotations

import json
from typing import Any

import msgspec

BYTES_PER_TOKEN = 4
"""Of English text, roughly; what a request really cost corrects it."""


def encoded(value: Any) -> bytes:
    """The value in UTF-8; half of a surrogate pair, which has none, becomes an escape."""
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError):
        return json.dumps(value).encode()
