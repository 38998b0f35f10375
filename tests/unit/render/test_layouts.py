"""What a scorecard looks like in the terminal and in Markdown: committed texts, one per kind of verdict."""

from __future__ import annotations

import pytest

from relgate.render.markdown import render_markdown
from relgate.render.terminal import render_terminal


def test_the_terminal_shows_the_verdict_first(named_card, matches_snapshot):
    name, card = named_card
    text = render_terminal(card)
    assert text.startswith(card.verdict.decision.upper())
    matches_snapshot(f"{name}.txt", text + "\n")


def test_the_whole_scorecard_in_the_terminal(named_card, matches_snapshot):
    name, card = named_card
    matches_snapshot(f"{name}-full.txt", render_terminal(card, full=True) + "\n")


def test_markdown_shows_the_verdict_first(named_card, matches_snapshot):
    name, card = named_card
    text = render_markdown(card)
    assert text.splitlines()[0].startswith(f"### relgate: {card.verdict.decision.upper()}")
    matches_snapshot(f"{name}.md", text)


@pytest.mark.parametrize(
    ("clear", "decision", "says"),
    [
        (True, "hold", "SCREEN: nothing found, nothing promoted  "),
        (False, "hold", "HOLD (screen)  "),
        (False, "reject", "REJECT (screen)  "),
    ],
)
def test_a_screen_has_one_word_for_its_verdict_in_every_layout(card, clear, decision, says):
    made = card(decision, verdict={"screen": True, "clear": clear})
    terminal = render_terminal(made)
    assert terminal.startswith(says)
    assert "screen, no attempt" in terminal
    markdown = render_markdown(made)
    assert markdown.startswith(f"### relgate: {says.rstrip()}")
    assert ("[!NOTE]" in markdown) is clear


@pytest.mark.parametrize("width", [60, 80, 110])
def test_sentences_keep_to_the_width(named_card, width):
    _, card = named_card
    lines = render_terminal(card, width=width).splitlines()
    sentences = lines[1 : lines.index("")]
    assert sentences
    assert [line for line in sentences if len(line) > width] == []


def test_intervals_of_different_levels_say_which(card, make_gate):
    """A gate with looks, or of a later attempt, has less alpha than another one."""
    full, less = make_gate("a"), make_gate("b", alpha=0.0125)
    table = render_terminal(card("promote", gates=[full, less]))
    assert "] at 90 %" in table
    assert "] at 97.5 %" in table
    assert "90 % interval    n\n" in render_terminal(card("promote", gates=[full]))


def test_no_interval_is_rounded_to_a_level_of_100_percent(card, make_gate):
    """The ninth attempt has an alpha of .05 / 2^9, and an interval that may miss as any other."""
    alpha = 0.05 / 2**9
    policy = {"digest": "sha256:" + "0" * 64, "alpha": alpha}
    shown = card("promote", gates=[make_gate("a", alpha=alpha)], gate_policy=policy)
    for text in (render_terminal(shown), render_markdown(shown)):
        assert "99.98 % interval" in text
        assert "alpha 0.0000977," in text
