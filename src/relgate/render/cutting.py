"""Texts cut to the room that there is; two texts that are compared are cut where they differ."""

from __future__ import annotations

from itertools import takewhile

ELLIPSIS = "…"


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def cut(text: str, width: int, start: int = 0) -> str:
    """At most ``width`` signs of a text from ``start`` on, with an ellipsis where something is left out.

    An ellipsis takes the place of a sign, so the result is never wider than ``width``.
    """
    part = text[start : start + width]
    if start and part:
        part = ELLIPSIS + part[1:]
    if start + width < len(text):
        part = part[: width - 1] + ELLIPSIS
    return part


def cut_around_difference(one: str, other: str, width: int) -> tuple[str, str]:
    """Two texts as single lines of at most ``width`` signs, with their first difference in sight.

    Both start at the same place. Texts that fit, or differ early or nowhere, are shown from their beginning.
    """
    a, b = one_line(one), one_line(other)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    early = same < width * 2 // 3
    if max(len(a), len(b)) <= width or early or a == b:
        return cut(a, width), cut(b, width)
    start = max(0, min(same - width // 3, max(len(a), len(b)) - width))
    return cut(a, width, start), cut(b, width, start)
