"""The built-in finders by name, in the order in which the first one wins where two overlap."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from relgate.redaction import personal, secrets
from relgate.redaction.finder import Finder

BUILTIN_FINDERS: Mapping[str, Finder] = MappingProxyType(
    {
        "private_key": secrets.find_private_keys,
        "jwt": secrets.find_jwts,
        "key": secrets.find_keys,
        "token": secrets.find_tokens,
        "bearer": secrets.find_bearers,
        "basic": secrets.find_basics,
        "url_password": secrets.find_url_passwords,
        "assignment": secrets.find_assignments,
        "email": personal.find_emails,
        "iban": personal.find_ibans,
        "card": personal.find_cards,
        "ssn": personal.find_ssns,
        "international_phone": personal.find_international_phones,
        "us_phone": personal.find_us_phones,
        "national_phone": personal.find_national_phones,
        "labelled_phone": personal.find_labelled_phones,
    }
)

PATTERNS: tuple[Finder, ...] = tuple(BUILTIN_FINDERS.values())
"""What a Redactor takes when the project registered nothing of its own."""

SECRET_TYPES = frozenset({"KEY", "TOKEN", "JWT", "PASSWORD", "PRIVATE_KEY", "SECRET"})
"""Types that open a door; every other type identifies a person."""
