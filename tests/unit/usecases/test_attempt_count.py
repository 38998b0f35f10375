"""Which attempt a run is: what its count goes by, and what makes it a further one (verdict.md 5.3)."""

from __future__ import annotations

import pytest

APPLICATION = """
def build(release):
    def answer(request):
        number = int(request.case_id[1:])
        return "no" if release.version == "2.0.0" and number < WRONG[0] else "yes"
    return answer
WRONG = [0]
"""
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]


def _cases(n):
    return [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(n)]


def _answers(n, wrong=0):
    return {f"c{i}": "no" if i < wrong else "yes" for i in range(n)}


def _attempt(card):
    return card.verdict.attempts, card.gate_policy.alpha


@pytest.fixture
def live(project, request):
    """A live candidate and a live baseline beside it, on 80 cases."""
    project.module_name = "count_" + "".join(ch for ch in request.node.name if ch.isalnum())
    project.suite(_cases(80), gates=GATES, trials=1)
    project.application = project.module(project.module_name, APPLICATION)
    project.write("p.md", "text")
    project.manifest("old.yaml", "1.0.0", application=project.application, baseline="none")
    _live_candidate(project, project.application)
    return project


def _live_candidate(project, application, **keys):
    prompt = {"prompt": {"p": {"version": "1", "path": "p.md", "variables": []}}}
    settings = {"artifacts": prompt, "baseline": "./old.yaml"} | keys
    project.manifest(application=application, **settings)


def _wrong(project, count):
    __import__(project.module_name).WRONG[0] = count


@pytest.fixture
def recorded(project):
    """A recorded candidate and a recorded baseline, on 80 cases."""
    project.suite(_cases(80), gates=GATES)
    project.manifest(
        "old.yaml", "1.0.0", application=project.recording("old.jsonl", _answers(80)), baseline="none"
    )
    project.manifest(application=project.recording("new.jsonl", _answers(80, 1)), baseline="old.yaml")
    return project


def test_measuring_again_against_a_stored_baseline_is_a_further_attempt_on_pooled_data(live):
    stored = "run:" + live.card("old.yaml").run.id
    assert _attempt(live.card(baseline=stored)) == (1, 0.05)
    _wrong(live, 2)
    card = live.card(baseline=stored, trials=2)
    assert _attempt(card) == (2, 0.0125)
    [gate] = card.gates
    # two trials now and one before: two cases fell in two of three trials
    assert gate.estimate == pytest.approx(-2 * (2 / 3) / 80)
    assert any(note.startswith("pooled with ") and "on 80 cases before counts" in note for note in card.notes)


def test_a_run_beside_the_live_baseline_pools_none_that_took_stored_scores(live):
    """What the candidate answered at another time than the baseline is not free of drift."""
    _wrong(live, 2)
    live.card(baseline="run:" + live.card("old.yaml").run.id)
    _wrong(live, 0)
    card = live.card()
    assert (card.verdict.attempts, card.calls.reused) == (2, 0)
    assert card.gates[0].estimate == 0.0


def test_a_run_with_stored_scores_pools_one_that_asked_both_sides(live):
    stored = "run:" + live.card("old.yaml").run.id
    _wrong(live, 2)
    live.card()
    _wrong(live, 0)
    card = live.card(baseline=stored)
    assert card.verdict.attempts == 2
    assert card.gates[0].estimate == pytest.approx(-2 * (1 / 2) / 80)


def test_measuring_a_first_release_again_is_a_further_attempt_on_pooled_data(live):
    live.suite(_cases(80), gates=[{"metric": "contains", "at_least": 0.8, "role": "require"}], trials=1)
    _live_candidate(live, live.application, baseline="none")
    _wrong(live, 8)
    live.card(full=True)
    _wrong(live, 0)
    card = live.card(trials=2, full=True)
    assert card.verdict.attempts == 2
    assert card.gates[0].estimate == pytest.approx(1 - 8 / 3 / 80)


def test_judging_again_keeps_the_latest_number(live):
    live.card(record=live.folder / "first.jsonl")
    live.card(trials=2)
    card = live.card(replay=live.folder / "first.jsonl", trials=1, baseline="old.yaml")
    assert _attempt(card) == (2, 0.0125)


