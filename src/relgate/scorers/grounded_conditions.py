"""Conditions that a claim adds, and exceptions that it drops by speaking of all."""

from __future__ import annotations

from collections.abc import Sequence

from relgate.scorers.grounded_evidence import Evidence, Part
from relgate.scorers.grounded_words import concept, is_content

_WIDE = frozenset(
    [
        "all",
        "every",
        "any",
        "always",
        "anyone",
        "everyone",
        "anything",
        "everything",
        "regardless",
        "ever",
        "entirely",
        "never",
    ]
)
_LIMITING = frozenset(
    [
        "only",
        "if",
        "unless",
        "except",
        "provided",
        "solely",
        "exclusively",
        "once",
        "until",
        "while",
        "when",
        "after",
        "before",
    ]
)
_REACH = 8


def widened(part: Part, near: Sequence[Part]) -> bool:
    """Whether the claim speaks of all or always where the evidence does not."""
    said = _WIDE.intersection(part.words)
    return bool(said) and not any(_WIDE.intersection(s.words) for s in near)


def added(part: Part, asked: Part, evidence: Evidence) -> float:
    """The share of a said condition's words that neither evidence nor question knows."""
    worst = 0.0
    for at, word in enumerate(part.words):
        if word in _LIMITING:
            scope = [concept(w) for w in part.words[at + 1 : at + 1 + _REACH] if is_content(w)]
            new = sum(c not in evidence.places and c not in asked.concepts for c in scope)
            worst = max(worst, new / len(scope) if scope else 0.0)
    return worst
