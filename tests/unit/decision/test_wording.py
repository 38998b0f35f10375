"""The words of gates: numbers with their unit, singular and plural, no sign on nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relgate.decision.gates import judge_gate
from relgate.decision.wording import bounds, count, level_of, p_value, percent, plain_rate, points
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
        (level_of(0.1), "90 %"),
        (level_of(0.025), "97.5 %"),
        (level_of(0.0002), "99.98 %"),
        (level_of(2 * 0.05 / 2**9), "99.98 %"),
        (level_of(1e-9), "99.9999999 %"),
        (level_of(0.003125, digits=2), "99.69 %"),
        (level_of(0.0125, digits=2), "98.75 %"),
        (plain_rate(0.05), "0.05"),
        (plain_rate(0.05 / 2**9), "0.0000977"),
        (plain_rate(0.05 / 2**40), "0.0000000000000455"),
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
    assert found.message == "ratio of means 1.500 in every case, limit 2, n = 30"
    data = build.data([1.5 * b + 0.01 * i for i, b in enumerate(base)], base, metric=cost)
    found = judge_gate(build.gate("ratio_at_most", 2.0, cost), data, alpha=0.05)
    assert found.message == "ratio of means 1.573 [1.558, 1.590], limit 2, n = 30"
    free = build.data([1.0] * 30, [0.0] * 30, metric=cost)
    found = judge_gate(build.gate("ratio_at_most", 2.0, cost, role="guard"), free, alpha=0.05)
    assert found.message == "ratio of means unbounded [0.000, unbounded], limit 2, n = 30"


RIGHT = Metric("right", "binary")
METHODOLOGY = Path(__file__).parents[3] / "docs" / "methodology.md"
LATENCY = Metric("right", "latency", higher_is_better=False)
VIOLATION = Metric("violation", "binary", higher_is_better=False)


@pytest.mark.parametrize(
    ("form", "boundary", "metric", "more", "candidate", "baseline"),
    [
        ("at_least", 0.9, RIGHT, {}, [0.0] * 10 + [1.0] * 190, None),
        ("violations", 0.0, VIOLATION, {"rate_at_most": 0.02}, [0.0] * 100, None),
        ("violations", 0.0, VIOLATION, {"rate_at_most": 0.02}, [1.0] * 2 + [0.0] * 78, None),
        ("ratio_at_most", 2.0, LATENCY, {}, [1.2] * 19, [1.0] * 19),
        ("ratio_at_most", 1.5, LATENCY, {"quantile": 0.95}, [1.2] * 99, [1.0] * 99),
    ],
)
def test_a_message_quoted_in_the_methodology_is_what_the_gate_says(
    build: Any, form: str, boundary: float, metric: Metric, more: Any, candidate: Any, baseline: Any
) -> None:
    data = build.data(candidate, baseline, metric=metric)
    said = judge_gate(build.gate(form, boundary, metric, **more), data, alpha=0.05).message
    quoted = " ".join(METHODOLOGY.read_text(encoding="utf-8").split())
    assert f"`{said.removeprefix('cannot be decided: ')}`" in quoted
