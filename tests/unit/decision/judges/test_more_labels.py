"""How many more labels, or cases, a gate on a judge is told to need, held against what they then do."""

from __future__ import annotations

import numpy as np
import pytest

from relgate import stats
from relgate.decision.judges.judged import APART, FEW_MISSED, LabelledDifferences, infer_from_labels
from relgate.decision.judges.label_needs import labels_needed
from relgate.decision.judges.more_labels import LabelPlan, labels_or_cases
from relgate.decision.policy import Gate
from relgate.decision.sample import Floats
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

NEXT = 0.0125


def world(rng: np.random.Generator, n: int, psi: float, wrong: float) -> tuple[Floats, Floats]:
    """Differences by people and by a judge that guesses on a share of the cases; no true difference."""
    human = np.where(rng.random(n) < psi, rng.choice([-1.0, 1.0], n), 0.0)
    return human, np.where(rng.random(n) < wrong, rng.choice([-1.0, 0.0, 1.0], n), human)


def split_at(human: Floats, judged: Floats, labels: int) -> LabelledDifferences:
    return LabelledDifferences(human[:labels], judged[:labels], judged[labels:], 0)


def plan_of(split: LabelledDifferences) -> LabelPlan:
    unseen = bool(np.mean(split.human - split.judged < -APART) <= FEW_MISSED)
    return LabelPlan.of(split.human, split.judged, split.rest, unseen=unseen)


def needs(
    split: LabelledDifferences, margin: float, estimate: float, *, alpha: float = NEXT
) -> tuple[int | None, int | None]:
    gate = Gate("g", "s", GateSpec("tone", "non_inferior", margin, "require"), Metric("tone", "binary"))
    return labels_or_cases(plan_of(split), gate, estimate, margin, alpha, alpha / 2.0)


@pytest.mark.parametrize(
    ("cases", "psi", "wrong", "labels", "margin"),
    [(300, 0.02, 0.0, 100, 0.05), (1000, 0.1, 0.1, 100, 0.05), (1000, 0.1, 0.02, 100, 0.05)],
)
def test_on_as_many_labels_as_are_told_an_equal_candidate_passes_four_times_of_five(
    cases: int, psi: float, wrong: float, labels: int, margin: float
) -> None:
    rng = np.random.default_rng(4)
    told = []
    for _ in range(40):
        plan = plan_of(split_at(*world(rng, cases, psi, wrong), labels))
        more = plan.more_labels(0.0, margin, NEXT)
        told.append(cases if more is None else labels + more)
    typical = max(int(np.median(told)), labels_needed(Gate("g", "s", GateSpec("t", "non_inferior", margin),
                                                           Metric("t", "binary")), NEXT))  # fmt: skip
    passed = sum(
        infer_from_labels(split_at(*world(rng, cases, psi, wrong), typical), margin, NEXT).p_pass <= NEXT
        for _ in range(150)
    )
    assert 0.65 <= passed / 150 <= 0.95


@pytest.mark.parametrize(("cases", "labels", "margin"), [(300, 100, 0.05), (200, 50, 0.10)])
def test_a_gate_that_more_labels_would_decide_is_told_to_get_them(
    cases: int, labels: int, margin: float
) -> None:
    """A judge whom all labels confirm: what is left open is what few labels may not have met."""
    human = np.zeros(cases)
    human[[21, 45, 180]], human[[33, 190]] = -1.0, 1.0
    now = infer_from_labels(split_at(human, human, labels), margin, 0.05)
    assert now.p_pass > 0.05
    more, further = needs(split_at(human, human, labels), margin, now.estimate)
    assert more is not None
    assert further is None
    assert infer_from_labels(split_at(human, human, labels + more), margin, NEXT).p_pass <= NEXT
    fewer = split_at(human, human, labels + more // 3)
    assert infer_from_labels(fewer, margin, NEXT).p_pass > NEXT, "nor are they many more than it takes"


def test_they_are_never_fewer_than_the_run_that_takes_them_must_have() -> None:
    assert needs(split_at(np.zeros(2000), np.zeros(2000), 100), 0.05, 0.0) == (29, None)


def test_where_labels_of_every_case_would_not_decide_it_cases_with_labels_would() -> None:
    """A judge worth nothing, and half of the cases differ: 300 labels at most are too few."""
    rng = np.random.default_rng(6)
    human, judged = world(rng, 300, 0.5, 1.0)
    more, further = needs(split_at(human, judged, 100), 0.10, -0.01)
    assert more is None
    assert further is not None
    passed = sum(
        infer_from_labels(
            split_at(*world(rng, 300 + further, 0.5, 1.0), 300 + further), 0.10, NEXT / 2.0
        ).p_pass
        <= NEXT / 2.0
        for _ in range(100)
    )
    assert 0.65 <= passed / 100 <= 0.95


def test_a_suite_smaller_than_the_labels_that_a_pass_takes_needs_cases() -> None:
    human, judged = world(np.random.default_rng(3), 100, 0.1, 0.1)
    more, further = needs(split_at(human, judged, 95), 0.05, 0.0)
    assert more is None
    assert further is not None
    assert further >= 49, "149 labels at the alpha of the run that takes those of new cases"


def test_where_the_labels_at_hand_would_do_for_no_difference_the_observed_one_counts() -> None:
    human = np.zeros(1000)
    human[::12], human[4::30] = -1.0, 1.0  # 5 points worse
    split = split_at(human, np.zeros(1000), 400)
    assert plan_of(split).decides(400, -0.025, 0.10, NEXT)
    more, further = needs(split, 0.10, -0.05)
    assert more is not None
    assert 50 < more < 200
    assert further is None


def test_beyond_the_margin_neither_labels_nor_cases_help() -> None:
    human = np.zeros(1000)
    human[::8] = -1.0
    assert needs(split_at(human, np.zeros(1000), 900), 0.10, -0.126) == (None, None)


def test_where_nothing_differs_as_many_labels_are_needed_as_a_flawless_run_takes() -> None:
    """Cases without a score leave 3 of 5 points, for which more labels are needed than for 5."""
    flat = LabelPlan.of(np.zeros(100), np.zeros(100), np.zeros(400), unseen=True)
    more = flat.more_labels(0.0, 0.03, NEXT)
    assert more is not None
    assert 100 + more == stats.n_min(0.03, NEXT)


def test_wherever_a_gate_is_open_and_not_below_its_margin_something_would_decide_it() -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        cases, margin = int(rng.choice([150, 400, 1500])), float(rng.choice([0.05, 0.10]))
        human, judged = world(rng, cases, float(rng.uniform(0.0, 0.3)), float(rng.uniform(0.0, 0.5)))
        human = np.where(rng.random(cases) < margin / 2.0, np.minimum(human, 0.0), human)
        split = split_at(human, judged, int(rng.integers(100, 140)))
        found = infer_from_labels(split, margin, 0.05)
        if found.p_pass > 0.05 and found.estimate > -0.9 * margin:
            assert any(needs(split, margin, found.estimate)), (cases, margin, found)
