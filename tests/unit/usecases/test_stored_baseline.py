"""A baseline taken from a stored run, and suites that shrank since the run that a baseline stands on."""

from __future__ import annotations

import pytest

from relgate.domain.errors import InputError

COUNT = 60
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.1}}]
APPLICATION = """
import pathlib

def build(release):
    counted = pathlib.Path({folder!r}) / (release.version + ".count")

    def application(request):
        with counted.open("a") as file:
            file.write("x")
        return "yes"

    return application
"""


def cases(count=COUNT, **changes):
    return [
        {"id": f"c{n}", "input": f"question {n}", "expected": "yes"} | changes.get(f"c{n}", {})
        for n in range(count)
    ]


def answers(count=COUNT, wrong=()):
    return {f"c{n}": "no" if n in wrong else "yes" for n in range(count)}


@pytest.fixture
def recorded(project):
    """Release 1.0.0 judged from a recording; its manifest is edited in place afterwards."""
    project.suite(cases(), gates=GATES)
    project.manifest(
        "old.yaml", "1.0.0", application=project.recording("old.jsonl", answers()), baseline="none"
    )
    run = project.card("old.yaml").run.id
    project.manifest(
        "old.yaml", "1.0.1", application=project.recording("old.jsonl", answers(wrong={1, 2, 3}))
    )
    return project, f"run:{run}"


def candidate(project, wrong=(), count=COUNT):
    project.manifest(application=project.recording("new.jsonl", answers(count, wrong)))


def test_stored_scores_stand_for_a_baseline_whose_manifest_was_edited(recorded):
    project, run = recorded
    candidate(project, wrong={0})
    card = project.card(baseline=run)
    [gate] = card.gates
    assert (card.baseline.version, gate.n, gate.estimate) == ("1.0.0", COUNT, pytest.approx(-1 / COUNT))
    assert card.calls.reused == COUNT
    assert card.verdict.decision == "promote"
    assert any("the baseline is the stored run" in note for note in card.notes)


def test_a_live_baseline_with_an_edited_manifest_is_refused_and_the_way_is_named(recorded):
    project, _ = recorded
    candidate(project)
    with pytest.raises(InputError, match=r"no longer what was recorded.*--baseline run:ID"):
        project.open(baseline="1.0.0")


def test_stored_calls_are_not_recorded_a_second_time(recorded):
    project, run = recorded
    candidate(project)
    card = project.card(baseline=run)
    with project.registry() as registry:
        assert {row.side for row in registry.measurements(card.run.id)} == {"candidate"}


@pytest.mark.parametrize(("edited", "decision"), [(3, "promote"), (4, "hold")])
def test_changed_cases_are_never_paired_and_too_many_hold(recorded, edited, decision):
    project, run = recorded
    project.suite(cases(**{f"c{n}": {"input": "another question"} for n in range(edited)}), gates=GATES)
    candidate(project)
    card = project.card(baseline=run)
    assert card.gates[0].n == COUNT - edited
    assert card.verdict.decision == decision
    assert ("changed since the stored baseline" in card.verdict.reason) is (decision == "hold")


def test_a_changed_scorer_is_another_version_of_every_case(recorded):
    project, run = recorded
    project.suite(cases(), gates=GATES, scorers=[{"contains": {"case_sensitive": True}}])
    candidate(project)
    card = project.card(baseline=run)
    assert card.verdict.decision == "hold"
    assert f"{COUNT} of {COUNT} cases" in " ".join([card.verdict.reason, *card.notes])


def test_a_run_that_is_not_there_is_told_once_and_others_are_proposed_only_where_they_are_near(recorded):
    project, name = recorded
    run = name.removeprefix("run:")
    candidate(project)
    typo = run[:-1] + ("0" if run[-1] != "0" else "1")
    for given, remedy in (
        ("20250102-030405", "`relgate history` lists them"),
        (typo, f"did you mean {run}?"),
    ):
        with pytest.raises(InputError) as caught:
            project.open(baseline=f"run:{given}")
        assert str(caught.value) == f"--baseline: there is no run '{given}', {remedy}"


@pytest.mark.parametrize("name", ["run:there-is-none", "run:"])
def test_a_run_that_is_not_there_is_an_error_with_a_remedy(recorded, name):
    project, _ = recorded
    candidate(project)
    with pytest.raises(InputError, match=r"relgate history"):
        project.open(baseline=name)


def test_a_partial_run_cannot_be_a_baseline(recorded):
    project, _ = recorded
    candidate(project)
    partial = project.run(only=["c1"], baseline="none").scorecard.run.id
    with pytest.raises(InputError, match=r"the run is a partial one"):
        project.open(baseline=f"run:{partial}")


