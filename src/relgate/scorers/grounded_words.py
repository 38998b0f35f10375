"""Words of English for the scorer grounded: tokens, stems and the little words that carry no content."""

from __future__ import annotations

import re

from relgate.scorers.grounded_synonyms import CONCEPT, IRREGULAR, PHRASES

# one alternative per kind of token, each a run of characters that cannot match in two ways
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?|[$€£%]")
_CONTRACTIONS = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "it's": "it is",
    "that's": "that is",
    "there's": "there is",
    "let's": "let us",
}
_ENDINGS = {"n't": "not", "'ll": "will", "'re": "are", "'ve": "have", "'d": "would", "'m": "am", "'s": ""}
_SUFFIXES = (
    *("ations", "ation", "ments", "ment", "ances", "ance", "ences", "ence", "ingly", "edly", "ness"),
    *("ables", "able", "ible", "ally", "ings", "ions", "ing", "ion", "ies", "ied", "ers", "ed", "es", "er"),
    *("ly", "al", "or", "s"),
)
_STOP_WORDS = """
a an the this that these those of to in on at by for with from as into onto about over under within and
or but if then than so because since while when where which who whom whose what how why whether i you he
she it we they me him her us them my your his its our their mine yours ours theirs yourself be is am are
was were been being do does did done doing have has had having will would shall should can could may
might must need not no nor n't there here just also too very quite really well even still yet already
please sorry yes sure of course like such some any each every all both either other another one only
unless except until before after out up down off again more most much many few less own same once upon
per via it self something anything nothing someone anyone nobody everyone thing way let get got give go
going come make take afraid unfortunately however though although simply else instead that's case long
far ever never always usually normally possible able allowed want like don't times
"""
STOP = frozenset(_STOP_WORDS.split())


def words(text: str) -> list[str]:
    """Lower-case tokens, contractions written out, fixed phrases as one word."""
    plain: list[str] = []
    for token in _TOKEN.findall(text.lower().replace("’", "'")):
        if "'" not in token and token != "cannot":
            plain.append(token)
        elif token in _CONTRACTIONS:
            plain.extend(_CONTRACTIONS[token].split())
        else:
            ending = next((e for e in _ENDINGS if token.endswith(e)), "")
            plain.append(token[: len(token) - len(ending)] if ending else token)
            plain.extend(w for w in (_ENDINGS.get(ending, ""),) if w)
    return _joined(plain)


def _joined(plain: list[str]) -> list[str]:
    """Fixed phrases of two to four words replaced by the one word that means them."""
    out: list[str] = []
    at = 0
    while at < len(plain):
        for size in (4, 3, 2):
            phrase = PHRASES.get(" ".join(plain[at : at + size])) if at + size <= len(plain) else None
            if phrase is not None:
                out.extend(phrase.split())
                at += size
                break
        else:
            out.append(plain[at])
            at += 1
    return out


def stem(word: str) -> str:
    """The word without inflection and common suffixes; rough, the same on both sides."""
    word = IRREGULAR.get(word, word)
    if len(word) <= 3 or word[0].isdigit():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > 3 and word[-1] in "eiy":
        word = word[:-1]
    return word


def concept(word: str) -> str:
    """What the word means as far as the small dictionary knows: its group of synonyms, else its stem."""
    found = CONCEPT.get(word)
    if found is not None:
        return found
    root = stem(word)
    return _BY_STEM.get(root, root)


_BY_STEM = {stem(word): group for word, group in CONCEPT.items()}


def is_content(word: str) -> bool:
    """Whether the word says what a sentence is about."""
    return word not in STOP and len(word) > 1 and not word[0].isdigit()
