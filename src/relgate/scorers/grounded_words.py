"""What the scorer grounded reads in a sentence: stems, negated words, names, addresses and quantities."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from relgate.scorers.grounded_quantities import Quantity, quantities_of, ranges_of

_STOP_WORDS = """
    a about after again all also although am an and another any anything are as ask at away back be
    because been before being below both but by can case come could did do does doing done during
    each either else enough even ever every for from further get give given goes got had has have
    having he her here hers him his how however i if in instead into is it item its itself just keep
    know let like long make many may me might more most much must my namely necessary need no nor
    not now of off on once one only onto or other our ours out over own per place please possible
    put rather right same see shall she should since so some someone something soon still such sure
    take than thank thanks that the their them then there therefore these they thing this those
    though through thus to too under unless until up upon us use used using very via want was way we
    well were what whatever when where whether which while who whom whose why will with within
    without would yes yet you your yours able allow allowed always never
    likely probably usually normally typically generally meantime simply sadly fine works working sorry
    afraid pity luckily really unfortunately necessarily total roughly around couple few little bit quite
    certainly mean means problem moment count exactly perfectly definitely already alone itself sounds
    counts well sure normal
"""
_STOP = frozenset(_STOP_WORDS.split())

_FREE = re.compile(
    r"\bfree of charge\b|\bat no (?:extra |additional )?(?:cost|charge)\b|\bno (?:extra "
    r"|additional )?(?:cost|charge|"
    r"fee)s?\b|\bwithout (?:paying|(?:any |an )?(?:extra |additional )?(?:cost|charge|fee)s?)\b"
    r"|\bcosts? nothing\b"
    r"|\b(?:do|does|need|will) ?(?:not|n't) (?:have to )?pay(?: anything| extra)?\b|\bnot charged\b"
    r"|\bfor free\b"
    r"|\bpays? nothing\b"
)
_SHORT = (
    ("’", "'"),
    ("can't", "can not"),
    ("won't", "will not"),
    ("cannot", "can not"),
    ("n't", " not"),
    ("'ll", " will"),
    ("'re", " are"),
    ("'ve", " have"),
    ("'s", ""),
    ("e-mail", "email"),
    ("wi-fi", "wifi"),
    ("not only", "also"),
    ("no less than", "at least"),
    ("not less than", "at least"),
    ("no more than", "at most"),
    ("not more than", "at most"),
    ("no later than", "within"),
    ("not later than", "within"),
    ("not necessarily", ""),
    ("no matter how", "whatever"),
    ("not forget", "remember"),
    ("no longer than", "within"),
    ("not available", "unavailable"),
    ("not possible", "impossible"),
    ("not allowed", "forbidden"),
    ("not exempt", "subject"),
    ("not excluded", "included"),
    ("carry on", "continue"),
    ("carries on", "continues"),
)
_TOKEN = re.compile(r"[$€£]|%|\d+(?:[.,:]\d+)*|a\.m\b|p\.m\b|[a-z]+(?:-[a-z]+)*|[,;:()]")
_ADDRESS = re.compile(
    r"https?://[^\s)\]>]+|www\.[^\s)\]>]+|[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+\.(?:com|org|net|io)\b"
)
_NAME = re.compile(r"(?<![.!?:\"“(\-•*] )(?<!^)\b[A-Z][\w]*[A-Za-z0-9]\b")
_LABEL = re.compile(r"\[[A-Za-z0-9][\w./#-]*\]")

_NEGATING_WORDS = """
    not no never none neither nor without nobody nothing
"""
_NEGATORS = frozenset(_NEGATING_WORDS.split())
_REFUSING_WORDS = """
    exclude excluded excludes exclusion exempt impossible unable unavailable forbidden prohibited
    refuse refused refuses void invalid ineligible decline declined
"""
_REFUSING = frozenset(_REFUSING_WORDS.split())
_ENDING_WORDS = """
    , ; : ( ) but however unless until because since although though while if when after before
"""
_SCOPE_ENDS = frozenset(_ENDING_WORDS.split())
_SCOPE_WORDS = 4
_LIMITING_WORDS = """
    only unless until except provided sealed exempt
"""
LIMITERS = frozenset(_LIMITING_WORDS.split())
_CONDITION_WORDS = """
    if otherwise must
