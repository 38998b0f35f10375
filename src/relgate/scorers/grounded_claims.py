"""Claims of an answer, each checked against the sentences of the evidence: rules of English, no model.

A claim is supported when one passage of the evidence (a sentence, two neighbours or a whole text) holds
enough of its words and negates what it negates, and when its names and quantities stand in the evidence or
follow from them by one step of arithmetic. It is not when a part of a sentence that fits it better has
another quantity of the same dimension, when a word stands for its opposite, when it speaks of all cases and
the passage does not, or when it tells the customer about his own account or of something done for him.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from relgate.scorers.grounded_quantities import Quantity
from relgate.scorers.grounded_words import (
    CONDITIONS,
    LIMITERS,
    Reading,
    addresses,
    contrary,
    names,
    read,
    strip_labels,
    universal,
)

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n+")
_PART = re.compile(r";\s+|,\s+(?:but|whereas|while|however)\s+|\s+[–—]\s+")
_CLAUSE = re.compile(r",\s+(?!\d)|\s+and\s+(?=\D)")
_LEAD = re.compile(
    r"^(?:no problem|no worries|no(?=[,.!:])|nope|sadly(?: not)?|i'm afraid(?: that| so| not)?|yes|yep|yeah"
    r"|sure|certainly|of course|sorry|not yet|not quite|don't worry|do not worry|correct|right|exactly"
    r"|(?:good|great) news|unfortunately"
    r"|according to (?:our|the|my) (?:help[ -]cent(?:re|er)|articles?|documentation|policy|terms|information)"
    r")\b[,.!:]?\s*",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:(?:as|since|because) you are an?|your (?:\w+ )?(?:order|refund|parcel|account|return|payment"
    r"|request|claim) "
    r"(?:has|was|have|is (?:already|now|currently)))\b",
    re.IGNORECASE,
)
_ACTED = re.compile(
    r"\b(?:i|we)(?:'ve| have) (?:just |already |now |also )*"
    r"(?:\w{2,}ed|sent|made|put|taken|set|given|spoken)\b"
    r"|\bi(?:'m| am) (?:now )?(?:sending|refunding|cancelling|booking|changing|updating)\b",
    re.IGNORECASE,
)
_RANGED = re.compile(
    r"\b(?:up to|at most|at least|from|between|to|or|than|maximum|minimum|depending|about|around)\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+", re.MULTILINE)
_FILLER = re.compile(
    r"^(?:hi|hello|hey|dear|thanks|thank you|sure|certainly|of course|good question|great question"
    r"|sorry|to hear|that is not possible|that won't be possible|that isn't possible|no need to worry"
    r"|i would(?: not|n't) recommend (?:it|that)|i hope|hope "
    r"this|i am sorry|i'm sorry|please let (?:me|us)|let (?:me|us) know|feel free|happy to help"
    r"|glad to help|have a (?:"
    r"nice|good|great)|is there anything|here is what|i understand|no problem|no worries|yes|no"
    r"|if anything|just (?:write|ask|reply)|you're welcome|best "
    r"regards|kind regards|if you (?:have|need) (?:any |more |further )?(?:other |more "
    r"|further )?(?:questions?|help))\b",
    re.IGNORECASE,
)
_ADMISSION = re.compile(
    r"\b(?:do(?:es)? not|don't|doesn't|did not|didn't|cannot|can't|could not|couldn't|not able to"
    r"|unable to) (?:\w+ )?("
    r"?:know|say|mention|state|specify|cover|tell|find|see|confirm|contain|include any|give|list"
    r"|address|explain|answer|look|check"
    r")\b|\b(?:no|any) (?:information|mention|details?)\b|\bnothing (?:on|about) (?:this|that|it)\b"
    r"|\bis not (?:"
    r"mentioned|stated|covered|specified|said|listed|spelled)\b|\bisn't (?:mentioned|stated|covered"
    r"|specified|said)\b|\bsays? "
    r"nothing\b|\b(?:am|'m) not sure\b|\bnot (?:mentioned|covered|specified) (?:in|by)\b",
    re.IGNORECASE,
)
_SOURCES = re.compile(
    r"\b(?:articles?|help[ -]cent(?:re|er)|evidence|documents?|passages?|sources?|pages?|information|i"
    r"|we)\b",
    re.IGNORECASE,
)
_YES = "Yes"
_NO_PASSAGE = "no passage of the evidence says it"
_AFFIRMS = re.compile(
    r"\s*(?:yes|of course(?! not)|certainly(?! not)|sure|definitely(?! not))\b", re.IGNORECASE
)
_POLAR = re.compile(
    r"(?:^|[.!?,;:\n]\s*(?:and |but |so )?)(?:can|could|may|might|will|would|shall|should|must"
    r"|do|does|did|is|are|isn't|aren't|don't|doesn't|can't|am|was|were|has|have|had)\b",
    re.IGNORECASE,
)
"""A question that yes answers; beside others a "sure" is politeness."""
_SPANS = frozenset({"time", "working days", "months"})
_LONGEST_FILLER = 9
_LONGEST = 20_000

ENOUGH = 0.35
"""Share of a claim's words, by weight, that its passage must hold."""
_MOST = 0.7
"""Share of a denial's words that a passage must hold before it can be what is denied."""
_WHOLE_TEXT = 0.5
"""The same when only the whole text, not one or two of its sentences, holds them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence as it is searched.

    Attributes:
        passages: readings of sentences, neighbours and whole texts, with the share to hold and the text.
        sentences: readings of the single sentences.
        clauses: readings of their parts, for the question which number belongs to what.
        names: every word of the evidence, for names.
        addresses: web and e-mail addresses in it.
        weights: how rare each stem is, over sentences.
    """

    passages: tuple[tuple[Reading, float, str], ...]
    sentences: tuple[Reading, ...]
    clauses: tuple[Reading, ...]
    names: frozenset[str]
    addresses: frozenset[str]
    weights: dict[str, float]


