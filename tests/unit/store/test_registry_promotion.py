from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from relgate.domain.errors import Refusal
from relgate.domain.run import RECORDING, ArtifactRow, stands_for
from relgate.store.tables import alias_history


@pytest.fixture
def judged(registry, make):
    """Record one verdict on a version, compared with the release before it."""
    counter = iter(range(1000))
    before = {}

    def record(version: str, decision: str = "promote", **options) -> None:
        name = options.pop("name", "support-desk")
        prompt = options.pop("prompt", "v14")
        candidate = make.release(version, name=name, prompt=prompt)
        options.setdefault("baseline", before.get(name))
        before[name] = candidate
        registry.record(make.run_record(f"run-{next(counter)}", candidate, decision=decision, **options))

    return record


def holders(registry) -> dict[str, str]:
    return {row.alias: row.release.label for row in registry.aliases()}


def test_a_promote_verdict_lets_a_release_take_production(registry, judged):
    judged("1.0.0")
    change = registry.promote("support-desk", "1.0.0", by="me")
    assert (change.changed, change.before, change.after.version) == (True, None, "1.0.0")
    assert (change.decision, change.waived, change.by) == ("promote", None, "me")
    production = registry.alias("production")
    assert production is not None
    assert production.artifacts[1].version == "v14"
    assert registry.alias("previous") is None


def test_a_verdict_against_another_release_than_the_holder_needs_a_reason(registry, judged, make):
    first = make.release("1.0.0", prompt="v1")
    judged("1.1.0", prompt="v2", baseline=first)
    judged("1.2.0", prompt="v3", baseline=first)
    registry.promote("support-desk", "1.1.0", by="me")
    with pytest.raises(
        Refusal, match=r"compared it with support-desk@1\.0\.0, and support-desk@1\.1\.0 holds"
    ):
        registry.promote("support-desk", "1.2.0", by="me")
    assert registry.promote("support-desk", "1.2.0", by="me", reason="a hotfix").changed
    assert registry.promote("support-desk", "1.1.0", by="me").changed, "it held production before"


@pytest.mark.parametrize("decision", ["hold", "reject"])
def test_a_look_at_another_release_takes_no_promote_against_the_holder_back(registry, judged, make, decision):
    holder = make.release("1.0.0", prompt="v1")
    registry.record(make.run_record("prod", holder, rows=()))
    registry.promote("support-desk", "1.0.0", by="me")
    judged("1.1.0", prompt="v2", baseline=holder)
    judged("1.1.0", decision, prompt="v2", baseline=make.release("0.9.0", prompt="better"))
    assert registry.promote("support-desk", "1.1.0", by="me").changed


def test_a_first_release_replaces_nobody_who_came_into_production_since(registry, judged):
    judged("1.0.0", baseline=None)
    judged("1.1.0", baseline=None)
    registry.promote("support-desk", "1.0.0", by="me")
    with pytest.raises(Refusal, match=r"compared it with nothing, and support-desk@1\.0\.0 holds production"):
        registry.promote("support-desk", "1.1.0", by="me")
    assert registry.promote("support-desk", "1.1.0", by="me", reason="they were compared by hand").changed


def test_a_later_verdict_against_the_holder_decides(registry, judged, make):
    holder = make.release("1.0.0", prompt="v1")
    registry.record(make.run_record("prod", holder, rows=()))
    registry.promote("support-desk", "1.0.0", by="me")
    judged("1.1.0", prompt="v2", baseline=holder)
    judged("1.1.0", "hold", prompt="v2", baseline=holder)
    judged("1.1.0", "hold", prompt="v2", baseline=make.release("0.9.0", prompt="better"))
    with pytest.raises(Refusal, match=r"the latest verdict on support-desk@1\.1\.0 is hold"):
        registry.promote("support-desk", "1.1.0", by="me")


def test_another_release_under_the_name_and_version_of_the_holder_stands_for_nobody(registry, judged, make):
    registry.record(make.run_record("prod", make.release("1.0.0", prompt="v1"), rows=()))
    registry.promote("support-desk", "1.0.0", by="me")
    judged("1.1.0", prompt="v2", baseline=make.release("1.0.0", prompt="a weak one"))
    told = r"support-desk@1\.0\.0 with the digest \w+"
    with pytest.raises(Refusal, match=f"compared it with {told}, and {told} holds"):
        registry.promote("support-desk", "1.1.0", by="me")


