"""Which answers of a run people are asked to read."""

from __future__ import annotations

import pytest

from relgate.decision.judges.labels import answer_digest
from relgate.domain.errors import Refusal
from relgate.usecases.label_answers import draw_sample

APPLICATION = """
def build(release):
    def answer(request):
        if release.version == "2.0.0" and request.case_id == "c0" and request.trial == 0:
            raise ValueError("down")
        return f"yes {release.version} {request.trial}"
    return answer
"""


@pytest.fixture
def measured(project):
    """A run of three trials, in whose first the candidate fails on c0."""
    project.suite(project.cases(30), gates=[{"metric": "contains", "at_least": 0.5}], trials=3)
    application = project.module("answers_to_label", APPLICATION)
    project.manifest("old.yaml", "1.0.0", application=application, baseline="none")
    changed = {"limits": {"tokens": {"version": "1"}}}
    project.manifest(application=application, artifacts=changed, baseline="./old.yaml")
    project.card(full=True)
    return project


def _drawn(project, labelled=()):
    with project.registry() as registry:
        [run] = registry.runs(limit=1)
        return draw_sample(registry, run.id, "mine", n=30, seed=0, labelled=labelled)


def test_the_first_answer_of_each_side_is_drawn_and_none_of_a_side_that_failed_on_it(measured):
    lines = _drawn(measured)
    said = {(line["case_id"], line["side"]): line["output"] for line in lines}
    assert said["c1", "candidate"] == "yes 2.0.0 0"
    assert said["c1", "baseline"] == "yes 1.0.0 0"
    assert said["c0", "baseline"] == "yes 1.0.0 0"
    assert ("c0", "candidate") not in said
    assert len(lines) == 59


def test_labels_of_other_trials_are_no_labels_of_the_first(measured):
    further = {(f"c{i}", answer_digest(f"yes 2.0.0 {trial}")) for i in range(30) for trial in (1, 2)}
    assert len(_drawn(measured, further)) == 59
    first = {
        (f"c{i}", answer_digest(f"yes {version} 0")) for i in range(30) for version in ("1.0.0", "2.0.0")
    }
    with pytest.raises(Refusal, match=r"every first answer of mine in run .* has a label"):
        _drawn(measured, first)
