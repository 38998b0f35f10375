"""The suites of a run as they were, and the run that a release stands on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from relgate.domain.run import CaseRecord, SuiteRecord, SuiteSettings
from relgate.store.rows import ReleaseName

GATE = {"metric": "exact", "form": "non_inferior", "boundary": 0.05, "role": "require"}
SUITE = SuiteRecord(
    "support-golden",
    "golden",
    (GATE,),
    (CaseRecord("refund-000", "sha256:0", critical=True), CaseRecord("refund-001", "", regression=True)),
    "sha256:cases",
    SuiteSettings("sha256:scoring", "", ("sha256:exact",), clustered=True, slices=("topic",)),
)


def named(release):
    return ReleaseName(release.name, release.version, release.digest)


def record(registry, make, run_id, candidate, *, suites=(SUITE,), **more):
    registry.record(replace(make.run_record(run_id, candidate, rows=(), **more), suites=suites))


def test_suites_come_back_as_they_were_recorded(registry, make):
    record(registry, make, "aa11", make.release("1.0.0"), suites=(replace(SUITE, suite="z"), SUITE))
    assert registry.suites("aa11") == [SUITE, replace(SUITE, suite="z")]


def test_what_the_cases_were_is_known_without_reading_them(registry, make):
    record(
        registry,
        make,
        "aa11",
        make.release("1.0.0"),
        suites=(replace(SUITE, suite="z", cases_digest=""), SUITE),
    )
    assert registry.case_digests("aa11") == {"support-golden": "sha256:cases", "z": ""}


def test_a_release_stands_on_the_newest_run_that_promoted_it(registry, make):
    release = make.release("1.0.0")
    record(registry, make, "aa11", release)
    record(registry, make, "bb22", release)
    record(registry, make, "cc33", release, decision="hold")
    record(registry, make, "dd44", release, partial=True)
    record(registry, make, "ee55", release, suites=())
    assert registry.judging_run(named(release)) == "bb22"


def test_a_release_that_was_never_promoted_stands_on_the_newest_run_that_judged_it(registry, make):
    release = make.release("1.0.0")
    record(registry, make, "aa11", release, decision="hold")
    record(registry, make, "bb22", release, decision="reject")
    assert registry.judging_run(named(release)) == "bb22"


def test_a_release_in_production_stands_on_the_run_that_promoted_it(registry, make):
    release = make.release("1.0.0")
    record(registry, make, "aa11", release)
    registry.promote("support-desk", "1.0.0", by="me")
    later = (datetime.now(UTC) + timedelta(seconds=2)).isoformat(timespec="milliseconds")
    record(registry, make, "bb22", release, finished=later)
    assert registry.judging_run(named(release)) == "aa11"
    grown = replace(named(release), digest="sha256:another")
    assert registry.judging_run(grown) == "aa11", "its version held production"
    assert registry.judging_run(replace(grown, version="1.0.1")) is None


def test_a_release_that_was_promoted_by_a_waiver_stands_on_the_run_that_was_waived(registry, make):
    release = make.release("1.0.0")
    record(registry, make, "aa11", release)
    record(registry, make, "bb22", release, decision="hold")
    registry.promote("support-desk", "1.0.0", by="me", waive="what is gone is not missed")
    assert registry.judging_run(named(release)) == "bb22"


def test_another_content_of_a_version_is_known_where_the_version_is_enough(registry, make):
    release = make.release("1.0.0")
    record(registry, make, "aa11", release)
    other = replace(named(release), digest="sha256:another")
    assert registry.judging_run(other) is None, "nobody holds production"
    assert registry.judging_run(other, of_version=True) == "aa11"


def test_a_release_that_was_only_a_baseline_stands_on_the_first_run_against_it(registry, make):
    baseline = make.release("1.0.0")
    record(registry, make, "aa11", make.release("1.1.0", prompt="v15"), baseline=baseline)
    record(registry, make, "bb22", make.release("1.2.0", prompt="v16"), baseline=baseline)
    assert registry.judging_run(named(baseline)) == "aa11"


@pytest.mark.parametrize("digest", ["", "sha256:unknown"])
def test_an_unknown_release_stands_on_nothing(registry, make, digest):
    record(registry, make, "aa11", make.release("1.0.0"))
    assert registry.judging_run(ReleaseName("support-desk", "1.2.3", digest)) is None
