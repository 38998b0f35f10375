"""The gate policy: attempts, gates spread over slices and hops, gates that make no sense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relgate.decision.policy import attempt_alpha, check_gates, policy_digest, spread_gates
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric

RIGHT = Metric("right", "binary")
METRICS = {
    "right": RIGHT,
    "violation": Metric("violation", "binary", higher_is_better=False),
    "cost_usd": Metric("cost_usd", "cost", higher_is_better=False),
}


def test_attempts_spend_alpha_and_never_more_than_075_in_all() -> None:
    assert [attempt_alpha(j) for j in (1, 2, 3)] == [0.05, 0.0125, 0.00625]
    assert sum(attempt_alpha(j) for j in range(1, 60)) <= 0.075 + 1e-12


def test_by_gives_one_gate_per_value_that_the_cases_carry(build: Any) -> None:
    spec = GateSpec("right", "non_inferior", 0.1, role="guard", by="lang", only={"area": "x"})
    suite = build.suite(3, tags={"lang": ["de", "en", "de"], "area": ["x", "x", "y"]}, gates=(spec,))
    gates = spread_gates(suite, METRICS, (), has_baseline=True)
    assert [(g.slice, g.only) for g in gates] == [
        ("lang=de", {"area": "x", "lang": "de"}),
        ("lang=en", {"area": "x", "lang": "en"}),
    ]
    assert gates[0].id == "gates::s[right:non_inferior:0.1:area=x:lang=de]"


def test_by_hop_leaves_the_primary_out_of_a_comparison_with_itself(build: Any) -> None:
    floor = GateSpec("right", "at_least", 0.7, role="guard", by="hop")
    against = GateSpec("right", "non_inferior", 0.1, role="report", by="hop", against="primary")
    suite = build.suite(1, kind="fallback", gates=(floor, against))
    gates = spread_gates(suite, METRICS, ("a/x", "b/y"), has_baseline=True)
    assert [(g.spec.form, g.hop) for g in gates] == [
        ("at_least", "a/x"),
        ("at_least", "b/y"),
        ("non_inferior", "b/y"),
    ]


def test_a_first_release_requires_the_floor_that_otherwise_guards(build: Any) -> None:
    floor = GateSpec("right", "at_least", 0.85, role="guard")
    suite = build.suite(1, gates=(GateSpec("right", "non_inferior", 0.05), floor))
    assert [g.spec.role for g in spread_gates(suite, METRICS, (), has_baseline=True)] == ["require", "guard"]
    (first,) = spread_gates(suite, METRICS, (), has_baseline=False)
    assert (first.spec.form, first.spec.role) == ("at_least", "require")


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (GateSpec("rigth", "at_least", 0.5), "a gate on a metric that no scorer reports"),
        (GateSpec("cost_usd", "non_inferior", 0.1), "non_inferior does not fit a metric of kind cost"),
        (GateSpec("right", "ratio_at_most", 1.5), "ratio_at_most does not fit a metric of kind binary"),
        (GateSpec("right", "violations", 0.0), "violations counts what must not happen"),
        (GateSpec("cost_usd", "ratio_at_most", 1.5, slack=5.0), "slack goes with a quantile only"),
    ],
)
def test_a_gate_that_makes_no_sense_is_named(build: Any, spec: GateSpec, what: str) -> None:
    (problem,) = check_gates(Path("suite.yaml"), [replace(spec, line=7, column=5)], METRICS)
    assert problem.what.startswith(what)
    assert str(problem.place) == "suite.yaml:7:5"


def test_gates_that_fit_their_metric_are_no_problem(build: Any) -> None:
    specs = (
        GateSpec("right", "non_inferior", 0.05),
        GateSpec("violation", "violations", 0.0),
        GateSpec("cost_usd", "ratio_at_most", 2.0),
    )
    assert check_gates(Path("suite.yaml"), specs, METRICS) == []


def test_the_policy_digest_follows_margin_role_and_alpha_and_not_the_place(build: Any) -> None:
    spec = GateSpec("right", "non_inferior", 0.05)

    def digest(changed: GateSpec, alpha: float = 0.05) -> str:
        return policy_digest([build.suite(1, gates=(changed,))], alpha=alpha)

    assert digest(replace(spec, line=9)) == digest(spec)
    others = [digest(replace(spec, boundary=0.06)), digest(replace(spec, role="guard")), digest(spec, 0.1)]
    assert digest(spec) not in others
    assert len(set(others)) == 3