def judged_application(project, module, *, deterministic):
    """Release 1.0.0 of a python application judged; the candidate 2.0.0 differs by a limit."""
    project.suite(cases(), gates=GATES, trials=1)
    named = project.module(module, APPLICATION.format(folder=str(project.folder)))
    project.manifest("old.yaml", "1.0.0", application=named, deterministic=deterministic, baseline="none")
    run = project.card("old.yaml").run.id
    (project.folder / "1.0.0.count").unlink()
    more = {"artifacts": {"limits": {"tokens": {"version": "2"}}}}
    project.manifest(application=named, deterministic=deterministic, **more)
    return f"run:{run}"


def asked(project, version):
    path = project.folder / f"{version}.count"
    return len(path.read_text()) if path.exists() else 0


def test_a_deterministic_baseline_is_asked_only_for_what_its_run_lacks(project):
    run = judged_application(project, "stored_deterministic", deterministic=True)
    project.suite(cases(COUNT + 2, c4={"input": "edited"}), gates=GATES, trials=1)
    opened = project.open(baseline=run)
    every = {(s.name, c.id) for s in opened.prepared.suites for c in s.all_cases}
    assert opened.planned_calls(every) == COUNT + 2 + 3
    card = project.card(baseline=run)
    assert asked(project, "1.0.0") == 3
    assert (card.calls.made, card.calls.reused) == (COUNT + 2 + 3, COUNT - 1)
    assert card.gates[0].n == COUNT + 2
    assert card.verdict.decision == "promote"


def test_a_stochastic_baseline_holds_and_names_what_a_live_one_costs(project):
    run = judged_application(project, "stored_stochastic", deterministic=False)
    card = project.card(baseline=run)
    assert asked(project, "1.0.0") == 0
    assert card.gates[0].result == "pass"
    assert (card.verdict.decision, card.verdict.next_step) == (
        "hold",
        f"name its manifest as the baseline: both sides are asked then, about {2 * COUNT} calls",
    )
    assert "the baseline is stale" in card.verdict.reason


def test_the_price_of_a_live_comparison_is_that_of_the_suite_as_it_is_now(project):
    run = judged_application(project, "stored_repriced", deterministic=False)
    project.suite(cases(COUNT + 20), gates=GATES, trials=3)
    said = project.card(baseline=run).verdict.next_step
    assert said.endswith(f"both sides are asked then, about {2 * 3 * (COUNT + 20)} calls")


@pytest.fixture
def compared(project):
    """Release 1.0.0 judged by 60 cases, one critical; 2.0.0 is compared with it live."""
    project.suite(cases(c9={"critical": "never"}), gates=GATES)
    project.manifest(
        "old.yaml", "1.0.0", application=project.recording("old.jsonl", answers()), baseline="none"
    )
    project.run("old.yaml")
    project.manifest(application=project.recording("new.jsonl", answers(wrong={0})), baseline="./old.yaml")
    return project


@pytest.mark.parametrize(
    ("kept", "decision", "says"),
    [
        (range(COUNT), "promote", ""),
        (range(3, COUNT), "promote", "gone: 3 of 60 cases of mine: c0, c1, c2"),
        (range(4, COUNT), "hold", "gone: 4 of 60 cases of mine"),
        ([n for n in range(COUNT) if n != 9], "hold", "gone: 1 of 60 cases of mine: c9"),
    ],
    ids=["all kept", "5 % gone", "more gone", "a critical one gone"],
)
def test_a_live_comparison_lists_gone_cases_and_holds_for_many_or_critical_ones(
    compared, kept, decision, says
):
    wanted = {f"c{n}" for n in kept}
    compared.suite([c for c in cases(c9={"critical": "never"}) if c["id"] in wanted], gates=GATES)
    card = compared.card()
    assert card.verdict.decision == decision, card.verdict.reason
    assert not says or any(says in note for note in card.notes)
    assert any("since the run that judged desk@1.0.0" in note for note in card.notes) is bool(says)


def test_a_hold_for_gone_cases_does_not_become_the_measure_of_the_next_run(compared):
    compared.suite(cases()[30:], gates=GATES)
    assert compared.card().verdict.decision == "hold"
    compared.manifest(
        version="2.1.0",
        application=compared.recording("next.jsonl", answers(wrong={1})),
        baseline="./old.yaml",
    )
    card = compared.card()
    assert (card.verdict.decision, "gone" in card.verdict.reason) == ("hold", True)


def test_a_loosened_margin_is_listed_in_the_verdict(compared):
    loose = [{"metric": "contains", "non_inferior": {"margin": 0.2}}]
    compared.suite(cases(c9={"critical": "never"}), gates=loose)
    card = compared.card()
    assert card.verdict.decision == "promote"
    assert any("was loosened to contains non_inferior 0.2" in note for note in card.notes)
