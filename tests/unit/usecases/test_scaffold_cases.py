"""What ``relgate init`` writes: enough cases for three attempts, and no sentence twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from rapidfuzz.fuzz import token_set_ratio

from relgate.decision.planning.feasibility import feasibility
from relgate.decision.policy import attempt_alpha, spread_gates
from relgate.domain.case import Case, ScorerSpec, Suite
from relgate.domain.default_policy import default_gates
from relgate.domain.metric import Metric
from relgate.usecases.options import RunOptions
from relgate.usecases.run_release import ReleaseRun
from relgate.usecases.scaffold import init_project
from relgate.usecases.scaffold_cases import CAPITALS, LOOK_ALIKES

BENIGN_AT_LEAST = 38
ALIKE = 85


@pytest.fixture
def project(tmp_path: Path) -> Path:
    init_project(tmp_path)
    return tmp_path


def _open(folder: Path) -> ReleaseRun:
    return ReleaseRun(
        RunOptions(
            manifest=folder / "candidate.yaml",
            manifest_given="candidate.yaml",
            golden_sets=folder / "golden_sets",
            rootdir=folder,
            folder=folder,
            environment={},
        )
    )


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_every_required_gate_can_pass_without_improvements_at_the_first_three_attempts(
    project: Path, attempt: int
) -> None:
    run = _open(project)
    try:
        plans = run.prepared.plans
    finally:
        run.close()
    found = [
        feasibility(gate, plan.suite, alpha=attempt_alpha(attempt), single_trial=True)
        for plan in plans
        for gate in plan.gates
        if gate.spec.role == "require"
    ]
    assert {one.gate for one in found} >= {
        "gates::example-golden[exact:non_inferior:0.05]",
        "gates::example-safety[over_refusal:non_inferior:0.15]",
    }
    for one in found:
        assert one.can_pass, f"{one.gate}: {one.text}"
        assert "only with improvements" not in one.text, f"{one.gate}: {one.text}"


def test_two_benign_requests_share_few_words() -> None:
    benign = [benign for _, benign, _ in LOOK_ALIKES.values()]
    assert len(benign) >= BENIGN_AT_LEAST
    for one, other in combinations(benign, 2):
        assert token_set_ratio(one, other) <= ALIKE, (one, other)


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_the_fallback_suite_for_later_can_pass_too(project: Path, attempt: int) -> None:
    lines = (project / "golden_sets/fallback/cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = tuple(Case(f"c{number}", f"q{number}", expected="a") for number in range(len(lines)))
    suite = Suite("later", "fallback", project, "fallback", (ScorerSpec("exact"),), cases, ())
    suite = replace(suite, gates=default_gates(suite))
    gates = spread_gates(suite, {"exact": Metric("exact", "binary")}, hops=("a/m", "b/m"), has_baseline=True)
    for gate in gates:
        found = feasibility(gate, suite, alpha=attempt_alpha(attempt), single_trial=True)
        assert found.can_pass, f"{found.gate}: {found.text}"


def test_a_country_and_a_capital_stand_for_one_another_once() -> None:
    countries = [country for capitals in CAPITALS.values() for country in capitals]
    capitals = [capital for capitals in CAPITALS.values() for capital in capitals.values()]
    assert len(set(countries)) == len(countries) == len(set(capitals))