def test_what_was_rejected_under_another_version_is_not_promoted(registry, make):
    release = make.release("1.1.0")
    registry.record(make.run_record("a", release, rows=()))
    registry.record(make.run_record("b", replace(release, version="1.2.0"), decision="reject", rows=()))
    with pytest.raises(Refusal, match=r"the latest verdict on support-desk@1\.1\.0 is reject"):
        registry.promote("support-desk", "1.1.0", by="me")


def test_a_recorded_holder_is_known_by_its_version_while_its_file_grows(registry, judged, make):
    def recorded(digest, prompt="v1"):
        release = make.release("1.0.0", prompt=prompt)
        row = ArtifactRow(*RECORDING, "", digest)
        return replace(release, digest=f"sha256:{digest}{prompt}", artifacts=(*release.artifacts, row))

    assert stands_for(recorded("grown"), recorded("short"))
    assert not stands_for(recorded("grown", "v2"), recorded("short")), "another prompt is another release"
    assert not stands_for(make.release("1.0.0", prompt="v1"), recorded("short"))


def test_the_old_holder_becomes_previous(registry, judged):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        judged(version)
        registry.promote("support-desk", version, by="me")
    assert holders(registry) == {"production": "support-desk@1.2.0", "previous": "support-desk@1.1.0"}


def test_every_move_stands_in_the_history(registry, judged):
    judged("1.0.0")
    judged("1.1.0", "hold")
    registry.promote("support-desk", "1.0.0", by="ann", reason="canary was calm")
    registry.promote("support-desk", "1.1.0", by="ben", waive="hotfix")
    with registry._database.read() as connection:
        rows = connection.execute(select(alias_history).order_by(alias_history.c.id)).all()
    assert [(row.alias, row.actor, row.reason, row.waived) for row in rows] == [
        ("production", "ann", "canary was calm", False),
        ("production", "ben", "hotfix", True),
        ("previous", "ben", "support-desk@1.1.0 took production", False),
    ]
    assert rows[0].from_release is None
    assert rows[1].from_release == rows[0].to_release


def test_promoting_the_holder_changes_nothing(registry, judged):
    judged("1.0.0")
    registry.promote("support-desk", "1.0.0", by="me")
    judged("1.0.0", "reject")
    change = registry.promote("support-desk", "1.0.0", by="me", waive="no need")
    assert not change.changed
    assert registry.waivers("support-desk") == []
    assert registry.alias("previous") is None


@pytest.mark.parametrize("decision", ["hold", "reject"])
def test_without_a_promote_verdict_it_refuses_and_says_how_to_waive(registry, judged, decision):
    judged("1.0.0", decision)
    with pytest.raises(Refusal) as caught:
        registry.promote("support-desk", "1.0.0", by="me")
    text = str(caught.value)
    assert f"the latest verdict on support-desk@1.0.0 is {decision} (run run-0" in text
    assert "because of run-0" in text
    assert text.endswith("relgate promote support-desk@1.0.0 --waive REASON")
    assert registry.alias("production") is None


def test_only_the_latest_whole_verdict_counts(registry, judged):
    judged("1.0.0", "promote")
    judged("1.0.0", "hold", partial=True)
    registry.promote("support-desk", "1.0.0", by="me")
    held = registry.alias("production", "support-desk")
    judged("1.1.0", "promote", baseline=held)
    judged("1.1.0", "reject", baseline=held)
    with pytest.raises(Refusal, match="is reject"):
        registry.promote("support-desk", "1.1.0", by="me")


def test_what_was_judged_is_promoted_and_not_what_was_only_tried(registry, judged, make):
    judged("1.0.0", "promote", prompt="v14")
    judged("1.0.0", "hold", prompt="v15", partial=True)
    assert registry.promote("support-desk", "1.0.0", by="me").after == make.release("1.0.0", prompt="v14")


def test_a_release_without_a_whole_verdict_needs_a_waiver(registry, judged, make):
    registry.record(make.run_record("run", make.release("2.0.0"), baseline=make.release("1.0.0")))
    with pytest.raises(Refusal, match=r"support-desk@1\.0\.0 has no verdict"):
        registry.promote("support-desk", "1.0.0", by="me")
    change = registry.promote("support-desk", "1.0.0", by="me", waive="it was there before relgate")
    assert (change.decision, change.waived) == ("", "it was there before relgate")


