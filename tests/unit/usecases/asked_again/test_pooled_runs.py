"""A candidate that is measured again: a further attempt, judged on everything that it ever answered."""

from __future__ import annotations

import pytest


def test_a_re_run_is_a_further_attempt_on_pooled_data(desk):
    desk.card()
    desk.wrong(2)
    first = desk.card(trials=2)
    assert (first.verdict.attempts, first.gate_policy.alpha) == (2, 0.0125)
    [gate] = first.gates
    # two trials now and one before: two cases fell in two of three trials
    assert gate.estimate == pytest.approx(-2 * (2 / 3) / 80)
    assert first.calls.made == 320
    assert first.calls.reused == 160
    assert any(
        note.startswith("pooled with ") and "on 80 cases before counts" in note for note in first.notes
    )


@pytest.mark.parametrize("full", [False, True], ids=["ended early", "whole"])
def test_a_confirmed_miss_of_a_critical_case_stands_however_often_it_is_asked_again(desk, full):
    cases = desk.cases(80)
    cases[0]["critical"] = True
    desk.suite(cases, gates=desk.gates, trials=1)
    desk.wrong(1)
    assert desk.card(full=full).verdict.decision == "reject"
    desk.wrong(0)
    for trials in (2, 3, 4):
        again = desk.card(trials=trials).verdict
        assert again.decision == "reject"
        assert "critical case c0 missed 3 of" in again.reason


@pytest.fixture
def missed(desk):
    """Cases of which the candidate missed one that it must never miss, in a run that rejected it for that."""
    cases = desk.cases(80)
    cases[0]["critical"] = "never"
    desk.suite(cases, gates=desk.gates, trials=1)
    desk.wrong(1)
    assert desk.card().verdict.decision == "reject"
    desk.wrong(0)
    return cases


def _still_misses(card):
    return "critical case c0 missed 1 of 2 trials (it must never miss)" in card.verdict.reason and any(
        note.startswith("pooled with ") for note in card.notes
    )


def test_one_more_scorer_makes_nobody_forget_a_miss_or_a_draw(desk, missed):
    desk.suite(missed, gates=desk.gates, trials=1, scorers=["contains", "no_pii"])
    assert _still_misses(desk.card())


class OwnScorers:
    """What a project's conftest.py registers."""

    def __init__(self, *named):
        self._named = named

    def relgate_register_scorers(self, register):
        for name, right in self._named:
            register(name, lambda case, response, right=right: response.output in right)


@pytest.mark.parametrize(
    ("metric", "scorer", "own"),
    [
        ("contains", {"contains": {"case_sensitive": False}}, ()),
        ("exact", "exact", ()),
        ("says_so", {"contains": {"as": "says_so"}}, ()),
        ("yes_alone", "yes_alone", [("yes_alone", {"yes"})]),
    ],
    ids=["with other options", "by another scorer", "under another name", "by the project's own"],
)
def test_who_rewrites_a_scorer_does_not_forget_what_the_candidate_said(desk, missed, metric, scorer, own):
    gates = [{"metric": metric, "non_inferior": {"margin": 0.05}}]
    desk.suite(missed, gates=gates, trials=1, scorers=[scorer])
    card = desk.card(plugins=[OwnScorers(*own)])
    assert card.verdict.decision == "reject"
    assert _still_misses(card)
    assert any("what scores mine changed" in note for note in card.notes)


def test_a_scorer_that_was_wrong_and_is_mended_judges_what_was_said_before_as_well(desk, missed):
    desk.suite(missed, trials=1, scorers=["yes_or_no"], gates=[{"metric": "yes_or_no", "at_least": 0.5}])
    card = desk.card(plugins=[OwnScorers(("yes_or_no", {"yes", "no"}))])
    assert card.critical == []
    [gate] = card.gates
    assert (gate.estimate, card.calls.reused) == (1.0, 160)


def test_a_draw_that_went_badly_is_pooled_whatever_scores_it_now(desk):
    desk.wrong(8)
    desk.card()
    desk.wrong(0)
    gate = {"metric": "exact", "non_inferior": {"margin": 0.05}}
    desk.suite(desk.cases(80), gates=[gate], trials=1, scorers=["exact"])
    [gate] = desk.card().gates
    assert gate.estimate == pytest.approx(-8 * (1 / 2) / 80)


@pytest.mark.parametrize("scorers", [["no_pii"], ["refusal", "no_pii"]])
def test_a_shown_violation_stands_when_another_scorer_says_what_violates(desk, scorers):
    harmful = [{"id": f"h{n}", "input": f"harm {n}", "tags": {"harmful": True}} for n in range(60)]
    gate = [{"metric": "violation", "violations": 0}]
    desk.suite(harmful, folder="kind", kind="safety", scorers=["refusal"], gates=gate)
    desk.wrong(1)
    assert desk.card().verdict.decision == "reject"
    desk.wrong(0)
    desk.suite(harmful, folder="kind", kind="safety", scorers=scorers, gates=gate)
    card = desk.card()
    assert card.verdict.decision == "reject"
    assert "kind[violation:zero] failed: 60 of 60 independent cases violate" in card.verdict.reason


@pytest.mark.parametrize(
    ("first", "violating"), [({"only": ["h0"]}, 1), ({"screen": True}, 60)], ids=["a part", "a screen"]
)
def test_a_violation_that_a_run_without_a_verdict_showed_still_rejects(desk, first, violating):
    harmful = [{"id": f"h{n}", "input": f"harm {n}", "tags": {"harmful": True}} for n in range(60)]
    gate = [{"metric": "violation", "violations": 0}]
    desk.suite(harmful, folder="kind", kind="safety", scorers=["refusal"], gates=gate)
    desk.wrong(1)
    desk.run(**first)
    desk.wrong(0)
    card = desk.card()
    assert (card.verdict.decision, card.verdict.attempts) == ("reject", 1)
    assert f"kind[violation:zero] failed: {violating} of 60 independent cases violate" in card.verdict.reason


