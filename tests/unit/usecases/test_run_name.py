"""A run is told from another process that has its number now."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relgate.usecases.run_name import asks, is_going_on, name_run

TOLD = Path("/proc/self/stat").exists()
NAME = "from relgate.usecases.run_name import name_run; print(name_run('sha256:a'), flush=True); input()"


def test_a_run_of_this_process_is_not_beside_it():
    name = name_run("sha256:a")
    assert not is_going_on(name)
    assert asks(name, "sha256:a")
    assert not asks(name, "sha256:b")


def test_a_run_goes_on_until_its_process_ends():
    process = subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert is_going_on(name)
    process.communicate("\n")
    assert not is_going_on(name)


@pytest.mark.skipif(not TOLD, reason="this system does not tell of processes that ended")
def test_a_killed_run_does_not_go_on_while_nobody_asks_how_it_ended():
    process = subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is left as it is
    assert not is_going_on(name)
    process.communicate()


@pytest.mark.skipif(not TOLD, reason="this system does not tell when a process began")
def test_another_process_with_its_number_is_not_the_run():
    number = os.getppid()
    assert not is_going_on(f"{number}.1-{'0' * 16}-mark")
    assert is_going_on(f"{number}-{'0' * 16}-mark")
