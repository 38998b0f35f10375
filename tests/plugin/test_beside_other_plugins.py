"""Other plugins, hosts and ordinary tests beside cases."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider


@pytest.mark.parametrize("mode", [("-p", "no:xdist"), ("-n", "2")], ids=["serial", "n2"])
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_timeout_never_touches_a_case(
    python_app: Project, provider: Provider, mode: tuple[str, ...], method: str
) -> None:
    pytest.importorskip("pytest_timeout", reason="pytest-timeout is not installed")
    provider.seconds = 0.6
    result = python_app.spawn(*mode, "--timeout=0.3", f"--timeout-method={method}")
    assert result.ret == 0, python_app.text(result)
    assert provider.calls == 8
    assert python_app.decisions == ["promote"]


@pytest.mark.parametrize("mode", [("-p", "no:xdist"), ("-n", "2")], ids=["serial", "n2"])
def test_reruns_never_touch_a_case(python_app: Project, provider: Provider, mode: tuple[str, ...]) -> None:
    pytest.importorskip("pytest_rerunfailures", reason="pytest-rerunfailures is not installed")
    cases = python_app.numbered()
    cases[0]["critical"] = "never"
    python_app.suite("small", cases)
    provider.wrong["answerer-2"] = {"question 0"}
    python_app.write("test_ordinary.py", "def test_bad(): assert 0\n")
    result = python_app.spawn(*mode, "--reruns=2", "golden_sets", "test_ordinary.py")
    assert result.ret == 1
    assert provider.calls == 8
    assert "2 failed" in result.stdout.str()
    assert "2 rerun" in result.stdout.str(), "the ordinary test was run three times, the case once"


FIXTURES = """
import pytest

@pytest.fixture(scope="session", autouse=True)
def session_wide():
    yield
    with open("torn_down.txt", "a") as file: file.write("session ")

@pytest.fixture(scope="module", autouse=True)
def module_wide():
    yield
    with open("torn_down.txt", "a") as file: file.write("module ")

class TestAll:
    def test_one(self): pass
    def test_two(self): pass
"""


def test_fixtures_of_ordinary_tests_around_cases(python_app: Project, provider: Provider) -> None:
    python_app.write("test_before.py", FIXTURES)
    python_app.write("test_after.py", FIXTURES)
    result = python_app.run("test_before.py", "golden_sets", "test_after.py")
    assert result.ret == 0, python_app.text(result)
    assert "4 passed, 8 hit, 1 gate passed" in result.stdout.str()
    assert (python_app.path / "torn_down.txt").read_text().split().count("module") == 2
    assert provider.calls == 8


HOST = """
import sys, threading, pytest
{body}
"""
TWICE = """
first = pytest.main(["-p", "no:replay", "-W", "error", "--manifest=candidate.yaml", "--registry=1.db"])
second = pytest.main(["-p", "no:replay", "-W", "error", "--manifest=candidate.yaml", "--registry=2.db"])
print("STATUS", int(first), int(second))
"""
THREAD = """
found = []
def run():
    found.append(pytest.main(["-p", "no:replay", "-p", "no:faulthandler", "--manifest=candidate.yaml"]))
thread = threading.Thread(target=run)
thread.start()
thread.join()
print("STATUS", int(found[0]))
"""


@pytest.mark.parametrize(("body", "status", "calls"), [(TWICE, "STATUS 0 0", 16), (THREAD, "STATUS 0", 8)])
def test_pytest_main_in_a_host(
    python_app: Project, provider: Provider, body: str, status: str, calls: int
) -> None:
    python_app.write("host.py", HOST.format(body=body))
    found = subprocess.run(
        [sys.executable, "-W", "error", "host.py"],
        cwd=python_app.path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert status in found.stdout, found.stdout + found.stderr
    assert found.returncode == 0
    assert provider.calls == calls


def test_no_thread_is_left_behind(python_app: Project) -> None:
    before = {thread for thread in threading.enumerate() if thread.name.startswith("relgate")}
    assert python_app.run().ret == 0
    after = {thread for thread in threading.enumerate() if thread.name.startswith("relgate")}
    assert after <= before


def test_a_scorer_of_a_conftest_judges(recording: Project) -> None:
    recording.write(
        "conftest.py",
        "def lowered(case, response):\n    return response.output.islower()\n"
        "def relgate_register_scorers(register):\n    register('lowered', lowered)\n",
    )
    recording.write(
        "golden_sets/small/suite.yaml",
        "suite: small\nkind: golden\nscorers: [lowered]\ngates:\n  - {metric: lowered, at_least: 0.5}\n",
    )
    assert recording.run().ret == 0
    assert [gate["metric"] for gate in recording.scorecard()["gates"]] == ["lowered"]


def test_a_hook_of_a_conftest_that_fails_is_an_error_without_a_traceback(recording: Project) -> None:
    recording.write(
        "conftest.py", "def relgate_register_scorers(register):\n    raise RuntimeError('seen')\n"
    )
    result = recording.run()
    assert result.ret == 4
    assert "RuntimeError: seen" in recording.text(result)
    assert "Traceback" not in recording.text(result)


def test_a_manifest_session_inside_a_manifest_session(recording: Project) -> None:
    recording.write(
        "test_inner.py",
        "import pytest\npytest_plugins = 'pytester'\n"
        "def test_inner(pytester, request):\n"
        "    root = request.config.rootpath\n"
        "    result = pytester.runpytest_inprocess('-p', 'no:replay', '-p', 'no:xdist',\n"
        "        f'--manifest={root}/candidate.yaml', f'--golden-sets={root}/golden_sets',\n"
        "        '--registry=in.db')\n"
        "    assert result.ret == 0\n",
    )
    result = recording.spawn("-p", "no:xdist", "golden_sets", "test_inner.py")
    assert result.ret == 0, recording.text(result)
    assert "1 passed" in result.stdout.str()


@pytest.mark.parametrize("dev", [(), ("-X", "dev")])
def test_nothing_leaks(chat: Project, provider: Provider, dev: tuple[str, ...]) -> None:
    found = subprocess.run(
        [sys.executable, *dev, "-W", "error", "-m", "pytest", "-p", "no:replay", "--manifest=candidate.yaml"],
        cwd=chat.path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "Warning" not in found.stdout + found.stderr
    assert chat.decisions == ["promote"]
