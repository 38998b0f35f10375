"""Two answers that are compared show where they differ, whatever their length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relgate.render.cutting import cut_around_difference
from relgate.render.markdown import LONGEST_ANSWER, render_markdown
from relgate.render.terminal import render_terminal

LONG = "You can return most items. " * 20


def test_texts_that_fit_are_shown_whole():
    assert cut_around_difference("a  b", "a\nc", 10) == ("a b", "a c")


def test_a_difference_at_the_end_is_in_sight_of_both():
    one, other = cut_around_difference(LONG, f"{LONG}[returns-window]", 60)
    assert one.startswith("…")
    assert other.startswith("…")
    assert "[returns-window]" in other
    assert one.strip("…") in other
    assert max(len(one), len(other)) <= 60


def test_a_difference_in_the_middle_has_an_ellipsis_on_both_sides():
    one, other = cut_around_difference(f"{LONG}40 days{LONG}", f"{LONG}30 days{LONG}", 60)
    for text, word in ((one, "40 days"), (other, "30 days")):
        assert word in text
        assert (text[0], text[-1], len(text)) == ("…", "…", 60)
    assert one.index("40") == other.index("30"), "both start at the same place"


def test_an_early_difference_leaves_the_beginning():
    one, other = cut_around_difference(f"No. {LONG}", f"Yes. {LONG}", 60)
    assert one.startswith("No. You")
    assert other.startswith("Yes. You")
    assert one.endswith("…")


@pytest.mark.parametrize(("one", "other"), [(LONG, LONG), (LONG, LONG.replace(" ", "  "))])
def test_equal_texts_are_shown_from_the_beginning(one, other):
    shown, again = cut_around_difference(one, other, 60)
    assert shown == again
    assert shown.startswith("You can")


@given(st.text("ab ", max_size=200), st.text("ab ", max_size=200), st.integers(10, 60))
def test_what_differs_looks_different_and_keeps_to_the_width(one, other, width):
    shown = cut_around_difference(one, other, width)
    assert max(map(len, shown)) <= width
    assert (shown[0] == shown[1]) is (one.split() == other.split())


def test_both_layouts_show_a_lost_citation(card, worst_case):
    long = "word " * LONGEST_ANSWER
    lost = card(worst=[worst_case("c", candidate=long, baseline=f"{long}[returns-window]")])
    assert "[returns-window]" in render_terminal(lost)
    assert "returns-window" in render_markdown(lost)
