"""Whoever reads reports gets the teardown of every case; where nobody does, it is not made."""

from __future__ import annotations

import pytest

LISTENER = """
seen = []

def pytest_runtest_logreport(report):
    seen.append((report.nodeid.rpartition("::")[2], report.when))

def pytest_unconfigure():
    print("SEEN", *sorted(when for case, when in seen if case.startswith("c")))
"""
STATUS = """
def pytest_report_teststatus(report):
    if report.when == "teardown":
        return "torn down", "", ""
"""
COUNT = """
import pytest

@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    reports = [report for found in terminalreporter.stats.values() for report in found]
    print("CASES", sum(r.when == "teardown" and "cases.jsonl" in r.nodeid for r in reports))
"""


def test_a_conftest_that_reads_reports_gets_both_of_each_case(recording):
    recording.write("conftest.py", LISTENER)
    result = recording.spawn("-s")
    result.stdout.fnmatch_lines([f"SEEN {'call ' * 8}{'teardown ' * 7}teardown"])


def test_a_conftest_that_names_results_is_asked_about_the_teardown_too(recording):
    recording.write("conftest.py", STATUS + COUNT)
    recording.spawn("-s").stdout.fnmatch_lines(["*CASES 8"])


@pytest.mark.parametrize(("options", "made"), [((), 0), (("--durations=3",), 8), (("--junitxml=x.xml",), 8)])
def test_without_a_reader_it_is_not_made(recording, options, made):
    recording.write("conftest.py", COUNT)
    recording.spawn("-s", "-p", "no:rerunfailures", *options).stdout.fnmatch_lines([f"*CASES {made}"])
