from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture
def judge(registry, make):
    """Record a run of a candidate and give its attempt number."""
    counter = iter(range(1000))

    def record(prompt: str, key=None, **options) -> int:
        candidate = make.release("1.3.0", prompt=prompt)
        attempt = make.attempt_key() if key is None else key
        return registry.record(make.run_record(f"run-{next(counter)}", candidate, attempt=attempt, **options))

    return record


def test_each_new_candidate_is_the_next_attempt(judge):
    assert [judge("v1"), judge("v2"), judge("v3")] == [1, 2, 3]


def test_the_same_candidate_keeps_its_number(judge):
    assert [judge("v1"), judge("v2"), judge("v1"), judge("v2"), judge("v3")] == [1, 2, 1, 2, 3]


def test_the_next_number_is_known_before_the_run(registry, judge, make):
    first, second = (make.release("1.3.0", prompt=prompt).digest for prompt in ("v1", "v2"))
    assert registry.next_attempt(make.attempt_key(), first) == 1
    judge("v1")
    assert registry.next_attempt(make.attempt_key(), first) == 1
    assert registry.next_attempt(make.attempt_key(), second) == 2


def test_baselines_golden_sets_and_lines_are_counted_apart(judge, make):
    judge("v1")
    assert judge("v2", make.attempt_key(golden="golden-2")) == 1
    assert judge("v2", make.attempt_key(make.release("1.2.4"))) == 1
    assert judge("v2") == 2


def test_a_run_that_is_no_attempt_counts_for_nothing(registry, judge, make):
    assert registry.record(make.run_record("partial", make.release("1.3.0"), partial=True)) == 0
    assert registry.run("partial").attempt is None
    assert judge("v1") == 1


def test_a_promotion_begins_the_count_anew(registry, judge):
    judge("v1", decision="hold")
    judge("v2")
    registry.promote("support-desk", "1.3.0", by="me")
    assert [judge("v3"), judge("v1")] == [1, 2]


def test_promoting_the_holder_again_leaves_the_count(registry, judge):
    judge("v1")
    registry.promote("support-desk", "1.3.0", by="me")
    assert judge("v1") == 1
    registry.promote("support-desk", "1.3.0", by="me")
    assert judge("v2") == 2


def test_another_lines_promotion_and_another_alias_leave_the_count(registry, judge, make):
    judge("v1")
    registry.record(make.run_record("other", make.release("1.0.0", name="other-desk")))
    registry.promote("other-desk", "1.0.0", by="me")
    registry.promote("support-desk", "1.3.0", by="me", alias="candidate")
    assert judge("v2") == 2


def test_measuring_a_candidate_again_is_a_further_attempt(registry, judge, make):
    first = make.release("1.3.0", prompt="v1").digest
    assert judge("v1") == 1
    assert registry.next_attempt(make.attempt_key(), first, again=True) == 2
    record = replace(make.run_record("again", make.release("1.3.0", prompt="v1")), again=True)
    assert registry.record(replace(record, attempt=make.attempt_key())) == 2
    assert judge("v2") == 3
    assert registry.next_attempt(make.attempt_key(), first) == 1


def test_the_attempts_of_one_candidate_since_the_promotion(registry, judge, make):
    key, digest = make.attempt_key(), make.release("1.3.0", prompt="v1").digest
    judge("v1")
    judge("v2")
    judge("v1", make.attempt_key(golden="golden-2"))
    found = registry.judged_runs(key.line, key.baseline_digest, digest)
    assert [golden for golden, _ in found] == [
        make.attempt_key(golden="golden-2").golden_digest,
        key.golden_digest,
    ]
    registry.promote("support-desk", "1.3.0", by="me", waive="a test")
    assert registry.judged_runs(key.line, key.baseline_digest, digest) == []


def test_cases_that_were_shown_to_whoever_tunes_a_candidate(registry, judge, make):
    key = make.attempt_key()
    first, second = (make.release("1.3.0", prompt=prompt).digest for prompt in ("v1", "v2"))
    [case] = {(row.suite, row.case_id) for row in make.measurements()[:1]}
    judge("v1", make.attempt_key(golden="golden-2"))
    assert registry.showed(key, second, {case}), "whatever golden set the case stood in"
    assert not registry.showed(key, second, {(case[0], "another")})
    assert not registry.showed(key, first, {case}), "its own run"
    assert not registry.showed(make.attempt_key(make.release("1.2.4")), second, {case}), "another baseline"
    screen = make.run_record("screen", make.release("1.3.0", prompt="v1"))
    registry.record(replace(screen, screened=key))
    assert registry.showed(key, first, {case}), "its own screen"
    registry.promote("support-desk", "1.3.0", by="me", waive="a test")
    assert not registry.showed(key, second, {case})
