"""Retrieval: BM25 over the passages of an index, with the text of the corpus of today."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relgate.demo.corpus import Article, Passage, read_corpus
from relgate.demo.index import Index, IndexedPassage
from relgate.demo.text import terms
from relgate.domain.digest import digest_bytes
from relgate.domain.release import Artifact, Release

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that retrieval found, with its BM25 score."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class _Postings:
    """Where a term stands and what it adds to the score of each passage there."""

    positions: NDArray[np.intp]
    weights: NDArray[np.float64]


class Retriever:
    """Finds passages for a question.

    Args:
        index: what is known about the passages.
        articles: the texts; a passage whose article or paragraphs are gone is left out.
    """

    def __init__(self, index: Index, articles: Mapping[str, Article]) -> None:
        self._stop_words = index.settings.stop_words
        known = [(entry, _text(entry, articles)) for entry in index.passages]
        self._passages = [passage for _, passage in known if passage is not None]
        self._postings = _invert([entry for entry, passage in known if passage is not None], index)

    def search(self, question: str, count: int) -> list[Hit]:
        """The best passages that share a term with the question, best first."""
        scores = np.zeros(len(self._passages))
        for term in dict.fromkeys(terms(question, self._stop_words)):
            if (postings := self._postings.get(term)) is not None:
                scores[postings.positions] += postings.weights
        # A stable order: passages with equal scores stand as in the index, on every machine.
        best = np.argsort(-scores, kind="stable")[:count]
        return [Hit(self._passages[i], float(scores[i])) for i in best if scores[i] > 0]


def open_retriever(release: Release) -> Retriever:
    """The retriever of a release: its index over the corpus that the index entry names.

    Raises:
        KeyError: the release lacks an index or the corpus.
        ValueError: the corpus has another version than the index asks for.
    """
    artifact = release.artifact("retrieval_index")
    index = Index.parse(artifact.text)
    corpus = _corpus(release, str(artifact.settings.get("corpus") or index.corpus))
    content = corpus.content or b""
    if digest_bytes(content) != index.corpus_digest:
        logger.warning(
            "%s was built from other content than %s has now; rebuild it",
            artifact.reference,
            corpus.reference,
        )
    return Retriever(index, read_corpus(content))


def _corpus(release: Release, reference: str) -> Artifact:
    name, _, version = reference.partition("@")
    corpus = release.artifact("retrieval_corpus", name)
    if version and corpus.version != version:
        raise ValueError(f"the index was built for {reference}, the release has {corpus.reference}")
    return corpus


def _text(entry: IndexedPassage, articles: Mapping[str, Article]) -> Passage | None:
    article = articles.get(entry.article_id)
    if article is None or entry.end > len(article.paragraphs):
        return None
    return Passage(article.id, article.title, "\n".join(article.paragraphs[entry.start : entry.end]))


def _invert(entries: list[IndexedPassage], index: Index) -> dict[str, _Postings]:
    positions: dict[str, list[int]] = {}
    counts: dict[str, list[float]] = {}
    for position, entry in enumerate(entries):
        for term, weight in entry.terms.items():
            positions.setdefault(term, []).append(position)
            counts.setdefault(term, []).append(weight)
    lengths = np.array([sum(entry.terms.values()) for entry in entries], dtype=np.float64)
    k1, b = index.settings.k1, index.settings.b
    slowdown = k1 * (1 - b + b * lengths / lengths.mean()) if len(entries) else lengths
    postings = {}
    for term, where in positions.items():
        at = np.array(where, dtype=np.intp)
        frequency = np.array(counts[term])
        rarity = np.log1p((len(entries) - len(at) + 0.5) / (len(at) + 0.5))
        postings[term] = _Postings(at, rarity * frequency * (k1 + 1) / (frequency + slowdown[at]))
    return postings
