from __future__ import annotations

import pytest

from relgate.domain.errors import Refusal
from relgate.store.rows import Incident, RegressionCase


@pytest.fixture
def three_runs(registry, make):
    registry.record(make.run_record("aa11", make.release("1.0.0")))
    registry.record(make.run_record("aa22", make.release("2.0.0", name="other-desk")))
    registry.record(make.run_record("bb33", make.release("1.1.0")))
    return registry


def test_runs_come_newest_first(three_runs):
    assert [run.id for run in three_runs.runs()] == ["bb33", "aa22", "aa11"]
    assert [run.id for run in three_runs.runs(2)] == ["bb33", "aa22"]
    assert [run.id for run in three_runs.runs(release="support-desk")] == ["bb33", "aa11"]
    assert three_runs.runs(release="nothing") == []


def test_a_run_is_found_by_the_beginning_of_its_id(three_runs):
    assert three_runs.run("b").id == "bb33"
    assert three_runs.run("aa11").id == "aa11"


def test_a_beginning_of_several_runs_is_refused_with_their_ids(three_runs):
    with pytest.raises(Refusal, match="2 runs begin with 'aa': aa22, aa11"):
        three_runs.run("aa")


def test_an_id_that_begins_another_is_still_its_own(three_runs, make):
    three_runs.record(make.run_record("aa1", make.release("1.2.0")))
    assert three_runs.run("aa1").id == "aa1"


@pytest.mark.parametrize(("asked", "answer"), [("bb34", "did you mean bb33"), ("zz", "there are bb33, aa22")])
def test_an_unknown_run_is_refused_with_what_is_alike(three_runs, asked, answer):
    with pytest.raises(Refusal, match=f"there is no run '{asked}'; {answer}"):
        three_runs.run(asked)


def test_no_beginning_names_no_run(three_runs):
    with pytest.raises(Refusal, match="there is no run ''"):
        three_runs.run("")


def test_an_empty_registry_says_so(registry):
    with pytest.raises(Refusal, match="nothing has been recorded yet"):
        registry.run("aa")


def test_cases_can_be_asked_for_by_outcome(three_runs):
    assert [case.case_id for case in three_runs.cases("bb33")] == [f"refund-{n:03}" for n in range(4)]
    (regressed,) = three_runs.cases("bb33", "regressed")
    assert (regressed.case_id, regressed.case_line) == ("refund-002", 3)
    assert (regressed.suite, regressed.suite_folder) == ("support-golden", "support_desk/golden")


def test_the_calls_of_one_case_come_in_the_order_of_recording(three_runs):
    rows = three_runs.case_measurements("bb33", "refund-002")
    assert [(row.side, row.trial) for row in rows] == [
        ("candidate", 0),
        ("baseline", 0),
        ("candidate", 1),
        ("baseline", 1),
    ]
    assert [row.scores["exact"] for row in rows] == [0.0, 1.0, 0.0, 1.0]
    assert three_runs.case_measurements("bb33", "refund-002", "support-golden") == rows
    assert three_runs.case_measurements("bb33", "refund-002", "another-suite") == []


def test_a_version_with_several_digests_means_the_one_judged_last(registry, make):
    first, second = make.release("1.0.0", prompt="v1"), make.release("1.0.0", prompt="v2")
    registry.record(make.run_record("run-1", first))
    registry.record(make.run_record("run-2", second))
    registry.record(make.run_record("run-3", first))
    assert registry.release("support-desk", "1.0.0") == first
    assert registry.release("support-desk", "1.0.0", second.digest) == second
    assert registry.release("support-desk", "9.9.9") is None


def test_an_incident_and_its_regression_case_are_kept(three_runs):
    incident = three_runs.add_incident(
        Incident("aa11", "support-golden", "refund-001", "privacy", "high", "me")
    )
    expected = {"tool": "lookup_order"}
    case = RegressionCase(
        incident, "support-golden", "new-id", "file", 3, [{"role": "user"}], expected, {"EMAIL": 2}
    )
    assert three_runs.add_regression_case(case) == 1
    assert three_runs.regression_cases() == [case]


def test_the_key_of_placeholders_is_made_once_and_kept(registry):
    key = registry.redaction_key()
    assert len(key) == 64
    assert registry.redaction_key() == key
    assert registry.redaction_key("given") == b"given"
    assert registry.redaction_key("") == key


def test_a_screen_is_told_apart_from_a_part_of_the_cases(registry, make):
    part = make.run_record("part", make.release("1.3.0"), decision="hold", partial=True, rows=[])
    screen = make.run_record("screen", make.release("1.3.0"), decision="hold", partial=True, rows=[])
    screen.scorecard["verdict"]["screen"] = True
    for record in (part, screen, make.run_record("whole", make.release("1.3.0"), rows=[])):
        registry.record(record)
    assert [(run.screen, run.said) for run in registry.runs()] == [
        (False, "promote"),
        (True, "screen: hold"),
        (False, "hold"),
    ]


def test_the_moves_of_an_alias(registry, make):
    for version in ("1.0.0", "1.1.0"):
        holder = registry.alias("production", "support-desk")
        registry.record(make.run_record(f"run-{version}", make.release(version), baseline=holder, rows=[]))
        registry.promote("support-desk", version, by="ann")
    registry.promote("support-desk", "1.0.0", by="bob", reason="it was slow")
    moves = registry.alias_moves("production")
    assert [(m.before and m.before.version, m.release.version, m.by, m.reason) for m in moves] == [
        ("1.1.0", "1.0.0", "bob", "it was slow"),
        ("1.0.0", "1.1.0", "ann", ""),
        (None, "1.0.0", "ann", ""),
    ]
    assert moves[0].since == next(row.since for row in registry.aliases() if row.alias == "production")
    assert registry.alias_moves("production", "support-desk", 1) == moves[:1]
    assert registry.alias_moves("production", "other-desk") == []
