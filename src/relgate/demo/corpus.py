"""The help centre's articles and the passages that retrieval works with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """One article; ``paragraphs`` are what stands between blank lines of its body."""

    id: str
    title: str
    topic: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of paragraphs of one article, as it is shown to a model."""

    article_id: str
    title: str
    text: str


def read_corpus(content: bytes) -> dict[str, Article]:
    """Articles by id, in the order of the file.

    Raises:
        ValueError: a line is no article, or an id stands twice.
    """
    articles: dict[str, Article] = {}
    for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        record = json.loads(line)
        try:
            article = _article(record)
        except (KeyError, TypeError) as error:
            raise ValueError(f"line {number} is no article: {error!r}") from error
        if article.id in articles:
            raise ValueError(f"line {number}: article {article.id!r} stands twice")
        articles[article.id] = article
    return articles


def _article(record: Mapping[str, str]) -> Article:
    paragraphs = tuple(part.strip() for part in record["body"].split("\n\n") if part.strip())
    return Article(record["id"], record["title"], record["topic"], paragraphs)


def paragraph_ranges(article: Article, passage_words: int) -> Iterator[tuple[int, int]]:
    """Half-open ranges of paragraphs with at least ``passage_words`` words each, but for the last one."""
    start, size = 0, 0
    for position, paragraph in enumerate(article.paragraphs):
        size += len(paragraph.split())
        if size >= passage_words:
            yield start, position + 1
            start, size = position + 1, 0
    if start < len(article.paragraphs):
        yield start, len(article.paragraphs)
