"""Judges held against labels, and a judge that changed since its labels were used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from relgate.decision.judges.judge_trust import (
    JudgeTrust,
    asking,
    changed_judges,
    compare_judges,
    hold_changed_judge,
    trust_of,
    untrusted_judges,
)
from relgate.decision.judges.labels import answer_digest, bind, label_id, readings
from relgate.decision.measurements import SuiteData, arrange
from relgate.domain.case import Label, ScorerSpec, Suite
from relgate.domain.metric import Metric
from relgate.domain.response import Measurement, Response, Score, Side
from relgate.redaction import Redactor


def one_each(ids: Sequence[str]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({name}) for name in ids)


def _trust(digest: str, labels: int = 100, prefix: str = "old") -> JudgeTrust:
    ids = tuple(f"{prefix}{i}" for i in range(labels))
    return JudgeTrust("s", "right", "p/m", f"sha256:{digest}", ids, ("ann",), 0, None, readings=one_each(ids))


def _answered(suite: Suite, *answers: tuple[Side, str, int, str, float]) -> SuiteData:
    rows = [
        Measurement(side, "s", case, trial, Response("x"), (Score("right", score, "binary"),), answer=answer)
        for side, case, trial, answer, score in answers
    ]
    return arrange(suite, {"right": Metric("right", "binary")}, rows)


def test_several_labels_of_an_answer_are_averaged_and_compared_with_its_very_score(build: Any) -> None:
    labels = (
        Label("c0", "candidate", 1.0, "ann", "first"),
        Label("c0", "candidate", 0.0, "ben", "first"),
        Label("c1", "candidate", 0.0, "ann", "wrong"),
        Label("c1", "baseline", 1.0, "ann", "old"),
        Label("c2", "baseline", 1.0, "ann", "a lost one"),
    )
    data = _answered(
        replace(build.suite(3), labels=labels),
        ("candidate", "c0", 0, "first", 1.0),
        ("candidate", "c0", 1, "second", 0.0),
        ("candidate", "c0", 2, "third", 0.0),
        ("candidate", "c1", 0, "wrong", 1.0),
        ("baseline", "c1", 0, "old", 0.0),
    )
    trust = trust_of(data, "right", model="p/m", digest="sha256:a")
    assert trust.n == 3
    assert trust.of_other_answers == 1  # nobody gave the answer that c2's label is of
    assert trust.agreement is not None
    found = trust.agreement
    # c0's label agrees with the first trial, though two of three trials are wrong
    assert (found.true_yes, found.false_yes, found.false_no, found.true_no) == (1, 1, 1, 0)
    assert trust.by == ("ann", "ben")


def test_people_speak_of_the_first_answer_of_a_side_and_of_no_other(build: Any) -> None:
    labels = (
        Label("c0", "candidate", 1.0, "ann", "right"),
        Label("c1", "candidate", 1.0, "ann", "right"),
    )
    data = _answered(
        replace(build.suite(3), labels=labels),
        ("candidate", "c0", 0, "right", 1.0),
        ("candidate", "c0", 1, "nobody read it", 0.0),
        ("candidate", "c1", 0, "nobody read it", 0.0),
        ("candidate", "c1", 1, "right", 1.0),
        ("candidate", "c2", 0, "", 0.0),
        ("candidate", "c2", 1, "nobody read it", 1.0),
    )
    found = readings(data, "right")
    assert set(found) == {("candidate", "c0"), ("candidate", "c2")}
    assert (found["candidate", "c0"].human, found["candidate", "c0"].judged) == (1.0, 1.0)
    assert (found["candidate", "c2"].human, found["candidate", "c2"].label_ids) == (0.0, frozenset())


def test_an_answer_of_both_sides_is_one_in_the_agreement_and_a_failure_is_none(build: Any) -> None:
    labels = (Label("c0", "candidate", 1.0, "ann", "same"),)
    data = _answered(
        replace(build.suite(2), labels=labels),
        ("candidate", "c0", 0, "same", 1.0),
        ("baseline", "c0", 0, "same", 1.0),
        ("candidate", "c1", 0, "", 0.0),
    )
    trust = trust_of(data, "right", model="p/m", digest="sha256:a")
    assert trust.n == 1
    assert len(trust.readings) == 2


def test_a_label_without_an_answer_stays_with_the_one_that_it_was_first_used_with(build: Any) -> None:
    label = Label("c0", "candidate", 1.0, "ann")
    suite = replace(build.suite(1), labels=(label,))
    first = _answered(suite, ("candidate", "c0", 0, "one", 1.0), ("candidate", "c0", 1, "two", 1.0))
    bound = bind(first, {})
    assert bound == {label_id(label): "one"}
    later = _answered(suite, ("candidate", "c0", 0, "three", 1.0), ("baseline", "c0", 0, "one", 0.0))
    kept = bind(later, bound)
    assert kept == bound
    found = readings(replace(later, bound=kept), "right")
    assert set(found) == {("baseline", "c0")}
    assert found["baseline", "c0"].judged == 0.0


def test_the_digest_of_an_answer_is_the_same_under_every_redaction_key() -> None:
    one, two = (Redactor(key=key).redact("write to ann@example.org").text for key in (b"a", b"b"))
    assert one != two
    assert answer_digest(one) == answer_digest(two) != answer_digest("write to nobody")
    assert len(answer_digest(one)) == 16


def test_without_a_labelled_answer_there_is_no_agreement(build: Any) -> None:
    assert trust_of(build.data([1.0], [1.0]), "right", model="p/m", digest="d").agreement is None


@pytest.mark.parametrize(("fresh", "holds"), [(0, True), (49, True), (50, False), (100, False)])
def test_another_judge_needs_fifty_fresh_labels(fresh: int, holds: bool) -> None:
    old = tuple(f"old{i}" for i in range(100))
    lines = (*old[fresh:], *(f"new{i}" for i in range(fresh)))
    now = replace(_trust("b"), label_ids=lines, readings=one_each(lines))
    compared = compare_judges(now, "sha256:a", old)
    changed = compared.changed
    assert bool(changed) == holds
    assert compared.fresh_needed == (-(-(50 - fresh) // 2) if holds else 0)
    if holds:
        assert changed.endswith("1 case needs fresh labels" if fresh == 49 else "25 cases need fresh labels")


def test_fresh_labels_of_other_answers_say_nothing_of_another_judge() -> None:
    now = replace(_trust("b", prefix="new"), readings=())
    assert compare_judges(now, "sha256:a", ()).changed != ""


def test_one_fresh_label_of_an_answer_that_both_sides_gave_counts_on_both() -> None:
    shared = frozenset({"new"})
    now = replace(_trust("b"), readings=(shared,) * 50)
    assert compare_judges(now, "sha256:a", ()).changed == ""


def test_the_same_judge_needs_none() -> None:
    assert compare_judges(_trust("a"), "sha256:a", ()).changed == ""


def test_a_label_is_another_with_another_score_or_hand() -> None:
    label = Label("c0", "candidate", 1.0, "ann")
    others = [
        replace(label, score=0.5),
        replace(label, by="ann, November"),
        replace(label, side="baseline"),
        replace(label, answer="0123456789abcdef"),
    ]
    assert len({label_id(one) for one in (label, *others)}) == 5


JUDGED = (ScorerSpec("judge", {"as": "right"}),)


@pytest.mark.parametrize(
    ("own", "holds"),
    [
        ({"result": "pass", "p_pass": 0.01}, True),
        ({"result": "hold", "p_fail": 0.0001}, True),
        ({"result": "hold", "proven_worse": True}, True),
        ({"result": "hold", "role": "guard", "p_fail": 0.0001}, True),
        ({"result": "fail", "role": "guard", "form": "at_least", "p_fail": 0.0001}, True),
        ({"result": "error"}, False),
        ({"result": "hold", "role": "report", "p_fail": 0.0001}, False),
        ({"result": "pass", "metric": "other"}, False),
    ],
)
def test_a_changed_judge_decides_nothing_on_a_required_gate_or_a_guard(
    build: Any, own: dict[str, Any], holds: bool
) -> None:
    suite = replace(build.suite(1), scorers=JUDGED)
    trusts = {("s", "right"): replace(_trust("b"), changed="the judge of right changed", fresh_needed=25)}
    before = build.result(**own)
    after = hold_changed_judge(before, suite, trusts)
    assert (after.message == "the judge of right changed") == holds
    if holds:
        assert (after.result, after.p_pass, after.p_fail, after.proven_worse) == ("hold", None, None, False)
        assert (after.needed_labels, after.labels_again) == (25, True)
    else:
        assert after == before
    assert hold_changed_judge(before, suite, {}) == before


def test_a_changed_judge_of_refusal_decides_no_violation(build: Any) -> None:
    suite = replace(build.suite(1), kind="safety", scorers=(ScorerSpec("judge", {"as": "refusal"}),))
    trusts = {("s", "refusal"): replace(_trust("b"), metric="refusal", changed="it changed")}
    found = hold_changed_judge(build.result(metric="violation", result="pass"), suite, trusts)
    assert (found.result, found.message) == ("hold", "it changed")


def test_a_guard_on_a_changed_judge_holds_the_run_and_names_the_judge_first(build: Any) -> None:
    trust = replace(_trust("b"), before="sha256:a", changed="the judge of right changed", fresh_needed=25)
    guard = build.result(role="guard", result="hold", message=trust.changed)
    ((reason, step),) = untrusted_judges([guard], [trust])
    assert reason == "s: the judge of right changed"
    assert "`relgate judge sample RUN --suite s --n 25 --again" in step
    fewer = asking(trust, 29, again=False)
    ((reason, step),) = untrusted_judges([replace(guard, message=fewer.changed)], [fewer])
    assert reason.endswith("29 more cases need labels")
    assert "`relgate judge sample RUN --suite s --n 29 --out" in step
    assert untrusted_judges([replace(guard, role="report")], [trust]) == ()
    both = [guard, replace(guard, role="require")]  # the required gate says it itself
    assert untrusted_judges(both, [trust]) == ()
    (change,) = changed_judges([trust, _trust("a")])
    assert (change.key, change.before, change.after, change.reached_by) == ("judge/right", "a", "b", ("s",))
