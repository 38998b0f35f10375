"""Words and sentences: what retrieval, reranking and the models count when they compare texts."""

from __future__ import annotations

import re
from functools import lru_cache

from relgate.demo.thesaurus import SYNONYMS

_STOP_WORDS = """
    a about after all also am an and any are as at be been but by can could did do does doing for from get
    got had has have having he her here hers him his how i if in into is it its just like me might my no not
    of off on or our ours out please she should so some still tell than thank thanks that the their them then
    there these they this those to too up us very was we were what when where which while who why will with
    would you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(]?[A-Z0-9])")
_JOINED = (("e-mail", "email"), ("wi-fi", "wifi"), ("’", "'"), ("'s ", " "), ("n't", " not"), ("'", " "))
_VOWELS = frozenset("aeiouy")
# A model counts about 1.3 tokens per English word; the windows and the bills of the demo rest on this.
TOKENS_PER_WORD = 1.3


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Cut plural, tense and adverb endings, so that "returned", "returns" and "returning" are one term."""
    if word[0].isdigit() or len(word) < 4:
        return word
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ied", "y")):
        if word.endswith(ending):
            return word[: -len(ending)] + replacement
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed", "ly", "ment"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and _VOWELS & set(base):
            word = base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def words(text: str) -> list[str]:
    """Lower-case words and numbers in order."""
    text = text.lower() + " "
    for written, meant in _JOINED:
        text = text.replace(written, meant)
    return _WORD.findall(text)


def terms(text: str, stop_words: frozenset[str] = STOP_WORDS) -> list[str]:
    """Stems of the words that carry meaning, in order."""
    return [stem(SYNONYMS.get(word, word)) for word in words(text) if word not in stop_words]


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; "4 p.m. on the day" and "$6.90" stay whole."""
    return [part.strip() for part in _SENTENCE_END.split(text.strip()) if part.strip()]


def count_tokens(text: str) -> int:
    """Tokens that a model would count."""
    return round(len(text.split()) * TOKENS_PER_WORD)


def first_tokens(text: str, limit: int) -> str:
    """The head of a text that fits into so many tokens; line ends are kept."""
    allowed = int(limit / TOKENS_PER_WORD)
    if allowed <= 0:
        return ""
    for count, match in enumerate(re.finditer(r"\S+", text), start=1):
        if count == allowed:
            return text[: match.end()]
    return text
