"""A suite that nothing changed can reach costs twenty calls of the baseline, unless its sentinels differ."""

from __future__ import annotations

import pytest
import yaml

CASES = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(50)]
GATES = [
    {"metric": "contains", "non_inferior": {"margin": 0.05}},
    {"metric": "contains", "at_least": 0.85},
]

APPLICATION = """
calls = []
def build(release):
    def answer(request):
        calls.append((release.version, request.case_id, request.trial))
        if "{hidden}" == release.version and int(request.case_id[1:]) % 2:
            raise {error}
        return "yes"
    return answer
"""


def _releases(project, name, hidden="", error="ValueError('x')", deterministic=True, **suite):
    project.suite(CASES, folder="ask", route="ask", gates=GATES, **suite)
    project.suite(
        [{**case, "id": f"s{case['id'][1:]}"} for case in CASES], folder="sum", route="sum", gates=GATES
    )
    text = APPLICATION.replace("{hidden}", hidden).replace("{error}", error)
    application = project.module(name, text)
    for path, version, model, baseline in (
        ("old.yaml", "1.0.0", "theirs-1", "none"),
        ("candidate.yaml", "2.0.0", "theirs-2", "./old.yaml"),
    ):
        project.manifest(
            path,
            version,
            application=application,
            baseline=baseline,
            deterministic=deterministic,
            providers={"p": {"base_url": "http://127.0.0.1:9"}},
            routes={"ask": {"chain": ["p/mine"]}, "sum": {"chain": ["p/theirs"]}},
            artifacts={
                "model": {
                    "mine": {"version": "1", "id": "mine-1", "provider": "p"},
                    "theirs": {"version": model[-1], "id": model, "provider": "p"},
                }
            },
        )


def _asked(name, version, letter):
    calls = __import__(name).calls
    return [call for call in calls if call[0] == version and call[1].startswith(letter)]


def test_an_untouched_suite_passes_its_relative_gates_and_saves_the_baselines_calls(project):
    _releases(project, "untouched")
    report = project.run()
    card = report.scorecard
    assert (len(_asked("untouched", "1.0.0", "c")), len(_asked("untouched", "2.0.0", "c"))) == (20, 50)
    assert len(_asked("untouched", "1.0.0", "s")) == 50
    assert card.calls.made == card.calls.planned == 170
    mine = {gate.form: gate for gate in report.gates if gate.suite == "ask"}
    assert mine["non_inferior"].result == "pass"
    assert mine["non_inferior"].message.startswith("identical: nothing that changed reaches the suite")
    assert (mine["at_least"].result, mine["at_least"].n) == ("pass", 50)
    assert any(note.startswith("ask is identical in both releases") for note in card.notes)
    assert [(one.suite, one.sentinels, one.agreed) for one in card.untouched] == [("ask", 20, True)]
    suites = {suite.suite: suite.notes for suite in card.suites}
    assert "identical in both releases" in str(suites["ask"])
    assert "identical" not in str(suites["sum"])


def test_fifty_cases_are_too_few_for_the_same_margin_without_identity(project):
    _releases(project, "untouched_not")
    gates = {gate.suite: gate for gate in project.run().gates if gate.form == "non_inferior"}
    assert (gates["ask"].result, gates["sum"].result) == ("pass", "hold")


def test_sentinels_that_differ_hold_and_the_suite_runs_in_full(project):
    _releases(project, "untouched_differs", hidden="2.0.0")
    report = project.run()
    assert (
        len(_asked("untouched_differs", "1.0.0", "c")) == len(_asked("untouched_differs", "2.0.0", "c")) == 50
    )
    assert report.decision != "promote"
    assert [(one.suite, one.agreed) for one in report.scorecard.untouched] == [("ask", False)]
    gate = next(g for g in report.gates if (g.suite, g.form) == ("ask", "non_inferior"))
    assert gate.result == "fail"
    assert report.decision == "reject"
    said = "ask was declared untouched but differs"
    assert said not in report.scorecard.verdict.reason
    assert any(note.startswith(said) for note in report.scorecard.notes), (
        "a reject hides no wrong declaration"
    )
    assert report.scorecard.calls.made == report.scorecard.calls.planned == 200


def test_what_changed_reaches_no_untouched_suite_unless_its_sentinels_differ(project):
    _releases(project, "untouched_reach")
    assert [c.reached_by for c in project.card().changed] == [["sum"]]
    for path in ("old.yaml", "candidate.yaml"):
        project.write("ask.md", "ask")
        project.write(f"{path}.md", path)
        manifest = yaml.safe_load((project.folder / path).read_text())
        manifest["artifacts"]["prompt"] = {
            "ask": {"version": "1", "path": "ask.md"},
            "sum": {"version": "1", "path": f"{path}.md"},
        }
        project.write(path, yaml.safe_dump(manifest))
    reached = {c.name: c.reached_by for c in project.card().changed}
    assert reached == {"sum": ["sum"], "theirs": ["sum"]}, "as the declaration says, not as a chain might"


