from __future__ import annotations

import pytest

from relgate.store.opening import open_registry
from relgate.usecases import promote_release


@pytest.fixture
def registry(relgate, make, tmp_path):
    """1.0.0 and 1.1.0 judged promote, 1.2.0 reject, each against the one before; nobody holds production."""
    with open_registry(tmp_path / ".relgate" / "registry.db") as opened:
        before = None
        for number, decision in enumerate(("promote", "promote", "reject")):
            candidate = make.release(f"1.{number}.0", prompt=f"v{number}")
            opened.record(make.run_record(f"run-{number}", candidate, baseline=before, decision=decision))
            before = candidate
        yield opened


def test_promote_says_from_what_to_what_and_how_to_undo(relgate, registry):
    first = relgate("promote", "support-desk@1.0.0", "--by", "ann")
    assert first.exit_code == 0
    assert first.output.splitlines() == [
        "production  nobody -> support-desk@1.0.0",
        "by          ann",
        "verdict     promote",
        "undo        nobody held production before; promote another release to replace this one",
    ]
    second = relgate("promote", "support-desk@1.1.0", "--by", "ben")
    assert second.output.splitlines() == [
        "production  support-desk@1.0.0 -> support-desk@1.1.0",
        "by          ben",
        "verdict     promote",
        "undo        relgate promote support-desk@1.0.0",
    ]
    assert registry.alias("production").version == "1.1.0"
    assert registry.alias("previous").version == "1.0.0"


def test_promote_refuses_without_a_promote_verdict(relgate, registry):
    result = relgate("promote", "support-desk@1.2.0")
    assert result.exit_code == 1
    assert "the latest verdict on support-desk@1.2.0 is reject (run run-2" in result.errors
    assert "relgate promote support-desk@1.2.0 --waive REASON" in result.errors
    assert registry.alias("production") is None


def test_a_waiver_promotes_and_stays_visible(relgate, registry):
    result = relgate("promote", "support-desk@1.2.0", "--waive", "hotfix, see INC-7", "--by", "ann")
    assert result.exit_code == 0
    assert "verdict     reject, waived: hotfix, see INC-7" in result.output
    for command in (("status",), ("show", "run-0")):
        assert "hotfix, see INC-7" in relgate(*command).output


def test_promoting_the_holder_says_that_nothing_changed(relgate, registry):
    relgate("promote", "support-desk@1.0.0")
    result = relgate("promote", "support-desk@1.0.0")
    assert result.exit_code == 0
    assert result.output == "support-desk@1.0.0 holds production already; nothing changed\n"


def test_previous_can_be_promoted_by_its_alias(relgate, registry):
    relgate("promote", "support-desk@1.0.0")
    relgate("promote", "support-desk@1.1.0")
    assert relgate("promote", "support-desk@previous").exit_code == 0
    assert registry.alias("production").version == "1.0.0"


def test_previous_typed_twice_does_not_bring_the_fled_release_back(relgate, registry):
    relgate("promote", "support-desk@1.0.0")
    relgate("promote", "support-desk@1.1.0")
    back = relgate("promote", "previous", "--reason", "refunds fail", "--by", "ann")
    assert "undo        relgate promote support-desk@1.1.0 --reason TEXT" in back.output
    for words in (("previous",), ("previous", "--reason", "again"), ("1.1.0", "--reason", "again")):
        again = relgate("promote", *words)
        assert again.exit_code == 1
        assert "support-desk@1.1.0 was taken out of production on 20" in again.errors
        assert "by ann: refunds fail" in again.errors
        assert "relgate promote support-desk@1.1.0 --reason TEXT" in again.errors
    assert registry.alias("production").version == "1.0.0"
    assert relgate("promote", "support-desk@1.1.0", "--reason", "a false alarm").exit_code == 0
    assert registry.alias("production").version == "1.1.0"


@pytest.mark.parametrize("reference", ["previous", "support-desk@previous"])
def test_previous_before_any_says_that_nobody_held_production(relgate, registry, reference):
    for _ in range(2):
        result = relgate("promote", reference)
        assert result.exit_code == 1
        assert f"there is no {reference!r}: nobody held production before" in result.errors
        relgate("promote", "support-desk@1.0.0")


def test_another_alias_can_be_moved(relgate, registry):
    relgate("promote", "support-desk@1.0.0", "--alias", "canary")
    result = relgate("promote", "support-desk@1.1.0", "--alias", "canary")
    assert "undo     relgate promote support-desk@1.0.0 --alias canary" in result.output
    assert registry.alias("production") is None
    assert registry.alias("canary").version == "1.1.0"


def test_an_alias_that_nobody_had_is_said_to_be_new(relgate, registry):
    assert "note" not in relgate("promote", "support-desk@1.0.0").output
    result = relgate("promote", "support-desk@1.1.0", "--alias", "prodution")
    assert "note       prodution is a new alias; the registry had production" in result.output
    assert "note" not in relgate("promote", "support-desk@1.0.0", "--alias", "prodution").output


@pytest.mark.parametrize("reference", ["support-desk", "@1.0.0", "support-desk@", "", "1"])
def test_what_names_no_release_is_refused_with_those_that_there_are(relgate, registry, reference):
    result = relgate("promote", reference)
    assert result.exit_code == 1
    assert f"{reference!r} in this registry; " in result.errors
    assert "support-desk@1.0.0" in result.errors
    assert registry.alias("production") is None


@pytest.mark.parametrize("reference", ["1.1.0", "run-1", "support-desk@1.1.0"])
def test_promote_takes_what_names_one_release(relgate, registry, reference):
    assert relgate("promote", reference).exit_code == 0
    assert registry.alias("production").version == "1.1.0"


def test_older_content_of_a_version_that_was_judged_again_is_refused(relgate, make, registry):
    older = registry.release("support-desk", "1.1.0").digest.removeprefix("sha256:")
    registry.record(make.run_record("run-9", make.release("1.1.0", prompt="v9")))
    result = relgate("promote", older[:60])
    assert result.exit_code == 1
    assert "support-desk@1.1.0 was judged again with other content since" in result.errors
    assert registry.alias("production") is None


def test_an_unknown_release_is_refused(relgate, registry):
    result = relgate("promote", "support-desk@1.9.0")
    assert result.exit_code == 1
    assert "did you mean support-desk@1." in result.errors


def test_without_a_registry_it_is_refused_and_none_is_made(relgate, tmp_path):
    result = relgate("promote", "support-desk@1.0.0")
    assert result.exit_code == 1
    assert "there is no registry at" in result.errors
    assert list(tmp_path.iterdir()) == []


def test_a_container_without_a_login_name_still_promotes(monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert promote_release.user() == "unknown"
