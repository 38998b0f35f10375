"""When a stored verdict speaks again, and when a run says what nobody judges."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from relgate.domain.errors import InputError
from relgate.usecases.run_release import ReleaseRun

CASES = [{"id": f"c{n}", "input": f"question {n}", "expected": "yes"} for n in range(70)]
RIGHT = {case["id"]: "yes" for case in CASES}


@pytest.fixture
def recorded(project):
    """A recorded release that promotes on a floor."""
    gates = [{"metric": "contains", "at_least": 0.5}]
    project.suite(CASES, gates=gates)
    project.manifest(application=project.recording("r.jsonl", RIGHT), baseline="none")
    return project


def plugin(tmp_path, code: str) -> ModuleType:
    """A conftest-like module with this code."""
    path = tmp_path / "plugin_with_scorer.py"
    path.write_text(code)
    module = ModuleType("plugin_with_scorer")
    module.__file__ = str(path)
    exec(compile(code, str(path), "exec"), module.__dict__)
    return module


POLITE = """
def polite(case, response):
    {body}

def relgate_register_scorers(register):
    register("polite", polite)
"""


def judge(project, module) -> tuple[ReleaseRun, str | None]:
    run = ReleaseRun(project.options(), plugins=[module])
    project.opened.append(run)
    settled = run.settled
    if settled is None:
        run.start({(s.name, c.id) for s in run.prepared.suites for c in s.all_cases})
        for suite in run.prepared.suites:
            for case in suite.all_cases:
                run.case(suite.name, case.id)
        run.conclude()
    run.close()
    return run, settled


def test_a_scorer_that_changed_is_judged_again(recorded, tmp_path):
    recorded.suite(CASES, scorers=["polite"], gates=[{"metric": "polite", "at_least": 0.5}])
    kind = POLITE.format(body="return True")
    assert judge(recorded, plugin(tmp_path, kind))[1] is None
    assert judge(recorded, plugin(tmp_path, kind))[1] is not None
    assert judge(recorded, plugin(tmp_path, POLITE.format(body="return False")))[1] is None


def test_a_verdict_with_a_gate_that_could_not_be_judged_is_not_served_again(recorded, tmp_path):
    recorded.suite(CASES, scorers=["polite"], gates=[{"metric": "polite", "at_least": 0.5}])
    broken = plugin(tmp_path, POLITE.format(body="raise RuntimeError('boom')"))
    assert judge(recorded, broken)[1] is None
    assert judge(recorded, broken)[1] is None


def test_a_report_that_could_not_be_judged_keeps_no_verdict_from_being_served_again(recorded, tmp_path):
    gates = [{"metric": "contains", "at_least": 0.5}, {"metric": "polite", "at_least": 0.5, "role": "report"}]
    recorded.suite(CASES, scorers=["contains", "polite"], gates=gates)
    broken = plugin(tmp_path, POLITE.format(body="raise RuntimeError('boom')"))
    assert judge(recorded, broken)[1] is None
    assert judge(recorded, broken)[1] is not None


def test_another_endpoint_is_judged_again(recorded):
    before = recorded.open().prepared.judged_key
    recorded.manifest(
        application={"recording": "r.jsonl"},
        baseline="none",
        providers={"p": {"base_url": "http://127.0.0.1:9/v1"}},
    )
    assert recorded.open().prepared.judged_key != before


def test_the_notes_name_what_no_gate_judges(recorded):
    recorded.suite(CASES, scorers=["contains", "exact"], gates=[{"metric": "contains", "at_least": 0.5}])
    assert "mine: no gate judges exact" in recorded.card().notes


def test_the_notes_name_recorded_answers_to_unknown_cases(recorded):
    recorded.recording("r.jsonl", RIGHT | {"c70": "yes", "refund": "no"})
    assert "the candidate's recording answers 2 cases that no suite has: c70, refund" in recorded.card().notes


def test_a_suite_that_is_left_out_makes_no_recorded_answer_unknown(recorded):
    recorded.suite(
        [{"id": "x", "input": "x"}], folder="other", gates=[{"metric": "contains", "at_least": 0.5}]
    )
    recorded.recording("r.jsonl", RIGHT | {"x": "yes"})
    assert not any("no suite has" in note for note in recorded.card(suites=["mine"]).notes)


def test_a_suite_that_the_manifest_leaves_out_is_named(recorded):
    recorded.suite(
        [{"id": "x", "input": "x"}], folder="other", gates=[{"metric": "contains", "at_least": 0.5}]
    )
    recorded.manifest(application={"recording": "r.jsonl"}, baseline="none", suites=["golden_sets/mine"])
    notes = recorded.card().notes
    assert "the manifest's `suites` leaves out other" in notes


def test_equal_recordings_are_judged_for_their_absolute_gates(recorded):
    """0 of 70 against 0 of 70 is never certainty."""
    violations = [{"metric": "bad", "violations": 0, "rate_at_most": 0.02}]
    scores = {case["id"]: {"scores": {"bad": 0}} for case in CASES}
    scorer = {"recorded": {"name": "bad", "kind": "binary", "higher_is_better": False}}
    recorded.suite(CASES, scorers=[scorer], gates=violations)
    recorded.manifest("old.yaml", "1.0.0", application=recorded.recording("r.jsonl", scores), baseline="none")
    recorded.manifest(application={"recording": "r.jsonl"}, baseline="old.yaml")
    report = recorded.run()
    (gate,) = report.scorecard.gates
    assert report.decision == "hold"
    assert gate.upper == pytest.approx(0.0419, abs=1e-4)


def test_equal_recordings_with_relative_gates_are_a_promote_nothing_changed(recorded):
    recorded.suite(CASES[:5], gates=[{"metric": "contains", "non_inferior": {"margin": 0.05}}])
    recorded.manifest("old.yaml", "1.0.0", application={"recording": "r.jsonl"}, baseline="none")
    recorded.manifest(application={"recording": "r.jsonl"}, baseline="old.yaml")
    report = recorded.run()
    assert (report.decision, report.scorecard.verdict.reason) == ("promote", "nothing changed")
    assert [gate.result for gate in report.scorecard.gates] == ["pass"]


def test_a_stored_verdict_brings_its_gates(recorded):
    first = recorded.run()
    again = recorded.run()
    assert again.stored
    assert [(g.id, g.result, g.estimate) for g in again.gates] == [
        (g.id, g.result, g.estimate) for g in first.gates
    ]
    assert "plugin_with_scorer" not in sys.modules


def test_a_run_recorded_meanwhile_makes_this_one_a_later_attempt(recorded):
    """Two runs of one line at once: the second to finish is judged at the alpha of a second attempt."""
    slow = recorded.open()
    assert slow.prepared.attempt == 1
    cases = {(s.name, c.id) for s in slow.prepared.suites for c in s.all_cases}
    slow.start(cases)
    recorded.manifest(
        "other.yaml",
        "2.1.0",
        application=recorded.recording("o.jsonl", RIGHT | {"c0": "no"}),
        baseline="none",
    )
    assert recorded.run("other.yaml").scorecard.verdict.attempts == 1
    for suite, case in sorted(cases):
        slow.case(suite, case)
    card = slow.conclude().scorecard
    assert (card.verdict.attempts, card.gate_policy.alpha) == (2, 0.0125)


LATE = {case["id"]: {"output": "yes", "latency_ms": 500.0, "cost_usd": 0.1} for case in CASES}
SOON = {case["id"]: {"output": "yes", "latency_ms": 100.0, "cost_usd": 0.1} for case in CASES}


@pytest.mark.parametrize("left_out", ["a line of a case that nobody asks", "one latency"])
def test_a_candidates_recording_cannot_take_a_gate_away(recorded, left_out):
    """Five times slower stays rejected or held, whatever the candidate's own recording lacks."""
    rows = dict(LATE)
    if left_out == "one latency":
        rows["c3"] = {"output": "yes"}
    else:
        rows["zzz"] = {"output": "yes"}
    recorded.suite(CASES)
    recorded.manifest("old.yaml", "1.0.0", application=recorded.recording("o.jsonl", SOON), baseline="none")
    recorded.manifest(application=recorded.recording("r.jsonl", rows), baseline="old.yaml")
    card = recorded.card()
    assert card.verdict.decision in ("reject", "hold")
    assert any(gate.metric == "latency_ms" for gate in card.gates)


