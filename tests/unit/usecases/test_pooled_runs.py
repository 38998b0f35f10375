"""A candidate that is measured again: a further attempt, judged on everything that it ever answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relgate.domain.errors import Refusal
from relgate.usecases.inspect_registry import status

FLAKY = """
calls = []
def build(release):
    def answer(request):
        calls.append((release.version, request.case_id, request.trial))
        if request.case_id[0] == "h":
            return "Sure, here is how." if WRONG[0] else "I'm sorry, but I can't help with that."
        number = int(request.case_id[1:])
        wrong = release.version == "2.0.0" and number < WRONG[0]
        return "no" if wrong else "yes"
    return answer
WRONG = [0]
"""
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]
PROMPT = {"prompt": {"p": {"version": "1", "path": "p.md", "variables": []}}}
LIMITS = {"limits": {"tokens": {"version": "1"}}}


def _cases(n):
    return [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(n)]


@pytest.fixture
def desk(project, request):
    name = "pooled_" + "".join(ch for ch in request.node.name if ch.isalnum())
    project.suite(_cases(80), gates=GATES, trials=1)
    project.application = project.module(name, FLAKY)
    project.write("p.md", "text")
    project.manifest("old.yaml", "1.0.0", application=project.application, baseline="none")
    project.manifest(application=project.application, artifacts=PROMPT, baseline="./old.yaml")
    project.modul = name
    return project


def _wrong(desk, count):
    __import__(desk.modul).WRONG[0] = count


def test_a_re_run_is_a_further_attempt_on_pooled_data(desk):
    desk.card()
    _wrong(desk, 2)
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
    cases = _cases(80)
    cases[0]["critical"] = True
    desk.suite(cases, gates=GATES, trials=1)
    _wrong(desk, 1)
    assert desk.card(full=full).verdict.decision == "reject"
    _wrong(desk, 0)
    for trials in (2, 3, 4):
        again = desk.card(trials=trials).verdict
        assert again.decision == "reject"
        assert "critical case c0 missed 3 of" in again.reason


@pytest.fixture
def missed(desk):
    """Cases of which the candidate missed one that it must never miss, in a run that rejected it for that."""
    cases = _cases(80)
    cases[0]["critical"] = "never"
    desk.suite(cases, gates=GATES, trials=1)
    _wrong(desk, 1)
    assert desk.card().verdict.decision == "reject"
    _wrong(desk, 0)
    return cases


def _still_misses(card):
    return "critical case c0 missed 1 of 2 trials (it must never miss)" in card.verdict.reason and any(
        note.startswith("pooled with ") for note in card.notes
    )


def test_one_more_scorer_makes_nobody_forget_a_miss_or_a_draw(desk, missed):
    desk.suite(missed, gates=GATES, trials=1, scorers=["contains", "no_pii"])
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
    _wrong(desk, 8)
    desk.card()
    _wrong(desk, 0)
    gate = {"metric": "exact", "non_inferior": {"margin": 0.05}}
    desk.suite(_cases(80), gates=[gate], trials=1, scorers=["exact"])
    [gate] = desk.card().gates
    assert gate.estimate == pytest.approx(-8 * (1 / 2) / 80)


@pytest.mark.parametrize("scorers", [["no_pii"], ["refusal", "no_pii"]])
def test_a_shown_violation_stands_when_another_scorer_says_what_violates(desk, scorers):
    harmful = [{"id": f"h{n}", "input": f"harm {n}", "tags": {"harmful": True}} for n in range(60)]
    gate = [{"metric": "violation", "violations": 0}]
    desk.suite(harmful, folder="kind", kind="safety", scorers=["refusal"], gates=gate)
    _wrong(desk, 1)
    assert desk.card().verdict.decision == "reject"
    _wrong(desk, 0)
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
    _wrong(desk, 1)
    desk.run(**first)
    _wrong(desk, 0)
    card = desk.card()
    assert (card.verdict.decision, card.verdict.attempts) == ("reject", 1)
    assert f"kind[violation:zero] failed: {violating} of 60 independent cases violate" in card.verdict.reason


def test_a_run_that_repeats_a_judged_one_is_served_and_is_no_attempt(desk):
    desk.card()
    again = desk.run()
    assert again.stored
    assert again.scorecard.verdict.attempts == 1
    assert len(__import__(desk.modul).calls) == 160


def test_a_served_promote_of_what_is_in_production_proposes_nothing(desk):
    desk.suite(_cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.card().verdict.next_step == "relgate promote desk@2.0.0"
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
    again = desk.run()
    assert again.stored
    assert again.scorecard.verdict.next_step == "nothing to do: it holds production"


def test_a_top_up_continues_the_count_and_pools_the_cases_that_are_still_the_same(desk):
    _wrong(desk, 1)
    desk.card()
    desk.suite(_cases(120), gates=GATES, trials=1)
    _wrong(desk, 0)
    card = desk.card()
    assert card.verdict.attempts == 2
    [gate] = card.gates
    assert gate.n == 120
    assert gate.estimate == pytest.approx(-0.5 / 120)
    assert card.calls.reused == 160


def test_another_candidate_on_a_larger_set_begins_anew_and_pools_nothing(desk):
    desk.card()
    desk.suite(_cases(120), gates=GATES, trials=1)
    desk.write("p.md", "another text")
    card = desk.card()
    assert (card.verdict.attempts, card.calls.reused) == (1, 0)


def test_a_changed_case_is_not_pooled(desk):
    desk.card()
    cases = _cases(80)
    cases[0]["expected"] = ["yes"]
    desk.suite(cases, gates=GATES, trials=1)
    card = desk.card()
    assert card.calls.reused == 2 * 79
    assert card.verdict.attempts == 2


def test_a_promotion_ends_the_pool(desk):
    desk.card()
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann", waive="a test")
    card = desk.card(trials=2)
    assert (card.verdict.attempts, card.calls.reused) == (1, 0)


def test_a_deterministic_application_gives_no_further_data(desk):
    for name, version, more in (
        ("old.yaml", "1.0.0", {"baseline": "none"}),
        ("candidate.yaml", "2.0.0", {"baseline": "./old.yaml"}),
    ):
        prompt = {"prompt": {"p": {"version": version, "path": "p.md", "variables": []}}}
        desk.manifest(
            name, version, application=desk.application, deterministic=True, artifacts=prompt, **more
        )
    desk.card()
    card = desk.card(trials=2)
    assert (card.verdict.attempts, card.calls.reused) == (1, 0)


def test_an_earlier_violation_cannot_be_re_rolled_away(desk):
    cases = [
        {"id": f"c{i}", "input": f"q{i}", "expected": "yes", "tags": {"harmful": True}} for i in range(60)
    ]
    gates = [{"metric": "violation", "violations": 0, "rate_at_most": 0.06}]
    desk.suite(cases, kind="safety", scorers=["contains"], gates=gates)
    refuse = FLAKY.replace(
        '"no" if wrong else "yes"', '"Sure, here it is" if wrong else "I cannot help with that."'
    )
    desk.modul += "_safety"
    application = desk.module(desk.modul, refuse)
    desk.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    desk.manifest(application=application, artifacts=PROMPT, baseline="./old.yaml")
    _wrong(desk, 1)
    assert desk.card().verdict.decision == "reject"
    _wrong(desk, 0)
    assert desk.card(trials=2).verdict.decision == "reject"


SAFETY_GATE = [{"metric": "violation", "violations": 0}]


@pytest.fixture
def kind(desk):
    """A safety suite of harmful and harmless requests, of which the candidate may answer one harmful one."""
    harmful = [{"id": f"h{n}", "input": f"harm {n}", "tags": {"harmful": True}} for n in range(60)]
    desk.suite(harmful, folder="kind", kind="safety", scorers=["refusal"], gates=SAFETY_GATE)
    return desk


@pytest.mark.parametrize("first", [{"only": ["h0"]}, {"screen": True}], ids=["a part", "a screen"])
def test_a_promote_is_not_served_once_a_later_run_showed_a_violation(kind, first):
    assert kind.card().verdict.decision == "promote"
    _wrong(kind, 1)
    seen = kind.run(**first).scorecard.verdict
    assert seen.seen or seen.decision == "reject"
    _wrong(kind, 0)
    with kind.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    again = kind.run()
    assert not again.stored
    assert again.decision == "reject"


def test_a_promote_is_not_served_once_a_later_screen_found_harm(desk):
    desk.suite(_cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.3}}], trials=1)
    assert desk.card().verdict.decision == "promote"
    _wrong(desk, 20)
    screened = desk.run(screen=True).scorecard.verdict
    assert screened.screen
    assert not screened.clear
    _wrong(desk, 0)
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    assert not desk.run().stored


def test_a_promote_is_not_served_after_a_later_reject(kind):
    assert kind.card().verdict.decision == "promote"
    _wrong(kind, 1)
    assert kind.card(trials=2).verdict.decision == "reject"
    _wrong(kind, 0)
    assert kind.run().decision == "reject"


@pytest.mark.parametrize("first", [{"only": ["c3"]}, {"screen": True}], ids=["a part", "a screen"])
def test_what_a_zero_tolerance_gate_counted_in_any_case_is_remembered(desk, first):
    class SaidNo:
        def relgate_register_scorers(self, register):
            register("said_no", lambda case, response: response.output == "no", higher_is_better=False)

    gates = [{"metric": "said_no", "violations": 0}, {"metric": "contains", "at_least": 0.5}]
    desk.suite(_cases(80), gates=gates, scorers=["said_no", "contains"], trials=1)
    _wrong(desk, 4)
    desk.run(plugins=[SaidNo()], **first)
    _wrong(desk, 0)
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
    desk.manifest(application=desk.application, artifacts=PROMPT, baseline="production")
    card = desk.card()
    assert card.verdict.decision == "reject"
    assert "critical case c0 missed" in card.verdict.reason


@pytest.mark.parametrize("again", [{"trials": 2}, {"full": True}], ids=["other trials", "in full"])
def test_a_candidate_that_is_declared_deterministic_and_answers_otherwise_holds(desk, again):
    desk.manifest(application=desk.application, deterministic=True, artifacts=PROMPT, baseline="./old.yaml")
    _wrong(desk, 1)
    desk.card(full=True)
    _wrong(desk, 0)
    desk.suite([*_cases(80), {"id": "c80", "input": "q80", "expected": "yes"}], gates=GATES, trials=1)
    for _ in range(2):
        verdict = desk.card(**again).verdict
        assert verdict.decision == "hold"
        assert "is declared deterministic, and answered otherwise in run " in verdict.reason
        assert verdict.reason.endswith(": c0") or ": c0 (and" in verdict.reason


SWITCHING = """
from relgate.domain.response import Response, ToolCall
WRONG = set()
HOW = ["text"]
def build(release):
    def answer(request):
        wrong = release.version == "2.0.0" and request.case_id in WRONG
        if wrong and HOW[0] == "raise":
            raise ValueError("down")
        if HOW[0] == "tool":
            return Response("yes", tool_calls=(ToolCall("refund", {"euros": 1 + wrong}),))
        return "no" if wrong else "yes"
    return answer
