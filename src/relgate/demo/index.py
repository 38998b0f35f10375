"""The index artifact: what retrieval knows about a corpus, built from the corpus and settings.

``python -m relgate.demo.index --corpus FILE --name help@18 --settings FILE --out FILE`` writes one. It holds
terms, not texts: the text of a passage is read from the corpus that the release names.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.demo.corpus import Article, paragraph_ranges, read_corpus
from relgate.demo.text import terms
from relgate.domain.digest import digest_bytes


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What the settings file says.

    Attributes:
        k1: how soon a repeated term stops counting (BM25).
        b: how much long passages are held back (BM25).
        title_boost: how many words of the body one word of the title or topic is worth.
        passage_words: paragraphs are joined until a passage has this many words.
        stop_words: words that carry no meaning here.
    """

    k1: float
    b: float
    title_boost: float
    passage_words: int
    stop_words: frozenset[str]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> IndexSettings:
        """Read settings from JSON."""
        return cls(
            k1=float(document["k1"]),
            b=float(document["b"]),
            title_boost=float(document["title_boost"]),
            passage_words=int(document["passage_words"]),
            stop_words=frozenset(document["stop_words"]),
        )

    def document(self) -> dict[str, Any]:
        """The JSON form, equal for equal settings."""
        return {
            "k1": self.k1,
            "b": self.b,
            "title_boost": self.title_boost,
            "passage_words": self.passage_words,
            "stop_words": sorted(self.stop_words),
        }


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage as the index knows it: where it stands and the weight of each term in it."""

    article_id: str
    start: int
    end: int
    terms: Mapping[str, float]

    def document(self) -> dict[str, Any]:
        """The JSON form, equal for equal passages."""
        weights = dict(sorted(self.terms.items()))
        return {"article": self.article_id, "paragraphs": [self.start, self.end], "terms": weights}


@dataclass(frozen=True, slots=True)
class Index:
    """An index artifact: the corpus it was built from, the settings, the passages."""

    corpus: str
    corpus_digest: str
    settings: IndexSettings
    passages: tuple[IndexedPassage, ...]

    @classmethod
    def parse(cls, text: str) -> Index:
        """Read an index file."""
        document = json.loads(text)
        passages = (
            IndexedPassage(entry["article"], entry["paragraphs"][0], entry["paragraphs"][1], entry["terms"])
            for entry in document["passages"]
        )
        settings = IndexSettings.parse(document["settings"])
        return cls(document["corpus"], document["corpus_digest"], settings, tuple(passages))

    def dump(self) -> str:
        """The index file; one passage per line, so that two indexes can be compared by eye."""
        head = {
            "corpus": self.corpus,
            "corpus_digest": self.corpus_digest,
            "settings": self.settings.document(),
        }
        lines = ",\n".join(json.dumps(passage.document()) for passage in self.passages)
        return f'{json.dumps(head, indent=1)[:-2]},\n "passages": [\n{lines}\n]}}\n'


def build_index(corpus: bytes, name: str, settings: IndexSettings) -> Index:
    """Index a corpus.

    Args:
        corpus: the file's content.
        name: ``name@version`` under which manifests know the corpus.
        settings: how to cut and weigh passages.
    """
    passages = [
        IndexedPassage(article.id, start, end, _weights(article, start, end, settings))
        for article in read_corpus(corpus).values()
        for start, end in paragraph_ranges(article, settings.passage_words)
    ]
    return Index(name, digest_bytes(corpus), settings, tuple(passages))


def _weights(article: Article, start: int, end: int, settings: IndexSettings) -> dict[str, float]:
    weights: Counter[str] = Counter()
    for term in terms(" ".join(article.paragraphs[start:end]), settings.stop_words):
        weights[term] += 1
    boosted: dict[str, float] = dict(weights)
    for term in terms(f"{article.title} {article.topic}", settings.stop_words):
        boosted[term] = boosted.get(term, 0.0) + settings.title_boost
    return boosted


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m relgate.demo.index", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="articles, one JSON object per line")
    parser.add_argument("--name", required=True, help="name@version of the corpus in manifests")
    parser.add_argument("--settings", type=Path, required=True, help="k1, b, title_boost, ... as JSON")
    parser.add_argument("--out", type=Path, required=True, help="the index file to write")
    options = parser.parse_args(arguments)
    settings = IndexSettings.parse(json.loads(options.settings.read_text(encoding="utf-8")))
    index = build_index(options.corpus.read_bytes(), options.name, settings)
    options.out.write_text(index.dump(), encoding="utf-8")


if __name__ == "__main__":
    main()
