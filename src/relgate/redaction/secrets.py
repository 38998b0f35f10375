"""Finders for what opens a door: API keys, tokens, passwords, private keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relgate.redaction.finder import Finding, by_regex

_VARIABLE = re.compile(r"\$\{\w+\}[\])}]*")
"""The name of a variable is no secret, and a stored manifest must keep it."""

_BEGIN = re.compile(r"-----BEGIN (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")


def find_private_keys(text: str) -> Iterator[Finding]:
    """PEM private keys; one that was cut off reaches to the end of the text."""
    if "PRIVATE KEY" not in text:
        return
    begin = _BEGIN.search(text)
    while begin:
        end = _END.search(text, begin.end())
        stop = end.end() if end else len(text)
        yield begin.start(), stop, "PRIVATE_KEY"
        begin = _BEGIN.search(text, stop)


def _looks_random(match: re.Match[str]) -> bool:
    return any(character.isdigit() for character in match.group(match.lastindex or 0))


find_keys = by_regex(
    "KEY",
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,}+|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[A-Za-z0-9_-]{35}"
    r"|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64})",
    needs=("sk-", "k_live_", "k_test_", "AKIA", "ASIA", "AIza", "SG."),
    check=_looks_random,
)

find_tokens = by_regex(
    "TOKEN",
    r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_[A-Za-z0-9_]{20,}+"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}+|glpat-[A-Za-z0-9_-]{16,}+|hf_[A-Za-z0-9]{20,}+"
    r"|npm_[A-Za-z0-9]{30,}+|pypi-[A-Za-z0-9_-]{30,}+)",
    needs=("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "glpat-", "hf_", "npm_", "pypi-"),
)

find_bearers = by_regex(
    "TOKEN",
    r"(?i)\bbearer[ \t]{1,4}([A-Za-z0-9._~+/-]{16,}+=*)",
    needs=("earer", "EARER"),
    group=1,
    check=_looks_random,
)

find_basics = by_regex(
    "TOKEN",
    r"(?i)\bauthorization[\"']?\s{0,3}[:=]?\s{0,3}[\"']?basic[ \t]{1,4}([A-Za-z0-9+/]{8,512}={0,2})",
    needs=("uthorization", "UTHORIZATION"),
    group=1,
)

find_jwts = by_regex(
    "JWT",
    r"(?<![\w-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?",
    needs=("eyJ",),
)

find_url_passwords = by_regex(
    "PASSWORD",
    r"://[^\s/:@]{0,128}:([^\s/@<>]{1,256})@",
    needs=("://",),
    group=1,
    check=lambda match: _VARIABLE.fullmatch(match.group(1)) is None,
)

_PASSWORD_ASSIGNMENT = re.compile(
    r"(?i)(?<![a-z])(?:password|passwd|pwd|passphrase|passcode|passwort|mot de passe)[\"']?"
    r"(?P<sign>\s{0,3}[:=]\s{0,3}|\s{1,3}is:?\s{1,3})(?P<quote>[\"']?)(?P<value>[^\s\"',;&<>]{4,256})"
)
_KEY_ASSIGNMENT = re.compile(
    r"(?i)(?:api[_ -]?key|secret[_ -]?key|access[_ -]?key|client[_ -]?secret|secret|token)[\"']?"
    r"(?P<sign>\s{0,3}[:=]\s{0,3}|\s{1,3}is:?\s{1,3})[\"']?(?P<value>[^\s\"',;&<>]{8,512})"
)
_TOLD_KEY = 16
"""A key that is told in words is as long as this: "the key is 24-hour care" tells none."""

_AWS_SECRET = re.compile(
    r"(?i)secret(?:[ _-]?(?:access[ _-]?)?key)?\s{1,3}(?P<value>[a-z0-9/+]{40})(?![a-z0-9/+=])"
)
_PLAIN_WORD = re.compile(r"[^\W\d_]+[.!?:)]*")


def find_assignments(text: str) -> Iterator[Finding]:
    """``password: ...`` and ``api_key=...``, where the value is not plain prose."""
    lower = text.lower()
    if "pass" in lower or "pwd" in lower:
        for match in _PASSWORD_ASSIGNMENT.finditer(text):
            if _is_password(match["value"], match["sign"], bool(match["quote"])):
                yield *match.span("value"), "PASSWORD"
    if "key" in lower or "secret" in lower or "token" in lower:
        for match in _KEY_ASSIGNMENT.finditer(text):
            value = match["value"]
            long_enough = "is" not in match["sign"].lower() or len(value) >= _TOLD_KEY
            if long_enough and _is_mixed(value) and not _VARIABLE.fullmatch(value):
                yield *match.span("value"), "KEY"
    if "secret" in lower:
        for match in _AWS_SECRET.finditer(text):
            if _is_mixed(match["value"]):
                yield *match.span("value"), "KEY"


def _is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _is_password(value: str, sign: str, quoted: bool) -> bool:
    if _VARIABLE.fullmatch(value):
        return False
    if "is" in sign:
        return any(map(str.isdigit, value)) and len(value) >= 6
    if quoted or "=" in sign:
        return True
    return _PLAIN_WORD.fullmatch(value) is None and len(value) >= 6