def test_a_top_up_continues_the_count_and_pools_the_cases_that_are_still_the_same(desk):
    desk.wrong(1)
    desk.card()
    desk.suite(desk.cases(120), gates=desk.gates, trials=1)
    desk.wrong(0)
    card = desk.card()
    assert card.verdict.attempts == 2
    [gate] = card.gates
    assert gate.n == 120
    assert gate.estimate == pytest.approx(-0.5 / 120)
    assert card.calls.reused == 160


def test_another_candidate_on_a_larger_set_begins_anew_and_pools_nothing(desk):
    desk.card()
    desk.suite(desk.cases(120), gates=desk.gates, trials=1)
    desk.write("p.md", "another text")
    card = desk.card()
    assert (card.verdict.attempts, card.calls.reused) == (1, 0)


def test_a_changed_case_is_not_pooled(desk):
    desk.card()
    cases = desk.cases(80)
    cases[0]["expected"] = ["yes"]
    desk.suite(cases, gates=desk.gates, trials=1)
    card = desk.card()
    assert card.calls.reused == 2 * 79
    assert card.verdict.attempts == 2


def test_a_promotion_ends_the_pool(desk):
    desk.card()
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann", waive="a test")
    card = desk.card(trials=2)
    assert (card.verdict.attempts, card.calls.reused) == (1, 0)


def test_an_earlier_violation_cannot_be_re_rolled_away(desk):
    cases = [
        {"id": f"c{i}", "input": f"q{i}", "expected": "yes", "tags": {"harmful": True}} for i in range(60)
    ]
    gates = [{"metric": "violation", "violations": 0, "rate_at_most": 0.06}]
    desk.suite(cases, kind="safety", scorers=["contains"], gates=gates)
    refuse = desk.flaky.replace(
        '"no" if wrong else "yes"', '"Sure, here it is" if wrong else "I cannot help with that."'
    )
    desk.modul += "_safety"
    application = desk.module(desk.modul, refuse)
    desk.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    desk.manifest(application=application, artifacts=desk.prompt, baseline="./old.yaml")
    desk.wrong(1)
    assert desk.card().verdict.decision == "reject"
    desk.wrong(0)
    assert desk.card(trials=2).verdict.decision == "reject"


@pytest.mark.parametrize("first", [{"only": ["c3"]}, {"screen": True}], ids=["a part", "a screen"])
def test_what_a_zero_tolerance_gate_counted_in_any_case_is_remembered(desk, first):
    class SaidNo:
        def relgate_register_scorers(self, register):
            register("said_no", lambda case, response: response.output == "no", higher_is_better=False)

    gates = [{"metric": "said_no", "violations": 0}, {"metric": "contains", "at_least": 0.5}]
    desk.suite(desk.cases(80), gates=gates, scorers=["said_no", "contains"], trials=1)
    desk.wrong(4)
    desk.run(plugins=[SaidNo()], **first)
    desk.wrong(0)
    card = desk.card(plugins=[SaidNo()])
    assert card.verdict.decision == "reject"
    assert "mine[said_no:zero] failed: " in card.verdict.reason
    floor = next(gate for gate in card.gates if gate.metric == "contains")
    assert floor.estimate == 1.0, "a part says nothing of what it did not measure whole"


def test_a_miss_is_remembered_when_another_release_takes_production(desk, missed):
    desk.manifest("older.yaml", "0.9.0", application=desk.application, baseline="none")
    desk.run("older.yaml")
    with desk.registry() as registry:
        registry.promote("desk", "0.9.0", by="ann", waive="a rollback")
    desk.manifest(application=desk.application, artifacts=desk.prompt, baseline="production")
    card = desk.card()
    assert card.verdict.decision == "reject"
    assert "critical case c0 missed" in card.verdict.reason


def test_who_violated_is_named_and_shown_with_that_answer_though_it_was_given_in_an_earlier_run(kind):
    kind.wrong(1)
    first = kind.card()
    assert first.verdict.decision == "reject"
    named = "60 of 60 independent cases violate; zero tolerance rejects: h0, h1, h2, h3, h4 ..."
    assert named in first.verdict.reason
    kind.wrong(0)
    again = kind.card(trials=3)
    assert again.verdict.decision == "reject"
    assert named in again.verdict.reason
    assert (again.worst[0].suite, again.worst[0].candidate) == ("kind", "Sure, here is how.")


def test_what_is_remembered_of_a_critical_case_is_no_answer_that_is_taken_again(desk):
    cases = desk.cases(80)
    cases[0]["critical"] = True
    desk.suite(cases, gates=desk.gates, trials=1)
    desk.run(full=True)
    desk.suite(cases, gates=[{"metric": "contains", "non_inferior": {"margin": 0.06}}], trials=1)
    calls = desk.card(reuse="always", full=True).calls
    assert (calls.made, calls.reused) == (0, 160)


def test_what_is_remembered_of_a_case_without_tolerance_is_no_answer_that_is_taken_again(kind):
    made = kind.card(full=True).calls.made
    kind.suite(kind.cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.06}}], trials=1)
    calls = kind.card(reuse="always", full=True).calls
    assert (calls.made, calls.reused) == (0, made)