def test_a_waiver_is_kept_for_every_later_report_of_the_line(registry, judged):
    judged("1.0.0", "reject")
    registry.promote("support-desk", "1.0.0", by="ann", waive="hotfix")
    judged("1.1.0", "promote")
    registry.promote("support-desk", "1.1.0", by="ben", waive="not needed")
    (waiver,) = registry.waivers("support-desk")
    assert (waiver.release, waiver.version, waiver.alias) == ("support-desk", "1.0.0", "production")
    assert (waiver.decision, waiver.reason, waiver.by) == ("reject", "hotfix", "ann")
    assert waiver.at.endswith("+00:00")
    assert registry.waivers("another") == []
    assert [row.waived for row in registry.aliases()] == [False, False]


def test_a_waiver_needs_a_reason(registry, judged):
    judged("1.0.0", "reject")
    with pytest.raises(Refusal, match="needs a reason"):
        registry.promote("support-desk", "1.0.0", by="me", waive="  ")


def test_an_unknown_release_is_refused_with_what_is_alike(registry, judged):
    judged("1.0.0")
    with pytest.raises(
        Refusal, match=r"no release support-desk@1\.0\.1 .*did you mean support-desk@1\.0\.0\?"
    ):
        registry.promote("support-desk", "1.0.1", by="me", waive="anyway")


def test_previous_moves_with_production_only(registry, judged):
    judged("1.0.0")
    with pytest.raises(Refusal, match="'previous' is moved by relgate itself"):
        registry.promote("support-desk", "1.0.0", by="me", alias="previous")


def test_each_release_line_has_its_own_production(registry, judged):
    judged("1.0.0")
    judged("7.0.0", name="other-desk")
    registry.promote("support-desk", "1.0.0", by="me")
    assert registry.alias("production").name == "support-desk"
    registry.promote("other-desk", "7.0.0", by="me")
    assert registry.alias("production", "support-desk").version == "1.0.0"
    assert registry.alias("production", "other-desk").version == "7.0.0"
    assert registry.alias("production", "third-desk") is None
    with pytest.raises(Refusal, match="other-desk@production, support-desk@production"):
        registry.alias("production")


def test_the_way_back_needs_no_new_verdict(registry, judged):
    judged("1.0.0", "hold")
    judged("1.1.0")
    registry.promote("support-desk", "1.0.0", by="me", waive="in production before relgate")
    registry.promote("support-desk", "1.1.0", by="me")
    change = registry.promote("support-desk", "1.0.0", by="me")
    assert (change.changed, change.waived) == (True, None)
    assert holders(registry)["production"] == "support-desk@1.0.0"


def test_having_held_another_alias_is_no_way_back(registry, judged):
    judged("1.0.0", "hold")
    registry.promote("support-desk", "1.0.0", by="me", alias="canary", waive="try it")
    with pytest.raises(Refusal, match="latest verdict"):
        registry.promote("support-desk", "1.0.0", by="me")


def fled(registry, judged) -> None:
    """1.1.0 took production from 1.0.0 and was taken out of it again."""
    judged("1.0.0")
    judged("1.1.0")
    registry.promote("support-desk", "1.0.0", by="ann")
    registry.promote("support-desk", "1.1.0", by="ann")
    change = registry.promote("support-desk", "1.0.0", by="ben", reason="refunds fail")
    assert change.way_back


@pytest.mark.parametrize(
    "words", [{}, {"reason": " "}, {"reason": "calm again", "named": False}, {"waive": "calm again"}]
)
def test_a_fled_release_returns_only_by_name_and_with_a_reason(registry, judged, words):
    fled(registry, judged)
    with pytest.raises(Refusal) as caught:
        registry.promote("support-desk", "1.1.0", by="ann", **words)
    text = str(caught.value)
    assert text.startswith("support-desk@1.1.0 was taken out of production on 20")
    assert "by ben: refunds fail" in text
    assert text.endswith("relgate promote support-desk@1.1.0 --reason TEXT")
    assert holders(registry)["production"] == "support-desk@1.0.0"


