"""Evidence read once: sentences cut into clauses, with an index from concept to clause."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relgate.scorers.grounded_numbers import Quantity, is_figure, quantities
from relgate.scorers.grounded_split import sentences
from relgate.scorers.grounded_words import concept, is_content, words

_BREAK = re.compile(
    r"[,;:()–—]+\s|\s[-–—]\s|\s(?=(?:and|but|because|since|if|unless|while|which|although|so|when|once|until|"
    r"before|after|as long as|provided)\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A clause or a sentence, read."""

    text: str
    words: tuple[str, ...]
    concepts: frozenset[str]
    quantities: tuple[Quantity, ...]
    sentence: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentences of all texts, their clauses, and where each concept occurs."""

    sentences: tuple[Part, ...]
    clauses: tuple[Part, ...]
    places: Mapping[str, tuple[int, ...]]
    cuts: tuple[tuple[Part, ...], ...]
    words: frozenset[str]
    plain: str
    text: str

    def quotes(self, claim: str) -> bool:
        """Whether the claim stands in the evidence word for word."""
        return f" {' '.join(words(claim))} " in self.plain

    def clauses_of(self, sentence: int) -> tuple[Part, ...]:
        """The clauses of a sentence."""
        return self.cuts[sentence]

    def weight(self, name: str) -> float:
        """How telling a concept is: rare ones more, unknown ones most."""
        return math.log(1 + len(self.sentences) / (0.5 + len(self.places.get(name, ()))))


def read_part(text: str, sentence: int = 0) -> Part:
    """The words, concepts and quantities of a text."""
    tokens = tuple(words(text))
    content = frozenset(concept(word) for word in tokens if is_content(word) and not is_figure(word))
    return Part(text, tokens, content, quantities(tokens), sentence)


def cut(sentence: str) -> list[str]:
    """The clauses of a sentence; a piece without content stays with the piece before it."""
    pieces: list[str] = []
    for piece in _BREAK.split(sentence):
        if pieces and sum(map(is_content, words(piece))) < 2:
            pieces[-1] += f", {piece}"
        elif piece.strip():
            pieces.append(piece)
    return pieces


def read_evidence(texts: Iterable[str]) -> Evidence:
    """The evidence of an answer, read once."""
    told = [sentence for text in texts for sentence in sentences(text.replace("’", "'"))]
    whole = tuple(read_part(sentence, at) for at, sentence in enumerate(told))
    cuts = tuple(tuple(read_part(piece, at) for piece in cut(told[at])) for at in range(len(told)))
    clauses = tuple(clause for pieces in cuts for clause in pieces)
    places: dict[str, list[int]] = {}
    for part in whole:
        for name in part.concepts:
            places.setdefault(name, []).append(part.sentence)
    plain = " " + " | ".join(" ".join(part.words) for part in whole) + " "
    return Evidence(
        whole,
        clauses,
        {name: tuple(at) for name, at in places.items()},
        cuts,
        frozenset(word for part in whole for word in part.words),
        plain,
        "\n".join(told),
    )
