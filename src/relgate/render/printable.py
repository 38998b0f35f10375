"""Text that steers no terminal, whatever a model answered."""

from __future__ import annotations

from unicodedata import category

_JOINERS = "\u200c\u200d\u00ad"
"""Format characters that ordinary text needs: they join or break letters, and steer nothing."""


def printable(text: str) -> str:
    """The text without what would steer the terminal: a model may answer with escape sequences."""
    return "".join(sign if _harmless(sign) else "\ufffd" for sign in text)


def _harmless(sign: str) -> bool:
    return sign.isprintable() or sign in "\n\t" or sign in _JOINERS or category(sign) == "Zs"
