"""White space in texts."""

from __future__ import annotations

from collections.abc import Sequence

_OTHERS = ("\t", "\v", "\f", "\r", "\x1c", "\x1d", "\x1e", "\x1f")


def single_spaced(texts: Sequence[str]) -> str | None:
    """The texts joined by line ends; None where one is not ASCII, or has other than single spaces within."""
    joined = "\n" + "\n".join(texts) + "\n"
    if not joined.isascii() or joined.count("\n") != len(texts) + 1:
        return None
    if any(space in joined for space in _OTHERS):
        return None
    if "" in texts:  # between two line ends
        return None if any(space in joined for space in ("  ", " \n", "\n ")) else joined[1:-1]
    return None if "  " in joined.replace("\n", " ") else joined[1:-1]
