"""A replay asks as often as the recorded run did, whatever the registry here knows of flip rates."""

from __future__ import annotations

import json

import pytest

from relgate.domain.errors import InputError
from relgate.domain.kept import AskedTrials
from relgate.files.kept import recorded_trials

CASES = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(60)]
GATE = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]
FLIPPING = """
def build(release):
    def answer(request):
        flips = int(request.case_id[1:]) < {flipping} and request.trial % 2
        return "no" if flips else "yes"
    return answer
"""


def _version(project, name, version="2.0.0"):
    prompt = {"prompt": {"p": {"version": version, "path": "p.md", "variables": []}}}
    application = {"python": f"{name}:build"}
    project.manifest(version=version, application=application, baseline="./old.yaml", artifacts=prompt)


def _desk(project, name, flipping):
    """Two versions of an application that flips in so many of 60 cases; gives a file for its answers."""
    project.suite(CASES, gates=GATE)
    application = project.module(name, FLIPPING.replace("{flipping}", str(flipping)))
    project.write("p.md", "old")
    project.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    _version(project, name)
    return project.folder / "answers.jsonl"


def _elsewhere(project, file, **more):
    """The replay on a machine whose registry knows nothing."""
    options = {"registry": str(project.folder / "other.db"), "report_dir": project.folder / "other"}
    return project.card(replay=file, full=True, **options | more)


def _first(file):
    return json.loads(file.read_text().splitlines()[0])


@pytest.mark.parametrize(("flipping", "trials"), [(0, 1), (4, 3), (60, 5)])
def test_what_a_pilot_of_the_recorded_run_settled(project, flipping, trials):
    file = _desk(project, f"replayed_pilot_{flipping}", flipping)
    card = project.card(record=file, full=True)
    assert _first(file)["trials"] == {}, "no call was made when it was written"
    assert recorded_trials(file) == AskedTrials(suites={"mine": trials})
    again = _elsewhere(project, file)
    assert (again.suites[0].trials, again.calls.made) == (card.suites[0].trials, 0) == (trials, 0)
    assert [gate.message for gate in again.gates] == [gate.message for gate in card.gates]
    assert (
        f"mine: {trials} trial{'s' * (trials > 1)}, as in the run whose answers are replayed" in again.notes
    )


def test_what_the_registry_of_the_recorded_run_knew_of_an_earlier_pilot(project):
    file = _desk(project, "replayed_stored", 0)
    project.card(full=True, trials=2)
    _version(project, "replayed_stored", "3.0.0")
    card = project.card(record=file, full=True)
    assert any("the pilot's flip rate was 0.00 (60 cases in run " in note for note in card.notes)
    assert _first(file)["trials"] == {"mine": 1}
    assert list(_first(file)["flip_rates"]) == ["mine"], "it judges sentinels of untouched suites"
    again = _elsewhere(project, file)
    assert (again.suites[0].trials, again.calls.made) == (1, 0)


def test_what_a_part_of_the_cases_was_asked_without_a_pilot(project):
    file = _desk(project, "replayed_part", 0)
    project.card(record=file, full=True, only=["c1"])
    assert recorded_trials(file) == AskedTrials(suites={"mine": 3})


def test_trials_that_the_recorded_run_was_told(project):
    file = _desk(project, "replayed_told", 4)
    project.card(record=file, full=True, trials=2)
    again = _elsewhere(project, file)
    assert (again.suites[0].trials, again.calls.made) == (2, 0)


def test_trials_that_the_replay_is_told_go_before_and_what_is_missing_names_them(project):
    file = _desk(project, "replayed_more", 0)
    project.card(record=file, full=True)
    with pytest.raises(InputError, match="holds no answer to candidate mine::c0 trial 1, "):
        _elsewhere(project, file, trials=2)


def test_a_recording_of_before_is_planned_by_what_is_known_here(project):
    file = _desk(project, "replayed_old", 60)
    project.card(record=file, full=True)
    header = {
        key: value for key, value in _first(file).items() if key not in ("every", "trials", "flip_rates")
    }
    rows = [line for line in file.read_text().splitlines()[1:] if not line.startswith('{"relgate_trials"')]
    file.write_text("\n".join([json.dumps(header), *rows, ""]))
    assert recorded_trials(file) == AskedTrials()
    again = _elsewhere(project, file)
    assert again.calls.made == 0
    assert any("mine: 5 trials: the pilot's flip rate was 1.00 (40 cases)" in note for note in again.notes)
