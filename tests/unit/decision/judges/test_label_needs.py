"""How many labels the run that takes them needs, and at which alpha it counts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from relgate.decision.judges.label_needs import fresh_labels, labels_alpha, labels_lacking
from relgate.decision.planning.feasibility import feasibility
from relgate.decision.policy import Gate
from relgate.domain.case import Case, Label, ScorerSpec, Suite
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric


def gate_of(margin: float = 0.05) -> Gate:
    return Gate("g", "s", GateSpec("tone", "non_inferior", margin, "require"), Metric("tone", "binary"))


def suite_of(labelled: int, cases: int = 300) -> Suite:
    labels = tuple(Label(f"c{i}", "candidate", 1.0, "ann") for i in range(labelled))
    scorers = (ScorerSpec("judge", {"as": "tone"}),)
    every = tuple(Case(f"c{i}", f"question {i}") for i in range(cases))
    return Suite("s", "golden", Path("suite.yaml"), "s", scorers, every, (), labels=labels)


@pytest.mark.parametrize(
    ("labelled", "margins", "judged", "alpha"),
    [
        (0, (0.05,), (), 0.05),
        (60, (0.05,), (), 0.05),
        (60, (0.05,), ("s",), 0.0125),
        (100, (0.05,), (), 0.0125),
        (60, (0.05, 0.10), (), 0.0125),  # the other gate looks at them
    ],
)
def test_more_labels_are_a_further_attempt_once_labels_were_looked_at(
    labelled: int, margins: tuple[float, ...], judged: tuple[str, ...], alpha: float
) -> None:
    gates = [gate_of(margin) for margin in margins]
    assert labels_alpha(gates, suite_of(labelled), judged, alpha=0.05, next_alpha=0.0125) == alpha


@pytest.mark.parametrize(
    ("labelled", "cases", "alpha", "lacking"),
    [(100, 300, 0.05, 0), (100, 300, 0.0125, 29), (60, 300, 0.05, 40), (60, 70, 0.05, 10), (70, 70, 0.05, 0)],
)
def test_what_labels_lack_depends_on_alpha_and_is_never_more_than_the_cases(
    labelled: int, cases: int, alpha: float, lacking: int
) -> None:
    assert labels_lacking(gate_of(), suite_of(labelled, cases), alpha) == lacking


@pytest.mark.parametrize(
    ("labelled", "cases", "alpha", "more", "asked"),
    [
        (100, 300, 0.05, 0, (25, True)),
        (100, 300, 0.0125, 0, (29, False)),
        (120, 300, 0.0125, 0, (25, False)),
        (100, 300, 0.05, 80, (80, False)),  # new answers that nobody has read
        (90, 100, 0.0125, 0, (100, True)),  # ten cases have no label: not enough for the new judge
    ],
)
def test_a_changed_judge_asks_once_for_what_it_and_its_gates_need(
    labelled: int, cases: int, alpha: float, more: int, asked: tuple[int, bool]
) -> None:
    suite = suite_of(labelled, cases)
    assert fresh_labels([gate_of()], suite, "tone", alpha, fresh=25, more=more) == asked
    assert fresh_labels([gate_of()], suite, "another", alpha, fresh=25) == (25, True)


def test_the_plan_tells_the_labels_that_the_run_which_takes_them_needs() -> None:
    found = feasibility(gate_of(), suite_of(100), alpha=0.0125, single_trial=True, labels_alpha=0.00625)
    assert "needs labels of 49 more random cases (after a run: " in found.text
    assert "--n 49 --out" in found.text
    assert found.text.endswith("; of the cases drawn before, answers that are new need labels as well")
    assert "drawn before" not in feasibility(gate_of(), suite_of(0), alpha=0.05, single_trial=True).text
