"""Properties of redaction that hold for every text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relgate.redaction import Redactor

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
