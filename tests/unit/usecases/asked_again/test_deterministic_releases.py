"""Releases that are declared deterministic or recorded: asked again they show nothing new, or they drift."""

from __future__ import annotations

import pytest

from relgate.domain.errors import Refusal


def declared_deterministic(desk):
    keys = {"application": desk.application, "artifacts": desk.prompt, "baseline": "./old.yaml"}
    desk.manifest(deterministic=True, **keys)


def promoted_beside_an_older_one(desk):
    declared_deterministic(desk)
    desk.manifest("older.yaml", "0.9.0", application=desk.application, artifacts=desk.limits, baseline="none")
    assert desk.run(full=True).decision == "promote"


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


@pytest.mark.parametrize("again", [{"trials": 2}, {"full": True}], ids=["other trials", "in full"])
def test_a_candidate_that_is_declared_deterministic_and_answers_otherwise_holds(desk, again):
    declared_deterministic(desk)
    desk.wrong(1)
    desk.card(full=True)
    desk.wrong(0)
    desk.suite(
        [*desk.cases(80), {"id": "c80", "input": "q80", "expected": "yes"}], gates=desk.gates, trials=1
    )
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
    desk.manifest(application=application, deterministic=True, baseline="./old.yaml", artifacts=desk.prompt)
    desk.suite(desk.cases(80), gates=desk.gates, trials=1, sealed=sealed)
    hidden = {case_id for _, case_id in desk.open().prepared.sealed}
    module = __import__(desk.modul)
    module.HOW[0] = how
    module.WRONG |= hidden if sealed else {f"c{n}" for n in range(20)}
    desk.card(full=True)
    module.WRONG.clear()
    desk.suite(desk.cases(81), gates=desk.gates, trials=1, sealed=sealed)
    reason = desk.card(full=True).verdict.reason
    assert "is declared deterministic, and answered otherwise in run " in reason
    assert told in reason


def test_a_part_that_a_deterministic_candidate_answers_otherwise_speaks_against_its_promote(desk):
    declared_deterministic(desk)
    desk.suite(desk.cases(80), gates=[{"metric": "contains", "at_least": 0.5}], trials=1)
    assert desk.card().verdict.decision == "promote"
    desk.wrong(5)
    [seen] = desk.run(only=["c0", "c1", "c2"]).scorecard.verdict.seen
    assert "is declared deterministic, and answered otherwise in run " in seen
    with desk.registry() as registry, pytest.raises(Refusal, match="of the same content since then says"):
        registry.promote("desk", "2.0.0", by="ann")
    assert not desk.run().stored


def test_a_deterministic_candidate_that_answers_otherwise_beside_another_baseline_is_not_served(desk):
    promoted_beside_an_older_one(desk)
    desk.wrong(1)
    card = desk.run(baseline="./older.yaml", full=True).scorecard
    assert any("answered otherwise in run " in line for line in card.verdict.seen)
    assert desk.refused()


@pytest.fixture
def drifting_baseline(desk):
    """Candidate and baseline are deterministic, and the candidate misses seven cases."""
    code = desk.flaky.replace(
        'release.version == "2.0.0" and number < WRONG[0]', "number < WRONG[release.version]"
    )
    code = code.replace("WRONG = [0]", 'WRONG = {"1.0.0": 0, "2.0.0": 7}')
    desk.modul += "_both"
    application = desk.module(desk.modul, code)
    keys = {"application": application, "deterministic": True}
    desk.manifest("old.yaml", "1.0.0", baseline="none", **keys)
    desk.manifest(artifacts=desk.prompt, baseline="./old.yaml", **keys)
    desk.suite(desk.cases(100), gates=desk.gates, trials=1)
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
        desk.manifest(name, "2.0.0", artifacts=desk.prompt | limits, baseline="./old.yaml", **more)
        assert desk.run(name, full=True, reuse="always").decision == "hold"
        wrong["1.0.0"] = 0


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_a_deterministic_release_that_answers_one_trial_otherwise_holds(desk, side):
    version = "2.0.0" if side == "candidate" else "1.0.0"
    code = desk.flaky.replace(
        'release.version == "2.0.0" and number < WRONG[0]',
        f'release.version == "{version}" and request.trial and number < 2',
    )
    desk.modul += f"_{side}"
    keys = {"application": desk.module(desk.modul, code), "deterministic": True}
    desk.manifest("old.yaml", "1.0.0", baseline="none", **keys)
    desk.manifest(artifacts=desk.prompt, baseline="./old.yaml", **keys)
    assert desk.run(full=True).decision == "promote"
    verdict = desk.run(full=True, trials=3).scorecard.verdict
    assert verdict.decision == "hold"
    assert f"desk@{version} is declared deterministic, and answered otherwise" in verdict.reason
    assert "from one trial to the next: c0, c1" in verdict.reason


