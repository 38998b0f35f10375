"""``trials: auto`` asks the baseline twice on 40 cases, and no more than once in its life."""

from __future__ import annotations

import pytest

CASES = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(60)]
GATE = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]

FLIPPING = """
calls = []
def build(release):
    def answer(request):
        calls.append((release.version, request.case_id, request.trial))
        flips = int(request.case_id[1:]) % 60 < {flipping} and request.trial % 2
        return "no" if flips else "yes"
    return answer
"""


def _versions(project, name, flipping, cases=CASES, suite=None, **manifest):
    project.suite(cases, gates=GATE, **(suite or {}))
    application = project.module(name, FLIPPING.replace("{flipping}", str(flipping)))
    project.write("p.md", "old")
    old = manifest | {"baseline": "none"}
    project.manifest("old.yaml", "1.0.0", application=application, **old)
    prompt = {"prompt": {"p": {"version": "1", "path": "p.md", "variables": []}}}
    more = {"baseline": "./old.yaml", "artifacts": prompt} | manifest
    project.manifest(application=application, **more)


def _said(card):
    return [note for note in card.notes if "trial" in note]


@pytest.mark.parametrize(("flipping", "trials"), [(0, 1), (4, 3), (60, 5)])
def test_the_pilot_decides_how_often_each_case_is_asked(project, flipping, trials):
    name = f"flipping_{flipping}"
    _versions(project, name, flipping)
    card = project.card(seed=3)
    calls = __import__(name).calls
    candidate = [call for call in calls if call[0] == "2.0.0"]
    assert len(candidate) == len(set(candidate)) == 60 * trials
    assert len(calls) == len(set(calls)) == card.calls.made == card.calls.planned
    assert len(calls) - len(candidate) == 60 * trials + (40 if trials == 1 else 0)
    (note,) = _said(card)
    assert note.startswith(f"mine: {trials} trial")
    assert "the pilot's flip rate was" in note
    assert note.endswith("(40 cases)")
    assert card.suites[0].trials == trials


def test_progress_counts_the_calls_that_the_pilot_left(project):
    _versions(project, "flipping_progress", 0)
    run = project.open()
    assert run.planned_calls(run.cases) == 360
    run.start(run.cases)
    for suite, case in sorted(run.cases):
        run.case(suite, case)
    assert run.status().planned == 160


def test_at_one_trial_the_second_answers_of_the_pilot_enter_no_score(project):
    _versions(project, "flipping_calm", 0)
    gate = next(g for g in project.run().gates if g.form == "non_inferior")
    assert (gate.result, gate.n) == ("pass", 60)
    assert "exact unconditional" in gate.method.lower() or "tango" in gate.method.lower()


def test_stored_runs_of_the_baseline_settle_it_without_a_call(project):
    _versions(project, "flipping_stored", 60)
    assert "trials" in _said(project.card())[0]
    prompt = {"prompt": {"p": {"version": "2", "path": "p.md", "variables": []}}}
    application = {"python": "flipping_stored:build"}
    project.manifest(version="3.0.0", application=application, baseline="./old.yaml", artifacts=prompt)
    run = project.open()
    (note,) = run.prepared.trials.notes
    run.close()
    assert note.startswith("mine: 5 trials: the pilot's flip rate was 1.00 (60 cases in run ")


def test_runs_of_one_trial_do_not_hide_an_older_pilot(project):
    """Else the run after them asks for a pilot, and so for more than the answers that it was to judge."""
    _versions(project, "flipping_hidden", 4)
    project.card(seed=3)
    application = {"python": "flipping_hidden:build"}
    for version in range(3, 8):
        prompt = {"prompt": {"p": {"version": str(version), "path": "p.md", "variables": []}}}
        manifest = {"application": application, "baseline": "./old.yaml", "artifacts": prompt}
        project.manifest(version=f"{version}.0.0", **manifest)
        if version < 7:
            assert project.card(trials=1).suites[0].trials == 1
    run = project.open()
    (note,) = run.prepared.trials.notes
    run.close()
    assert note.startswith("mine: 3 trials: the pilot's flip rate was 0.07 (60 cases in run ")


@pytest.mark.parametrize(
    ("suite", "manifest", "options", "cases"),
    [
        ({"trials": 2}, {}, {}, CASES),
        ({}, {"deterministic": True}, {}, CASES),
        ({}, {}, {"trials": 2}, CASES),
        ({}, {}, {}, CASES[:39]),
        ({}, {}, {"only": ["c1"]}, CASES),
        ({}, {"baseline": "none"}, {}, CASES),
    ],
    ids=["suite", "deterministic", "option", "few cases", "part of the cases", "no baseline"],
)
def test_no_pilot_where_the_trials_are_known_or_it_would_say_nothing(
    project, request, suite, manifest, options, cases
):
    name = f"flipping_no_{request.node.callspec.id.replace(' ', '_')}"
    _versions(project, name, 60, cases=cases, suite=suite, **manifest)
    card = project.card(**options)
    assert _said(card) == [] or "pilot" not in str(_said(card))
    calls = __import__(name).calls
    assert len(calls) == len(set(calls)) == card.calls.made
