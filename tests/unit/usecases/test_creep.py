"""Creep over twelve releases: every step passes, and the anchor ends it."""

from __future__ import annotations

import pytest

N = 300


def _release(project, step, lost):
    """A release that misses the first ``lost`` cases, compared with the one before it."""
    answers = {f"c{i}": {"scores": {"right": float(i >= lost)}, "output": f"{step}"} for i in range(N)}
    baseline = {} if step == 0 else {"baseline": f"release{step - 1}.yaml"}
    project.manifest(
        f"release{step}.yaml",
        version=f"1.{step}.0",
        application=project.recording(f"release{step}.jsonl", answers),
        **baseline or {"baseline": "none"},
    )


@pytest.fixture
def desk(project):
    project.suite(
        [{"id": f"c{i}"} for i in range(N)],
        scorers=[{"recorded": {"name": "right", "kind": "binary"}}],
        gates=[
            {"metric": "right", "non_inferior": {"margin": 0.05}},
            {"metric": "right", "at_least": 0.5, "role": "guard"},
        ],
    )
    return project


def _promote(project, step, alias="production"):
    with project.registry() as registry:
        return registry.promote("desk", f"1.{step}.0", alias=alias, by="ann", waive="a test")


def test_one_point_a_release_passes_every_time_until_the_anchor_holds(desk):
    decisions = []
    for step in range(13):
        _release(desk, step, lost=3 * step)
        report = desk.run(f"release{step}.yaml")
        decisions.append(report.decision)
        if step:
            [gate] = [g for g in report.scorecard.gates if g.role == "require"]
            assert gate.result == "pass", gate.message
        if report.decision == "hold" and step:
            break
        _promote(desk, step)
    assert decisions[1:6] == ["promote"] * 5
    assert decisions[-1] == "hold"
    card = report.scorecard
    assert card.verdict.reason.startswith("creep: mine[right:non_inferior:0.05]: ")
    [anchor] = card.anchor
    assert (anchor.release, anchor.by_hand, anchor.holds) == ("desk@1.0.0", False, True)
    assert anchor.estimate < -0.05
    assert "of the last" in anchor.message


def test_an_anchor_set_by_hand_forgives_what_was_lost_before_it(desk):
    for step in (0, 1):
        _release(desk, step, lost=0)
        desk.run(f"release{step}.yaml")
        _promote(desk, step)
    _release(desk, 2, lost=30)
    desk.run("release2.yaml")
    _promote(desk, 2)
    _release(desk, 3, lost=33)
    assert desk.run("release3.yaml").decision == "hold"
    _promote(desk, 2, alias="anchor")
    _release(desk, 3, lost=34)
    report = desk.run("release3.yaml")
    # the baseline is the anchor: it is compared already
    assert report.scorecard.anchor == []
    assert report.decision == "promote"


def test_a_case_that_changed_since_is_not_paired_with_the_anchor(desk):
    for step in range(3):
        _release(desk, step, lost=0)
        desk.run(f"release{step}.yaml")
        _promote(desk, step)
    rows = [{"id": f"c{i}"} | ({"input": "another question"} if i < 100 else {}) for i in range(N)]
    desk.rows("golden_sets/mine/cases.jsonl", rows)
    _release(desk, 3, lost=0)
    [anchor] = desk.run("release3.yaml").scorecard.anchor
    assert anchor.n == N - 100


def test_releases_that_never_held_production_are_no_anchor(desk):
    for step in range(3):
        _release(desk, step, lost=0)
        assert desk.run(f"release{step}.yaml").scorecard.anchor == []


def test_another_anchor_is_another_question(desk):
    for step, lost in enumerate((0, 0, 30)):
        _release(desk, step, lost=lost)
        desk.run(f"release{step}.yaml")
        _promote(desk, step)
    _promote(desk, 1, alias="anchor")
    _release(desk, 3, lost=32)
    held = desk.run("release3.yaml")
    assert held.scorecard.verdict.reason.startswith("creep: ")
    _promote(desk, 2, alias="anchor")
    forgiven = desk.run("release3.yaml")
    assert (forgiven.stored, forgiven.decision) == (False, "promote")
    _promote(desk, 1, alias="anchor")
    again = desk.run("release3.yaml")
    assert again.decision == "hold"


def test_only_the_last_twelve_in_production_are_a_measure(desk):
    """Release 1 was the last good one: the thirteenth after it is held against it, the fourteenth is not."""
    found = []
    for step in range(15):
        _release(desk, step, lost=0 if step < 2 else 20)
        report = desk.run(f"release{step}.yaml")
        _promote(desk, step)
        found.append(report.scorecard.anchor)
    (thirteenth,), (fourteenth,) = found[13:]
    assert (thirteenth.release, thirteenth.holds) == ("desk@1.1.0", True)
    assert fourteenth.estimate == 0.0
    assert "the best of the last 11 releases in production" in fourteenth.message
