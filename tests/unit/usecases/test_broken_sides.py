"""A side whose application fails is no measure: it promotes nothing, and a silent one is no attempt."""

from __future__ import annotations

import pytest

COUNT = 60
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.1}}]
FAILING = """
import pathlib

FOLDER = pathlib.Path({folder!r})

def build(release):
    def application(request):
        failing = FOLDER / (release.version + ".failing")
        first = int(failing.read_text()) if failing.exists() else 0
        if int(request.case_id[1:]) < first:
            raise LookupError("no such model")
        return "yes to " + request.text

    return application
"""


class World:
    """Releases 1.0.0 and 2.0.0 that both say yes, but fail in as many cases as a file says."""

    def __init__(self, project, module):
        self.project = project
        self.named = project.module(module, FAILING.format(folder=str(project.folder)))

    def suite(self, **keys):
        self.project.suite(self.project.cases(COUNT), gates=GATES, trials=1, **keys)

    def fails(self, version, cases):
        self.project.write(f"{version}.failing", str(cases))

    def judge(self, *, deterministic=False, first=False):
        manifest = self.project.manifest
        manifest("old.yaml", "1.0.0", application=self.named, baseline="none")
        more = {"deterministic": True} if deterministic else {}
        more["artifacts"] = {"limits": {"tokens": {"version": "2"}}}
        manifest(application=self.named, baseline="none" if first else "./old.yaml", **more)
        return self.project.run()


@pytest.fixture
def world(project, request):
    name = "".join(char if char.isalnum() else "_" for char in request.node.name)
    made = World(project, f"broken_{name}")
    made.suite()
    return made


@pytest.mark.parametrize(("failing", "decision"), [(30, "hold"), (29, "promote")])
def test_a_baseline_that_failed_in_half_of_its_cases_is_nothing_to_compare_with(world, failing, decision):
    world.fails("1.0.0", failing)
    report = world.judge()
    verdict = report.scorecard.verdict
    assert [gate.result for gate in report.gates] == ["pass"]
    assert (verdict.decision, report.exit_status) == (decision, {"hold": 10, "promote": 0}[decision])
    if decision == "hold":
        failed = f"the baseline's application failed in {failing} of {COUNT} cases"
        assert verdict.reason == f"{failed}, so it is nothing to compare with"
        assert "`--baseline run:ID`" in verdict.next_step
    assert any("such as: LookupError: no such model" in note for note in report.scorecard.notes)


def test_two_sides_that_always_fail_alike_promote_nothing(world):
    for version in ("1.0.0", "2.0.0"):
        world.fails(version, COUNT)
    verdict = world.judge().scorecard.verdict
    assert verdict.decision == "hold"
    assert verdict.reason.startswith(
        f"the candidate's application failed in {COUNT} of {COUNT} cases; the baseline's"
    )


def test_a_screen_against_a_baseline_that_fails_finds_that(world):
    world.fails("1.0.0", COUNT)
    world.judge()
    report = world.project.run(screen=True)
    assert (report.scorecard.verdict.clear, report.exit_status) == (False, 10)
    assert "the baseline's application failed" in report.scorecard.verdict.reason


@pytest.mark.parametrize("deterministic", [False, True], ids=["drawn", "deterministic"])
def test_a_candidate_that_never_answered_is_judged_anew_once_it_does(world, deterministic):
    world.fails("2.0.0", COUNT)
    failed = world.judge(deterministic=deterministic)
    assert failed.scorecard.verdict.decision == "reject"
    assert failed.scorecard.verdict.attempts == 0
    world.fails("2.0.0", 0)
    mended = world.judge(deterministic=deterministic)
    assert not mended.stored
    verdict = mended.scorecard.verdict
    assert (verdict.decision, verdict.attempts) == ("promote", 1), verdict.reason
    assert not any("promote-side alpha" in note for note in mended.scorecard.notes)
    assert not any("pooled" in note for note in mended.scorecard.notes)


def test_one_answer_makes_it_an_attempt_that_counts(world):
    world.fails("2.0.0", COUNT - 1)
    assert world.judge().scorecard.verdict.attempts == 1
    world.fails("2.0.0", 0)
    assert world.judge().stored


def test_a_critical_case_that_nobody_answered_was_not_missed(world):
    cases = world.project.cases(COUNT)
    cases[0]["critical"] = True
    world.project.suite(cases, gates=GATES, trials=3)
    world.fails("2.0.0", COUNT)
    assert [miss.case_id for miss in world.judge().scorecard.critical] == ["c0"]
    world.fails("2.0.0", 0)
    mended = world.judge().scorecard
    assert (mended.verdict.decision, mended.critical) == ("promote", []), mended.verdict.reason