def test_a_fled_release_that_returned_is_fled_no_more_and_its_way_back_is_open(registry, judged):
    fled(registry, judged)
    change = registry.promote("support-desk", "1.1.0", by="ann", reason="a false alarm")
    assert (change.changed, change.way_back) == (True, False)
    assert registry.promote("support-desk", "1.0.0", by="ann", named=False).way_back
    with pytest.raises(Refusal, match="was taken out"):
        registry.promote("support-desk", "1.1.0", by="ann")


def test_a_release_that_a_newer_one_followed_is_not_fled(registry, judged):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        judged(version)
        registry.promote("support-desk", version, by="me")
    assert registry.promote("support-desk", "1.1.0", by="me", named=False).changed
    assert registry.promote("support-desk", "1.0.0", by="me", named=False).changed
    judged("1.3.0", baseline=registry.alias("production", "support-desk"))
    assert registry.promote("support-desk", "1.3.0", by="me").way_back is False


def test_a_fled_release_may_hold_another_alias(registry, judged):
    fled(registry, judged)
    assert registry.promote("support-desk", "1.1.0", by="me", alias="canary").changed


def test_the_last_holders_of_production_come_newest_first_and_each_once(registry, judged):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        judged(version)
        registry.promote("support-desk", version, by="me")
    registry.promote("support-desk", "1.0.0", by="me", reason="the way back")
    judged("9.0.0", name="other-desk")
    registry.promote("other-desk", "9.0.0", by="me")
    assert [held.version for held in registry.holders("support-desk", limit=12)] == [
        "1.0.0",
        "1.2.0",
        "1.1.0",
    ]
    assert [held.version for held in registry.holders("support-desk", limit=1)] == ["1.0.0"]
    assert registry.holders("support-desk", "anchor", limit=12) == []


def test_what_held_production_may_become_the_anchor_without_a_new_verdict(registry, judged, make):
    judged("1.1.0", baseline=make.release("1.0.0", prompt="v13"))
    with pytest.raises(Refusal, match="never held anchor or production"):
        registry.promote("support-desk", "1.0.0", by="me", alias="anchor")
    registry.promote("support-desk", "1.0.0", by="me", waive="the first")
    registry.promote("support-desk", "1.1.0", by="me")
    change = registry.promote("support-desk", "1.0.0", by="me", alias="anchor")
    assert (change.changed, change.waived) == (True, None)


def test_what_was_fled_returns_under_another_version_only_with_a_reason(registry, judged, make):
    fled(registry, judged)
    held = registry.alias("production", "support-desk")
    gone = registry.release("support-desk", "1.1.0")
    twin = replace(gone, version="1.1.1")
    registry.record(make.run_record("twin", twin, baseline=held))
    with pytest.raises(Refusal, match=r"1\.1\.0, whose content support-desk@1\.1\.1 has, was taken out"):
        registry.promote("support-desk", "1.1.1", by="me")
    assert registry.promote("support-desk", "1.1.1", by="me", reason="mended outside").changed


def test_another_version_of_what_holds_production_flees_nobody_and_its_way_back_stays_open(
    registry, judged, make
):
    judged("1.0.0")
    registry.promote("support-desk", "1.0.0", by="ann")
    first = registry.release("support-desk", "1.0.0")
    twin = replace(first, version="1.0.1")
    registry.record(make.run_record("twin", twin, baseline=first))
    registry.promote("support-desk", "1.0.1", by="ann")
    registry.promote("support-desk", "1.0.0", by="ann")
    judged("1.1.0", baseline=first, prompt="v15")
    registry.promote("support-desk", "1.1.0", by="ann")
    assert registry.promote("support-desk", "1.0.0", by="ann").changed


def test_what_was_fled_and_held_production_since_under_another_version_is_fled_no_more(
    registry, judged, make
):
    for version, prompt in (("1.0.0", "v0"), ("1.1.0", "v1")):
        judged(version, prompt=prompt)
        registry.promote("support-desk", version, by="ann")
    registry.promote("support-desk", "1.0.0", by="ben", reason="refunds fail")
    held = registry.alias("production", "support-desk")
    twin = replace(registry.release("support-desk", "1.1.0"), version="1.1.1")
    registry.record(make.run_record("twin", twin, baseline=held))
    registry.promote("support-desk", "1.1.1", by="ann", reason="mended outside")
    judged("1.2.0", baseline=twin, prompt="v2")
    registry.promote("support-desk", "1.2.0", by="ann")
    assert registry.promote("support-desk", "1.1.1", by="ann").changed
