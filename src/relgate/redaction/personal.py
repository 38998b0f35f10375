"""Finders for what identifies a person: e-mail, card, IBAN, social security number, telephone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relgate.redaction.finder import Finding, by_regex

_DIGITS = tuple("0123456789")

_DOMAIN = re.compile(r"@(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[^\W\d_]{2,24}(?![^\W_])")
_LOCAL_PUNCTUATION = frozenset("._%+-'")
_LONGEST_LOCAL = 256


def find_emails(text: str) -> Iterator[Finding]:
    """E-mail addresses; the local part is read backwards from the ``@``, which keeps the time linear."""
    if "@" not in text:
        return
    floor = 0
    for match in _DOMAIN.finditer(text):
        at = match.start()
        start = at
        while start > max(floor, at - _LONGEST_LOCAL) and (
            text[start - 1].isalnum() or text[start - 1] in _LOCAL_PUNCTUATION
        ):
            start -= 1
        while start < at and text[start] in _LOCAL_PUNCTUATION:
            start += 1
        if start < at and not _is_password_in_url(text, start):
            yield start, match.end(), "EMAIL"
        floor = match.end()


def _is_password_in_url(text: str, start: int) -> bool:
    head = text[max(0, start - 160) : start]
    scheme = head.rfind("://")
    return scheme >= 0 and ":" in head[scheme + 3 :] and not re.search(r"[\s/]", head[scheme + 3 :])


# A lookahead, so that a card is found behind another number of four digits.
_CARD = re.compile(
    r"(?=[1-6])(?<![\w.])"
    r"(?=([1-6](?:\d{12,18}|\d{3}([ -])\d{4}\2\d{4}\2\d{4}|\d{3}([ -])\d{6}\3\d{4,5}))(?!\w))"
)
_CARD_NUMBER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5\d{15}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}"
    r"|6\d{15}(?:\d{3})?|(?:2131|1800)\d{11}"
)


def find_cards(text: str) -> Iterator[Finding]:
    """Card numbers: a known first digit, a usual length and grouping, and Luhn's check digit."""
    for match in _CARD.finditer(text):
        number = match.group(1).replace(" ", "").replace("-", "")
        if _CARD_NUMBER.fullmatch(number) and luhn(number):
            yield match.start(1), match.end(1), "CARD"


def luhn(number: str) -> bool:
    """Whether a string of digits ends in the right check digit."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 "
        "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 "
        "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 "
        "NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
        "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
}
_IBAN_START = re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")


def find_ibans(text: str) -> Iterator[Finding]:
    """IBANs: the country's own length, and the remainder 1 modulo 97."""
    for match in _IBAN_START.finditer(text):
        passage = match.group()
        length = _IBAN_LENGTHS.get(passage[:2].upper())
        places = [place for place, character in enumerate(passage) if character.isalnum()]
        if length is None or len(places) < length:
            continue
        end = match.start() + places[length - 1] + 1
        if end < len(text) and text[end].isalnum():
            continue
        number = "".join(passage[place] for place in places[:length]).upper()
        if mod97(number):
            yield match.start(), end, "IBAN"


def mod97(number: str) -> bool:
    """Whether an IBAN in capitals without spaces has the right check digits."""
    digits = "".join([str(int(character, 36)) for character in number[4:] + number[:4]])
    return int(digits) % 97 == 1


find_ssns = by_regex(
    "SSN",
    r"\d(?<![\w-]\d)(?<!9)\d\d(?<!000)(?<!666)-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])",
    needs=("-",),
)


def _has_phone_length(match: re.Match[str]) -> bool:
    return 9 <= sum(map(str.isdigit, match.group(1))) <= 15


def _has_national_length(match: re.Match[str]) -> bool:
    return 9 <= sum(map(str.isdigit, match.group(1))) <= 11


find_international_phones = by_regex(
    "PHONE",
    r"(?<![\w+])(?<!\d[ -])((?:\+[1-9]|\+?\(?00[1-9]\d{0,2}[ ./-])[\d ().\-/]{5,22}\d)(?![\w%])",
    needs=("+", "00"),
    group=1,
    check=_has_phone_length,
)

find_us_phones = by_regex(
    "PHONE",
    r"[(1-9](?<![\w.$-][(1-9])(?:(?<=1)[ .-](?:\([2-9]\d\d\) ?\d{3}[ .-]|[2-9]\d\d([-.])\d{3}\1)"
    r"|(?<=\()[2-9]\d\d\) ?\d{3}[ .-]|(?<=[2-9])\d\d([-.])\d{3}\2)\d{4}"
    r"(?: ?(?:x|ext\.?) ?\d{1,6})?(?![\w-]|\.\d)",
    needs=_DIGITS,
)

find_national_phones = by_regex(
    "PHONE",
    r"(?<![\w.$])(?<!\d[ -])(0[1-9]\d{0,3}(?:(?:[ .]\d{2,7}){1,4}|(?<=\d{3})[/-]\d{6,8}))(?![\w%-]|[ .]\d)",
    needs=("0",),
    group=1,
    check=_has_national_length,
)

find_labelled_phones = by_regex(
    "PHONE",
    r"(?i)\b(?:phone|tel|telephone|mobile|cell|fax|whatsapp)(?: (?:number|no\.?))?(?: is|[:.])? {0,2}"
    r"(\(?\d[\d ().\-/]{6,20}\d)(?!\w)",
    needs=(
        "hone",
        "HONE",
        "tel",
        "Tel",
        "TEL",
        "obile",
        "OBILE",
        "cell",
        "Cell",
        "CELL",
        "fax",
        "Fax",
        "FAX",
        "hats",
    ),
    group=1,
    check=_has_phone_length,
)
