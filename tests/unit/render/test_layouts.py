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


@pytest.mark.parametrize("width", [60, 80, 110])
def test_sentences_keep_to_the_width(named_card, width):
    _, card = named_card
    lines = render_terminal(card, width=width).splitlines()
    sentences = lines[1 : lines.index("")]
    assert sentences
    assert [line for line in sentences if len(line) > width] == []
