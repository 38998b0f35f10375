"""What is compared is the same text, whichever of its steps a text does not need."""

from __future__ import annotations

import operator
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from relgate.domain.case import Case
from relgate.domain.response import Response
from relgate.scorers import TextJudge
from relgate.scorers.comparing import normalise, normalised

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


plain = st.text(st.sampled_from([*"aA1, \n"]), max_size=6)


@settings(max_examples=400, deadline=None)
@given(st.lists(plain, max_size=4) | st.lists(plain | texts, max_size=4), st.booleans())
def test_many_texts_are_normalised_as_each_alone(many: list[str], case_sensitive: bool) -> None:
    alone = [normalise(text, case_sensitive=case_sensitive) for text in many]
    assert normalised(many, case_sensitive=case_sensitive) == alone


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.none() | plain | texts, plain | texts), max_size=4),
    st.sampled_from([operator.eq, operator.contains]),
    st.booleans(),
    st.sampled_from([None, "a", "1"]),
)
def test_many_answers_are_judged_as_each_alone(
    pairs: list[tuple[str | None, str]], fits, case_sensitive: bool, after: str | None
) -> None:
    judge = TextJudge("exact", None, fits, any, case_sensitive=case_sensitive, after=after)
    alone = [judge(Case("c", "q", expected), Response(output)) for expected, output in pairs]
    assert judge.of_texts([expected for expected, _ in pairs], [output for _, output in pairs]) == alone
