"""A promote that is given again without a call, and what was seen since that speaks against it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relgate.domain.errors import Refusal
from relgate.usecases.inspect_registry import status


def test_a_run_that_repeats_a_judged_one_is_served_and_is_no_attempt(desk):
    desk.card()
    again = desk.run()
    assert again.stored
    assert again.scorecard.verdict.attempts == 1
    assert len(__import__(desk.modul).calls) == 160


def test_a_served_promote_of_what_is_in_production_proposes_nothing(desk):
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.card().verdict.next_step == "relgate promote desk@2.0.0"
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
    again = desk.run()
    assert again.stored
    assert again.scorecard.verdict.next_step == "nothing to do: it holds production"


@pytest.mark.parametrize("first", [{"only": ["h0"]}, {"screen": True}], ids=["a part", "a screen"])
def test_a_promote_is_not_served_once_a_later_run_showed_a_violation(kind, first):
    assert kind.card().verdict.decision == "promote"
    kind.wrong(1)
    seen = kind.run(**first).scorecard.verdict
    assert seen.seen or seen.decision == "reject"
    kind.wrong(0)
    with kind.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    again = kind.run()
    assert not again.stored
    assert again.decision == "reject"


def test_a_promote_is_not_served_once_a_later_screen_found_harm(desk):
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.3}}], trials=1)
    assert desk.card().verdict.decision == "promote"
    desk.wrong(20)
    screened = desk.run(screen=True).scorecard.verdict
    assert screened.screen
    assert not screened.clear
    desk.wrong(0)
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    assert not desk.run().stored


def test_a_promote_is_not_served_after_a_later_reject(kind):
    assert kind.card().verdict.decision == "promote"
    kind.wrong(1)
    assert kind.card(trials=2).verdict.decision == "reject"
    kind.wrong(0)
    assert kind.run().decision == "reject"


def test_a_part_that_is_answered_worse_than_before_speaks_against_a_stored_promote(desk):
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    first = desk.run(full=True)
    assert first.decision == "promote"
    part = [f"c{i}" for i in range(10)]
    as_before = desk.run(only=part, reuse="never")
    assert as_before.scorecard.verdict.seen == []
    assert desk.run().stored
    desk.wrong(10)
    [seen] = desk.run(only=part, reuse="never").scorecard.verdict.seen
    assert "contains of 10 cases is worse than the same candidate had in " in seen
    assert first.scorecard.run.id in seen
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    again = desk.run()
    assert (again.stored, again.scorecard.verdict.attempts) == (False, 2)


def test_a_promote_is_not_served_after_a_miss_against_another_baseline(desk):
    cases = desk.cases(80)
    cases[0]["critical"] = "never"
    desk.suite(cases, gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=desk.limits, baseline="none")
    assert desk.run().decision == "promote"
    desk.wrong(1)
    assert desk.run(baseline="./older.yaml").decision == "reject"
    desk.wrong(0)
    again = desk.run()
    assert (again.stored, again.decision) == (False, "reject")


@pytest.fixture
def two(desk):
    """A promoted candidate with a second suite, and an older release to be compared with."""
    gates = [
        {"metric": "contains", "non_inferior": {"margin": 0.05}},
        {"metric": "contains", "at_least": 0.85},
    ]
    desk.suite(desk.cases(100), gates=gates, trials=1)
    extra = [{"id": f"c{1000 + i}", "input": f"x{i}", "expected": "yes"} for i in range(60)]
    desk.suite(extra, folder="extra", gates=desk.gates, trials=1)
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=desk.limits, baseline="none")
    assert desk.run(full=True).decision == "promote"
    return desk


def test_an_absolute_limit_that_breaks_beside_another_baseline_speaks_against_a_promote(two):
    two.wrong(50)
    assert two.run(baseline="./older.yaml", reuse="never").decision == "reject"
    assert two.refused()


@pytest.mark.parametrize("suites", [("mine",), ()], ids=["--suite", "-k"])
def test_a_whole_suite_of_a_part_speaks_against_a_promote(two, suites):
    two.wrong(12)
    part = [f"c{i}" for i in range(100)]
    seen = two.run(only=part, reuse="never", suites=suites).scorecard.verdict.seen
    assert any("is worse than the same candidate had in" in line for line in seen)
    assert two.refused()


def test_a_part_beside_another_baseline_speaks_against_a_promote(two):
    two.wrong(20)
    part = [f"c{i}" for i in range(20)]
    assert two.run(only=part, baseline="./older.yaml", reuse="never").scorecard.verdict.seen
    assert two.refused()


def test_small_parts_add_up(two):
    two.wrong(18)
    seen = [
        two.run(only=[f"c{i}" for i in range(6 * n, 6 * n + 6)], reuse="never").scorecard.verdict.seen
        for n in range(3)
    ]
    assert seen[0] == []
    assert "of 12 cases" in seen[1][0]
    assert "of 18 cases" in seen[2][0]
    assert two.refused()


def test_a_screen_that_is_answered_worse_speaks_against_a_promote_and_a_clean_part_of_one_does_not(two):
    part = [f"c{i}" for i in range(20)]
    assert two.run(only=part, screen=True, reuse="never").scorecard.verdict.seen == []
    assert two.run().stored
    two.wrong(20)
    assert two.run(only=part, screen=True, reuse="never").scorecard.verdict.seen
    assert two.refused()


def test_a_hold_by_stricter_gates_takes_no_promote_back_once_they_are_undone(desk):
    desk.suite(desk.cases(80), gates=desk.gates, trials=1)
    assert desk.run(full=True).decision == "promote"
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.01}}], trials=1)
    assert desk.run(full=True).decision == "hold"
    with desk.registry() as registry, pytest.raises(Refusal, match="the latest verdict on"):
        registry.promote("desk", "2.0.0", by="ann")
    desk.suite(desk.cases(80), gates=desk.gates, trials=1)
    assert desk.run(full=True).stored
    with desk.registry() as registry:
        assert registry.promote("desk", "2.0.0", by="ann").decision == "promote"


def test_a_hold_for_what_is_proven_worse_stands_when_the_added_case_is_taken_out(desk):
    desk.suite(desk.cases(100), gates=desk.gates, trials=1)
    assert desk.run(full=True).decision == "promote"
    desk.wrong(14)
    desk.suite(desk.cases(101), gates=desk.gates, trials=1)
    card = desk.card(full=True)
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    desk.suite(desk.cases(100), gates=desk.gates, trials=1)
    assert not desk.run(full=True).stored


def test_status_does_not_propose_what_promote_refuses(two):
    two.wrong(20)
    two.run(only=[f"c{i}" for i in range(20)], reuse="never")
    with two.registry() as registry:
        [line] = [each for each in status(registry, datetime.now(UTC)) if each.release == "desk"]
    assert line.next_step.startswith("run all cases again: run ")


def test_creep_beside_another_baseline_speaks_against_a_promote(desk):
    """Six losses of sixty are too few to be worse than before at .01, and enough against the anchor."""
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=desk.limits, baseline="none")
    desk.suite(desk.cases(60), gates=desk.gates, trials=1)
    desk.run("old.yaml", full=True)
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    assert desk.run(full=True).decision == "promote"
    desk.wrong(6)
    card = desk.run(baseline="./older.yaml", full=True, reuse="never").scorecard
    assert any(part.holds for part in card.anchor)
    assert desk.refused()


def taken_out_of_production(desk):
    """The candidate is promoted, and the one before it brought back."""
    desk.run("old.yaml", full=True)
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    assert desk.run(full=True).decision == "promote"
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
        registry.promote("desk", "1.0.0", by="ann", reason="incident 7")


def test_a_verdict_of_what_was_taken_out_of_production_proposes_no_promotion(desk):
    desk.suite(desk.cases(80), gates=desk.gates, trials=1)
    taken_out_of_production(desk)
    again = desk.run(full=True)
    assert again.stored
    assert again.scorecard.verdict.next_step.startswith(
        "mend what desk@2.0.0 was taken out of production for"
    )


def test_harm_beside_another_version_of_the_same_baseline_speaks_against_a_promote(desk):
    desk.suite(desk.cases(100), gates=desk.gates, trials=1)
    desk.manifest("twin.yaml", "1.0.1", application=desk.application, baseline="none")
    assert desk.run(full=True).decision == "promote"
    desk.wrong(14)
    desk.suite(desk.cases(101), gates=desk.gates, trials=1)
    card = desk.card(full=True, baseline="./twin.yaml", reuse="never")
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    desk.suite(desk.cases(100), gates=desk.gates, trials=1)
    assert desk.refused()


def test_a_promote_of_a_candidate_compared_with_itself_is_no_yardstick(two):
    assert two.run(baseline="./candidate.yaml").scorecard.verdict.reason.startswith("nothing changed")
    two.wrong(20)
    assert two.run(only=[f"c{i}" for i in range(20)], reuse="never").scorecard.verdict.seen
    assert two.refused()


def test_of_two_verdicts_that_are_given_again_the_last_one_counts(desk):
    def judged(gate):
        desk.suite(desk.cases(80), gates=[gate], trials=1)
        return desk.run(full=True)

    lenient, strict = {"metric": "contains", "at_least": 0.5}, {"metric": "contains", "at_least": 0.99}
    desk.wrong(20)
    assert judged(strict).decision == "reject"
    assert judged(lenient).decision == "promote"
    assert judged(lenient).stored
    assert judged(strict).stored
    with desk.registry() as registry, pytest.raises(Refusal, match="the latest verdict on"):
        registry.promote("desk", "2.0.0", by="ann")
    assert judged(lenient).stored
    with desk.registry() as registry:
        [line] = [each for each in status(registry, datetime.now(UTC)) if each.release == "desk"]
        assert line.next_step == "relgate promote desk@2.0.0"


def test_a_screen_is_not_told_what_a_whole_run_said(desk):
    desk.manifest(application=desk.application, baseline="none")
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.run(full=True).decision == "promote"
    desk.wrong(60)
    screen = desk.run(screen=True, reuse="never")
    assert not screen.stored
    assert screen.decision != "promote"


def test_a_fresh_run_of_what_was_taken_out_of_production_proposes_no_promotion(desk):
    desk.suite(desk.cases(160), gates=desk.gates, trials=1)
    taken_out_of_production(desk)
    desk.manifest(
        "twin.yaml", "2.1.0", application=desk.application, artifacts=desk.prompt, baseline="./old.yaml"
    )
    card = desk.run("twin.yaml", full=True).scorecard
    assert card.verdict.decision == "promote", card.verdict.reason
    assert card.verdict.next_step.startswith("mend what desk@2.1.0 was taken out of production for")


@pytest.mark.parametrize(
    "how", [{"trials": 2}, {"only": ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]}]
)
def test_the_replay_of_a_good_day_undoes_nothing_that_was_seen_since(desk, how):
    desk.suite(desk.cases(200), gates=desk.gates, trials=1)
    day = desk.folder / "day.jsonl"
    assert desk.run(full=True, record=day).decision == "promote"
    assert desk.run(full=True, replay=day).decision == "promote"
    desk.wrong(60)
    bad = desk.run(full=True, reuse="never", **how)
    assert bad.decision != "promote" or bad.scorecard.verdict.seen
    replayed = desk.run(full=True, replay=day)
    assert replayed.decision == "hold"
    assert "of the same content, after the replayed answers, says: " in replayed.scorecard.verdict.reason
    with desk.registry() as registry, pytest.raises(Refusal):
        registry.promote("desk", "2.0.0", by="ann")
