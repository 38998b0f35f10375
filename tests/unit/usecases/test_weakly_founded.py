"""What a passing gate stands on beside its numbers is told where it is read, not in its message alone."""

from __future__ import annotations

import pytest

COUNT = 600
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.25}}]


def _judged(project, cases, plugins=(), **keys):
    project.suite(cases, **{"gates": GATES, "trials": 1} | keys)
    answers = {case["id"]: "yes" for case in cases}
    old, new = (
        project.recording("old.jsonl", answers),
        project.recording("new.jsonl", answers | {"c0": "Yes"}),
    )
    project.manifest("old.yaml", "1.0.0", application=old, baseline="none")
    project.manifest(application=new, baseline="./old.yaml")
    return project.card(plugins=plugins)


@pytest.mark.parametrize(("clusters", "told"), [(19, True), (20, False)])
def test_a_gate_that_passes_on_few_clusters_says_so_in_a_note(project, clusters, told):
    cases = [case | {"cluster": f"k{n % clusters}"} for n, case in enumerate(project.cases(COUNT))]
    card = _judged(project, cases)
    assert card.verdict.decision == "promote", card.verdict.reason
    assert (
        any(note.startswith(f"mine: only {clusters} clusters (fewer than 20)") for note in card.notes) == told
    )


class Shaky:
    """A project's own scorer that cannot score one answer of the candidate."""

    def relgate_register_scorers(self, register):
        def rated(case, response):
            if response.output == "Yes":
                raise KeyError("rating")
            return True

        register("rated", rated)


def test_a_gate_that_passes_although_a_scorer_failed_says_what_that_may_hide(project):
    gates = [{"metric": "rated", "non_inferior": {"margin": 0.25}}]
    card = _judged(project, project.cases(COUNT), [Shaky()], gates=gates, scorers=["rated"])
    [gate] = card.gates
    assert gate.result == "pass"
    [note] = [note for note in card.notes if "passes all the same: " in note]
    assert "the scorer failed on 1 of 600 cases" in note
    assert "at worst the difference is -0.2 points" in note
