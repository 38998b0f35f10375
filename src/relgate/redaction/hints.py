"""A cheap look for what every built-in finding needs: most texts hold none of it."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d(?:(?:[ ().\-/]*+\d){8}|(?<=[A-Za-z][A-Za-z]\d)\d(?:[ -]?[A-Za-z0-9]){11})")
"""Nine digits with only separators in between (card, telephone, social security), or an IBAN's shape."""


def hints_at_a_finding(text: str) -> bool:
    """Whether a built-in finder may find something; where it is False none of them does."""
    return (
        "@" in text  # EMAIL, PASSWORD in a URL
        or "sk-" in text  # KEY
        or "AKIA" in text
        or "ASIA" in text
        or "AIza" in text
        or "SG." in text
        or "eyJ" in text  # JWT
        or "xox" in text  # TOKEN
        or "glpat-" in text
        or "pypi-" in text
        or "uthorization" in text
        or "UTHORIZATION" in text
        or "earer" in text
        or "EARER" in text
        or "PRIVATE KEY" in text
        or ("_" in text and _hints_at_underscored(text))
        or _NUMBER.search(text) is not None
        or _hints_at_assignment(text)
    )


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
