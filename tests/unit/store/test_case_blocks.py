"""Cases of long suites are stored in blocks; whoever reads them finds what rows of their own would give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relgate.domain.run import CaseRecord, SuiteRecord
from relgate.store import blocks, suites
from relgate.store.blocks import packed

OTHER = "support-safety"


@pytest.fixture
def rows(make):
    """What a call may hold: failures, no score, a scorer that failed, texts that no database takes."""
    found = list(make.measurements(cases=7, trials=2))
    found[0] = replace(found[0], outcome="outage", output="503", latency_ms=None, tokens=None, scores={})
    found[2] = replace(found[2], hop="hosted_b/answerer", confirmation=True, trial=2, cost_usd=None)
    found[5] = replace(found[5], scores={"exact": 0.0}, model="answerer-2026-04-30")
    nan = {"name": "refund", "arguments": {"amount": float("nan"), "text": "\ud83d"}}
    found[6] = replace(found[6], tool_calls=(nan,), retrieved=(), model="answerer-2026-05-01")
    found[8:12] = [replace(row, input="a\0b\ud83dc \U0001f600", output="größer\0") for row in found[8:12]]
    return found


def in_blocks(rows, size, monkeypatch):
    """The rows of one suite as blocks of so many cases."""
    monkeypatch.setattr(blocks, "BLOCK", size)
    cases = {}
    for row in rows:
        cases.setdefault(row.case_id, []).append(row)
    return list(packed(cases.values()))


@pytest.fixture(params=[1, 3, 100])
def both(request, registry, make, rows, monkeypatch):
    """The same run in rows (``plain``) and with its middle suite in blocks (``packed``)."""
    before = [replace(row, suite="first", case_id=f"a-{row.case_id}") for row in rows[:4]]
    after = [replace(row, suite=OTHER) for row in rows]
    release = make.release("1.0.0")
    registry.record(make.run_record("plain", release, rows=[*before, *rows, *after]))
    held = in_blocks(rows, request.param, monkeypatch)
    assert sum(block.cases for block in held) == 7
    registry.record(make.run_record("packed", release, rows=[*before, *held, *after]))
    return registry


def test_measurements_come_back_in_the_order_of_recording(both):
    found = both.measurements("packed")
    assert found == both.measurements("plain")
    assert len(found) == 4 + 28 + 28


def test_the_calls_of_one_case_are_found(both):
    for case_id in ("refund-000", "refund-006", "a-refund-000", "refund-9"):
        for suite in (None, "first", "support-golden", OTHER):
            found = both.case_measurements("packed", case_id, suite)
            assert found == both.case_measurements("plain", case_id, suite), (case_id, suite)
    assert both.case_measurements("packed", "refund-002", "support-golden")


@pytest.mark.parametrize("outcome", [None, "hit", "regressed", "failed"])
def test_cases_come_back_by_outcome(both, outcome):
    assert both.cases("packed", outcome) == both.cases("plain", outcome)


def test_means_of_calls_count_every_call_that_is_known(both):
    plain, packed_ = both.call_means("plain"), both.call_means("packed")
    assert plain.keys() == packed_.keys()
    for suite, means in plain.items():
        assert packed_[suite] == pytest.approx(means)


def test_reported_models_are_those_of_the_newest_run_in_blocks(registry, make, rows, monkeypatch):
    release = make.release("1.0.0")
    registry.record(make.run_record("old", release, rows=[replace(rows[4], model="answerer-1")]))
    registry.record(make.run_record("new", release, rows=in_blocks(rows, 3, monkeypatch)))
    assert registry.reported_models(release.digest) == {"hosted_a/answerer": {"answerer-2026-05-01"}}


def test_a_run_in_blocks_shows_its_cases_to_other_candidates(registry, make, rows, monkeypatch):
    first, second = make.release("1.0.0"), make.release("1.0.1", prompt="v15")
    key = make.attempt_key()
    record = make.run_record("packed", first, attempt=key, rows=in_blocks(rows, 3, monkeypatch))
    registry.record(record)
    known = {("support-golden", "refund-006")}
    assert registry.showed(key, second.digest, known)
    assert not registry.showed(key, first.digest, known)
    assert not registry.showed(key, second.digest, {("support-golden", "refund-007")})


@pytest.mark.parametrize("digest", [f"sha256:{'0f' * 32}", ""])
def test_the_record_of_a_long_suite_comes_back_unchanged(registry, make, monkeypatch, digest):
    monkeypatch.setattr(suites, "LONG_SUITE", 5)
    digests = [f"sha256:{number:064x}" for number in range(9)] + [digest]
    marks = {
        3: {"critical": "never", "content": "sha256:3"},
        4: {"harmful": True, "content": "sha256:4"},
        8: {"critical": True, "regression": True},
    }
    cases = tuple(
        CaseRecord(f"größe {number}", each, **marks.get(number, {})) for number, each in enumerate(digests)
    )
    found = (
        SuiteRecord("a", "golden", ({"metric": "exact"},), cases),
        SuiteRecord("b", "safety", (), cases[:5]),
    )
    registry.record(replace(make.run_record("run-1", make.release("1.0.0")), suites=found))
    assert tuple(registry.suites("run-1")) == found


def test_a_case_in_a_block_takes_a_fraction_of_its_rows(make, monkeypatch):
    held = in_blocks(make.measurements(cases=1000), 1000, monkeypatch)
    assert sum(len(block.content) + len(block.case_ids) for block in held) < 60 * 1000
