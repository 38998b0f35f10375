from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from relgate.demo import thesaurus
from relgate.demo.corpus import Article, Passage, paragraph_ranges, read_corpus
from relgate.demo.index import Index, IndexSettings, build_index, main
from relgate.demo.reranker import RerankerSettings, rerank
from relgate.demo.retrieval import Hit, Retriever, open_retriever
from relgate.demo.text import STOP_WORDS, count_tokens, first_tokens, sentences, stem, terms

SETTINGS = IndexSettings(k1=1.2, b=0.5, title_boost=2.0, passage_words=5, stop_words=STOP_WORDS)


def _line(article_id, title, body, topic="tea"):
    return json.dumps(
        {"id": article_id, "title": title, "topic": topic, "updated": "2026-01-01", "body": body}
    )


CORPUS = "\n".join(
    [
        _line(
            "brew", "Brewing tea", "Green tea wants eighty degrees of heat.\n\nBlack tea wants boiling water."
        ),
        _line("cups", "Cups", "Our cups hold a quarter of a litre each."),
    ]
).encode()


def _retriever(corpus=CORPUS, indexed=CORPUS):
    return Retriever(build_index(indexed, "help@1", SETTINGS), read_corpus(corpus))


def test_words_of_one_family_are_one_term():
    assert {stem(word) for word in ("return", "returns", "returned", "returning")} == {"return"}
    assert terms("Where is the PARCEL?") == terms("parcels")


def test_a_word_stands_in_one_group_of_the_thesaurus():
    groups = thesaurus._GROUPS.split()
    assert len(groups) == len(set(groups)) == len(thesaurus.SYNONYMS)
    assert terms("a colleague bought it") == terms("some coworkers purchased them")


def test_sentences_keep_numbers_and_times_whole():
    text = 'It costs $6.90 per order. Order before 4 p.m. on weekdays. "Held" means waiting.'
    assert sentences(text) == [
        "It costs $6.90 per order.",
        "Order before 4 p.m. on weekdays.",
        '"Held" means waiting.',
    ]


def test_the_head_of_a_text_fits_the_window_and_keeps_its_lines():
    text = "one two\nthree four"
    assert first_tokens(text, 100) == text
    assert first_tokens(text, 4) == "one two\nthree"
    assert first_tokens(text, 0) == ""
    assert count_tokens(first_tokens("word " * 50, 26)) <= 26


def test_passages_cover_every_paragraph_once():
    article = Article("a", "A", "t", ("one two three", "four", "five six", "seven"))
    assert list(paragraph_ranges(article, 4)) == [(0, 2), (2, 4)]
    assert list(paragraph_ranges(article, 100)) == [(0, 4)]


def test_a_corpus_with_a_broken_line_names_the_line():
    with pytest.raises(ValueError, match="line 2 is no article"):
        read_corpus(CORPUS.splitlines()[0] + b'\n{"id": "x"}\n')
    with pytest.raises(ValueError, match="'brew' stands twice"):
        read_corpus(CORPUS.splitlines()[0] + b"\n" + CORPUS.splitlines()[0])


def test_the_best_passage_comes_first_and_unrelated_ones_do_not_come():
    hits = _retriever().search("how many degrees for green tea", 10)
    assert hits[0].passage == Passage("brew", "Brewing tea", "Green tea wants eighty degrees of heat.")
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert _retriever().search("refrigerator warranty", 10) == []


def test_scores_are_bm25():
    hit = _retriever().search("litre", 1)[0]
    index = build_index(CORPUS, "help@1", SETTINGS)
    lengths = np.array([sum(p.terms.values()) for p in index.passages])
    position = [p.article_id for p in index.passages].index("cups")
    rarity = np.log1p((3 - 1 + 0.5) / 1.5)
    slowdown = 1.2 * (0.5 + 0.5 * lengths[position] / lengths.mean())
    assert hit.score == pytest.approx(rarity * 2.2 / (1 + slowdown))


def test_the_text_is_that_of_the_corpus_of_today():
    changed = CORPUS.replace(b"eighty", b"seventy")
    assert "seventy" in _retriever(changed).search("green tea degrees", 1)[0].passage.text


def test_an_article_that_the_corpus_lost_is_left_out():
    lost = CORPUS.splitlines()[1]
    assert [hit.passage.article_id for hit in _retriever(lost).search("tea litre cups", 9)] == ["cups"]
    assert _retriever(b"").search("tea", 9) == []


def test_an_index_survives_its_file():
    index = build_index(CORPUS, "help@1", SETTINGS)
    assert Index.parse(index.dump()) == index


def test_the_committed_indexes_are_built_from_the_committed_corpora(demo, tmp_path):
    folder = demo.code / "artifacts"
    for version, name in (("17", "help_archive@17"), ("18", "help@18")):
        out = tmp_path / f"{version}.json"
        corpus, settings = folder / f"corpus/help.v{version}.jsonl", folder / "index/settings.json"
        main(["--corpus", str(corpus), "--name", name, "--settings", str(settings), "--out", str(out)])
        assert out.read_text() == (folder / f"index/help_green.v{version}.json").read_text(), (
            f"rebuild: python -m relgate.demo.index --corpus {corpus} --name {name} ..."
        )


def test_other_corpus_content_is_a_warning(candidate, with_content, caplog):
    content = candidate.artifact("retrieval_corpus", "help").content
    with caplog.at_level(logging.WARNING):
        open_retriever(candidate)
        assert not caplog.records
        open_retriever(
            with_content(candidate, "retrieval_corpus", "help", content.replace(b"40 days", b"41 days"))
        )
    assert "built from other content than retrieval_corpus/help@18" in caplog.text


SWITCHED_ON = RerankerSettings(
    enabled=True, depth=2, retrieval_weight=0.1, sentence_weight=1.0, proximity_weight=0.5, title_weight=0.5
)
HITS = [
    Hit(Passage("a", "Cups", "Tea is nice. Cups are blue. Water is wet."), 2.0),
    Hit(Passage("b", "Hot tea", "Water for green tea has eighty degrees."), 1.5),
    Hit(Passage("c", "Green tea degrees", "Green tea degrees."), 1.0),
]


def test_the_reranker_prefers_one_sentence_that_says_it_all():
    order = [p.article_id for p in rerank("green tea water degrees", HITS, SWITCHED_ON)]
    assert order == ["b", "a", "c"]  # c lies below its depth


def test_a_reranker_that_is_off_keeps_the_order():
    off = RerankerSettings(False, 2, 1.0, 1.0, 1.0, 1.0)
    assert [p.article_id for p in rerank("green tea", HITS, off)] == ["a", "b", "c"]
    assert rerank("green tea", [], SWITCHED_ON) == []
