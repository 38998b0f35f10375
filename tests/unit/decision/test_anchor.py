"""The anchor (verdict.md 3): small losses that each pass must not add up unnoticed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relgate.decision.anchor import AnchorData, crept, judge_anchor
from relgate.decision.gates import sample_of
from relgate.decision.verdict import Findings, decide
from relgate.domain.metric import Metric

REFUSED = Metric("right", "binary", higher_is_better=False)


def _lost(n: int, lost: int, gained: int = 0) -> tuple[list[float], list[float]]:
    """Candidate and anchor: the anchor has everything but what the candidate gained."""
    candidate = [0.0] * lost + [1.0] * (n - lost)
    anchor = [1.0] * (n - gained) + [0.0] * gained
    return candidate, anchor


def _anchor(build: Any, release: str, candidate: Any, scores: Any, *, by_hand: bool = False) -> AnchorData:
    return AnchorData(release, f"run-{release}", by_hand, (build.data(candidate, scores),))


@pytest.mark.parametrize(
    ("lost", "gained", "holds"),
    [
        (12, 0, True),  # -6 points, p < .001
        (10, 0, False),  # exactly the margin: not below it
        (9, 0, False),  # harm is proven, but within the margin
        (30, 18, True),  # -6 points, p = .04
        (36, 24, False),  # -6 points, p = .06: not proven
    ],
)
def test_it_holds_where_harm_is_proven_and_the_estimate_lies_below_the_margin(
    build: Any, lost: int, gained: int, holds: bool
) -> None:
    gate = build.gate("non_inferior", 0.05)
    sample = sample_of(gate, build.data(*_lost(200, lost, gained)))
    assert crept(sample, gate.metric, 0.05)[1] == holds


def test_lower_is_better_turns_the_loss_around(build: Any) -> None:
    candidate, anchor = _lost(200, 12)
    gate = build.gate("non_inferior", 0.05, REFUSED)
    more = sample_of(gate, build.data(anchor, candidate, metric=REFUSED))
    fewer = sample_of(gate, build.data(candidate, anchor, metric=REFUSED))
    assert crept(more, REFUSED, 0.05)[1]
    assert not crept(fewer, REFUSED, 0.05)[1]


def test_the_best_of_the_releases_in_production_is_the_anchor(build: Any) -> None:
    candidate = [0.0] * 14 + [1.0] * 186
    worse, best = [0.0] * 10 + [1.0] * 190, [1.0] * 200
    anchors = [_anchor(build, "1.2.0", candidate, worse), _anchor(build, "1.0.0", candidate, best)]
    (result,) = judge_anchor([build.gate("non_inferior", 0.05)], anchors)
    assert (result.release, result.run, result.by_hand, result.holds) == ("1.0.0", "run-1.0.0", False, True)
    assert result.estimate == pytest.approx(-0.07)
    assert result.message == (
        "-7.0 points against the anchor 1.0.0 (the best of the last 2 releases in production; p < 0.0001, "
        "n = 200, margin 5)"
    )


def test_an_anchor_set_by_hand_stands_whatever_was_better(build: Any) -> None:
    candidate = [0.0] * 14 + [1.0] * 186
    anchors = [
        _anchor(build, "1.0.0", candidate, [1.0] * 200),
        _anchor(build, "1.2.0", candidate, [0.0] * 10 + [1.0] * 190, by_hand=True),
    ]
    (result,) = judge_anchor([build.gate("non_inferior", 0.05)], anchors)
    assert (result.release, result.by_hand, result.holds) == ("1.2.0", True, False)
    assert "(set by hand; " in result.message


@pytest.mark.parametrize(
    "gate",
    [
        {"form": "superior"},
        {"form": "at_least", "boundary": 0.8},
        {"form": "non_inferior", "boundary": 0.05, "role": "guard"},
        {"form": "non_inferior", "boundary": 0.05, "role": "report"},
    ],
)
def test_only_required_non_inferiority_has_an_anchor(build: Any, gate: dict[str, Any]) -> None:
    anchors = [_anchor(build, "1.0.0", *_lost(200, 60))]
    assert judge_anchor([build.gate(**gate)], anchors) == ()


def test_what_is_not_paired_has_no_anchor(build: Any) -> None:
    nothing = build.data([1.0] * 5, [build.AWAY] * 5)
    assert (
        judge_anchor([build.gate("non_inferior", 0.05)], [AnchorData("1.0.0", "r", False, (nothing,))]) == ()
    )
    assert judge_anchor([build.gate("non_inferior", 0.05)], []) == ()


def test_creep_holds_a_run_whose_gates_all_pass_and_says_what_to_do(build: Any) -> None:
    found = judge_anchor([build.gate("non_inferior", 0.05)], [_anchor(build, "desk@1.0.0", *_lost(200, 14))])
    verdict = decide(Findings(gates=[build.result()], anchors=found))
    assert verdict.decision == "hold"
    assert verdict.reason.startswith(
        "creep: s[right:non_inferior:0.05]: -7.0 points against the anchor desk@1.0.0"
    )
    assert "`relgate diff desk@1.0.0 RELEASE`" in verdict.next_step
    assert "`relgate promote RELEASE --alias anchor`" in verdict.next_step


def test_an_identical_release_is_hardly_ever_held(build: Any) -> None:
    rng = np.random.default_rng(20260101)
    gate = build.gate("non_inferior", 0.05)
    held = 0
    for _ in range(300):
        rates = rng.beta(6.0, 0.5, 200)
        sides = [(rng.random((200, 3)) < rates[:, None]).astype(float).tolist() for _ in range(2)]
        held += crept(sample_of(gate, build.data(*sides)), gate.metric, 0.05)[1]
    assert held <= 3
