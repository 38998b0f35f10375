"""What a candidate is compared with: path, alias, version, none, the holder of production."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from relgate.domain.errors import InputError
from relgate.usecases.run_release import ReleaseRun

CASES = [{"id": f"c{i}", "input": "?", "expected": "yes"} for i in range(3)]
RIGHT = {case["id"]: "yes" for case in CASES}


@pytest.fixture
def judged(project):
    """Releases 1.0.0 and 1.1.0 judged, 1.0.0 promoted by waiver; candidate 2.0.0 not yet."""
    project.suite(CASES)
    for version in ("1.0.0", "1.1.0"):
        answers = RIGHT | {"c0": version}
        name = f"v{version}.yaml"
        project.manifest(
            name, version, application=project.recording(f"{version}.jsonl", answers), baseline="none"
        )
        project.run(name)
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", alias="production", by="ann", waive="first one")
    project.manifest(application=project.recording("new.jsonl", RIGHT))
    return project


def _with_baseline(project, name):
    project.manifest(application={"recording": "new.jsonl"}, baseline=name)
    return project.open().prepared


def test_a_path_is_relative_to_the_manifest(judged):
    assert _with_baseline(judged, "./v1.1.0.yaml").baseline.version == "1.1.0"


def test_an_options_path_is_relative_to_where_the_command_was_called(judged):
    below = judged.folder / "below"
    below.mkdir()
    prepared = judged.open(baseline="../v1.1.0.yaml", folder=below).prepared
    assert prepared.baseline.version == "1.1.0"


def test_an_alias_names_its_holder(judged):
    assert _with_baseline(judged, "production").baseline.version == "1.0.0"


@pytest.mark.parametrize("name", ["1.1.0", "desk@1.1.0"])
def test_a_version_names_a_recorded_release(judged, name):
    assert _with_baseline(judged, name).baseline.version == "1.1.0"


def test_without_a_key_the_holder_of_production_is_the_baseline(judged):
    assert judged.open().prepared.baseline.version == "1.0.0"


def test_without_key_and_holder_it_is_a_first_release_and_says_so(project):
    project.suite(CASES)
    project.manifest(application=project.recording("new.jsonl", RIGHT))
    prepared = project.open().prepared
    assert prepared.baseline is None
    assert "first release: nothing holds production" in prepared.notes[0]


def test_none_is_a_first_release_and_says_so(judged):
    prepared = _with_baseline(judged, "none")
    assert prepared.baseline is None
    assert "only absolute gates" in prepared.notes[0]


def test_the_option_goes_before_the_manifest(judged):
    judged.manifest(application={"recording": "new.jsonl"}, baseline="none")
    assert judged.open(baseline="1.1.0").prepared.baseline.version == "1.1.0"


def test_a_baseline_other_than_productions_holder_is_said_aloud(judged):
    card = judged.card(baseline="1.1.0")
    assert any("desk@1.1.0 is not what holds production (desk@1.0.0)" in note for note in card.notes)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("9.9.9", r"not in the registry.*desk@1\.1\.0"),
        ("1.1", r"did you mean 1\.1\.0"),
        ("prodution", r"did you mean production\?"),
        ("./nowhere.yaml", "no such file"),
    ],
)
def test_a_baseline_that_cannot_be_found_is_an_error_of_the_user(judged, name, why):
    with pytest.raises(InputError, match=why):
        _with_baseline(judged, name)


def test_an_options_path_that_is_not_there_is_an_error_of_the_user(judged):
    with pytest.raises(InputError, match=r"--baseline: the baseline's manifest does not exist"):
        judged.open(baseline="./nowhere.yaml")


@pytest.mark.parametrize(("given", "meant"), [("./v1.1.yaml", "v1.1.0.yaml"), ("./V1.1.0.yml", None)])
def test_a_baseline_beside_which_a_file_is_called_alike_is_asked_for(judged, given, meant):
    with pytest.raises(InputError) as caught:
        judged.open(baseline=given)
    text = str(caught.value)
    assert ("did you mean" in text) == (meant is not None)
    assert (meant or "a version or an alias") in text


def test_a_manifest_beside_which_a_file_is_called_alike_is_asked_for(judged):
    with pytest.raises(InputError, match=r"candidat\.yaml: no such file, did you mean 'candidate\.yaml'\?"):
        judged.open("candidat.yaml")
    with pytest.raises(InputError, match="name one that is there"):
        judged.open("other.yaml")


def test_a_recorded_release_whose_manifest_changed_is_refused(judged):
    judged.recording("1.0.0.jsonl", RIGHT)
    with pytest.raises(
        InputError, match=r"desk@1\.0\.0 is no longer what was recorded: application_code/recording changed"
    ):
        judged.open()


def test_a_recorded_release_whose_manifest_is_gone_is_refused(judged):
    (judged.folder / "v1.0.0.yaml").unlink()
    with pytest.raises(InputError, match=r"manifest of desk@1\.0\.0 is gone"):
        judged.open()


def test_the_same_release_as_the_baseline_is_promoted_without_a_call(judged):
    judged.manifest(application={"recording": "1.0.0.jsonl"})
    report = judged.run()
    assert (report.decision, report.exit_status) == ("promote", 0)
    assert report.scorecard.verdict.reason == "nothing changed"
    assert report.scorecard.calls.made == 0


def test_errors_of_manifest_baseline_and_suites_come_at_once(project):
    project.suite([{"id": "a::b", "input": "?"}], gates=[{"metrik": "contains"}])
    project.write("production.yaml", "manifest: 1\nrelease: desk\n")
    project.manifest(application=project.recording("new.jsonl", {}), baseline="./production.yaml")
    with pytest.raises(InputError) as caught:
        project.open()
    text = str(caught.value)
    assert "production.yaml" in text
    assert "suite.yaml" in text
    assert "cases.jsonl" in text


def test_a_shared_registry_finds_the_release_in_this_checkout(judged, tmp_path_factory):
    other = tmp_path_factory.mktemp("checkout") / "desk"
    shutil.copytree(judged.folder, other)
    judged.write("1.0.0.jsonl", "")  # the first checkout went on
    options = replace(
        judged.options(),
        manifest=other / "candidate.yaml",
        golden_sets=other / "golden_sets",
        rootdir=other,
        folder=other,
    )
    run = ReleaseRun(options)
    try:
        assert run.prepared.baseline.path == other / "v1.0.0.yaml"
    finally:
        run.close()


def test_one_label_for_two_contents_is_noted(project):
    project.suite([{"id": f"c{i}", "input": "q", "expected": "yes"} for i in range(3)])
    application = project.module("two_contents", "def build(release):\n    return lambda request: 'yes'\n")
    keys = {"application": application, "baseline": "none"}
    project.manifest("old.yaml", "2.0.0", artifacts={"limits": {"a": {"version": "1"}}}, **keys)
    keys["baseline"] = "./old.yaml"
    project.manifest(artifacts={"limits": {"a": {"version": "2"}}}, **keys)
    assert (
        "candidate and baseline are both called desk@2.0.0, with different contents" in project.card().notes
    )

    project.manifest(version="2.1.0", artifacts={"limits": {"a": {"version": "2"}}}, **keys)
    project.manifest(
        "old.yaml",
        "2.0.0",
        application=application,
        baseline="none",
        artifacts={"limits": {"a": {"version": "3"}}},
    )
    noted = [note for note in project.card().notes if "recorded before with another content" in note]
    assert noted == [
        "the baseline desk@2.0.0 was recorded before with another content: this is not what earlier runs "
        "compared with"
    ]


def test_a_screen_takes_the_scores_of_production_where_its_code_is_the_one_that_changed(project):
    code = "def build(release):\n    return lambda request: 'yes'\n"
    application = project.module("screened_code", code)
    project.suite(
        [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(60)],
        gates=[{"metric": "contains", "non_inferior": {"margin": 0.05}}],
        trials=1,
    )
    project.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    first = project.card("old.yaml").run.id
    with project.registry() as registry:
        registry.promote("desk", "1.0.0", by="ann", waive="the first one")
    project.module("screened_code", code + "\nCHANGED = True\n")
    project.manifest(application=application)
    with pytest.raises(InputError, match="no longer what was recorded"):
        project.open()
    card = project.card(screen=True)
    assert (card.verdict.clear, card.calls.made, card.stored_baseline.run) == (True, 60, first)
    assert any("it is screened against what it scored" in note for note in card.notes)


def test_what_holds_production_under_another_version_may_take_it_under_this_one(judged):
    answers = RIGHT | {"c0": "1.0.0"}
    judged.manifest(version="1.0.1", application=judged.recording("same.jsonl", answers), baseline="none")
    first = judged.card()
    judged.manifest(version="1.0.2", application={"recording": "same.jsonl"}, baseline="production")
    with judged.registry() as registry:
        registry.promote("desk", "1.0.1", by="ann", waive="a drill")
    card = judged.card()
    assert first.release.digest == card.release.digest
    assert (card.verdict.decision, card.verdict.next_step) == ("promote", "relgate promote desk@1.0.2")


def test_nobody_in_production_is_told_at_the_key_with_what_to_do(project):
    project.suite(CASES)
    project.manifest(application=project.recording("new.jsonl", RIGHT), baseline="production")
    said = r"candidate\.yaml:\d+:\d+: nobody holds production, promote a release .*`none`"
    with pytest.raises(InputError, match=said):
        project.open()
