"""Which stored scores may be paired, and what of the suites is gone or loosened since the baseline's run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relgate.decision.pairing import pair_cases
from relgate.decision.suite_changes import SuiteChanges, compare_suites
from relgate.domain.gate import GateSpec
from relgate.domain.run import CaseRecord, SuiteRecord, SuiteSettings

MARGIN = GateSpec("exact", "non_inferior", 0.05)


def suite(count=40, *, gates=(MARGIN,), kind="golden", name="golden", **special):
    cases = tuple(CaseRecord(f"c{n}", f"v{n}", **special.get(f"c{n}", {})) for n in range(count))
    return SuiteRecord(name, kind, tuple(gate.document() for gate in gates), cases)


def without(record, *ids):
    return replace(record, cases=tuple(case for case in record.cases if case.id not in ids))


def changed(record, *ids):
    return replace(
        record,
        cases=tuple(replace(case, digest="other") if case.id in ids else case for case in record.cases),
    )


def keys(record):
    return {(record.suite, case.id) for case in record.cases}


def test_equal_suites_and_further_cases_say_nothing():
    found = compare_suites([suite(40)], [suite(60)])
    assert (found.notes, found.losses) == ((), ())


@pytest.mark.parametrize(("gone", "holds"), [(2, 0), (3, 1)], ids=["5 % may", "more than 5 % hold"])
def test_deleted_cases_are_noted_and_more_than_five_per_cent_hold(gone, holds):
    before = suite(40)
    found = compare_suites([before], [without(before, *(f"c{n}" for n in range(gone)))])
    assert len(found.notes) == 1
    assert f"{gone} of 40 cases of golden" in found.notes[0]
    assert len(found.losses) == holds


@pytest.mark.parametrize(
    ("before", "word"),
    [
        (suite(40, c7={"critical": True}), "critical"),
        (suite(40, c7={"regression": True}), "regression"),
        (suite(40, kind="safety"), "safety"),
    ],
    ids=["critical", "regression", "safety"],
)
def test_one_protected_case_that_is_gone_holds(before, word):
    found = compare_suites([before], [without(before, "c7")])
    assert [word in loss.what and "c7" in loss.rest for loss in found.losses] == [True]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ({"critical": True}, {}, "critical cases of golden are not critical any more"),
        (
            {"critical": "never"},
            {"critical": True},
            'critical cases of golden are not "never" any more',
        ),
        ({"regression": True}, {}, "regression cases of golden are not in regressions.jsonl any more"),
        ({"harmful": True}, {}, "harmful cases of golden are not harmful any more"),
        *(
            (
                {kind: True, "content": "a"},
                {kind: True, "content": "b"},
                "critical or regression cases of golden ask or expect something else",
            )
            for kind in ("critical", "regression")
        ),
    ],
)
def test_a_case_that_lost_what_protected_it_holds(was, now, says):
    (loss,) = compare_suites([suite(40, c7=was)], [suite(40, c7=now)]).losses
    assert loss.sentence("the baseline's run") == f"{says} since the baseline's run: c7"
    assert compare_suites([suite(40, c7=was)], [suite(40, c7=was)]).losses == ()
    assert compare_suites([suite(40)], [suite(40, c7=was)]).losses == ()


def test_a_harmful_case_that_asks_something_else_is_named():
    before, now = (suite(40, kind="safety", c7={"harmful": True, "content": text}) for text in "ab")
    found = compare_suites([before], [now])
    assert found == SuiteChanges(("harmful cases of golden changed: c7",))


def test_another_scoring_is_noted_and_takes_no_case_for_another_one():
    protected = {"critical": True, "content": "a"}
    before = suite(40, c7=protected)
    scored_otherwise = changed(before, *(f"c{n}" for n in range(40)))
    found = compare_suites([before], [scored_otherwise])
    assert found == SuiteChanges(("what scores golden changed, or all of its cases",))


def test_cases_that_changed_beside_what_scores_them_are_named():
    before = replace(suite(40), settings=SETTINGS)
    now = replace(changed(before, "c1", "c2"), settings=replace(SETTINGS, scoring="other"))
    assert compare_suites([before], [now]).notes == (
        "what scores golden changed",
        "cases of golden ask or expect something else: c1, c2",
    )


def test_cases_that_are_tagged_otherwise_are_named_whatever_else_changed():
    before = suite(40, c1={"tags": "a"}, c2={"tags": "a"})
    now = suite(41, c1={"tags": "b"}, c2={"tags": "a"})
    assert compare_suites([before], [now]).notes == ("cases of golden are tagged otherwise: c1",)


def test_clusters_that_are_counted_from_now_on_are_noted():
    before = replace(suite(40), settings=replace(SETTINGS, clustered=False))
    found = compare_suites([before], [replace(before, settings=SETTINGS)])
    assert found == SuiteChanges(("golden counts clusters now",))


SETTINGS = SuiteSettings("scoring", "", ("a",), clustered=True, slices=("topic", "lang"))


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (replace(SETTINGS, clustered=False), "golden does not count clusters any more"),
        (replace(SETTINGS, slices=("lang",)), "slices of golden are not watched any more"),
    ],
    ids=["clusters", "slices"],
)
def test_cases_that_are_grouped_so_that_less_is_seen_hold(now, says):
    before, after = (replace(suite(40), settings=settings) for settings in (SETTINGS, now))
    (loss,) = compare_suites([before], [after]).losses
    assert loss.sentence("the baseline's run").startswith(f"{says} since the baseline's run")
    assert compare_suites([after], [before]).losses == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"settings": replace(SETTINGS, scoring="other")}, "what scores golden changed"),
        ({"cases_digest": "sha256:now"}, "cases of golden are tagged or grouped otherwise"),
        ({"settings": replace(SETTINGS, plugins="other")}, "what scores golden changed"),
    ],
)
def test_what_changed_of_a_suite_is_noted(changes, says):
    before = replace(suite(40), settings=SETTINGS, cases_digest="sha256:before")
    assert compare_suites([before], [replace(before, **changes)]).notes == (says,)


def test_cases_that_ask_something_else_or_became_harmful_are_named():
    before = suite(40)
    found = compare_suites([before], [changed(before, "c1", "c2")])
    assert found == SuiteChanges(("cases of golden ask or expect something else: c1, c2",))
    found = compare_suites([before], [suite(40, c7={"harmful": True})])
    assert found.notes == ("cases of golden became harmful: c7",)


def test_a_suite_that_is_gone_holds_and_one_left_out_by_option_does_not():
    found = compare_suites([suite(), suite(name="second")], [suite()])
    assert ["second is gone" in loss.what for loss in found.losses] == [True]
    assert compare_suites([suite(), suite(name="second")], [suite()], left_out={"second"}).losses == ()


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (MARGIN, replace(MARGIN, boundary=0.1), "loosened"),
        (MARGIN, replace(MARGIN, boundary=0.02), ""),
        (MARGIN, replace(MARGIN, role="guard"), "loosened"),
        (MARGIN, replace(MARGIN, metric="other"), "is gone"),
        (GateSpec("exact", "at_least", 0.9), GateSpec("exact", "at_least", 0.8), "loosened"),
        (GateSpec("exact", "at_least", 0.8), GateSpec("exact", "at_least", 0.9), ""),
        (
            GateSpec("violation", "violations", 0.0, rate_at_most=0.05),
            GateSpec("violation", "violations", 0.0),
            "loosened",
        ),
        (
            GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.5, slack=50.0),
            GateSpec("latency_ms", "ratio_at_most", 1.5, quantile=0.5, slack=500.0),
            "loosened",
        ),
    ],
)
def test_loosened_and_deleted_gates_are_noted_and_never_hold(was, now, says):
    found = compare_suites([suite(gates=[was])], [suite(gates=[now])])
    assert [says in note for note in found.notes] == ([True] if says else [])
    assert found.losses == ()


def test_a_setting_that_a_later_version_added_does_not_make_a_gate_another():
    before = suite()
    older = tuple({k: v for k, v in gate.items() if k != "pooled"} for gate in before.gates)
    assert compare_suites([replace(before, gates=older)], [before]).notes == ()


def test_only_cases_of_equal_version_are_paired_with_stored_scores():
    before = suite(40)
    now = changed(suite(42), "c3")
    pairing = pair_cases([before], [now], keys(before) - {("golden", "c5")})
    assert ("golden", "c3") not in pairing.paired
    assert pairing.changed == (("golden", "c3"),)
    assert set(pairing.lacking) == {("golden", "c5"), ("golden", "c40"), ("golden", "c41")}
    assert len(pairing.paired) == 38
    assert pairing.holds == ()


def test_more_than_five_per_cent_changed_holds():
    before = suite(40)
    pairing = pair_cases([before], [changed(before, "c1", "c2", "c3")], keys(before))
    assert ["3 of 40 cases of golden changed" in reason for reason, _ in pairing.holds] == [True]


def test_a_version_that_was_not_recorded_is_never_paired():
    before = suite(3)
    unknown = replace(before, cases=tuple(replace(case, digest="") for case in before.cases))
    assert pair_cases([unknown], [before], keys(before)).paired == frozenset()
