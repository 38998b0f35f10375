"""The words of gates: numbers with their unit, singular and plural, no sign on nothing."""

from __future__ import annotations

from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.wording import bounds, count, p_value, percent, points
from relgate.domain.metric import Metric


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (percent(0.0295, 2), "2.95 %"),
        (percent(0.05), "5 %"),
        (percent(0.0), "0 %"),
        (points(-0.021), "-2.1 points"),
        (points(-0.00001), "+0.0 points"),
        (bounds(-0.036, -0.006), "[-3.6, -0.6]"),
        (bounds(0.9, 1.0, sign=False), "[90.0, 100.0]"),
        (count(1, "more case"), "1 more case"),
        (count(0, "more case"), "0 more cases"),
        (p_value(0.0042), "p = 0.0042"),
        (p_value(1e-9), "p < 0.0001"),
    ],
)
def test_numbers_are_written_for_people(written: str, text: str) -> None:
    assert written == text


@pytest.mark.parametrize(
    ("form", "boundary", "text"),
    [
        ("non_inferior", 0.1, "-5.0 points [-10.7, -1.6], margin 10, n = 80"),
        ("superior", 0.0, "-5.0 points [-10.7, -1.6], must be better, n = 80"),
        ("at_least", 0.6, "95 % [88.9, 98.3], floor 60 %, n = 80"),
        ("at_most", 0.99, "95 % [88.9, 98.3], ceiling 99 %, n = 80"),
    ],
)
def test_a_gate_states_estimate_interval_boundary_and_size(
    build: Any, form: str, boundary: float, text: str
) -> None:
    data = build.data([0.0] * 4 + [1.0] * 76, [1.0] * 80)
    gate = build.gate(form, boundary, role="guard")
    assert judge_gate(gate, data, alpha=0.05).message == text


def test_a_ratio_states_what_it_compares(build: Any) -> None:
    cost = Metric("right", "cost", higher_is_better=False)
    base = [float(1 + i % 3) for i in range(30)]
    data = build.data([1.5 * b for b in base], base, metric=cost)
    found = judge_gate(build.gate("ratio_at_most", 2.0, cost), data, alpha=0.05)
    assert found.message == "ratio of means 1.500 [1.500, 1.500], limit 2, n = 30"
    free = build.data([1.0] * 30, [0.0] * 30, metric=cost)
    found = judge_gate(build.gate("ratio_at_most", 2.0, cost, role="guard"), free, alpha=0.05)
    assert found.message == "ratio of means unbounded [0.000, unbounded], limit 2, n = 30"
