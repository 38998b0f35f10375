"""A promotion against the verdict: its reason is kept, redacted, and shown in every later report."""

from __future__ import annotations

import pytest

from relgate.domain.errors import Refusal
from relgate.usecases.promote_release import promote_release

CASES = [{"id": f"c{i}", "input": "q", "expected": "yes"} for i in range(3)]


@pytest.fixture
def held(project):
    """A release that was held for want of cases."""
    project.suite(CASES)
    project.manifest(application=project.recording("r.jsonl", {c["id"]: "yes" for c in CASES}))
    assert project.run().decision == "hold"
    return project


def test_a_held_release_is_not_promoted(held):
    with held.registry() as registry, pytest.raises(Refusal, match="hold"):
        promote_release(registry, "desk@2.0.0", alias="production", by=None, waive=None)


@pytest.mark.parametrize("reference", ["desk", "@2.0.0", "desk@", ""])
def test_a_reference_that_is_none_is_refused(held, reference):
    with held.registry() as registry, pytest.raises(Refusal, match="in this registry; "):
        promote_release(registry, reference, alias="production", by=None, waive=None)


def test_a_waiver_promotes_and_its_reason_is_redacted_everywhere(held):
    with held.registry() as registry:
        promote_release(
            registry, "desk@2.0.0", alias="production", by="ann", waive="agreed with jo.doe@customer-mail.net"
        )
    answers = held.recording("r2.jsonl", {c["id"]: "no" for c in CASES})
    held.manifest("next.yaml", version="2.1.0", application=answers)
    (waiver,) = held.card("next.yaml").verdict.waivers
    assert (waiver.version, waiver.by) == ("2.0.0", "ann")
    assert waiver.reason.startswith("agreed with <EMAIL")
    kept = b"".join(p.read_bytes() for p in (held.folder / ".relgate").iterdir())
    assert b"jo.doe@customer-mail.net" not in kept


def test_a_waiver_that_was_not_needed_is_kept_as_the_reason(project):
    cases = [{"id": f"c{i}", "input": f"q{i}", "expected": "yes"} for i in range(80)]
    project.suite(cases, gates=[{"metric": "contains", "at_least": 0.5}])
    project.manifest(application=project.recording("r.jsonl", {c["id"]: "yes" for c in cases}))
    assert project.run().decision == "promote"
    with project.registry() as registry:
        change = promote_release(registry, "desk@2.0.0", alias="production", by="ann", waive="drill of May")
        assert change.waived is None
        assert registry.alias_moves("production")[0].reason == "drill of May"


def test_a_stored_verdict_shows_waivers_that_came_after_it(held):
    with held.registry() as registry:
        promote_release(registry, "desk@2.0.0", alias="canary", by="ann", waive="hotfix")
    held.manifest(application={"recording": "r.jsonl"}, baseline="none")
    assert [w.reason for w in held.card().verdict.waivers] == ["hotfix"]


def test_the_holder_of_an_alias_can_be_named_by_it(held):
    with held.registry() as registry:
        promote_release(registry, "desk@2.0.0", alias="canary", by="ann", waive="hotfix")
        change = promote_release(registry, "desk@canary", alias="production", by="ann", waive="hotfix")
    assert change.after.version == "2.0.0"
