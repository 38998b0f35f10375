"""Several trials of a case, and people who read one answer of each side: a worse candidate does not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.judges.judged import correct_judged
from relgate.decision.measurements import SuiteData, arrange
from relgate.decision.policy import Gate
from relgate.domain.case import Case, Label, ScorerSpec, Suite
from relgate.domain.gate import GateResult, GateSpec
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score

METRIC = Metric("tone", "binary")
GATE = Gate("g", "s", GateSpec("tone", "non_inferior", 0.1, "require"), METRIC)


def flaky(seed: int, loss: float, *, n: int, trials: int = 3) -> tuple[SuiteData, dict[str, float]]:
    """A candidate that gives each case another wrong answer in this share of its calls; truth by answer.

    The baseline is always right and the judge right in nine of ten answers.
    """
    rng = np.random.default_rng(seed)
    cases = tuple(Case(f"c{i}", f"question {i}") for i in range(n))
    suite = Suite("s", "golden", Path("suite.yaml"), "s", (ScorerSpec("judge", {"as": "tone"}),), cases, ())
    truth: dict[str, float] = {}
    rows = []
    for i, case in enumerate(cases):
        for trial in range(trials):
            for side in ("candidate", "baseline"):
                wrong = side == "candidate" and rng.random() < loss
                answer = f"wrong {i} {trial}" if wrong else f"right {i}"
                truth[answer] = 0.0 if wrong else 1.0
                said = truth[answer] if rng.random() < 0.9 else 1.0 - truth[answer]
                score = (Score("tone", said, "binary"),)
                rows.append(Measurement(side, "s", case.id, trial, Response("x"), score, answer=answer))
    return arrange(suite, {"tone": METRIC}, rows), truth


def read(data: SuiteData, truth: dict[str, float], labelled: int, *, first: bool) -> SuiteData:
    """Labels of what the older release said, and with ``first`` of what the candidate says first as well."""
    labels = {}
    for i in range(labelled):
        answers = [f"right {i}", *([data.answers["candidate", f"c{i}"][0].digest] if first else [])]
        for answer in answers:
            labels[answer] = Label(f"c{i}", "candidate", truth.get(answer, 1.0), "ann", answer)
    return replace(data, suite=replace(data.suite, labels=tuple(labels.values())))


def gate(data: SuiteData) -> GateResult:
    return correct_judged(judge_gate(GATE, data, alpha=0.05), GATE, data)


def test_a_first_answer_that_nobody_has_read_holds_though_others_of_the_case_are_read():
    data, truth = flaky(1, 0.05, n=400)
    unread = sum(data.answers["candidate", f"c{i}"][0].digest != f"right {i}" for i in range(100))
    found = gate(read(data, truth, 100, first=False))
    assert unread > 0
    assert found.result == "hold"
    assert f"{unread} of the 100 cases drawn for labels have answers that nobody has read" in found.message


@pytest.mark.parametrize(("n", "labelled"), [(60, 60), (300, 60)], ids=["labels alone", "PPI++"])
def test_what_people_read_says_without_bias_how_much_worse_the_candidate_is(n, labelled):
    found = [gate(read(*flaky(seed, 0.15, n=n), labelled, first=True)) for seed in range(60)]
    estimates = np.array([result.estimate for result in found])
    assert estimates.mean() == pytest.approx(-0.15, abs=3 * estimates.std() / np.sqrt(60))
    assert not any(result.result == "pass" for result in found)


@pytest.mark.parametrize("trials", [1, 3, 5])
def test_on_the_boundary_no_more_pass_than_alpha_says(trials):
    runs = 200
    passed = sum(
        gate(read(*flaky(seed, 0.10, n=200, trials=trials), 60, first=True)).result == "pass"
        for seed in range(runs)
    )
    assert passed / runs <= 0.06 + 2 * (0.06 * 0.94 / runs) ** 0.5
