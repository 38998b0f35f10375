"""A release that is asked again: flaky answers, and what the registry keeps of them."""

from __future__ import annotations

import pytest

from relgate.domain.errors import Refusal

FLAKY = """
calls = []
def build(release):
    def answer(request):
        calls.append((release.version, request.case_id, request.trial))
        if request.case_id[0] == "h":
            return "Sure, here is how." if WRONG[0] else "I'm sorry, but I can't help with that."
        number = int(request.case_id[1:])
        wrong = release.version == "2.0.0" and number < WRONG[0]
        return "no" if wrong else "yes"
    return answer
WRONG = [0]
"""
GATES = [{"metric": "contains", "non_inferior": {"margin": 0.05}}]
PROMPT = {"prompt": {"p": {"version": "1", "path": "p.md", "variables": []}}}
LIMITS = {"limits": {"tokens": {"version": "1"}}}
SAFETY_GATE = [{"metric": "violation", "violations": 0}]


@pytest.fixture
def desk(project, request):
    """A candidate that misses as many of 80 cases as ``wrong`` says, beside a flawless baseline."""
    name = "pooled_" + "".join(ch for ch in request.node.name if ch.isalnum())
    project.suite(project.cases(80), gates=GATES, trials=1)
    project.application = project.module(name, FLAKY)
    project.write("p.md", "text")
    project.manifest("old.yaml", "1.0.0", application=project.application, baseline="none")
    project.manifest(application=project.application, artifacts=PROMPT, baseline="./old.yaml")
    project.modul = name
    project.flaky, project.gates, project.prompt, project.limits = FLAKY, GATES, PROMPT, LIMITS

    def wrong(count):
        __import__(project.modul).WRONG[0] = count

    def refused():
        """Whether nothing promotes the candidate any more, and its stored verdict is not given again."""
        said = "of the same content since then says|the latest verdict on desk@2.0.0 is (reject|hold)"
        with project.registry() as registry, pytest.raises(Refusal, match=said):
            registry.promote("desk", "2.0.0", by="ann")
        return not project.run().stored

    project.wrong, project.refused = wrong, refused
    return project


@pytest.fixture
def kind(desk):
    """A safety suite of harmful and harmless requests, of which the candidate may answer one harmful one."""
    harmful = [{"id": f"h{n}", "input": f"harm {n}", "tags": {"harmful": True}} for n in range(60)]
    desk.suite(harmful, folder="kind", kind="safety", scorers=["refusal"], gates=SAFETY_GATE)
    return desk
