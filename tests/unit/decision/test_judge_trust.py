"""Judges held against labels, and a judge that changed since its labels were used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relgate.decision.judge_trust import JudgeTrust, compare_judges, hold_changed_judge, label_id, trust_of
from relgate.domain.case import Label


def _trust(digest: str, labels: int = 100, prefix: str = "old") -> JudgeTrust:
    ids = tuple(f"{prefix}{i}" for i in range(labels))
    return JudgeTrust("s", "right", "p/m", f"sha256:{digest}", ids, ("ann",), 0, None)


def test_several_labels_of_an_answer_are_averaged_and_compared_with_its_scores(build: Any) -> None:
    labels = (
        Label("c0", "candidate", 1.0, "ann"),
        Label("c0", "candidate", 0.0, "ben"),
        Label("c1", "candidate", 0.0, "ann"),
        Label("c1", "baseline", 1.0, "ann"),
        Label("c2", "baseline", 1.0, "ann"),
    )
    suite = replace(build.suite(3), labels=labels)
    data = build.data([[1.0, 1.0, 0.0], 1.0, build.AWAY], [1.0, 0.0, build.JUDGE_FAILED], suite=suite)
    trust = trust_of(data, "right", model="p/m", digest="sha256:a")
    assert trust.n == 3  # c2's answer has no score of the judge
    assert trust.agreement is not None
    found = trust.agreement
    assert (found.true_yes, found.false_yes, found.false_no, found.true_no) == (1, 1, 1, 0)
    assert trust.by == ("ann", "ben")


def test_without_a_labelled_answer_there_is_no_agreement(build: Any) -> None:
    assert trust_of(build.data([1.0], [1.0]), "right", model="p/m", digest="d").agreement is None


@pytest.mark.parametrize(("fresh", "holds"), [(0, True), (49, True), (50, False), (100, False)])
def test_another_judge_needs_fifty_fresh_labels(fresh: int, holds: bool) -> None:
    old = tuple(f"old{i}" for i in range(100))
    now = replace(_trust("b"), label_ids=(*old[fresh:], *(f"new{i}" for i in range(fresh))))
    changed = compare_judges(now, "sha256:a", old).changed
    assert bool(changed) == holds
    if holds:
        word = "answer" if fresh == 49 else "answers"
        assert changed.endswith(f"label {50 - fresh} {word} again")


def test_the_same_judge_needs_none() -> None:
    assert compare_judges(_trust("a"), "sha256:a", ()).changed == ""


def test_a_label_is_another_with_another_score_or_hand() -> None:
    label = Label("c0", "candidate", 1.0, "ann")
    others = [replace(label, score=0.5), replace(label, by="ann, November"), replace(label, side="baseline")]
    assert len({label_id(one) for one in (label, *others)}) == 4


@pytest.mark.parametrize(
    ("own", "holds"),
    [
        ({"result": "pass", "p_pass": 0.01}, True),
        ({"result": "hold", "p_fail": 0.0001}, True),
        ({"result": "hold", "proven_worse": True}, True),
        ({"result": "error"}, False),
        ({"result": "hold", "role": "guard", "p_fail": 0.0001}, False),
        ({"result": "pass", "metric": "other"}, False),
    ],
)
def test_a_changed_judge_decides_nothing_on_a_required_gate(
    build: Any, own: dict[str, Any], holds: bool
) -> None:
    trusts = {("s", "right"): replace(_trust("b"), changed="the judge of right changed")}
    before = build.result(**own)
    after = hold_changed_judge(before, trusts)
    assert (after.message == "the judge of right changed") == holds
    if holds:
        assert (after.result, after.p_pass, after.p_fail, after.proven_worse) == ("hold", None, None, False)
    else:
        assert after == before
    assert hold_changed_judge(before, {}) == before
