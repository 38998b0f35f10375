"""Ctrl-C and SIGTERM end a run at once: exit status 2, no verdict, no half rows."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project, Provider

SECONDS = 45.0
"""Below the 60 seconds after which the chat application gives up a call that nobody answers; the python one
waits far longer, and the provider for ever."""

TABLES = ("runs", "cases", "responses", "verdicts", "attempts", "releases")


@pytest.fixture(params=["python_app", "chat"])
def slow(request: pytest.FixtureRequest, provider: Provider) -> Project:
    provider.answers = 0
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("flags", [("-p", "no:xdist"), ("-n", "2")], ids=["serial", "n2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_a_signal_ends_the_run(
    slow: Project, provider: Provider, number: signal.Signals, flags: tuple[str, ...]
) -> None:
    process = slow.start(*flags, "--junitxml=j.xml")
    slow.wait_for_calls(provider, 8)
    status, output = slow.finish(process, number, SECONDS)
    assert status == 2, output
    assert "KeyboardInterrupt" in output
    assert "no verdict" in output
    assert "Exception ignored" not in output
    assert "never awaited" not in output
    assert [slow.rows(table) for table in TABLES] == [[]] * len(TABLES)
    assert not (slow.path / "reports").exists()
    assert (slow.path / "j.xml").exists()


def test_ctrl_c_in_a_terminal_reaches_the_whole_group(slow: Project, provider: Provider) -> None:
    process = slow.start("-n", "2", group=True)
    slow.wait_for_calls(provider, 8)
    os.killpg(process.pid, signal.SIGINT)
    status, output = slow.finish(process, None, SECONDS)
    assert status == 2, output
    assert slow.decisions == []


def test_after_some_cases_nothing_is_recorded_and_the_next_run_is_whole(
    python_app: Project, provider: Provider
) -> None:
    provider.answers = 2
    process = python_app.start("-p", "no:xdist", "--concurrency=1")
    python_app.wait_for_calls(provider, 3)
    status, output = python_app.finish(process, signal.SIGINT, SECONDS)
    assert status == 2, output
    assert python_app.rows("runs") == []
    assert "kept: run the same again and it goes on there" in output
    provider.answers = None
    provider.asked.clear()
    assert python_app.run().ret == 0
    kept = python_app.scorecard()["calls"]["reused"]
    assert kept >= 2
    assert provider.calls == 8 - kept
    assert python_app.scorecard()["verdict"]["attempts"] == 1, "an interrupted run is no attempt"


def test_sigint_twice_still_ends(slow: Project, provider: Provider) -> None:
    process = slow.start("-p", "no:xdist")
    slow.wait_for_calls(provider, 8)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    status, output = slow.finish(process, signal.SIGINT, SECONDS)
    assert status != 0, output
    assert slow.rows("runs") == []


def test_the_sigterm_handler_is_given_back(recording: Project) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert recording.run().ret == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_handler_of_the_host_is_left_alone(recording: Project) -> None:
    def mine(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, mine)
    try:
        recording.write(
            "conftest.py",
            "import signal\ndef pytest_collection_finish(session):\n"
            "    assert signal.getsignal(signal.SIGTERM).__name__ == 'mine'\n",
        )
        assert recording.run().ret == 0
    finally:
        signal.signal(signal.SIGTERM, before)
