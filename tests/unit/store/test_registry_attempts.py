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


def test_drawing_again_counts_once_whatever_the_baseline(registry, make):
    here, there = make.attempt_key(), make.attempt_key(make.release("1.2.4"))
    drawn = [
        registry.record(
            replace(make.run_record(f"draw-{i}", make.release("1.3.0"), attempt=key, rows=[]), again=True)
        )
        for i, key in enumerate((here, here, there, there, there, here))
    ]
    assert drawn == [1, 2, 3, 4, 5, 6]


def test_a_run_that_is_no_attempt_counts_for_nothing(registry, judge, make):
    assert registry.record(make.run_record("partial", make.release("1.3.0"), partial=True)) == 0
    assert registry.run("partial").attempt is None
    assert judge("v1") == 1


def test_a_promotion_begins_the_count_anew(registry, judge):
    judge("v1", decision="hold")
    judge("v2")
    registry.promote("support-desk", "1.3.0", by="me")
    assert [judge("v3"), judge("v1")] == [1, 2]


@pytest.fixture
def line(registry, make, judge):
    """1.0.0 is in production; ``back`` puts it there again, ``new`` promotes one that never held it."""

    class Line:
        held = make.release("1.0.0")
        key = make.attempt_key(held)

        def new(self, version):
            holder = registry.alias("production", "support-desk")
            made = make.run_record(f"run-of-{version}", make.release(version), baseline=holder, rows=[])
            registry.record(made)
            registry.promote("support-desk", version, by="me")

        def back(self, version):
            registry.promote("support-desk", version, by="me", reason="drill")

        def judge(self, prompt, key=None, **options):
            return judge(prompt, key or self.key, **options)

    made = Line()
    made.new("1.0.0")
    return made


def test_a_baseline_that_comes_back_to_production_keeps_its_count(line):
    assert [line.judge("v1"), line.judge("v2")] == [1, 2]
    line.new("1.1.0")
    line.back("1.0.0")
    assert line.judge("v3") == 3
    line.back("1.1.0")
    line.back("1.0.0")
    assert line.judge("v4") == 4


def test_judging_again_after_a_way_back_is_no_further_attempt(line):
    line.judge("v1")
    line.new("1.1.0")
    line.back("1.0.0")
    assert [line.judge("v1"), line.judge("v1"), line.judge("v2")] == [1, 1, 2]


def test_what_a_candidate_saw_stays_seen_after_a_way_back(registry, line, make):
    [case] = {(row.suite, row.case_id) for row in make.measurements()[:1]}
    line.judge("v1")
    line.new("1.1.0")
    line.back("1.0.0")
    assert registry.showed(line.key, make.digest("another"), {case})


def test_attempts_of_one_candidate_are_found_after_a_way_back(registry, line, make):
    line.judge("v1")
    line.new("1.1.0")
    line.back("1.0.0")
    [(golden, _)] = registry.judged_runs(line.key, make.release("1.3.0", prompt="v1").digest)
    assert golden == line.key.golden_digest


def test_only_a_new_release_in_production_begins_a_pinned_baselines_count_anew(registry, line, make):
    pinned = make.attempt_key(make.release("0.9.0"))
    [case] = {(row.suite, row.case_id) for row in make.measurements()[:1]}
    assert [line.judge("v1", pinned), line.judge("v2", pinned)] == [1, 2]
    line.new("1.1.0")
    assert not registry.showed(pinned, make.digest("another"), {case})
    assert line.judge("v3", pinned) == 1
    line.back("1.0.0")
    assert registry.showed(pinned, make.digest("another"), {case})
    assert line.judge("v4", pinned) == 2
    line.back("1.1.0")
    assert line.judge("v5", pinned) == 3


def test_neither_the_content_nor_the_version_of_a_former_holder_is_a_new_release(registry, line, make):
    pinned = make.attempt_key(make.release("0.9.0"))
    line.new("1.1.0")
    assert line.judge("v1", pinned) == 1
    same_content = replace(make.release("1.0.0"), version="1.0.1")
    same_version = make.release("1.0.0", prompt="v15")
    for position, release in enumerate((same_content, same_version)):
        registry.record(make.run_record(f"twin-{position}", release, rows=[]))
        registry.promote("support-desk", release.version, by="me", reason="drill")
        assert line.judge(f"w{position}", pinned) == position + 2


