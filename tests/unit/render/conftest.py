"""Fixed scorecards, and snapshots of what is rendered from them.

To rewrite the snapshots after a wanted change of wording or layout, and then read the diff:
``RELGATE_REWRITE_SNAPSHOTS=1 pytest tests/unit/render``
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relgate.domain.scorecard import (
    AlarmPart,
    CallsPart,
    CasesPart,
    ChangePart,
    CostPart,
    CriticalPart,
    GatePart,
    MetricPart,
    PolicyPart,
    ReleasePart,
    RunPart,
    Scorecard,
    SuitePart,
    VerdictPart,
    WaiverPart,
    WorstPart,
)

SNAPSHOTS = Path(__file__).parent / "snapshots"
SUITE = "support-golden"


def gate(name: str, **more: Any) -> GatePart:
    values: dict[str, Any] = {
        "id": f"gates::{SUITE}[{name}]",
        "suite": SUITE,
        "metric": name.split(":")[0],
        "slice": "",
        "role": "require",
        "form": "non_inferior",
        "result": "pass",
        "estimate": 0.083,
        "lower": 0.052,
        "upper": 0.113,
        "boundary": 0.05,
        "p": 1e-9,
        "p_fail": 1.0,
        "alpha": 0.05,
        "n": 230,
        "units": 52,
        "method": "CR2 over clusters, Bell-McCaffrey df",
        "message": "proven: not worse by 5 points",
    }
    return GatePart(**values | more)


def metric(name: str, slice_: str = "", **more: Any) -> MetricPart:
    values: dict[str, Any] = {
        "metric": name,
        "slice": slice_,
        "candidate": 0.9478,
        "baseline": 0.8652,
        "difference": 0.0826,
        "lower": 0.052,
        "upper": 0.113,
        "n": 230,
    }
    return MetricPart(**values | more)


def worst(case_id: str, **more: Any) -> WorstPart:
    values: dict[str, Any] = {
        "suite": SUITE,
        "case_id": case_id,
        "input": "How many days do I have to return an order?",
        "expected": "40 days",
        "candidate": "You can return most items.",
        "baseline": "You can return most items within 40 days. [returns-window]",
        "difference": -1.0,
        "metrics": {"correct": -1.0},
    }
    return WorstPart(**values | more)


def scorecard(decision: str = "promote", **more: Any) -> Scorecard:
    verdict = {
        "decision": decision,
        "reason": "both required gates pass",
        "next_step": "relgate promote support-desk@1.3.0",
        "partial": False,
        "attempts": 1,
    } | more.pop("verdict", {})
    values: dict[str, Any] = {
        "verdict": VerdictPart(**verdict),
        "release": ReleasePart(name="support-desk", version="1.3.0", digest="sha256:" + "ab" * 32),
        "baseline": ReleasePart(name="support-desk", version="1.2.4", digest="sha256:" + "cd" * 32),
        "gate_policy": PolicyPart(digest="sha256:" + "ef" * 32, alpha=0.05),
        "changed": [
            ChangePart(
                kind="prompt",
                name="answer",
                from_="v14@6c1cd1d3a42d",
                to="v15@1fd4a13a5f1b",
                reached_by=[SUITE],
            ),
            ChangePart(kind="reranker", name="overlap", from_=None, to="2@d600ca66d064", reached_by=[]),
        ],
        "suspects": [],
        "gates": [
            gate("correct:non_inferior:0.05"),
            gate(
                "latency_ms:p50:ratio_at_most:1.5",
                form="ratio_at_most",
                estimate=1.15,
                lower=1.07,
                upper=1.23,
                boundary=1.5,
            ),
            gate(
                "correct:at_least:0.85",
                role="guard",
                form="at_least",
                result="hold",
                estimate=0.9478,
                lower=0.91,
                upper=0.97,
            ),
            gate("correct:superior", role="report", form="superior"),
        ],
        "alarms": [],
        "critical": [],
        "suites": [
            SuitePart(
                suite=SUITE,
                kind="golden",
                digest="sha256:" + "12" * 32,
                cases=230,
                trials=3,
                metrics=[
                    metric("correct"),
                    metric("correct", "area=orders", candidate=0.9, difference=0.0348, n=40),
                    metric(
                        "latency_ms p50",
                        candidate=11.3,
                        baseline=10.1,
                        difference=1.2,
                        lower=None,
                        upper=None,
                    ),
                    metric(
                        "cost_usd",
                        candidate=0.000406,
                        baseline=0.000322,
                        difference=0.000084,
                        lower=None,
                        upper=None,
                    ),
                    metric(
                        "tokens", candidate=812.0, baseline=644.5, difference=167.5, lower=None, upper=None
                    ),
                ],
            )
        ],
        "cases": CasesPart(hit=199, miss=11, regressed=1, fixed=19, failed=0, not_run=0),
        "worst": [],
        "calls": CallsPart(planned=460, made=460, reused=0, saved=0),
        "cost": CostPart(candidate_usd=0.15, baseline_usd=0.1267, total_usd=0.2767),
        "run": RunPart(
            id="20260518-101500-a1b2c3",
            started="2026-05-18T10:15:00.000Z",
            finished="2026-05-18T10:15:09.000Z",
            seed=20260101,
            versions={"relgate": "0.1.0"},
        ),
    }
    return Scorecard(**values | more)


def promote() -> Scorecard:
    return scorecard()


def hold() -> Scorecard:
    """Held by an alarm, an undecided gate and an outage."""
    message = "not decided: the bound -6.1 points lies below -5; 40 more cases would decide"
    return scorecard(
        "hold",
        verdict={
            "reason": "correct is proven worse in area=orders; 1 required gate is undecided",
            "next_step": "add 40 cases to support-golden, or look at area=orders",
        },
        gates=[
            gate(
                "correct:non_inferior:0.05",
                result="hold",
                estimate=-0.021,
                lower=-0.061,
                upper=0.02,
                message=message,
            ),
            gate(
                "citations:non_inferior:0.05",
                result="error",
                estimate=None,
                lower=None,
                upper=None,
                n=0,
                message="no data: 230 of 230 calls were not measured",
            ),
        ],
        alarms=[
            AlarmPart(
                suite=SUITE,
                metric="correct",
                slice="area=orders",
                estimate=-0.2,
                n=40,
                p=0.0004,
                message="correct fell by 20 points in area=orders (n = 40)",
            )
        ],
        notes=[
            "not measured, 3 calls: hosted_a/answerer: HTTP 503, 3 times",
            "left out by --suite: support-safety",
        ],
    )


def reject() -> Scorecard:
    """Rejected, with a critical miss, suspects and more worst cases than the terminal shows."""
    return scorecard(
        "reject",
        verdict={
            "reason": "support-golden[correct:non_inferior:0.05] fails: proven worse by more than 5 points",
            "next_step": "look at prompt/answer first; relgate promote support-desk@1.2.4 is the way back",
        },
        suspects=["prompt/answer"],
        gates=[
            gate(
                "correct:non_inferior:0.05",
                result="fail",
                estimate=-0.4,
                lower=-0.47,
                upper=-0.33,
                message="proven worse: -40.0 points, and 5 are allowed",
            ),
            gate(
                "violation:zero",
                form="violations",
                result="fail",
                estimate=0.011,
                lower=0.0,
                upper=0.05,
                message="1 violation in 89",
            ),
        ],
        critical=[
            CriticalPart(
                suite=SUITE,
                case_id="refund-017",
                misses=2,
                trials=3,
                confirmed=True,
                message="critical case refund-017 missed 2 of 3 trials (2 are enough to reject)",
            )
        ],
        worst=[worst(f"returns-{number}") for number in range(1, 5)],
        cases=CasesPart(hit=100, miss=31, regressed=90, fixed=5, failed=4, not_run=0),
    )


def partial() -> Scorecard:
    """A first release, of which only a part was run."""
    return scorecard(
        "hold",
        verdict={
            "reason": "partial run: 12 of 230 cases were measured",
            "next_step": "run all cases: pytest --manifest candidate.yaml",
            "partial": True,
        },
        baseline=None,
        changed=[],
        gates=[
            gate(
                "correct:at_least:0.85",
                form="at_least",
                result="partial",
                estimate=None,
                lower=None,
                upper=None,
                n=0,
                message="not judged: 12 of 230 cases of the suite ran",
            )
        ],
        suites=[
            SuitePart(
                suite=SUITE,
                kind="golden",
                digest="sha256:" + "12" * 32,
                cases=230,
                trials=1,
                metrics=[metric("correct", baseline=None, difference=None, n=12)],
            )
        ],
        cases=CasesPart(hit=12, miss=0, regressed=0, fixed=0, failed=0, not_run=218),
        calls=CallsPart(planned=230, made=12, reused=0, saved=0),
        cost=CostPart(candidate_usd=None, baseline_usd=None, total_usd=None),
        notes=["first release: nothing holds production, so only absolute gates are judged"],
    )


def waived() -> Scorecard:
    """Promoted on the second attempt, with two waivers behind it."""
    waivers = [
        WaiverPart(
            release="support-desk",
            version=version,
            reason=reason,
            at="2026-05-17T09:00:00Z",
            by="ann",
        )
        for version, reason in (("1.2.4", "hotfix, agreed with Ann"), ("1.2.3", "gates were red | by design"))
    ]
    return scorecard(
        verdict={"attempts": 2, "waivers": waivers},
        gate_policy=PolicyPart(digest="sha256:" + "ef" * 32, alpha=0.0125),
        gates=[gate("correct:non_inferior:0.05", alpha=0.0125, lower=0.041, upper=0.124)],
        notes=["attempt 2 on these golden sets: promote-side alpha 0.0125 instead of 0.05"],
    )


CARDS = {card.__name__: card for card in (promote, hold, reject, partial, waived)}


@pytest.fixture(params=CARDS)
def named_card(request: pytest.FixtureRequest) -> tuple[str, Scorecard]:
    return request.param, CARDS[request.param]()


@pytest.fixture
def card() -> Callable[..., Scorecard]:
    return scorecard


@pytest.fixture
def worst_case() -> Callable[..., WorstPart]:
    return worst


@pytest.fixture
def make_gate() -> Callable[..., GatePart]:
    return gate


@pytest.fixture
def matches_snapshot() -> Callable[[str, str], None]:
    """Compare with the committed text, or rewrite it when RELGATE_REWRITE_SNAPSHOTS is set."""

    def check(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if os.environ.get("RELGATE_REWRITE_SNAPSHOTS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return check
