"""What an application prints garbles nothing, and a secret reaches no sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Project, Provider

SECRET = "sk-proj-" + "a1b2c3d4e5f6g7h8"
NOISY = f"""
import logging, os, subprocess, sys, time

logging.basicConfig(stream=sys.stderr, level="INFO")
bound = sys.stdout

def build(release):
    print("NOISE building {SECRET}")

    def application(request):
        print("NOISE print {SECRET}")
        print("NOISE stderr {SECRET}", file=sys.stderr)
        print("NOISE bound {SECRET}", file=bound)
        logging.info("NOISE log {SECRET}")
        os.write(1, b"NOISE descriptor {SECRET}\\n")
        if request.case_id == "c3":
            subprocess.run(["echo", "NOISE child {SECRET}"], check=True)
        time.sleep(0.001 * (int(request.case_id[1:]) % 7))
        return "answer " + request.case_id[1:] + ANSWER

    return application
"""


@pytest.fixture
def noisy(python_app: Project) -> Project:
    python_app.suite("small", python_app.numbered(60))
    python_app.write("desk_app.py", NOISY.replace("ANSWER", '""'))
    return python_app


@pytest.mark.parametrize(
    "flags", [("-p", "no:xdist"), ("-n", "2"), ("-p", "no:xdist", "--capture=sys"), ("-p", "no:xdist", "-v")]
)
def test_prints_do_not_reach_the_terminal(noisy: Project, flags: tuple[str, ...]) -> None:
    result = noisy.spawn(*flags, "--junitxml=j.xml", "-rA", "--full")
    shown = noisy.text(result)
    assert result.ret == 0
    assert "NOISE" not in shown
    assert SECRET not in shown
    if "-v" in flags:
        assert shown.count(" HIT ") == 60
    else:
        assert "." * 20 in shown
    assert_nowhere(noisy.path, SECRET)


def assert_nowhere(folder: Path, secret: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name in ("j.xml", "registry.db", "scorecard.md", "scorecard.json"):
            assert secret.encode() not in path.read_bytes(), path


def test_s_shows_prints(noisy: Project) -> None:
    assert "NOISE print" in noisy.spawn("-p", "no:xdist", "-s").stdout.str()


def test_an_ordinary_test_captures_its_own_output_only(noisy: Project) -> None:
    noisy.write(
        "test_ordinary.py",
        "import os, time\n"
        "def test_fd(capfd):\n    os.system('echo mine')\n    time.sleep(0.2)\n"
        "    assert capfd.readouterr().out == 'mine\\n'\n"
        "def test_sys(capsys):\n    print('mine')\n    time.sleep(0.2)\n"
        "    assert capsys.readouterr().out == 'mine\\n'\n"
        "def test_shown():\n    print('SHOWN')\n    assert 0\n",
    )
    for paths in (("golden_sets", "test_ordinary.py"), ("test_ordinary.py", "golden_sets")):
        result = noisy.spawn("-p", "no:xdist", *paths)
        assert "1 failed, 2 passed" in result.stdout.str().replace("60 hit, ", "")
        assert "SHOWN" in result.stdout.str()
        assert "NOISE" not in noisy.text(result)


def test_no_measurement_overlaps_an_ordinary_test(python_app: Project, provider: Provider) -> None:
    provider.seconds = 0.2
    python_app.write(
        "test_ordinary.py",
        "import socket\n"
        "def test_no_network(monkeypatch):\n"
        "    import time\n"
        "    monkeypatch.setattr(socket, 'create_connection', None)\n    time.sleep(0.5)\n",
    )
    nodes = [f"golden_sets/small/cases.jsonl::c{n}" for n in range(8)]
    result = python_app.run("--concurrency=2", nodes[0], "test_ordinary.py", *nodes[1:])
    assert result.ret == 0
    assert python_app.scorecard()["cases"]["hit"] == 8


@pytest.mark.parametrize("flags", [(), ("-v",), ("-rA",)])
def test_a_secret_in_a_response_is_redacted_everywhere(
    python_app: Project, provider: Provider, flags: tuple[str, ...]
) -> None:
    cases = python_app.numbered()
    cases[0]["critical"] = "never"
    python_app.suite("small", cases)
    provider.suffix = f" your key is {SECRET}"
    before = python_app.live("answerer-1", version="1.0.0")
    python_app.write("production.yaml", before)
    result = python_app.spawn("-p", "no:xdist", "--junitxml=j.xml", "--baseline=production.yaml", *flags)
    assert result.ret == 1
    assert SECRET not in python_app.text(result)
    assert b"your key is" in python_app.registry.read_bytes(), "the response was stored, without the secret"
    assert_nowhere(python_app.path, SECRET)


def test_a_secret_in_an_exception_is_redacted(python_app: Project) -> None:
    python_app.write(
        "desk_app.py",
        f"def build(release):\n    def ask(request):\n        raise ConnectionError('denied for {SECRET}')\n"
        "    return ask\n",
    )
    result = python_app.spawn("-p", "no:xdist", "--junitxml=j.xml", "-rs", "-v")
    assert result.ret == 10
    assert "denied for" in (python_app.path / "j.xml").read_text()
    assert SECRET not in python_app.text(result)
    assert_nowhere(python_app.path, SECRET)


def test_a_providers_own_key_that_it_echoes_is_redacted(
    chat: Project, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "plainwordkeyofnoknownshape"
    monkeypatch.setenv("PROVIDER_KEY", key)
    chat.write("candidate.yaml", chat.live(kind="chat", key=', api_key: "${PROVIDER_KEY}"'))
    provider.suffix = f" {key}"
    result = chat.spawn("-p", "no:xdist", "--junitxml=j.xml")
    assert result.ret == 1
    assert provider.keys == {f"Bearer {key}"}
    assert key not in chat.text(result)
    assert_nowhere(chat.path, key)
