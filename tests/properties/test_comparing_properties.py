"""What is compared is the same text, whichever of its steps a text does not need."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from relgate.scorers.comparing import normalise

QUOTES = {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"'}
texts = st.text(st.sampled_from([*"aßİ1234,, \n\t'\"", *QUOTES, "\u00a0", "٣"]), max_size=20) | st.text()


@settings(max_examples=400, deadline=None)
@given(texts, st.booleans())
def test_a_text_is_normalised_as_by_all_steps_one_after_the_other(text: str, case_sensitive: bool) -> None:
    straight = "".join(QUOTES.get(character, character) for character in text)
    spelled = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", " ".join(straight.split()))
    assert normalise(text, case_sensitive=case_sensitive) == (
        spelled if case_sensitive else spelled.casefold()
    )
