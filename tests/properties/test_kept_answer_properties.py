"""An answer is kept as redaction leaves each of its texts, whether or not anything had to be replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from relgate.domain.response import Response, ToolCall
from relgate.files.kept import decode_kept, encode_kept
from relgate.redaction import Redactor
from relgate.usecases.measuring.kept_answers import Answer, redacted
from relgate.usecases.redacting import CountingRedactor

SECRET = "sk-mock-key-1234567890"
TEXTS = st.sampled_from(
    [
        "",
        "ans-7",
        "write to ann@example.com",
        f"the key is {SECRET}",
        "a\0b",
        "half \ud83d",
        "Größe",
        "x" * 90,
    ]
)
FEW = st.lists(TEXTS, max_size=2).map(tuple)
RESPONSES = st.builds(
    Response,
    output=TEXTS,
    tool_calls=st.lists(
        st.builds(ToolCall, TEXTS, st.dictionaries(st.just("to"), TEXTS, max_size=1)), max_size=1
    ).map(tuple),
    retrieved=FEW,
    served_by=st.none() | TEXTS,
    failed_hops=FEW,
    evidence=FEW,
    model=st.none() | TEXTS,
    tokens=st.none() | st.integers(0, 9),
)
AT = datetime(2026, 11, 30, tzinfo=UTC)


@given(RESPONSES)
def test_every_text_is_redacted(response):
    redactor = Redactor(key=b"k", known_secrets=[SECRET])
    cleaner = CountingRedactor(redactor)
    text = cleaner.text
    expected = replace(
        response,
        output=text(response.output),
        tool_calls=tuple(
            ToolCall(text(c.name), cleaner.value(dict(c.arguments))) for c in response.tool_calls
        ),
        retrieved=tuple(map(text, response.retrieved)),
        served_by=None if response.served_by is None else text(response.served_by),
        failed_hops=tuple(map(text, response.failed_hops)),
        evidence=(),
        model=None if response.model is None else text(response.model),
    )
    kept = redacted(Answer("key", AT, response, (), ""), redactor)
    assert kept.outcome == expected
    assert kept.raw == (bool(response.evidence) or bool(cleaner.counts))
    assert decode_kept(encode_kept(kept)) == kept