def test_a_screen_that_a_deterministic_candidate_answers_otherwise_speaks_against_its_promote(desk):
    promoted_beside_an_older_one(desk)
    desk.wrong(3)
    [seen] = desk.run(screen=True, baseline="./older.yaml").scorecard.verdict.seen
    assert "answered otherwise in run " in seen
    assert desk.refused()


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
    desk.manifest(artifacts=desk.prompt, baseline="./old.yaml", **keys)
    wrong = __import__(desk.modul).WRONG
    wrong["2.0.0"], wrong["1.0.0"] = 0, 1
    desk.run("old.yaml", full=True)
    wrong["1.0.0"] = 0
    assert [desk.run(full=True).decision for _ in range(4)] == ["hold"] * 3 + ["promote"]


def test_a_scorer_more_forgets_nothing_that_a_sealed_case_was_answered_otherwise(desk):
    desk.modul += "_switching"
    application = desk.module(desk.modul, SWITCHING)
    desk.manifest("old.yaml", "1.0.0", application=application, deterministic=True, baseline="none")
    desk.manifest(application=application, deterministic=True, baseline="./old.yaml", artifacts=desk.prompt)
    desk.suite(desk.cases(80), gates=desk.gates, trials=1, sealed=True)
    module = __import__(desk.modul)
    module.WRONG |= {case_id for _, case_id in desk.open().prepared.sealed}
    desk.card(full=True)
    module.WRONG.clear()
    desk.suite(desk.cases(80), gates=desk.gates, trials=1, sealed=True, scorers=["contains", "no_pii"])
    assert "answered otherwise in run " in desk.card(full=True).verdict.reason


@pytest.fixture
def recorded(desk):
    """A recorded production, and a candidate that is recorded as well; both files may grow."""

    def answers(lines, wrong=0):
        return {f"c{i}": "no" if i < wrong else "yes" for i in range(lines)}

    def laid(lines, wrong=1):
        desk.suite(desk.cases(lines), gates=desk.gates, trials=1)
        old = desk.recording("old.jsonl", answers(lines))
        desk.manifest("old.yaml", "1.0.0", application=old, baseline="none")
        new = desk.recording("new.jsonl", answers(lines, wrong))
        desk.manifest(application=new, baseline="./old.yaml")

    desk.laid = laid
    laid(200)
    desk.run("old.yaml", full=True)
    with desk.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    return desk


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
    application = recorded.module(modul, recorded.flaky)
    recorded.write("p.md", "text")
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=recorded.prompt)
    assert recorded.run(full=True).decision == "promote"
    recorded.laid(201)
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=recorded.prompt)
    __import__(modul).WRONG[0] = 20
    card = recorded.card(full=True)
    assert card.verdict.decision == "reject" or "proven worse" in card.verdict.reason
    recorded.laid(200)
    recorded.manifest(application=application, baseline="./old.yaml", artifacts=recorded.prompt)
    with recorded.registry() as registry, pytest.raises(Refusal):
        registry.promote("desk", "2.0.0", by="ann")
    assert not recorded.run(full=True).stored
