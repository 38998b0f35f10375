"""Progress while cases are waited for: behind the dots on a terminal, a line now and then in CI."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from relgate.plugin import live_line


@pytest.fixture
def slow(python_app, provider):
    python_app.suite("small", python_app.numbered(40))
    provider.seconds = 0.15
    return python_app


def _on_a_terminal(project, *args: str) -> str:
    """What a terminal of 100 columns gets."""
    leader, follower = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:replay",
        "--manifest=candidate.yaml",
        "--full",
        *args,
    ]
    environment = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    with subprocess.Popen(
        command, cwd=project.path, stdout=follower, stderr=follower, env=environment
    ) as process:
        os.close(follower)
        parts = []
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        process.wait(30)
    os.close(leader)
    return b"".join(parts).decode()


def _screen(text: str) -> str:
    """What is left to see: cursor saves, restores and clears carried out."""
    lines, row, saved = [[]], 0, 0
    column = 0
    for token in re.findall(r"\x1b7|\x1b8|\x1b\[K|\x1b\[[0-9;]*m|\r|\n|.", text, re.DOTALL):
        line = lines[row]
        if token == "\x1b7":
            saved = column
        elif token == "\x1b8":
            column = saved
        elif token == "\x1b[K":
            del line[column:]
        elif token == "\n":
            lines.append([])
            row, column = row + 1, 0
        elif token == "\r":
            column = 0
        elif not token.startswith("\x1b"):
            line.extend(" " * (column - len(line)))
            line[column : column + 1] = [token]
            column += 1
    return "\n".join("".join(line) for line in lines)


def test_a_terminal_shows_how_far_the_run_is_and_nothing_of_it_stays(slow):
    raw = _on_a_terminal(slow, "--concurrency=2")
    assert re.search(r"\d+/40 calls, 2 in flight, [0-9.]+/s, \d+ s left", raw), repr(raw)
    seen = _screen(raw)
    assert "in flight" not in seen
    assert re.search(r"golden_sets/small/cases.jsonl \.{40} +\[ 97%\]", seen), seen


@pytest.mark.parametrize("args", [("-q", "-q"), ("-p", "no:terminal")], ids=["qq", "no terminal"])
def test_nothing_is_shown_where_nothing_is_wanted(slow, args):
    assert "in flight" not in _on_a_terminal(slow, *args, "--concurrency=2")


def test_elsewhere_a_line_is_written_now_and_then(slow, provider, monkeypatch):
    monkeypatch.setattr(live_line, "CI_SECONDS", 0.5)
    shown = slow.text(slow.run("--full", "--concurrency=2"))
    said = re.findall(r"^relgate: \d+/40 calls, .*$", shown, re.MULTILINE)
    assert 2 <= len(said) <= 8, shown


def test_a_quick_run_needs_no_progress(python_app, provider):
    assert "in flight" not in _on_a_terminal(python_app)


def _ci_lines(project, monkeypatch, *args: str) -> list[str]:
    monkeypatch.setattr(live_line, "CI_SECONDS", 0.3)
    shown = project.text(project.run("--full", "--concurrency=2", *args))
    return re.findall(r"^relgate: \d+/\d+ calls.*$", shown, re.MULTILINE)


def test_the_line_says_why_nothing_is_answered_until_something_is(chat, provider, monkeypatch):
    chat.suite("small", chat.numbered(40))
    provider.seconds, provider.status = 0.1, 429
    threading.Timer(2.0, lambda: setattr(provider, "status", 200)).start()
    said = _ci_lines(chat, monkeypatch)
    assert re.search(r"; last: HTTP 429, (waiting|tried again)$", said[0]), said
    assert "; last: " not in said[-1], said


def test_a_terminal_shows_why_nothing_is_answered(chat, provider):
    provider.seconds = 5.0
    manifest = (chat.path / "candidate.yaml").read_text()
    chat.write("candidate.yaml", manifest.replace('PROVIDER_URL}"', 'PROVIDER_URL}", timeout_seconds: 1'))
    raw = _on_a_terminal(chat, "--concurrency=2", "--budget-seconds=3")
    assert re.search(r"2/8 calls, 2 in flight(, 0/s)?; last: no answer within 1 s, tried again", raw), repr(
        raw
    )
    assert "; last: " not in _screen(raw)


def test_a_key_in_the_cause_is_masked_and_the_cause_is_short(chat, monkeypatch):
    key = "desk-hidden-key-" + "4" * 30
    monkeypatch.setenv("PROVIDER_URL", f"http://{key}.{'long-' * 9}name.invalid/v1")
    manifest = (chat.path / "candidate.yaml").read_text()
    chat.write("candidate.yaml", manifest.replace('PROVIDER_URL}"', 'PROVIDER_URL}", api_key: "${KEY}"'))
    monkeypatch.setenv("KEY", key)
    said = [line for line in _ci_lines(chat, monkeypatch) if "; last: " in line]
    assert said
    assert not any("hidden" in line for line in said)
    assert all(len(line.partition("; last: ")[2]) <= 90 for line in said)