def test_no_number_is_given_twice_when_a_count_that_went_on_is_pinned_again(line):
    """In production again the count went on to 4; of those a pinned one sees its own two: 5, not 3 or 4."""
    assert [line.judge("v1"), line.judge("v2")] == [1, 2]
    line.new("1.1.0")
    assert line.judge("v3") == 1
    line.back("1.0.0")
    assert line.judge("v4") == 4
    line.back("1.1.0")
    assert [line.judge("v5"), line.judge("v6")] == [5, 6]


def test_what_was_promoted_is_a_baseline_of_its_own(line, registry, make):
    line.judge("v1")
    line.judge("v2", baseline=line.held)
    registry.promote("support-desk", "1.3.0", by="me")
    assert line.judge("v3", make.attempt_key(make.release("1.3.0", prompt="v2"))) == 1


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
    assert registry.next_attempt(make.attempt_key(), first) == 2, "judged again: the latest of its numbers"


def test_the_attempts_of_one_candidate_since_the_promotion(registry, judge, make):
    key, digest = make.attempt_key(), make.release("1.3.0", prompt="v1").digest
    judge("v1")
    judge("v2")
    judge("v1", make.attempt_key(golden="golden-2"))
    found = registry.judged_runs(key, digest)
    assert [golden for golden, _ in found] == [
        make.attempt_key(golden="golden-2").golden_digest,
        key.golden_digest,
    ]
    registry.promote("support-desk", "1.3.0", by="me", waive="a test")
    assert registry.judged_runs(key, digest) == []


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
    registry.record(replace(screen, shown=key, screen=True))
    assert registry.showed(key, first, {case}), "its own screen"
    registry.promote("support-desk", "1.3.0", by="me", waive="a test")
    assert not registry.showed(key, second, {case})


def _recorded(make, baseline, golden="golden-1"):
    return replace(
        make.attempt_key(baseline, golden=golden), recorded_baseline=(baseline.name, baseline.version)
    )


def test_a_recorded_baseline_keeps_its_count_when_its_file_grows(registry, make):
    before, after = make.release("1.0.0"), make.release("1.0.0", seed="more lines")
    for position, (baseline, prompt) in enumerate([(before, "v1"), (after, "v2")]):
        record = make.run_record(
            f"run-{position}",
            make.release("1.3.0", prompt=prompt),
            baseline=baseline,
            attempt=_recorded(make, baseline),
        )
        assert registry.record(record) == position + 1
    live = make.attempt_key(make.release("1.0.0", seed="even more"))
    assert registry.next_attempt(live, make.digest("another")) == 1, "a live one is known by its digest"


def test_a_recorded_baseline_in_production_keeps_its_count_when_its_file_grew(registry, make):
    before, after = make.release("1.0.0"), make.release("1.0.0", seed="more lines")
    registry.record(make.run_record("old", before, rows=[]))
    registry.promote("support-desk", "1.0.0", by="me")
    candidate = make.release("1.3.0")
    registry.record(make.run_record("first", candidate, baseline=before, attempt=_recorded(make, before)))
    registry.record(make.run_record("new", make.release("1.1.0"), baseline=before, rows=[]))
    registry.promote("support-desk", "1.1.0", by="me")
    registry.promote("support-desk", "1.0.0", by="me", reason="drill")
    assert registry.next_attempt(_recorded(make, after), make.digest("another")) == 2


def test_a_recorded_candidate_is_found_by_its_version_when_its_file_grew(registry, judge, make):
    judge("v1")
    grown = make.release("1.3.0", prompt="v2").digest
    assert registry.judged_runs(make.attempt_key(), grown) == []
    [(golden, _)] = registry.judged_runs(make.attempt_key(), grown, ("support-desk", "1.3.0"))
    assert golden == make.attempt_key().golden_digest
    assert registry.judged_runs(make.attempt_key(), grown, ("support-desk", "1.3.1")) == []