def test_a_suite_that_differs_is_reached_and_its_changes_are_suspects(project):
    _releases(project, "untouched_suspects", hidden="2.0.0")
    card = project.card()
    assert [(c.name, c.reached_by) for c in card.changed] == [("theirs", ["ask", "sum"])]
    assert card.suspects == ["model/theirs"]


def test_a_screen_of_a_suite_that_differs_holds(project):
    _releases(project, "untouched_screen", trials=1)
    text = project.folder / "code/untouched_screen.py"
    text.write_text(text.read_text().replace('return "yes"', 'return "yes " + release.version'))
    report = project.run(screen=True)
    assert (report.decision, report.exit_status) == ("hold", 10)
    assert "ask was declared untouched but differs" in report.scorecard.verdict.reason


def test_a_difference_that_no_gate_sees_still_holds(project):
    _releases(project, "untouched_quietly", trials=1)
    text = project.folder / "code/untouched_quietly.py"
    text.write_text(text.read_text().replace('return "yes"', 'return "yes " + release.version'))
    report = project.run()
    assert report.decision == "hold"
    said = "ask was declared untouched but differs: 20 of 20 sentinel answers differ"
    assert said in report.scorecard.verdict.reason


def test_a_sentinel_that_was_not_measured_confirms_nothing(project):
    _releases(project, "untouched_away", hidden="1.0.0", error="ConnectionResetError('reset')")
    report = project.run()
    assert len(_asked("untouched_away", "1.0.0", "c")) == 50
    assert "ask: a sentinel case was not measured, so it ran in full" in report.scorecard.notes
    assert report.decision == "hold"


def test_a_stochastic_suite_is_not_piloted_where_it_is_identical(project):
    _releases(project, "untouched_stochastic", deterministic=False)
    card = project.card()
    assert len(_asked("untouched_stochastic", "1.0.0", "c")) == 20
    assert not any(note.startswith("ask:") for note in card.notes)
    assert any(note.startswith("sum: ") and "pilot" in note for note in card.notes)


def test_a_part_of_the_cases_claims_no_identity(project):
    _releases(project, "untouched_part")
    project.run(only=["c1", "c2"])
    assert len(_asked("untouched_part", "1.0.0", "c")) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_the_seed_chooses_the_sentinels(project, seed):
    name = f"untouched_seed_{seed}"
    _releases(project, name)
    project.run(seed=seed)
    asked = {case for _, case, _ in _asked(name, "1.0.0", "c")}
    assert len(asked) == 20
    assert asked != {f"c{i}" for i in range(20)}


def _gate(report):
    return next(g for g in report.gates if (g.suite, g.form) == ("ask", "non_inferior"))


def test_a_suite_is_not_untouched_by_being_sent_to_another_route(project):
    name = "untouched_rerouted"
    _releases(project, name)
    project.suite(CASES, folder="ask", route="sum", gates=GATES)
    project.run("old.yaml")
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann")
    project.suite(CASES, folder="ask", route="ask", gates=GATES)
    report = project.run()
    assert not _gate(report).identical
    assert any("the route of ask was sum and is ask" in note for note in report.scorecard.notes)


def test_a_suite_that_a_run_compared_in_full_is_not_claimed_untouched_by_the_next(project):
    name = "untouched_seen"
    _releases(project, name, hidden="2.0.0")
    assert "declared untouched but differs" in str(project.run().scorecard.notes)
    more = [*CASES, {"id": "c50", "input": "q50", "expected": "yes"}]
    project.suite(more, folder="ask", route="ask", gates=GATES)
    report = project.run()
    assert _gate(report).result == "fail"
    assert not any("identical in both releases" in note for note in report.scorecard.notes)


@pytest.mark.parametrize("part", [False, True], ids=["a whole run", "a part"])
def test_a_claim_that_was_wrong_of_one_candidate_is_not_made_of_the_next(project, part):
    name = f"untouched_disproven_{part}"
    _releases(project, name, hidden="2.0.0")
    only = [case["id"] for case in CASES] if part else None
    first = project.run(only=only, suites=("ask",) if part else ()).scorecard
    assert first.verdict.partial is part
    assert "declared untouched but differs" in str(first.notes)
    project.manifest(
        version="2.1.0",
        application={"python": f"{name}:build"},
        baseline="./old.yaml",
        deterministic=True,
        providers={"p": {"base_url": "http://127.0.0.1:9"}},
        routes={"ask": {"chain": ["p/mine"]}, "sum": {"chain": ["p/theirs"]}},
        artifacts={
            "model": {
                "mine": {"version": "1", "id": "mine-1", "provider": "p"},
                "theirs": {"version": "3", "id": "theirs-3", "provider": "p"},
            }
        },
    )
    card = project.card()
    assert card.untouched == []
    assert not any("identical in both releases" in note for note in card.notes)