@pytest.fixture
def deterministic(live):
    """Both releases answer the same each time they are asked."""
    for name, version, more in (
        ("old.yaml", "1.0.0", {"baseline": "none"}),
        ("candidate.yaml", "2.0.0", {"baseline": "./old.yaml"}),
    ):
        prompt = {"prompt": {"p": {"version": version, "path": "p.md", "variables": []}}}
        live.manifest(
            name, version, application=live.application, deterministic=True, artifacts=prompt, **more
        )
    return live


def test_a_deterministic_candidate_on_added_cases_is_a_further_attempt(deterministic):
    live = deterministic
    assert live.card().verdict.attempts == 1
    live.suite(_cases(90), gates=GATES, trials=1)
    card = live.card()
    assert (card.verdict.attempts, card.calls.reused) == (2, 0)
    live.suite(_cases(90), gates=[*GATES, {"metric": "contains", "at_least": 0.1, "role": "guard"}], trials=1)
    assert live.card().verdict.attempts == 2, "the same answers to the same cases, judged again"


def test_adding_cases_and_recorded_lines_is_a_further_attempt(recorded):
    assert _attempt(recorded.card()) == (1, 0.05)
    recorded.suite(_cases(90), gates=GATES)
    recorded.recording("new.jsonl", _answers(90, 1))
    recorded.recording("old.jsonl", _answers(90))
    card = recorded.card()
    assert _attempt(card) == (2, 0.0125)
    assert card.calls.reused == 0, "the recording holds every answer: nothing is pooled"
    recorded.suite(_cases(100), gates=GATES)
    recorded.recording("new.jsonl", _answers(100, 1))
    recorded.recording("old.jsonl", _answers(100))
    assert _attempt(recorded.card()) == (3, 0.00625)


def test_a_recording_that_held_the_added_cases_already_is_a_further_attempt_too(recorded):
    recorded.recording("new.jsonl", _answers(90, 1))
    recorded.recording("old.jsonl", _answers(90))
    assert recorded.card().verdict.attempts == 1
    recorded.suite(_cases(90), gates=GATES)
    assert recorded.card().verdict.attempts == 2


def test_judging_a_recording_again_is_the_same_attempt(recorded):
    recorded.card()
    recorded.suite(_cases(80), gates=[*GATES, {"metric": "contains", "at_least": 0.1, "role": "guard"}])
    assert recorded.card().verdict.attempts == 1


def test_a_recording_with_other_answers_is_the_next_attempt(recorded):
    recorded.card()
    recorded.recording("new.jsonl", _answers(80, 2))
    assert recorded.card().verdict.attempts == 2


def test_a_recorded_baseline_is_known_by_its_version(recorded):
    """Its file grew for cases of another suite: the candidate that comes next is the second against it."""
    recorded.card()
    recorded.recording("old.jsonl", _answers(90))
    recorded.manifest(
        version="2.1.0", application=recorded.recording("n.jsonl", _answers(80, 2)), baseline="old.yaml"
    )
    assert recorded.card().verdict.attempts == 2


def test_a_live_candidate_pools_what_it_answered_beside_a_recorded_baseline(live):
    recording = live.recording("old.jsonl", _answers(80))
    live.manifest("old.yaml", "1.0.0", application=recording, baseline="none")
    _wrong(live, 2)
    live.card()
    _wrong(live, 0)
    live.suite(_cases(90), gates=GATES, trials=1)
    # c0 is another answer than before: what the older file said must not come back with the pool
    live.recording("old.jsonl", _answers(90, 1))
    card = live.card()
    assert card.verdict.attempts == 2
    assert card.gates[0].estimate == pytest.approx((0.5 - 0.5) / 90)


def test_a_rollback_drill_gives_no_fresh_alpha(recorded):
    recorded.card("old.yaml")
    with recorded.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first")
    recorded.manifest(application={"recording": "new.jsonl"})
    assert recorded.card().verdict.attempts == 1
    with recorded.registry() as registry:
        registry.promote("desk", "2.0.0", by="ann", waive="a drill")
        registry.promote("desk", "1.0.0", by="ann", reason="the way back")
    recorded.manifest(version="2.0.1", application=recorded.recording("n.jsonl", _answers(80, 2)))
    assert _attempt(recorded.card()) == (2, 0.0125)


