"""Words and numbers that a release manager reads: counts as counts, one bracket, no empty column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from relgate.decision.outcomes import CaseOutcome
from relgate.domain.gate import Role
from relgate.domain.scorecard import AlarmPart
from relgate.domain.verdict import Decision
from relgate.render.commands import next_of
from relgate.render.markdown import render_markdown
from relgate.render.terminal import render_terminal
from relgate.render.view import alarm_text, change_table, gate_legend, gate_summary, gate_table
from relgate.render.words import WORDS, gate_word

GLOSSARY = Path(__file__).parents[3] / "docs" / "words.md"
RULES = (
    "attempt", "anchor", "creep", "distinct input", "fingerprint", "flip rate", "floor", "ceiling", "harm",
    "margin", "n", "non-inferiority", "psi", "look", "partial", "proven worse", "regressed within margin",
    "screen", "sealed half", "sentinel", "suspect", "tuned set", "unprotected", "waiver", "worst case",
    "declared untouched but differs", "unchanged outputs", "next step", "zero tolerance",
)  # fmt: skip
"""What the reasons, notes and messages of a verdict name."""


@pytest.mark.parametrize(
    "word",
    [
        *RULES,
        *(word.word for word in WORDS),
        *(word for kind in (Decision, Role, CaseOutcome) for word in get_args(kind) if "_" not in word),
    ],
)
def test_the_glossary_has_every_word_that_a_report_shows(word: str) -> None:
    text = " ".join(GLOSSARY.read_text(encoding="utf-8").split())
    defined = " ".join(bold or cursive for bold, cursive in re.findall(r"\*\*(.+?)\*\*|\*(\w+)\*", text))
    assert re.search(rf"\b{re.escape(word)}\b", defined, re.IGNORECASE), (
        f"{word} has no entry in docs/words.md"
    )


def _alarm(p: float, message: str) -> AlarmPart:
    return AlarmPart(suite="s", metric="m", slice="", estimate=-0.2, n=46, p=p, message=message)


@pytest.mark.parametrize(
    ("p", "message", "text"),
    [
        (0.0016, "slice area=orders fell 30.4 points (n = 46)", "(n = 46, p = 0.0016)"),
        (3e-8, "slice area=orders fell 30.4 points (n = 46)", "(n = 46, p < 0.0001)"),
        (0.002, "refused more", "refused more (p = 0.002)"),
    ],
)
def test_an_alarm_has_its_size_and_its_p_value_in_one_bracket(p: float, message: str, text: str) -> None:
    assert alarm_text(_alarm(p, message)).endswith(text)


@pytest.mark.parametrize(("estimate", "units", "text"), [(0.0, 89, "0 of 89"), (2 / 40, 40, "2 of 40")])
def test_violations_are_counted_not_given_in_per_cent(
    card: Any, make_gate: Any, estimate: float, units: int, text: str
) -> None:
    gate = make_gate("violation:zero", form="violations", estimate=estimate, units=units, n=230)
    (row,) = gate_table(card(gates=[gate])).rows
    assert row[4] == text


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ({"estimate": 2039.3, "lower": 1896.0, "upper": 2610.0}, ("p95 2,039 ms", "[1,896, 2,610]")),
        ({"estimate": 2039.3, "lower": 1896.0, "upper": None}, ("p95 2,039 ms", "[1,896, ∞]")),
        ({"estimate": None, "lower": None, "upper": None}, ("–", "–")),
    ],
    ids=["bounded", "too few calls for an upper bound", "most calls failed"],
)
def test_a_quantile_is_in_the_unit_of_its_metric_not_in_per_cent(
    card: Any, make_gate: Any, numbers: dict[str, Any], shown: tuple[str, str]
) -> None:
    gate = make_gate("latency_ms:p95:at_most:4000", form="at_most", quantile=0.95, **numbers)
    (row,) = gate_table(card(gates=[gate])).rows
    assert tuple(row[4:6]) == shown


def test_the_column_of_suspects_is_there_only_when_there_are_any(card: Any) -> None:
    assert change_table(card()).headers[0] == "artifact"
    suspected = change_table(card(suspects=["prompt/answer"]))
    assert suspected.headers[0] == ""
    assert [row[0] for row in suspected.rows] == ["suspect", ""]


def test_the_legend_explains_the_words_that_are_there_and_no_others(card: Any, make_gate: Any) -> None:
    guard = make_gate("a:at_least:0.8", role="guard", form="at_least", result="hold", p_fail=0.5)
    shown = make_gate("b:superior", role="report", form="superior", result="fail")
    assert gate_legend(gate_table(card(gates=[make_gate("c:non_inferior:0.05")]))) == ""
    assert gate_legend(gate_table(card(gates=[guard]))) == "clear: a guard with nothing proven against it"
    both = "clear: a guard with nothing proven against it; shown: a report, which decides nothing"
    assert f"{both}." in render_markdown(card(gates=[guard, shown]))
    assert f"  {both}\n" in render_terminal(card(gates=[guard, shown]), full=True)


@pytest.mark.parametrize(
    ("role", "result", "tested", "alarmed", "word", "letter"),
    [
        ("require", "pass", True, False, "passed", "P"),
        ("require", "hold", True, True, "hold", "H"),
        ("require", "fail", True, False, "failed", "F"),
        ("require", "error", False, False, "not judgeable", "E"),
        ("require", "partial", False, False, "not judged", "p"),
        ("guard", "pass", True, False, "clear", "c"),
        ("guard", "hold", True, False, "clear", "c"),
        ("guard", "hold", False, False, "untested", "u"),
        ("guard", "hold", True, True, "alarm", "a"),
        ("guard", "hold", False, True, "alarm", "a"),
        ("guard", "pass", True, True, "alarm", "a"),
        ("guard", "fail", True, True, "failed", "F"),
        ("guard", "error", False, True, "not judgeable", "E"),
        ("report", "fail", True, False, "shown", "s"),
        ("report", "hold", False, False, "shown", "s"),
        ("report", "partial", False, False, "not judged", "p"),
    ],
)
def test_one_word_and_one_letter_for_each_gate(
    role: Any, result: Any, tested: bool, alarmed: bool, word: str, letter: str
) -> None:
    found = gate_word(role, result, tested=tested, alarmed=alarmed)
    assert (found.word, found.letter) == (word, letter)


def test_no_two_words_share_a_letter() -> None:
    assert len({word.letter for word in WORDS}) == len({word.word for word in WORDS}) == len(WORDS)


def test_a_next_step_names_the_run_and_a_case(card: Any, worst_case: Any) -> None:
    step = {"reason": "r", "next_step": "look at the worst cases: `relgate show RUN CASE`"}
    shown = card("reject", verdict=step, worst=[worst_case("refund 7"), worst_case("refund-8")])
    assert "relgate show 20260518-101500-a1b2c3 'refund 7'" in " ".join(render_terminal(shown).split())
    plain = card("reject", verdict=step, worst=[worst_case("refund-8")])
    assert "`relgate show 20260518-101500-a1b2c3 refund-8`" in render_markdown(plain)
    assert "relgate show 20260518-101500-a1b2c3 CASE" in next_of(card("reject", verdict=step))


def test_no_command_of_a_next_step_has_a_placeholder_for_what_is_known(card: Any, worst_case: Any) -> None:
    commands = "`relgate show RUN --full`, `relgate diff support-desk@1.2.0 RELEASE`, `relgate show RUN CASE`"
    shown = next_of(
        card("hold", verdict={"reason": "r", "next_step": commands}, worst=[worst_case("refund-8")])
    )
    assert shown == (
        "`relgate show 20260518-101500-a1b2c3 --full`, `relgate diff support-desk@1.2.0 support-desk@1.3.0`, "
        "`relgate show 20260518-101500-a1b2c3 refund-8`"
    )


def test_what_nobody_expected_is_left_out(card: Any, worst_case: Any) -> None:
    shown = card("reject", worst=[worst_case("c", expected="")])
    for text in (render_terminal(shown), render_markdown(shown)):
        assert "expected" not in text


def test_markdown_names_the_command_that_shows_the_run_when_there_is_something_to_see(card: Any) -> None:
    held = render_markdown(card("hold", verdict={"reason": "r", "next_step": "n"}))
    assert held.endswith("look closer: `relgate show 20260518-101500-a1b2c3`\n")
    assert "look closer" not in render_markdown(card())


@pytest.mark.parametrize(
    ("form", "boundary", "estimate", "shown"),
    [
        ("at_least", 0.8, 0.70, True),
        ("at_least", 0.8, 0.81, False),
        ("at_most", 0.1, 0.2, True),
        ("non_inferior", 0.05, -0.06, True),
        ("non_inferior", 0.05, -0.04, False),
        ("ratio_at_most", 1.5, 1.6, True),
        ("ratio_at_most", 1.5, None, False),
    ],
)
def test_a_guard_beyond_its_boundary_stands_in_the_brief_table(
    card: Any, make_gate: Any, form: str, boundary: float, estimate: float | None, shown: bool
) -> None:
    guard = make_gate(
        f"a:{form}:{boundary}", role="guard", form=form, boundary=boundary, estimate=estimate, result="hold"
    )
    made = card(gates=[make_gate("c:non_inferior:0.05"), guard])
    brief = gate_table(made, brief=True)
    assert any(f"a:{form}" in " ".join(row) for row in brief.rows) == shown
    assert ("1 guard clear" in gate_summary(made)) != shown
