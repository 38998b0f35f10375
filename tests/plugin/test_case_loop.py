"""Cases that share a call of pytest's protocol are reported as if each had its own."""

from __future__ import annotations

import re

import pytest

from relgate.plugin.case_loop import AT_ONCE

CASES = 150
WRAPPER = """
import pytest

names = []

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    names.append(item.name)
    return (yield)

pytest_runtest_protocol.__module__ = {module!r}

def pytest_unconfigure():
    print("PROTOCOLS", len(names), len(set(names)))
"""
LOOP = """
def pytest_runtestloop(session):
    for place, item in enumerate(session.items):
        following = session.items[place + 1] if place + 1 < len(session.items) else None
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
    return True
"""
ORDINARY = """
import pytest

@pytest.fixture(scope="module", autouse=True)
def around():
    yield
    print("torn down")

def test_one(): pass
def test_two(): pass
"""
LATE = """
import pytest

class Late:
    started, reported = [], []
    def pytest_runtest_logstart(self, nodeid):
        self.started.append(nodeid)
    def pytest_runtest_logreport(self, report):
        if report.when == "call" and "cases.jsonl" in report.nodeid:
            self.reported.append(report.nodeid)

late, seen = Late(), []

class First:
    def __init__(self, config):
        self.config = config
    def pytest_runtest_logreport(self, report):
        seen.append(report.nodeid)
        if len(seen) == 5:
            self.config.pluginmanager.register(late)

def pytest_sessionstart(session):
    session.config.pluginmanager.register(First(session.config))

def pytest_unconfigure():
    unheard = [name for name in late.reported if name not in late.started]
    print("HEARD", len(set(late.reported)), late.reported.index(unheard[-1]) if unheard else -1)
"""
ALONE = ("-s", "-p", "no:rerunfailures", "-p", "no:timeout")


def _text(result: pytest.RunResult) -> str:
    """What was printed, but for times and names of runs."""
    return re.sub(r"\d{8}-\d{6}-\w+|in [\d.]+s|\([\d:]+\)|PROTOCOLS.*", "", result.stdout.str()).strip()


@pytest.fixture
def desk(project):
    """Two suites with misses in between, one that fails by itself, and ordinary tests around them."""
    for suite in ("one", "two"):
        cases = [{**case, "id": f"{suite}-{case['id']}"} for case in project.numbered(CASES)]
        cases[100]["critical"] = "never"
        for case in cases[::40]:
            case["expected"] = "another"
        project.suite(suite, cases)
    answers = [
        {"case_id": f"{suite}-c{n}", "output": "wrong" if n == 100 else f"answer {n}"}
        for suite in ("one", "two")
        for n in range(CASES)
    ]
    project.write("recording.jsonl", project.lines(answers))
    project.write("candidate.yaml", project.manifest("{recording: recording.jsonl}"))
    project.write("test_ordinary.py", ORDINARY)
    return project


def test_a_plugin_that_comes_late_hears_of_the_cases_of_the_next_call_on(desk):
    desk.write("conftest.py", LATE)
    found = re.search(
        r"HEARD (\d+) (-?\d+)", desk.spawn(*ALONE, "golden_sets/one", "golden_sets/two").stdout.str()
    )
    assert found is not None
    reported, last_unheard = map(int, found.groups())
    assert 2 * CASES - 5 <= reported <= 2 * CASES
    assert last_unheard < AT_ONCE


def test_another_plugin_wraps_each_case(desk):
    desk.write("conftest.py", WRAPPER.format(module="another"))
    desk.spawn(*ALONE, "golden_sets/one", "golden_sets/two").stdout.fnmatch_lines(["*PROTOCOLS 300 300"])


def test_what_does_nothing_with_a_case_is_called_for_many(desk):
    desk.write("conftest.py", WRAPPER.format(module="pytest_timeout"))
    result = desk.spawn(*ALONE, "golden_sets/one", "golden_sets/two")
    found = re.search(r"PROTOCOLS (\d+)", result.stdout.str())
    assert found is not None
    assert int(found[1]) < 100


@pytest.mark.parametrize(
    "options",
    [
        ("-q",),
        (),
        ("-v",),
        ("-rA",),
        ("-x",),
        ("--maxfail=2",),
        ("--log-cli-level=10",),
        ("-o", "console_output_style=count"),
        ("-q", "-q"),
    ],
    ids=" ".join,
)
def test_the_same_is_printed(desk, options):
    where = ("test_ordinary.py", "golden_sets/one", "golden_sets/two")
    shared = desk.spawn(*ALONE, *options, *where)
    desk.registry.unlink()
    desk.write("conftest.py", WRAPPER.format(module="another") + (LOOP if options == () else ""))
    alone = desk.spawn(*ALONE, *options, *where)
    assert shared.ret == alone.ret
    assert _text(shared) == _text(alone)


def test_junit_has_the_same_cases(desk):
    shared = desk.junit(*ALONE, name="1.xml", spawn=True)
    desk.registry.unlink()
    desk.write("conftest.py", WRAPPER.format(module="another"))
    alone = desk.junit(*ALONE, name="2.xml", spawn=True)
    seen = [
        [
            (case.get("name"), [child.tag for child in case], [p.attrib for p in case.iter("property")])
            for case in cases
        ]
        for cases in (shared, alone)
    ]
    assert len(seen[0]) == 2 * CASES + 2
    assert seen[0] == seen[1]


def test_a_verdict_that_is_served_again_prints_the_same(desk):
    desk.spawn(*ALONE)
    served = desk.spawn(*ALONE)
    desk.write("conftest.py", WRAPPER.format(module="another"))
    alone = desk.spawn(*ALONE)
    assert _text(served) == _text(alone)
