"""Properties of redaction that hold for every text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relgate.redaction import PATTERNS, Finder, Finding, Redactor
from relgate.redaction.hints import hints_at_a_finding

SECRETS = [
    "jo.doe@example.com",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "+49 170 1234567",
    "(415) 555-2671",
    "078-05-1120",
    "sk-proj-abc123def456ghi789jkl",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
    "password: hunter2x",
    "https://u:hunter2@h.example/x",
    "-----BEGIN PRIVATE KEY-----",
    "<EMAIL_3f2a9c>",
    "known-secret",
]
REDACTOR = Redactor(key=b"key", known_secrets=["known-secret"])

pieces = st.one_of(
    st.sampled_from(SECRETS),
    st.sampled_from(SECRETS).flatmap(lambda s: st.integers(0, len(s)).map(lambda n: s[:n])),
    st.text(max_size=8),
    st.text("0123456789 -+()@.<>:=_AaEe", max_size=12),
)
texts = st.lists(pieces, max_size=8).map("".join)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(texts)
def test_redacting_twice_is_redacting_once(text: str):
    once = REDACTOR.redact(text).text
    again = REDACTOR.redact(once)
    assert again.text == once
    assert again.counts == {}
    assert REDACTOR.residual(once) == {}


@given(texts)
def test_findings_are_ordered_disjoint_and_inside_the_text(text: str):
    last = 0
    for start, end, _ in REDACTOR.find(text):
        assert last <= start < end <= len(text)
        last = end


@given(st.text(max_size=20), st.sampled_from(SECRETS[:9]), st.text(max_size=20))
def test_a_secret_between_spaces_never_survives(before: str, secret: str, after: str):
    assert secret not in REDACTOR.redact(f"{before}  {secret}  {after}").text


@given(values)
def test_a_value_keeps_its_shape(value):
    def shape(item):
        if isinstance(item, dict):
            return {key: shape(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [shape(inner) for inner in item]
        return "text" if isinstance(item, str) else item

    assert shape(REDACTOR.redact_value(value).value) == shape(value)


OPENINGS = [
    *(
        "4111-1111 ",
        "3782 822463 10005",
        "GB82-WEST 1234 5698 7654 32",
        "de89370400440532013000",
        "(0049 ",
        "00 ",
    ),
    *(
        "0170 123456",
        "1 (415) 555-2671 ext. 5",
        "Tel. (030) 901820",
        "fax no. 030/90-18-20",
        "078-05-",
        "٤١١١",
    ),
    *(
        "sk_live_",
        "rk_test_abcdefghij012345",
        "AKIA",
        "ASIAABCDEFGHIJKLMNOP",
        "AIza",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
    ),
    *(
        "github_pat_",
        "xoxb-",
        "glpat-",
        "hf_",
        "npm_",
        "pypi-",
        "0123456789abcdefghijklmnopqrstuv",
        "Bearer ",
        "BEARER\t",
    ),
    *(
        "passphrase is ",
        "PWD=",
        "Passcode:'",
        "api key = ",
        "client-secret: ",
        "TOKEN=",
        "ftp://a:b@",
        "KNOWN-SECRET",
    ),
    *(
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "\N{LATIN SMALL LETTER LONG S}",
        "İ",
    ),
]
"""How other kinds of findings begin, or look where they are none."""

RUN = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
WHOLE = [
    *(
        f"{start}{RUN}"
        for start in ("sk-", "sk_live_", "rk_test_", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_")
    ),
    *(
        f"{start}{RUN}"
        for start in ("github_pat_", "xoxb-", "glpat-", "hf_", "npm_", "pypi-", "eyJhbGciOiJI.", "Bearer ")
    ),
    *(
        "AKIAABCDEFGHIJKLMNO1",
        "ASIAABCDEFGHIJKLMNO1",
        f"BEARER {RUN}",
        "pwd=hunter2",
        "passphrase is hunter2x",
    ),
    *(
        "client secret: abcd1234",
        "Access_Key='abcd1234'",
        "token=abcd1234",
        "ftp://user:hunter2@host",
        "a@b.example",
    ),
    *(
        "4222222222222",
        "3782 822463 10005",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
        "078-05-1120",
    ),
    *(
        "(0049 ) 170 1234567",
        "0049 170.123-4567",
        "0170 123456",
        "415-555-2671",
        "1 (415) 555-2671",
        "fax 030/901820",
    ),
    *("-----BEGIN PGP PRIVATE KEY BLOCK-----", "known-secret"),
]
"""One finding or more for every reason to search."""

suspicious = st.lists(
    st.one_of(
        pieces,
        st.sampled_from(OPENINGS),
        st.sampled_from(WHOLE),
        st.sampled_from(OPENINGS).flatmap(lambda s: st.sampled_from([s[1:], s[:-1], s.upper(), s.lower()])),
    ),
    max_size=8,
).map("".join)


def _searched(finder: Finder) -> Finder:
    """The same finder, of which nothing is known that would spare a search."""
    return lambda text: finder(text)


def _find_known(text: str) -> Iterator[Finding]:
    for match in re.finditer("known-secret", text):
        yield *match.span(), "SECRET"


PLAIN = Redactor([_find_known, *map(_searched, PATTERNS)], key=b"key")


@pytest.mark.parametrize("text", WHOLE)
def test_every_kind_of_finding_is_hinted_at(text: str):
    assert REDACTOR.find(text) == PLAIN.find(text) != []


@settings(max_examples=500)
@given(suspicious)
def test_what_hints_at_nothing_holds_nothing(text: str):
    assert REDACTOR.redact(text) == PLAIN.redact(text)
    assert REDACTOR.find(text) == PLAIN.find(text)


PADDING = "word\n" * 80


@pytest.mark.parametrize("text", WHOLE)
def test_every_kind_of_finding_is_hinted_at_in_a_long_text(text: str):
    assert REDACTOR.find(PADDING + text) == PLAIN.find(PADDING + text) != []
    assert hints_at_a_finding(f"{PADDING}{text}\n{PADDING}")


@settings(max_examples=500)
@given(st.text(st.sampled_from([*"ANz0123456789 ().-/\n", "é", "٣"]), max_size=40) | suspicious)
def test_a_long_text_hints_at_what_a_short_one_does(text: str):
    assert hints_at_a_finding(f"{text}\n{PADDING}") == hints_at_a_finding(text)


def test_nine_digits_with_only_separators_between_are_hinted_at():
    assert not hints_at_a_finding(PADDING + "1 2 (3) 4.5-6/7 8 x9")
    assert hints_at_a_finding(PADDING + "1 2 (3) 4.5-6/7 8 - 9")
    assert not hints_at_a_finding(PADDING + "NO93 8601-X117 94")
    assert hints_at_a_finding(PADDING + "NO93 8601-X117 947")
