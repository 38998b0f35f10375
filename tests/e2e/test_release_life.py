"""One project over several runs: stored verdicts, attempts, incidents, promotion, waiver, production."""

from __future__ import annotations

import json

import pytest


def _card(folder, version):
    return json.loads((folder / f"reports/support-desk-{version}/scorecard.json").read_text(encoding="utf-8"))


def test_the_same_release_again_gives_the_stored_verdict_without_a_call(life):
    assert (life.first.exit_code, life.again.exit_code) == (0, 0), life.first.output + life.again.output
    assert f"judged before, in run {life.first_card['run']['id']}" in life.again.output or (
        f"stored verdict of run {life.first_card['run']['id']}" in life.again.output
    )
    assert "calls to both releases" not in life.again.output
    assert _card(life.folder, "1.3.0")["run"]["id"] == life.first_card["run"]["id"]


def test_a_second_candidate_on_the_same_golden_sets_is_attempt_two_with_a_smaller_alpha(life):
    assert life.second_card["verdict"]["attempts"] == 2
    assert life.second_card["gate_policy"]["alpha"] == pytest.approx(0.0125)
    assert any("attempt 2" in note and "0.0125" in note for note in life.second_card["notes"])
    assert "alpha 0.0125" in life.second.output


def test_an_incident_becomes_a_redacted_regression_case(life):
    assert life.incident.exit_code == 0, life.incident.output
    lines = (life.folder / "golden_sets/support_desk/golden/regressions.jsonl").read_text().splitlines()
    added = json.loads(lines[-1])
    assert added["id"] == f"{life.missed}-incident-1"
    assert "jo.doe@customer-mail.net" not in lines[-1]
    assert added["expected"].startswith("write to <")


def test_a_regression_case_that_still_misses_rejects_the_next_run(life):
    assert life.second.exit_code == 1, life.second.output
    assert life.second_card["verdict"]["decision"] == "reject"
    gate = next(g for g in life.second_card["gates"] if g["id"] == "gates::support-golden[regressions:zero]")
    assert (gate["result"], gate["n"]) == ("fail", 4)


def test_promote_refuses_without_a_promote_verdict(life):
    assert life.refused.exit_code == 1
    assert "reject" in life.refused.output


def test_promote_moves_production_to_a_release_with_a_promote_verdict(life):
    assert life.promoted.exit_code == 0, life.promoted.output
    assert "nobody -> support-desk@1.3.0" in life.promoted.output
    assert life.status.exit_code == 0
    assert "1.3.0" in life.status.output


def test_without_a_baseline_key_the_holder_of_production_is_run_live(life):
    assert life.third_card["baseline"]["version"] == "1.3.9"
    calls = life.third_card["calls"]
    assert calls["made"] + calls["saved"] == calls["planned"] > 1000
    assert [change["name"] for change in life.third_card["changed"]] == ["evidence"]


def test_a_waiver_stands_in_the_next_scorecard(life):
    assert life.waived.exit_code == 0, life.waived.output
    (waiver,) = life.third_card["verdict"]["waivers"]
    assert (waiver["version"], waiver["reason"]) == ("1.3.9", "hotfix, agreed with Ann")
    (line,) = [line for line in life.third.output.splitlines() if line.startswith("waived  ")]
    assert line.startswith("waived  support-desk@1.3.9, 20")
    assert line.endswith(": hotfix, agreed with Ann")


def test_equal_content_under_another_version_is_said_aloud(life):
    assert any("equal in content to support-desk@1.3.0" in note for note in life.third_card["notes"])
