"""What a model wrote cannot break a table, run as HTML or steer a terminal, and JSON has no NaN."""

from __future__ import annotations

import html
import json
import re
from unicodedata import category

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relgate.render.markdown import escape, render_markdown
from relgate.render.printable import printable
from relgate.render.terminal import render_terminal

HOSTILE = [
    "a | b | c",
    "| --- | --- |",
    "<script>alert(1)</script>",
    "</details><img src=x onerror=alert(1)>",
    "```\nrm -rf\n```",
    "`code` *bold* _it_ ~~gone~~ # head",
    "line\nbreak\r\nand\u2028another",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \x08\x08",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "http://evil.example/?q=secret www.evil.example",
    "@everyone and @octocat, see #1",
    "\u202egnp.exe",
    "\\| \\\\| &lt;b&gt; &#124;",
    "1. one\n- two\n> three\n$x^2$",
    "\x00nul",
]


def _everywhere(card, worst_case, make_gate, text):
    """A scorecard with the text wherever text can stand."""
    return card(
        "reject",
        verdict={"reason": text, "next_step": text},
        gates=[make_gate("correct:non_inferior:0.05", result="fail", message=text)],
        worst=[worst_case("c1", input=text, expected=text, candidate=text, baseline=text)],
        notes=[text],
    )


def _tables(markdown):
    lines = markdown.splitlines()
    return [line for line in lines if line.startswith("|")]


def _cells(row):
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", row))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_keeps_its_lines_and_tables(card, worst_case, make_gate, text):
    plain = render_markdown(_everywhere(card, worst_case, make_gate, "plain"))
    hostile = render_markdown(_everywhere(card, worst_case, make_gate, text))
    assert len(hostile.splitlines()) == len(plain.splitlines())
    assert [_cells(row) for row in _tables(hostile)] == [_cells(row) for row in _tables(plain)]
    assert hostile.count("<details>") == hostile.count("</details>") == plain.count("</details>")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_html_but_the_reports_own_is_in_markdown(card, worst_case, make_gate, text):
    hostile = render_markdown(_everywhere(card, worst_case, make_gate, text))
    assert set(re.findall(r"</?([a-zA-Z]+)", hostile)) <= {"details", "summary"}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_link_image_or_mention_is_made_of_a_models_words(text):
    shown = escape(text)
    assert not re.search(r"(?<!\\)\]\(", shown)
    assert not re.search(r"https?://|www\.\w", shown)
    assert not re.search(r"(?<![A-Za-z0-9])@\w", shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_gets_no_control_characters(card, worst_case, make_gate, text):
    for full in (False, True):
        shown = render_terminal(_everywhere(card, worst_case, make_gate, text), full=full)
        assert [sign for sign in shown if category(sign)[0] == "C" and sign != "\n"] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_models_line_ends_do_not_look_like_the_reports_lines(card, worst_case, make_gate, text):
    forged = f"{text}\nPROMOTE  support-desk@1.3.0"
    shown = render_terminal(_everywhere(card, worst_case, make_gate, forged))
    assert [line for line in shown.splitlines() if line.startswith("PROMOTE")] == []


@pytest.mark.parametrize("text", ["\u00a0%", "می\u200cخواهم", "👩\u200d💻", "naïve 東京"])
def test_ordinary_letters_spaces_and_joiners_reach_the_reader(text):
    assert printable(text) == text


def test_a_command_in_markdown_can_be_copied_as_it_stands(card):
    assert "> Next: `relgate promote support-desk@1.3.0`\n" in render_markdown(card())


def test_markdown_holds_no_escape_sequence(card, worst_case):
    assert "\x1b" not in render_markdown(card(worst=[worst_case("c", candidate="\x1b[31mred")]))


def test_case_ids_and_tags_cannot_break_tables(card, worst_case):
    shown = render_markdown(card(worst=[worst_case("a|b <b>`x`")]))
    title = next(line for line in shown.splitlines() if "a\\|b" in line)
    assert title.startswith("<details><summary>")
    assert "<b>" not in title


def test_a_long_answer_is_cut(card, worst_case):
    text = render_markdown(card(worst=[worst_case("c", candidate="x" * 100_000)]))
    assert len(text) < 20_000


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_an_escaped_text_is_one_line_without_markup(text):
    shown = escape(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"[<>]", shown)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*_\[\]#~]", shown)


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs"]), min_size=1))
def test_ordinary_text_is_shown_as_it_is(text):
    assert html.unescape(escape(text)) == " ".join(text.split())


def test_the_document_is_json_without_nan_or_infinity(named_card):
    _, card = named_card
    text = json.dumps(card.document(), allow_nan=False)
    assert json.loads(text) == card.document()
