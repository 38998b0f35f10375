"""What a finder is, and the one way to build a finder from a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

Finding = tuple[int, int, str]
"""Start, end and type of a passage that must not be shown."""

Finder = Callable[[str], Iterable[Finding]]
"""Finds the passages of one kind in a text. Must take time linear in the text's length."""


def by_regex(
    kind: str,
    pattern: str,
    *,
    needs: tuple[str, ...],
    group: int = 0,
    check: Callable[[re.Match[str]], bool] | None = None,
) -> Finder:
    """A finder that reports one group of every match.

    Args:
        kind: the type of its findings.
        pattern: a regular expression whose repetitions are bounded or possessive.
        needs: the expression is tried only when the text holds one of these; most texts hold none.
        group: the part of the match that is the secret.
        check: says which matches count, where an expression cannot.
    """
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[Finding]:
        if not any(need in text for need in needs):
            return
        for match in compiled.finditer(text):
            if check is None or check(match):
                yield match.start(group), match.end(group), kind

    return find