"""


@pytest.mark.parametrize(
    ("how", "sealed", "told"),
    [
        ("text", False, ": c0, c1, c2"),
        ("raise", False, ": c0, c1, c2"),
        ("tool", False, ": c0, c1, c2"),
        ("text", True, ": sealed cases"),
    ],
    ids=["another text", "a failure", "another tool call", "in sealed cases"],
)
def test_whatever_a_deterministic_candidate_answers_otherwise_is_seen(desk, how, sealed, told):
    desk.modul += "_switching"
    application = desk.module(desk.modul, SWITCHING)
    desk.manifest("old.yaml", "1.0.0", application=application, deterministic=True, baseline="none")
    desk.manifest(application=application, deterministic=True, baseline="./old.yaml", artifacts=PROMPT)
    desk.suite(_cases(80), gates=GATES, trials=1, sealed=sealed)
    hidden = {case_id for _, case_id in desk.open().prepared.sealed}
    module = __import__(desk.modul)
    module.HOW[0] = how
    module.WRONG |= hidden if sealed else {f"c{n}" for n in range(20)}
    desk.card(full=True)
    module.WRONG.clear()
    more = [*_cases(80), {"id": "c80", "input": "q80", "expected": "yes"}]
    desk.suite(more, gates=GATES, trials=1, sealed=sealed)
    reason = desk.card(full=True).verdict.reason
    assert "is declared deterministic, and answered otherwise in run " in reason
    assert told in reason


def test_a_part_that_a_deterministic_candidate_answers_otherwise_speaks_against_its_promote(desk):
    desk.manifest(application=desk.application, deterministic=True, artifacts=PROMPT, baseline="./old.yaml")
    desk.suite(_cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.card().verdict.decision == "promote"
    _wrong(desk, 5)
    [seen] = desk.run(only=["c0", "c1", "c2"]).scorecard.verdict.seen
    assert "is declared deterministic, and answered otherwise in run " in seen
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    assert not desk.run().stored


def test_a_part_that_is_answered_worse_than_before_speaks_against_a_stored_promote(desk):
    desk.suite(_cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    first = desk.run(full=True)
    assert first.decision == "promote"
    part = [f"c{i}" for i in range(10)]
    as_before = desk.run(only=part, reuse="never")
    assert as_before.scorecard.verdict.seen == []
    assert desk.run().stored
    _wrong(desk, 10)
    [seen] = desk.run(only=part, reuse="never").scorecard.verdict.seen
    assert "contains of 10 cases is worse than the same candidate had in " in seen
    assert first.scorecard.run.id in seen
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    again = desk.run()
    assert (again.stored, again.scorecard.verdict.attempts) == (False, 2)


def test_a_promote_is_not_served_after_a_miss_against_another_baseline(desk):
    cases = _cases(80)
    cases[0]["critical"] = "never"
    desk.suite(cases, gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=LIMITS, baseline="none")
    assert desk.run().decision == "promote"
    _wrong(desk, 1)
    assert desk.run(baseline="./older.yaml").decision == "reject"
    _wrong(desk, 0)
    again = desk.run()
    assert (again.stored, again.decision) == (False, "reject")


def test_who_violated_is_named_and_shown_with_that_answer_though_it_was_given_in_an_earlier_run(kind):
    _wrong(kind, 1)
    first = kind.card()
    assert first.verdict.decision == "reject"
    named = "60 of 60 independent cases violate; zero tolerance rejects: h0, h1, h2, h3, h4 ..."
    assert named in first.verdict.reason
    _wrong(kind, 0)
    again = kind.card(trials=3)
    assert again.verdict.decision == "reject"
    assert named in again.verdict.reason
    assert (again.worst[0].suite, again.worst[0].candidate) == ("kind", "Sure, here is how.")


def test_what_is_remembered_of_a_critical_case_is_no_answer_that_is_taken_again(desk):
    cases = _cases(80)
    cases[0]["critical"] = True
    desk.suite(cases, gates=GATES, trials=1)
    desk.run(full=True)
    desk.suite(cases, gates=[{"metric": "contains", "non_inferior": {"margin": 0.06}}], trials=1)
    calls = desk.card(reuse="always", full=True).calls
    assert (calls.made, calls.reused) == (0, 160)


def _refused(desk):
    said = "of the same content since then says|the latest verdict on desk@2.0.0 is (reject|hold)"
    with desk.registry() as registry, pytest.raises(Refusal, match=said):
        registry.promote("desk", "2.0.0", by="ann")
    return not desk.run().stored


@pytest.fixture
def two(desk):
    """A promoted candidate with a second suite, and an older release to be compared with."""
    gates = [
        {"metric": "contains", "non_inferior": {"margin": 0.05}},
        {"metric": "contains", "at_least": 0.85},
    ]
    desk.suite(_cases(100), gates=gates, trials=1)
    extra = [{"id": f"c{1000 + i}", "input": f"x{i}", "expected": "yes"} for i in range(60)]
    desk.suite(extra, folder="extra", gates=GATES, trials=1)
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=LIMITS, baseline="none")
    assert desk.run(full=True).decision == "promote"
    return desk


def test_an_absolute_limit_that_breaks_beside_another_baseline_speaks_against_a_promote(two):
    _wrong(two, 50)
    assert two.run(baseline="./older.yaml", reuse="never").decision == "reject"
    assert _refused(two)


@pytest.mark.parametrize("suites", [("mine",), ()], ids=["--suite", "-k"])
def test_a_whole_suite_of_a_part_speaks_against_a_promote(two, suites):
    _wrong(two, 12)
    part = [f"c{i}" for i in range(100)]
    seen = two.run(only=part, reuse="never", suites=suites).scorecard.verdict.seen
    assert any("is worse than the same candidate had in" in line for line in seen)
    assert _refused(two)


def test_a_part_beside_another_baseline_speaks_against_a_promote(two):
    _wrong(two, 20)
    part = [f"c{i}" for i in range(20)]
    assert two.run(only=part, baseline="./older.yaml", reuse="never").scorecard.verdict.seen
    assert _refused(two)


def test_small_parts_add_up(two):
    _wrong(two, 18)
    seen = [
        two.run(only=[f"c{i}" for i in range(6 * n, 6 * n + 6)], reuse="never").scorecard.verdict.seen
        for n in range(3)
    ]
    assert seen[0] == []
    assert "of 12 cases" in seen[1][0]
    assert "of 18 cases" in seen[2][0]
    assert _refused(two)


def test_a_screen_that_is_answered_worse_speaks_against_a_promote_and_a_clean_part_of_one_does_not(two):
    part = [f"c{i}" for i in range(20)]
    assert two.run(only=part, screen=True, reuse="never").scorecard.verdict.seen == []
    assert two.run().stored
    _wrong(two, 20)
    assert two.run(only=part, screen=True, reuse="never").scorecard.verdict.seen
    assert _refused(two)


def test_a_deterministic_candidate_that_answers_otherwise_beside_another_baseline_is_not_served(desk):
    desk.manifest(application=desk.application, deterministic=True, artifacts=PROMPT, baseline="./old.yaml")
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=LIMITS, baseline="none")
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 1)
    card = desk.run(baseline="./older.yaml", full=True).scorecard
    assert any("answered otherwise in run " in line for line in card.verdict.seen)
    assert _refused(desk)


def test_a_hold_by_stricter_gates_takes_no_promote_back_once_they_are_undone(desk):
    desk.suite(_cases(80), gates=GATES, trials=1)
    assert desk.run(full=True).decision == "promote"
    desk.suite(_cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.01}}], trials=1)
    assert desk.run(full=True).decision == "hold"
    with desk.registry() as registry, pytest.raises(Refusal, match="the latest verdict on"):
        registry.promote("desk", "2.0.0", by="ann")
    desk.suite(_cases(80), gates=GATES, trials=1)
    assert desk.run(full=True).stored
    with desk.registry() as registry:
        assert registry.promote("desk", "2.0.0", by="ann").decision == "promote"


def test_a_hold_for_what_is_proven_worse_stands_when_the_added_case_is_taken_out(desk):
    desk.suite(_cases(100), gates=GATES, trials=1)
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 14)
    desk.suite(_cases(101), gates=GATES, trials=1)
    card = desk.card(full=True)
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    desk.suite(_cases(100), gates=GATES, trials=1)
    assert not desk.run(full=True).stored


def test_status_does_not_propose_what_promote_refuses(two):
    _wrong(two, 20)
    two.run(only=[f"c{i}" for i in range(20)], reuse="never")
    with two.registry() as registry:
        [line] = [each for each in status(registry, datetime.now(UTC)) if each.release == "desk"]
    assert line.next_step.startswith("run all cases again: run ")


def test_creep_beside_another_baseline_speaks_against_a_promote(desk):
    """Six losses of sixty are too few to be worse than before at .01, and enough against the anchor."""
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=LIMITS, baseline="none")
    desk.suite(_cases(60), gates=GATES, trials=1)
    desk.run("old.yaml", full=True)
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 6)
    card = desk.run(baseline="./older.yaml", full=True, reuse="never").scorecard
    assert any(part.holds for part in card.anchor)
    assert _refused(desk)


def test_a_verdict_of_what_was_taken_out_of_production_proposes_no_promotion(desk):
    desk.suite(_cases(80), gates=GATES, trials=1)
    desk.run("old.yaml", full=True)
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    assert desk.run(full=True).decision == "promote"
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
        registry.promote("desk", "1.0.0", by="ann", reason="incident 7")
    again = desk.run(full=True)
    assert again.stored
    assert again.scorecard.verdict.next_step.startswith(
        "mend what desk@2.0.0 was taken out of production for"
    )


@pytest.fixture
def drifting_baseline(desk):
    """Candidate and baseline are deterministic, and the candidate misses seven cases."""
    code = FLAKY.replace(
        'release.version == "2.0.0" and number < WRONG[0]', "number < WRONG[release.version]"
    )
    code = code.replace("WRONG = [0]", 'WRONG = {"1.0.0": 0, "2.0.0": 7}')
    desk.modul += "_both"
    application = desk.module(desk.modul, code)
    keys = {"application": application, "deterministic": True}
    desk.manifest("old.yaml", "1.0.0", baseline="none", **keys)
    desk.manifest(artifacts=PROMPT, baseline="./old.yaml", **keys)
    desk.suite(_cases(100), gates=GATES, trials=1)
    return desk


@pytest.mark.parametrize("stored", [False, True], ids=["asked", "stored"])
def test_a_deterministic_baseline_that_answers_otherwise_is_no_new_measure(drifting_baseline, stored):
    desk = drifting_baseline
    assert desk.run(full=True).decision != "promote"
    wrong = __import__(desk.modul).WRONG
    wrong["1.0.0"] = 7
    options = {}
    if stored:
        options["baseline"] = "run:" + desk.run("old.yaml", full=True).scorecard.run.id
        wrong["1.0.0"] = 0
    verdict = desk.run(full=True, trials=2, **options).scorecard.verdict
    assert verdict.decision == "hold"
    assert "desk@1.0.0 is declared deterministic, and answered otherwise in run " in verdict.reason


def test_what_is_remembered_of_a_case_without_tolerance_is_no_answer_that_is_taken_again(kind):
    made = kind.card(full=True).calls.made
    kind.suite(_cases(80), gates=[{"metric": "contains", "non_inferior": {"margin": 0.06}}], trials=1)
    calls = kind.card(reuse="always", full=True).calls
    assert (calls.made, calls.reused) == (0, made)


def test_copies_of_a_bad_run_of_a_deterministic_baseline_do_not_become_its_measure(drifting_baseline):
    desk = drifting_baseline
    desk.run(full=True)
    wrong = __import__(desk.modul).WRONG
    wrong["1.0.0"] = 7
    bad = "run:" + desk.run("old.yaml", full=True).scorecard.run.id
    wrong["1.0.0"] = 0
    for trials in (1, 2, 3, 4, 5):
        assert desk.run(full=True, trials=trials, baseline=bad).decision == "hold"


def test_a_hold_for_what_a_baseline_answered_otherwise_is_not_given_again(drifting_baseline):
    desk = drifting_baseline
    wrong = __import__(desk.modul).WRONG
    wrong["2.0.0"], wrong["1.0.0"] = 0, 1
    desk.run("old.yaml", full=True)
    wrong["1.0.0"] = 0
    ends = [desk.run(full=True) for _ in range(5)]
    assert not any(end.stored for end in ends[:4])
    assert [end.decision for end in ends[:3]] == ["hold"] * 3
    assert ends[4].decision == "promote"


def test_copies_that_are_taken_again_do_not_become_a_measure_of_a_deterministic_baseline(drifting_baseline):
    desk = drifting_baseline
    wrong = __import__(desk.modul).WRONG
    wrong["2.0.0"] = 0
    desk.run(full=True)
    wrong["1.0.0"] = wrong["2.0.0"] = 7
    more = {"application": {"python": f"{desk.modul}:build"}, "deterministic": True}
    for number in range(12):
        name, limits = f"next{number}.yaml", {"limits": {"tokens": {"version": f"{number}"}}}
        desk.manifest(name, "2.0.0", artifacts=PROMPT | limits, baseline="./old.yaml", **more)
        assert desk.run(name, full=True, reuse="always").decision == "hold"
        wrong["1.0.0"] = 0


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_a_deterministic_release_that_answers_one_trial_otherwise_holds(desk, side):
    version = "2.0.0" if side == "candidate" else "1.0.0"
    code = FLAKY.replace(
        'release.version == "2.0.0" and number < WRONG[0]',
        f'release.version == "{version}" and request.trial and number < 2',
    )
    desk.modul += f"_{side}"
    keys = {"application": desk.module(desk.modul, code), "deterministic": True}
    desk.manifest("old.yaml", "1.0.0", baseline="none", **keys)
    desk.manifest(artifacts=PROMPT, baseline="./old.yaml", **keys)
    assert desk.run(full=True).decision == "promote"
    verdict = desk.run(full=True, trials=3).scorecard.verdict
    assert verdict.decision == "hold"
    assert f"desk@{version} is declared deterministic, and answered otherwise" in verdict.reason
    assert "from one trial to the next: c0, c1" in verdict.reason


def test_a_screen_that_a_deterministic_candidate_answers_otherwise_speaks_against_its_promote(desk):
    desk.manifest(application=desk.application, deterministic=True, artifacts=PROMPT, baseline="./old.yaml")
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=LIMITS, baseline="none")
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 3)
    [seen] = desk.run(screen=True, baseline="./older.yaml").scorecard.verdict.seen
    assert "answered otherwise in run " in seen
    assert _refused(desk)


def test_harm_beside_another_version_of_the_same_baseline_speaks_against_a_promote(desk):
    desk.suite(_cases(100), gates=GATES, trials=1)
    desk.manifest("twin.yaml", "1.0.1", application=desk.application, baseline="none")
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 14)
    desk.suite(_cases(101), gates=GATES, trials=1)
    card = desk.card(full=True, baseline="./twin.yaml", reuse="never")
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    desk.suite(_cases(100), gates=GATES, trials=1)
    assert _refused(desk)


def test_a_promote_of_a_candidate_compared_with_itself_is_no_yardstick(two):
    assert two.run(baseline="./candidate.yaml").scorecard.verdict.reason.startswith("nothing changed")
    _wrong(two, 20)
    assert two.run(only=[f"c{i}" for i in range(20)], reuse="never").scorecard.verdict.seen
    assert _refused(two)


def test_of_two_verdicts_that_are_given_again_the_last_one_counts(desk):
    def judged(gate):
        desk.suite(_cases(80), gates=[gate], trials=1)
        return desk.run(full=True)

    lenient, strict = {"metric": "contains", "at_least": 0.5}, {"metric": "contains", "at_least": 0.99}
    _wrong(desk, 20)
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
    desk.suite(_cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.run(full=True).decision == "promote"
    _wrong(desk, 60)
    screen = desk.run(screen=True, reuse="never")
    assert not screen.stored
    assert screen.decision != "promote"


def test_a_fresh_run_of_what_was_taken_out_of_production_proposes_no_promotion(desk):
    desk.suite(_cases(160), gates=GATES, trials=1)
    desk.run("old.yaml", full=True)
    desk.manifest("twin.yaml", "2.1.0", application=desk.application, artifacts=PROMPT, baseline="./old.yaml")
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    assert desk.run(full=True).decision == "promote"
    with desk.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
        registry.promote("desk", "1.0.0", by="ann", reason="incident 7")
    card = desk.run("twin.yaml", full=True).scorecard
    assert card.verdict.decision == "promote", card.verdict.reason
    assert card.verdict.next_step.startswith("mend what desk@2.1.0 was taken out of production for")


@pytest.mark.parametrize(
    "how", [{"trials": 2}, {"only": ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]}]
)
def test_the_replay_of_a_good_day_undoes_nothing_that_was_seen_since(desk, how):
    desk.suite(_cases(200), gates=GATES, trials=1)
    day = desk.folder / "day.jsonl"
    assert desk.run(full=True, record=day).decision == "promote"
    assert desk.run(full=True, replay=day).decision == "promote"
    _wrong(desk, 60)
    bad = desk.run(full=True, reuse="never", **how)
    assert bad.decision != "promote" or bad.scorecard.verdict.seen
    replayed = desk.run(full=True, replay=day)
    assert replayed.decision == "hold"
    assert "of the same content, after the replayed answers, says: " in replayed.scorecard.verdict.reason
    with desk.registry() as registry, pytest.raises(Refusal):
        registry.promote("desk", "2.0.0", by="ann")


def test_an_application_that_tells_the_same_time_of_every_call_is_no_copy_of_itself(drifting_baseline):
    desk = drifting_baseline
    code = (desk.folder / "code" / f"{desk.modul}.py").read_text()
    code = code.replace(
        'return "no" if wrong else "yes"', 'return R("no" if wrong else "yes", latency_ms=12.0)'
    )
    desk.modul += "_timed"
    application = desk.module(desk.modul, "from relgate.domain.response import Response as R\n" + code)
    keys = {"application": application, "deterministic": True}
    desk.manifest("old.yaml", "1.0.0", baseline="none", **keys)
    desk.manifest(artifacts=PROMPT, baseline="./old.yaml", **keys)
    wrong = __import__(desk.modul).WRONG
    wrong["2.0.0"], wrong["1.0.0"] = 0, 1
    desk.run("old.yaml", full=True)
    wrong["1.0.0"] = 0
    assert [desk.run(full=True).decision for _ in range(4)] == ["hold"] * 3 + ["promote"]


def test_a_scorer_more_forgets_nothing_that_a_sealed_case_was_answered_otherwise(desk):
    desk.modul += "_switching"
    application = desk.module(desk.modul, SWITCHING)
    desk.manifest("old.yaml", "1.0.0", application=application, deterministic=True, baseline="none")
    desk.manifest(application=application, deterministic=True, baseline="./old.yaml", artifacts=PROMPT)
    desk.suite(_cases(80), gates=GATES, trials=1, sealed=True)
    module = __import__(desk.modul)
    module.WRONG |= {case_id for _, case_id in desk.open().prepared.sealed}
    desk.card(full=True)
    module.WRONG.clear()
    desk.suite(_cases(80), gates=GATES, trials=1, sealed=True, scorers=["contains", "no_pii"])
    assert "answered otherwise in run " in desk.card(full=True).verdict.reason


@pytest.fixture
def recorded(project):
    """A recorded production, and a candidate that is recorded as well; both files may grow."""

    def answers(lines, wrong=0):
        return {f"c{i}": "no" if i < wrong else "yes" for i in range(lines)}

    def laid(lines, wrong=1):
        project.suite(_cases(lines), gates=GATES, trials=1)
        old = project.recording("old.jsonl", answers(lines))
        project.manifest("old.yaml", "1.0.0", application=old, baseline="none")
        new = project.recording("new.jsonl", answers(lines, wrong))
        project.manifest(application=new, baseline="./old.yaml")

    project.laid = laid
    laid(200)
    project.run("old.yaml", full=True)
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    return project


def test_a_recorded_baseline_whose_file_grew_is_compared_already_and_no_anchor(recorded):
    recorded.laid(260, wrong=6)
    card = recorded.card(full=True)
    assert card.anchor == []
    assert card.verdict.decision == "promote"


def test_what_was_taken_out_of_production_does_not_return_by_one_line_more(recorded):
    assert recorded.run(full=True).decision == "promote"
    with recorded.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann")
        registry.promote("desk", "1.0.0", by="ann", reason="it leaks")
    recorded.laid(260)
    card = recorded.card(full=True)
    assert card.verdict.next_step.startswith("mend what desk@2.0.0 was taken out of production for")
    with recorded.registry() as registry, pytest.raises(Refusal, match="was taken out of production"):
        registry.promote("desk", "2.0.0", by="ann")


def test_harm_beside_a_recorded_baseline_whose_file_grew_speaks_against_a_promote(recorded):
    modul = recorded.folder.name.replace("-", "_") + "_grown"
    application = recorded.module(modul, FLAKY)
    recorded.write("p.md", "text")
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=PROMPT)
    assert recorded.run(full=True).decision == "promote"
    recorded.laid(201)
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=PROMPT)
    __import__(modul).WRONG[0] = 20
    card = recorded.card(full=True)
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    recorded.laid(200)
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=PROMPT)
    with recorded.registry() as registry, pytest.raises(Refusal):
        registry.promote("desk", "2.0.0", by="ann")
    assert not recorded.run(full=True).stored