def read_evidence(texts: Iterable[str]) -> Evidence:
    """Prepare the texts of the evidence."""
    passages: list[tuple[Reading, float, str]] = []
    singles: list[Reading] = []
    clauses: list[Reading] = []
    words: set[str] = set()
    known: set[str] = set()
    for text in texts:
        text = text[:_LONGEST]
        parts = _sentences(text)
        singles += [read(part) for part in parts]
        clauses += [read(clause) for part in parts for clause in _CLAUSE.split(part)]
        passages += [(read(part), ENOUGH, part) for part in parts]
        pairs = [f"{one} {other}" for one, other in pairwise(parts)]
        passages += [(read(pair), ENOUGH, pair) for pair in pairs]
        passages.append((read(text), _WHOLE_TEXT, text))
        words |= set(re.findall(r"[\w]+", text.lower()))
        known |= addresses(text)
    counted = Counter(stem for reading in singles for stem in reading.stems)
    weights = {stem: math.log1p(len(singles) / number) for stem, number in counted.items()}
    return Evidence(
        tuple(passages), tuple(singles), tuple(clauses), frozenset(words), frozenset(known), weights
    )


def claims(answer: str) -> list[str]:
    """What an answer asserts; greetings, questions and admissions of not knowing assert nothing."""
    found = [_YES] if _AFFIRMS.match(answer) else []
    for sentence in _sentences(_BULLET.sub("", strip_labels(answer[:_LONGEST]))):
        for part in _PART.split(sentence):
            text = _LEAD.sub("", part.strip(" \"'"))
            if not text or text.endswith("?") or not read(text).stems | _marks(text):
                continue
            if _FILLER.search(text) and len(text.split()) <= _LONGEST_FILLER and not read(text).quantities:
                continue
            if _ADMISSION.search(text) and _SOURCES.search(text) and not read(text).quantities:
                continue
            found.append(text)
    return found


