"""Runs that showed outcomes and have no verdict: what they count for, and how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relgate.domain.run import UnfinishedRun


@pytest.fixture
def begin(registry, make):
    """Begin a run of a candidate and leave it unfinished."""

    def begun(name, prompt="v1", key=None, drawn_anew=(), **more):
        digest = make.release("1.3.0", prompt=prompt).digest
        run = UnfinishedRun(name, f"2026-11-20T10:00:00.000+00:00{name}", **more)
        registry.begin(key or make.attempt_key(), digest, run, drawn_anew)

    return begun


@pytest.fixture
def found(registry, make):
    def names(prompt="v1", key=None):
        digest = make.release("1.3.0", prompt=prompt).digest
        return [
            (run.id, run.discarded) for run in registry.unfinished_runs(key or make.attempt_key(), digest)
        ]

    return names


def _record(registry, make, name, prompt="v1", **keys):
    record = make.run_record(name, make.release("1.3.0", prompt=prompt), attempt=make.attempt_key())
    return registry.record(replace(record, **keys))


def test_what_they_showed_is_known_to_the_next_candidate(registry, begin, make):
    key, case = make.attempt_key(), ("golden", "c0")
    mine, next_one = (make.release("1.3.0", prompt=prompt).digest for prompt in ("v1", "v2"))
    begin("stopped")
    assert registry.showed(key, next_one, {case})
    assert not registry.showed(key, mine, {case}), "a candidate is not tuned on its own run"
    assert not registry.showed(make.attempt_key(make.release("1.2.4")), next_one, {case})


def test_what_draws_nothing_is_exposure_and_no_attempt(registry, begin, found, make):
    key, case = make.attempt_key(), ("golden", "c0")
    next_one = make.release("1.3.0", prompt="v2").digest
    begin("stopped", draws=False)
    assert registry.showed(key, next_one, {case})
    assert found() == []
    _record(registry, make, "part", attempt=None)
    assert registry.showed(key, next_one, {case}), "a part of the cases may have been others"
    assert _record(registry, make, "whole") == 1
    assert not registry.showed(key, next_one, {case}), "what the whole run showed stands in for it"


def test_only_the_suites_of_an_interrupted_run_are_known(registry, begin, make):
    key, next_one = make.attempt_key(), make.release("1.3.0", prompt="v2").digest
    begin("stopped", suites=("safe", "routes"))
    assert not registry.showed(key, next_one, {("golden", "c0")})
    assert registry.showed(key, next_one, {("golden", "c0"), ("safe", "c0")})


def test_they_are_of_one_candidate_and_one_baseline(begin, found, make):
    begin("a")
    begin("b", "v2")
    begin("c", key=make.attempt_key(make.release("1.2.4")))
    assert found() == [("a", False)]
    assert found("v2") == [("b", False)]
    assert found(key=make.attempt_key(golden="others")) == [("a", False)], "a golden case more hides nothing"


def test_what_a_later_one_asked_anew_is_discarded_for_good(begin, found):
    begin("a")
    begin("b", drawn_anew=("a",))
    assert found() == [("a", True), ("b", False)]


def test_what_a_recorded_run_discards_is_counted_before_it(registry, begin, found, make):
    begin("a")
    begin("b")
    begin("own")
    assert _record(registry, make, "r", ended=("own",)) == 3
    assert found() == []
    assert _record(registry, make, "s", "v2") == 4, "the count goes on"
    assert _record(registry, make, "t") == 3, "judged again: its own number, not those of what it discarded"


def test_what_it_went_on_with_is_not_counted(registry, begin, found, make):
    begin("a")
    assert _record(registry, make, "r", ended=("own", "a")) == 1
    assert found() == []


def test_a_run_that_two_recorded_runs_discard_counts_once(registry, begin, make):
    begin("a")
    assert _record(registry, make, "r", again=True) == 2
    assert _record(registry, make, "s", again=True) == 3


def test_a_candidate_has_each_of_its_runs_once(registry, begin, make):
    begin("a")
    _record(registry, make, "r")
    digest = make.release("1.3.0", prompt="v1").digest
    assert [run for _, run in registry.judged_runs(make.attempt_key(), digest)] == ["r"]


def test_a_new_release_in_production_forgets_them_for_a_pinned_baseline(registry, begin, found, make):
    begin("a")
    registry.record(make.run_record("p", make.release("1.4.0", prompt="v9"), rows=[]))
    registry.promote("support-desk", "1.4.0", by="me")
    assert found() == []


def test_of_two_runs_at_once_each_has_one_number(registry, begin, make):
    """The first to be recorded counts the other one, which takes that number when it ends."""
    begin("a")
    begin("b", drawn_anew=("a",))
    assert _record(registry, make, "second", draw="b", ended=("b",)) == 2
    assert _record(registry, make, "first", again=True, draw="a", ended=("a",)) == 1
    assert _record(registry, make, "other", "v2") == 3
    digest = make.release("1.3.0", prompt="v1").digest
    assert {run for _, run in registry.judged_runs(make.attempt_key(), digest)} == {"first", "second"}
