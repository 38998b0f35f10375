"""A first release has cases that missed, none that fell, and a recording was paid for when it was made."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.domain.scorecard import CallsPart, CostPart, WorstPart
from relgate.render.footer import footer
from relgate.render.markdown import render_markdown
from relgate.render.terminal import render_terminal


@pytest.fixture
def missed() -> WorstPart:
    """A case that a first release missed."""
    return WorstPart(
        suite="s",
        case_id="c1",
        input="q",
        expected="yes",
        candidate="(TimeoutError: 5 s)",
        baseline="",
        difference=-1.0,
        metrics={"correct": -1.0},
    )


def test_a_first_release_shows_worst_cases_without_a_baselines_answer(card: Any, missed: WorstPart) -> None:
    first = card(baseline=None, worst=[missed])
    terminal, markdown = render_terminal(first), render_markdown(first)
    assert "\nworst cases\n  s c1 (correct 100 points short of the best)\n" in terminal
    assert "candidate  (TimeoutError: 5 s)" in terminal
    assert "#### Worst cases (1)" in markdown
    for text in (terminal, markdown):
        assert "regressions" not in text
        assert "(empty)" not in text


def test_against_a_baseline_they_have_both_answers(card: Any, missed: WorstPart) -> None:
    fell = card(worst=[missed.model_copy(update={"baseline": "yes"})])
    assert "\nworst cases\n" in render_terminal(fell)
    assert "    baseline   yes" in render_terminal(fell)
    assert "- baseline: yes" in render_markdown(fell)


@pytest.mark.parametrize(
    ("planned", "made", "usd", "line"),
    [
        (0, 0, 0.24, "calls: none; the recorded answers cost $0.2400"),
        (0, 0, None, "calls: none"),
        (460, 460, 0.24, "calls: 460 of 460 planned, cost $0.2400"),
        (460, 464, 0.24, "calls: 460 planned and 4 more to confirm critical misses, cost $0.2400"),
        (460, 12, None, "calls: 12 of 460 planned"),
    ],
)
def test_the_cost_of_recorded_answers_is_no_cost_of_this_run(
    card: Any, planned: int, made: int, usd: float | None, line: str
) -> None:
    calls = CallsPart(planned=planned, made=made, reused=0, saved=0)
    cost = CostPart(candidate_usd=usd, baseline_usd=None, total_usd=usd)
    assert footer(card(calls=calls, cost=cost))[1] == line


@pytest.mark.parametrize(
    ("made", "unanswered", "usd", "line"),
    [
        (80, 64, 0.24, "calls: 16 of 80 planned, cost $0.2400; 64 got no answer"),
        (80, 80, None, "calls: 0 of 80 planned; 80 got no answer"),
        (82, 1, None, "calls: 80 planned and 2 more to confirm critical misses; 1 got no answer"),
    ],
)
def test_a_call_without_an_answer_is_not_told_as_made(
    card: Any, made: int, unanswered: int, usd: float | None, line: str
) -> None:
    calls = CallsPart(planned=80, made=made, reused=0, saved=0, unanswered=unanswered, usd=usd)
    cost = CostPart(candidate_usd=usd, baseline_usd=None, total_usd=usd)
    assert footer(card(calls=calls, cost=cost))[1] == line


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (0, "calls: 0 of 240 planned; 240 answers of earlier runs, which cost $0.7599 then"),
        (12, "calls: 12 of 240 planned, cost $0.7599; 240 answers of earlier runs"),
    ],
)
def test_the_cost_of_kept_answers_is_told_as_paid_before(card: Any, made: int, line: str) -> None:
    calls = CallsPart(planned=240, made=made, reused=240, saved=240)
    cost = CostPart(candidate_usd=0.7599, baseline_usd=None, total_usd=0.7599)
    assert footer(card(calls=calls, cost=cost))[1] == line