SAFETY = [{"metric": "over_refusal", "non_inferior": {"margin": 0.2}}]


def _benign(n):
    return [{"id": f"b{i}", "input": f"benign {i}", "tags": {"harmful": False}} for i in range(n)]


def test_safety_cases_added_to_a_deterministic_candidate_are_a_further_attempt(deterministic):
    def safety(count, edited=""):
        cases = _benign(count)
        cases[0]["input"] += edited
        deterministic.suite(cases, folder="kind", kind="safety", scorers=["refusal"], gates=SAFETY, trials=1)

    safety(20)
    assert _attempt(deterministic.card()) == (1, 0.05)
    safety(21)
    assert _attempt(deterministic.card()) == (2, 0.0125)
    safety(20)
    assert _attempt(deterministic.card()) == (1, 0.05), "the verdict on these cases is on record"
    safety(21, " in other words")
    assert _attempt(deterministic.card()) == (3, 0.00625)


@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(lambda case: case | {"input": case["input"] + " please"}, id="reworded"),
        pytest.param(lambda case: case | {"tags": {**case["tags"], "of": "late"}}, id="tagged otherwise"),
        pytest.param(lambda case: case | {"cluster": "one"}, id="clustered otherwise"),
    ],
)
def test_a_suite_that_is_rewritten_as_a_whole_is_a_further_attempt(deterministic, rewritten):
    def safety(cases, *more):
        scorers = ["refusal", *more]
        deterministic.suite(cases, folder="kind", kind="safety", scorers=scorers, gates=SAFETY, trials=1)

    safety(_benign(20))
    assert _attempt(deterministic.card()) == (1, 0.05)
    safety(_benign(20), "no_pii")
    assert _attempt(deterministic.card()) == (1, 0.05), "the same answers are scored otherwise"
    safety([rewritten(case) for case in _benign(20)], "no_secrets")
    assert _attempt(deterministic.card()) == (2, 0.0125)


def test_golden_cases_that_are_tagged_otherwise_are_a_further_attempt(deterministic):
    assert _attempt(deterministic.card()) == (1, 0.05)
    deterministic.suite([case | {"tags": {"of": "late"}} for case in _cases(80)], gates=GATES, trials=1)
    assert _attempt(deterministic.card()) == (2, 0.0125)


def test_lines_added_to_a_traffic_sample_are_a_further_attempt(deterministic):
    def sampled(count, first=0):
        deterministic.suite(_cases(80), gates=GATES, trials=1, unchanged="traffic.jsonl")
        deterministic.rows(
            "golden_sets/mine/traffic.jsonl",
            [{"id": f"t{i}", "input": f"t{i + first}"} for i in range(count)],
        )

    sampled(30)
    assert _attempt(deterministic.card()) == (1, 0.05)
    sampled(40)
    assert _attempt(deterministic.card()) == (2, 0.0125)
    sampled(40, first=3)
    assert _attempt(deterministic.card()) == (3, 0.00625), "other lines under the same ids"


def test_another_candidate_on_a_set_that_was_judged_as_a_continued_one_is_a_further_attempt(live):
    live.card()
    live.suite(_cases(84), gates=GATES, trials=1)
    assert _attempt(live.card())[0] == 2
    for version, attempt in (("2.1.0", 3), ("2.2.0", 4)):
        _live_candidate(
            live, live.application, version=version, artifacts={"limits": {"a": {"version": version}}}
        )
        assert _attempt(live.card())[0] == attempt
    # of a set that nobody was judged on it is the first candidate
    live.suite(_cases(88), gates=GATES, trials=1)
    _live_candidate(
        live, live.application, version="2.3.0", artifacts={"limits": {"a": {"version": "2.3.0"}}}
    )
    assert _attempt(live.card())[0] == 1


def test_those_who_were_judged_on_the_grown_set_first_count_for_who_continues_onto_it(live):
    live.card()
    live.suite(_cases(84), gates=GATES, trials=1)
    for version, attempt in (("2.1.0", 1), ("2.2.0", 2)):
        _live_candidate(
            live, live.application, version=version, artifacts={"limits": {"a": {"version": version}}}
        )
        assert _attempt(live.card())[0] == attempt
    _live_candidate(live, live.application)
    assert _attempt(live.card())[0] == 4
