"""A cheap look for what every built-in finding needs: most texts hold none of it."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d(?:(?:[ ().\-/]*+\d){8}|(?<=[A-Za-z][A-Za-z]\d)\d(?:[ -]?[A-Za-z0-9]){11})")
"""Nine digits with only separators in between (card, telephone, social security), or an IBAN's shape."""


_LONG = 256
"""Characters from which a look at shapes is quicker than the search for a number."""

_SHAPES = bytes(
    ord("a") if chr(code).isalpha() else ord("0") if chr(code).isdigit() else code for code in range(128)
).ljust(256, b"\n")
_SEPARATORS = b" ().-/"


def hints_at_a_finding(text: str) -> bool:
    """Whether a built-in finder may find something; where it is False none of them does.

    One character is looked for many times as quickly as several: the rarest of a sign comes first.
    """
    return (
        "@" in text  # EMAIL, PASSWORD in a URL
        or ("-" in text and ("sk-" in text or "glpat-" in text or "pypi-" in text))  # KEY, TOKEN
        or ("A" in text and ("I" in text and ("AKIA" in text or "ASIA" in text or "AIza" in text)))
        or ("G" in text and "SG." in text)
        or ("J" in text and "eyJ" in text)  # JWT
        or ("x" in text and "xox" in text)  # TOKEN
        or ("z" in text and "uthorization" in text)
        or ("Z" in text and "UTHORIZATION" in text)
        or "earer" in text
        or ("R" in text and ("EARER" in text or "PRIVATE KEY" in text))
        or ("_" in text and _hints_at_underscored(text))
        or _hints_at_number(text)
        or _hints_at_assignment(text)
    )


def _hints_at_number(text: str) -> bool:
    if len(text) >= _LONG and text.isascii():
        shapes = text.encode().translate(_SHAPES)
        if b"aa00" not in shapes and b"0" * 9 not in shapes.translate(None, _SEPARATORS):
            return False
    return _NUMBER.search(text) is not None


def _hints_at_underscored(text: str) -> bool:
    return (
        "k_live_" in text  # KEY
        or "k_test_" in text
        or "ghp_" in text  # TOKEN
        or "gho_" in text
        or "ghu_" in text
        or "ghs_" in text
        or "ghr_" in text
        or "github_pat_" in text
        or "hf_" in text
        or "npm_" in text
    )


def _hints_at_assignment(text: str) -> bool:
    """Of a password or a secret, which may be told in words, or of a key, which needs a sign or "is"."""
    lower = text.lower()
    if "pass" in lower or "pwd" in lower or "secret" in lower:
        return True
    signed = ":" in text or "=" in text or " is" in lower
    return signed and ("key" in lower or "token" in lower)