"""
CONDITIONS = frozenset(_CONDITION_WORDS.split())
_UNIVERSAL = re.compile(
    r"\b(?:always|never|all (?:customers|members|orders|items|products|purchases|returns|cases)"
    r"|everyone|anyone|everybody|everything|every (?:customer|order|item|product|purchase|return|age)"
    r"|any (?:item|product|"
    r"order|time|reason|customer|age|number)|regardless|in all cases|guarantee[ds]?|without exception)\b"
)

_SYNONYMS = {
    word: group.split()[0]
    for group in """
    purchase buy bought purchased buying purchases
    refund refunds refunded reimburse reimbursed reimbursement reimburses
    cost costs price prices fee fees charge charges charged
    parcel parcels package packages shipment
    ship shipped ships send sends sent dispatch dispatched mail mailed post posted
    defect defective faulty fault faults broken defects malfunction
    arrive arrives arrived arrival receive receives received reach reaches reached deliver delivery delivered
    inspect inspects inspected inspection check checks checked examine
    photo photos picture pictures image images
    child children kid kids
    shop shops store stores
    end ends expire expires expired lapse lapses finish finished over
    start starts begin begins began
    change changed alter switch
    delete deleted erase erased remove removed
    contact reach call
    repair repaired fix fixed mend
    collect collected collection pick pickup pick-up
    option choose chosen choice select selected
    customer customers shopper shoppers
    article articles product products
    opened unpacked unpack open
    require requires required
    phone phones telephone mobile
    credit credited
    allowance limit maximum
    """.strip().splitlines()
    for word in group.split()
}

_ANTONYMS = (
    ("before", "after"),
    ("above", "below"),
    ("over", "under"),
    ("more", "less"),
    ("minimum", "maximum"),
    ("least", "most"),
    ("earlier", "later"),
    ("increase", "decrease"),
    ("heavier", "lighter"),
    ("longer", "shorter"),
    ("included", "excluded"),
    ("opened", "sealed"),
    ("unopened", "opened"),
    ("morning", "afternoon"),
    ("first", "last"),
    ("free", "cost"),
    ("buyer", "seller"),
    ("on", "off"),
    ("inside", "outside"),
    ("cheaper", "dearer"),
    ("credit", "debit"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a piece of text says, word by word.

    Attributes:
        words: plain words in order, lower case.
        stems: of the words that carry meaning.
        affirmed: stems out of reach of any negation.
        negated: stems within reach of a negation.
        quantities: numbers with units.
        ranges: both ends of "10 to 30".
        negates: whether any negation stands in it.
    """

    words: frozenset[str]
    stems: frozenset[str]
    affirmed: frozenset[str]
    negated: frozenset[str]
    quantities: frozenset[Quantity]
    ranges: frozenset[tuple[float, float]]
    negates: bool


def strip_labels(text: str) -> str:
    """The text without citations such as ``[returns-window]``."""
    return re.sub(r" +([.,!?])", r"\1", _LABEL.sub("", text))


def addresses(text: str) -> frozenset[str]:
    """Web and e-mail addresses, lower case, without the full stop of the sentence."""
    return frozenset(found.rstrip(".,;:!?").lower() for found in _ADDRESS.findall(text))


def names(text: str) -> frozenset[str]:
    """Words with a capital that do not open a sentence, lower case."""
    return frozenset(found.lower() for found in _NAME.findall(text))


def universal(text: str) -> bool:
    """Whether the text speaks of all cases without exception."""
    return _UNIVERSAL.search(text.lower()) is not None


def contrary(claim: frozenset[str], evidence: frozenset[str]) -> bool:
    """Whether the claim has a word whose opposite, and not the word, stands in the evidence."""
    for one, other in _ANTONYMS:
        for said, meant in ((one, other), (other, one)):
            if said in claim and meant not in claim and meant in evidence and said not in evidence:
                return True
    return False


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word's family: a synonym's head, then without plural, tense and adverb endings."""
    word = _SYNONYMS.get(word, word)
    if len(word) < 4:
        return word
    for ending, put in (("ies", "y"), ("ied", "y"), ("sses", "ss")):
        if word.endswith(ending):
            return word[: -len(ending)] + put
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ation", "ment", "ing", "ed", "ly", "er", "y"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and set(base) & set("aeiouy"):
            word = base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "ls" else base
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=4_096)
def read(text: str) -> Reading:
    """Read a sentence or a part of one."""
    tokens = _tokens(text)
    quantities, used = quantities_of(tokens)
    stems: set[str] = set()
    negated: set[str] = set()
    affirmed: set[str] = set()
    refusing = any(token in _REFUSING for token in tokens)
    reach = 0
    for index, token in enumerate(tokens):
        if token in _SCOPE_ENDS:
            reach = 0
        if token in _NEGATORS:
            reach = _SCOPE_WORDS
        is_word = token[0].isalpha() and len(token) > 1
        if index in used or not is_word or token in _STOP or token in _NEGATORS:
            continue
        family = stem(token)
        if token not in _REFUSING:
            stems.add(family)
        if reach or refusing:
            negated.add(family)
            reach = max(0, reach - 1)
        else:
            affirmed.add(family)
    negates = refusing or any(token in _NEGATORS for token in tokens)
    return Reading(
        words=frozenset(tokens),
        stems=frozenset(stems),
        affirmed=frozenset(affirmed),
        negated=frozenset(negated),
        quantities=frozenset(quantities),
        ranges=frozenset(ranges_of(tokens)),
        negates=negates,
    )


def _tokens(text: str) -> list[str]:
    plain = strip_labels(text).lower()
    for written, meant in _SHORT:
        plain = plain.replace(written, meant)
    plain = _FREE.sub(" free ", plain)
    plain = re.sub(r"(?<=\d)\s*[–—-]\s*(?=\d)", " to ", plain)
    return _TOKEN.findall(plain)
