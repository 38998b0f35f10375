"""What the scorer grounded reads in a sentence: stems, quantities, negated words, names, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

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
    likely probably usually normally typically generally meantime simply sadly
"""
_STOP = frozenset(_STOP_WORDS.split())

_SMALL_NUMBERS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = {word: value for value, word in enumerate(_SMALL_NUMBERS.split())} | {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "hundred": 100,
}

_MONTH_WORDS = """
    january february march april may june july august september october november december
"""
_MONTHS = tuple(_MONTH_WORDS.split())
_DAY_WORDS = """
    monday tuesday wednesday thursday friday saturday sunday
"""
_DAYS = tuple(_DAY_WORDS.split())

_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("minute", "minutes", "min", "mins"), ("time", 1.0)),
    **dict.fromkeys(("hour", "hours", "hrs"), ("time", 60.0)),
    **dict.fromkeys(("day", "days"), ("time", 1440.0)),
    **dict.fromkeys(("week", "weeks"), ("time", 10080.0)),
    **dict.fromkeys(("second", "seconds"), ("time", 1 / 60)),
    **dict.fromkeys(("month", "months"), ("months", 1.0)),
    **dict.fromkeys(("year", "years"), ("months", 12.0)),
    **dict.fromkeys(("percent", "per-cent", "%"), ("percent", 1.0)),
    **dict.fromkeys(("dollar", "dollars", "usd", "$"), ("$", 1.0)),
    **dict.fromkeys(("cent", "cents"), ("$", 0.01)),
    **dict.fromkeys(("euro", "euros", "eur", "€"), ("€", 1.0)),
    **dict.fromkeys(("pound", "pounds", "£"), ("£", 1.0)),
    **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms"), ("mass", 1000.0)),
    **dict.fromkeys(("g", "gram", "grams"), ("mass", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), ("length", 1e5)),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("length", 100.0)),
    **dict.fromkeys(("cm", "centimetre", "centimetres"), ("length", 1.0)),
    **dict.fromkeys(("mm", "millimetre", "millimetres"), ("length", 0.1)),
    **dict.fromkeys(("litre", "litres", "liter", "liters"), ("volume", 1000.0)),
    **dict.fromkeys(("ml", "millilitre", "millilitres"), ("volume", 1.0)),
    **dict.fromkeys(("degree", "degrees"), ("degrees", 1.0)),
    "times": ("times", 1.0),
    **dict.fromkeys(("a.m", "am"), ("clock", 60.0)),
    **dict.fromkeys(("p.m", "pm"), ("clock", 60.0)),
}

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
_UNIVERSAL = re.compile(
    r"\b(?:always|never|all (?:customers|members|orders|items|products|purchases|returns|cases)"
    r"|everyone|anyone|"
    r"everybody|anybody|anything|everything|every (?:customer|order|item|product|purchase|return)"
    r"|any (?:item|product|"
    r"order|time|reason|customer)|regardless|no matter|in all cases|guarantee[ds]?|without exception)\b"
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
class Quantity:
    """A number with its dimension, in that dimension's smallest unit; ``count`` where no unit follows.

    ``written`` is the number as it stands in the text.
    """

    dimension: str
    value: float
    written: float


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
    quantities, used = _quantities(tokens)
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
        ranges=frozenset(_ranges(tokens)),
        negates=negates,
    )


def _tokens(text: str) -> list[str]:
    plain = strip_labels(text).lower()
    for written, meant in _SHORT:
        plain = plain.replace(written, meant)
    plain = _FREE.sub(" free ", plain)
    plain = re.sub(r"(?<=\d)\s*[–—-]\s*(?=\d)", " to ", plain)
    return _TOKEN.findall(plain)


def _quantities(tokens: list[str]) -> tuple[set[Quantity], set[int]]:
    """Quantities, and the positions of the tokens that they are made of."""
    found: set[Quantity] = set()
    used: set[int] = set()
    for index, token in enumerate(tokens):
        value = _number(token)
        if value is None:
            if token in ("double", "twice"):
                found.add(Quantity("times", 2.0, 2.0))
            elif token == "half" or token in _DAYS or (token in _MONTHS and token != "may"):
                found.add(Quantity(token, 1.0, 1.0))
            continue
        if token == "one" and not _unit_at(tokens, index + 1):
            continue
        used.add(index)
        if index and tokens[index - 1] in ("$", "€", "£"):
            found.add(Quantity(tokens[index - 1], value, value))
            continue
        if ":" in token:
            late = 720.0 if _next(tokens, index + 1) in ("pm", "p.m") and value < 720 else 0.0
            found.add(Quantity("clock", value + late, value))
            continue
        found.add(_measured(tokens, index, value, used))
    return found, used


def _ranges(tokens: list[str]) -> Iterator[tuple[float, float]]:
    for index, token in enumerate(tokens[1:-1], start=1):
        low, high = _number(tokens[index - 1]), _number(tokens[index + 1])
        if token == "to" and low is not None and high is not None:
            yield low, high


def _measured(tokens: list[str], index: int, value: float, used: set[int]) -> Quantity:
    """The number with the unit that follows it, a range's second number in between."""
    at = index + 1
    if _next(tokens, at) in ("to", "and", "or") and _number(_next(tokens, at + 1)) is not None:
        at += 2
    working = False
    if _next(tokens, at) in ("working", "business", "calendar", "full", "whole", "more", "-"):
        working = tokens[at] in ("working", "business")
        at += 1
    unit = _unit_at(tokens, at)
    if unit is None:
        return Quantity("count", value, value)
    used.add(at)
    dimension, size = unit
    if working and dimension == "time":
        return Quantity("working days", value * size / 1440.0, value)
    if dimension == "clock":
        late = tokens[at].startswith("p") and value < 12
        return Quantity("clock", value * 60.0 + (720.0 if late else 0.0), value)
    return Quantity(dimension, round(value * size, 6), value)


def _unit_at(tokens: list[str], index: int) -> tuple[str, float] | None:
    return _UNITS.get(_next(tokens, index).split("-")[0])


def _next(tokens: list[str], index: int) -> str:
    return tokens[index] if index < len(tokens) else ""


def _number(token: str) -> float | None:
    if not token:
        return None
    if token[0].isdigit():
        if ":" in token:
            hours, _, minutes = token.partition(":")
            return float(hours) * 60 + float(minutes.replace(":", "") or 0)
        plain = re.sub(r",(?=\d{3}(?!\d))", "", token).replace(",", ".")
        try:
            return float(plain)
        except ValueError:
            return None
    parts = token.split("-")
    known = [_NUMBER_WORDS[part] for part in parts if part in _NUMBER_WORDS]
    if known and len(known) == len(parts):
        return float(sum(known))
    return None