def unsupported(claim: str, evidence: Evidence, question: str = "") -> str | None:
    """Why the evidence does not support a claim; None where it does."""
    if claim == _YES:
        return _denied_by_all_nearest(read(question), evidence) if _POLAR.search(question) else None
    said = read(claim)
    if foreign := addresses(claim) - evidence.addresses:
        return f"{sorted(foreign)[0]} does not stand in the evidence"
    asked = read(question)
    strange = names(claim) - evidence.names - set(re.findall(r"\w+", question.lower()))
    if strange:
        return f"{sorted(strange)[0]!r} does not stand in the evidence"
    if (why := _denied_by_the_nearest(said, evidence)) is not None:
        return why
    if _ACTED.search(claim) or (_ACCOUNT.search(claim) and not _ACCOUNT.search(question)):
        return "the evidence knows nothing of this customer"
    reason = _NO_PASSAGE
    for passage, enough, text in _best_first(said, evidence):
        held = _held(said.stems - (asked.stems - passage.stems), passage.stems, evidence.weights)
        if held < enough:
            continue
        why = _conflict(claim, said, passage, text)
        if why is None:
            why = _unexplained(said, asked, evidence) or _rivals(claim, evidence)
        if why is None:
            return None
        if reason == _NO_PASSAGE:
            reason = why
    if reason == _NO_PASSAGE and evidence.sentences and len(said.stems) == 1:
        # "that is enough for it" says nothing that could be looked up, except its numbers
        return _unexplained(said, asked, evidence)
    return reason


def _best_first(said: Reading, evidence: Evidence) -> list[tuple[Reading, float, str]]:
    return sorted(
        evidence.passages,
        key=lambda p: -_held(said.stems, p[0].stems, evidence.weights) + 0.01 * math.log1p(len(p[2])),
    )


def _held(wanted: frozenset[str], there: frozenset[str], weights: dict[str, float]) -> float:
    """The weighted share of the wanted stems that are there; 1 where none is wanted."""
    usual = max(weights.values(), default=1.0)
    total = sum(weights.get(stem, usual) for stem in wanted)
    if total == 0.0:
        return 1.0
    return sum(weights.get(stem, usual) for stem in wanted if _has(there, stem)) / total


def _has(there: frozenset[str], stem: str) -> bool:
    """Whether a stem, or a longer or shorter form of it, is among those."""
    if stem in there:
        return True
    return len(stem) >= 5 and any(len(other) >= 5 and other[:5] == stem[:5] for other in there)


def _conflict(claim: str, said: Reading, passage: Reading, text: str) -> str | None:
    if contrary(said.words, passage.words):
        return "the evidence says the opposite"
    if universal(claim) and not universal(text):
        return "it speaks of all cases, the evidence does not"
    return _denial(said, passage)


def _denied_by_the_nearest(said: Reading, evidence: Evidence) -> str | None:
    """A neighbour that happens to use the same word must not hide that the nearest sentence denies it."""
    held, nearest = 0.0, None
    for sentence in evidence.sentences:
        share = _held(said.stems, sentence.stems, evidence.weights)
        if share > held:
            held, nearest = share, sentence
    return _denial(said, nearest) if nearest is not None and held >= ENOUGH else None


def _denied_by_all_nearest(asked: Reading, evidence: Evidence) -> str | None:
    """Whether "yes" is denied: by each of the sentences that fit the question equally well."""
    shares = [_held(asked.stems, sentence.stems, evidence.weights) for sentence in evidence.sentences]
    best = max(shares, default=0.0)
    if asked.negates or best < ENOUGH:
        return None
    said = {
        _denial(asked, sentence)
        for sentence, share in zip(evidence.sentences, shares, strict=True)
        if math.isclose(share, best)
    }
    return None if None in said else said.pop()