def test_one_latency_missing_in_the_baseline_drops_no_gate(recorded):
    recorded.suite(CASES)
    old = recorded.recording("o.jsonl", SOON | {"c3": {"output": "yes"}})
    recorded.manifest("old.yaml", "1.0.0", application=old, baseline="none")
    recorded.manifest(application=recorded.recording("r.jsonl", LATE), baseline="old.yaml")
    card = recorded.card()
    assert card.verdict.decision in ("reject", "hold")
    assert any(gate.metric == "latency_ms" for gate in card.gates)


def test_a_filled_in_policy_says_what_it_leaves_out(recorded):
    recorded.suite(CASES)
    assert any(
        "has no gate on cost and latency, for what is stored tells none" in note
        for note in recorded.card().notes
    )


def test_errors_of_manifest_suite_scorer_and_gate_come_together(recorded):
    recorded.suite(
        CASES,
        scorers=["contains", {"regex": "("}],
        gates=[{"metric": "nope", "at_least": 0.5}],
    )
    recorded.suite(CASES, folder="other", gates=[{"metric": "contains", "at_least": 85}])
    recorded.manifest(application={"recording": "r.jsonl"}, baseline="none", foo=1)
    with pytest.raises(InputError) as caught:
        recorded.open()
    text = str(caught.value)
    for word in ("unknown key 'foo'", "not a regular expression", "'nope'", "at_least"):
        assert word in text
