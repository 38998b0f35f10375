"""The reranker: a second look at the passages that retrieval found, sentence by sentence."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from relgate.demo.corpus import Passage
from relgate.demo.retrieval import Hit
from relgate.demo.text import sentences, terms


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """What the reranker's file says.

    Attributes:
        enabled: False leaves the order of retrieval.
        depth: how many passages it looks at.
        retrieval_weight: weight of the score of retrieval.
        sentence_weight: weight of the best sentence's share of the question.
        proximity_weight: weight of neighbouring words of the question that stand close in the passage.
        title_weight: weight of the title's share of the question.
    """

    enabled: bool
    depth: int
    retrieval_weight: float
    sentence_weight: float
    proximity_weight: float
    title_weight: float

    @classmethod
    def parse(cls, text: str) -> RerankerSettings:
        """Read a reranker file."""
        document = json.loads(text)
        return cls(
            enabled=bool(document["enabled"]),
            depth=int(document["depth"]),
            retrieval_weight=float(document["retrieval_weight"]),
            sentence_weight=float(document["sentence_weight"]),
            proximity_weight=float(document["proximity_weight"]),
            title_weight=float(document["title_weight"]),
        )


def rerank(question: str, hits: list[Hit], settings: RerankerSettings) -> list[Passage]:
    """The passages in their new order; with the reranker off, in the order of retrieval."""
    if not settings.enabled or not hits:
        return [hit.passage for hit in hits]
    wanted = list(dict.fromkeys(terms(question)))
    looked_at = hits[: settings.depth]
    rarity = _rarity(wanted, looked_at)
    top = looked_at[0].score
    scored = []
    for rank, hit in enumerate(looked_at):
        score = settings.retrieval_weight * hit.score / top + _score(wanted, rarity, hit.passage, settings)
        scored.append((score, -rank, hit))
    scored.sort(key=lambda entry: entry[:2], reverse=True)
    return [hit.passage for _, _, hit in scored] + [hit.passage for hit in hits[settings.depth :]]


def _rarity(wanted: list[str], hits: list[Hit]) -> dict[str, float]:
    """How telling each term of the question is among these passages; the terms' weights add up to 1."""
    found = Counter(t for hit in hits for t in set(terms(f"{hit.passage.title} {hit.passage.text}")))
    raw = {term: math.log1p(len(hits) / (1 + found[term])) for term in wanted if found[term]}
    total = sum(raw.values()) or 1.0
    return {term: weight / total for term, weight in raw.items()}


def _score(
    wanted: list[str], rarity: dict[str, float], passage: Passage, settings: RerankerSettings
) -> float:
    by_sentence = [set(terms(sentence)) for sentence in sentences(passage.text)]
    best = max((_share(rarity, found) for found in by_sentence), default=0.0)
    near = _neighbours(wanted, terms(passage.text))
    return (
        settings.sentence_weight * best
        + settings.proximity_weight * near
        + settings.title_weight * _share(rarity, set(terms(passage.title)))
    )


def _share(rarity: dict[str, float], found: set[str]) -> float:
    return sum(weight for term, weight in rarity.items() if term in found)


def _neighbours(wanted: list[str], text: list[str], window: int = 4) -> float:
    """Share of the question's neighbouring pairs that stand within a few words of each other."""
    pairs = list(pairwise(wanted))
    if not pairs:
        return 0.0
    places: dict[str, list[int]] = {}
    for position, term in enumerate(text):
        places.setdefault(term, []).append(position)
    near = sum(
        any(abs(i - j) <= window for i in places.get(left, ()) for j in places.get(right, ()))
        for left, right in pairs
    )
    return near / len(pairs)