def _denial(said: Reading, passage: Reading) -> str | None:
    limited = bool((said.words | passage.words) & LIMITERS)
    shared = said.stems & passage.stems
    # "without a receipt we cannot" says the same as "we can if you have the receipt"
    if said.negates and not limited and not passage.words & CONDITIONS:
        turned = said.negated & shared
        if turned and not passage.negates and len(shared) >= _MOST * len(said.stems):
            return "it denies what the evidence says"
    if not said.negates and not limited and (passage.negated - passage.affirmed) & shared:
        return "the evidence denies it"
    return None


def _unexplained(said: Reading, asked: Reading, evidence: Evidence) -> str | None:
    """A quantity that stands neither in the evidence nor in the question, and is no result of what does."""
    there = {quantity for sentence in evidence.sentences for quantity in sentence.quantities}
    given = there | asked.quantities
    known = {quantity for quantity in said.quantities if any(_same(quantity, other) for other in given)}
    for quantity in sorted(said.quantities - known, key=lambda q: (q.dimension, q.value)):
        # with any two numbers of a long article nearly every third one can be reached
        others = asked.quantities | known
        if quantity.dimension == "clock" or not any(_results(start, others, quantity) for start in given):
            return f"the evidence has no {quantity.written:g} ({quantity.dimension})"
    return None


def _same(one: Quantity, other: Quantity) -> bool:
    if one.dimension == other.dimension:
        return math.isclose(one.value, other.value)
    return "count" in (one.dimension, other.dimension) and one.written == other.written


def _results(start: Quantity, others: Iterable[Quantity], wanted: Quantity) -> bool:
    """Whether one step of arithmetic leads from a number that is known to the wanted one."""
    number = start.written
    if start.dimension == wanted.dimension and math.isclose(number / 2, wanted.written):
        return True
    for other in others:
        if start.dimension == other.dimension == wanted.dimension:
            sums = (start.value + other.value, abs(start.value - other.value))
            if any(math.isclose(result, wanted.value) for result in sums):
                return True
        results = [number * other.written]
        if number and other.written:
            results += [number / other.written, other.written / number]
        if "count" in (start.dimension, other.dimension) or start.dimension == other.dimension:
            results += [number + other.written, abs(number - other.written)]
        if "percent" in (start.dimension, other.dimension):
            share = number * other.written / 100
            whole = other.written if start.dimension == "percent" else number
            results += [share, whole + share, whole - share]
        if any(math.isclose(result, wanted.written) for result in results):
            return True
    return False


def _rivals(claim: str, evidence: Evidence) -> str | None:
    """For each part of the claim: whether a part of the evidence that fits it better has another number."""
    for part in _CLAUSE.split(claim):
        said = read(part)
        for quantity in said.quantities:
            own = rival = 0.0
            alone = True
            for clause in evidence.clauses:
                held = _held(said.stems, clause.stems, evidence.weights)
                if any(_same(quantity, other) for other in clause.quantities):
                    own = max(own, held)
                    alone = alone and _in_range(quantity, clause)
                elif any(_alike(other, quantity) for other in clause.quantities):
                    rival = max(rival, held)
            if rival > own + 1e-9 and own > 0:
                return "a sentence that fits better has another number"
            if own > 0 and alone and not said.ranges and not _RANGED.search(claim):
                return "the evidence gives a range"
    return None


def _in_range(quantity: Quantity, clause: Reading) -> bool:
    """Whether the quantity is one end of a range there."""
    return any(quantity.written in ends for ends in clause.ranges)


def _alike(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities could answer the same question; working days and days could."""
    return one.dimension == other.dimension or {one.dimension, other.dimension} <= _SPANS


def _marks(text: str) -> set[str]:
    """What makes a text an assertion without a word that carries meaning: quantities, addresses."""
    return {str(q.value) for q in read(text).quantities} | set(addresses(text))


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE_END.split(text.strip()) if part.strip()]
