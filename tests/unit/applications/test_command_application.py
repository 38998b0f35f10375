"""A process that relgate starts, waits for, asks and ends."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from relgate.applications.command import CommandProcess, CommandResponder
from relgate.domain.deployed import CommandSpec, HttpSpec, ResponseMapping
from relgate.domain.errors import ServiceError
from relgate.domain.response import Failure, Request, Response
from relgate.engine.transport import HttpTransport

SERVER = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def reply(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply({}, 200 if time.time() - STARTED > DELAY else 503)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["q"] == "die":
            print("out of memory, key sk-abcdefghijklmnop0123", flush=True)
            os._exit(7)
        self.reply({"answer": f"{asked['q']}! {os.environ['RELGATE_RELEASE'][:9]} {os.environ['MODE']}"})

    def log_message(self, *_):
        pass

STARTED, DELAY = time.time(), float(os.environ.get("DELAY", "0"))
if os.environ.get("STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def spec(tmp_path: Path):
    (tmp_path / "serve.py").write_text(SERVER)

    def make(**changes) -> CommandSpec:
        settings = {
            "run": (sys.executable, "serve.py", "{{ port }}"),
            "folder": tmp_path,
            "environment": {"MODE": "test"},
            "ready_path": "/health",
            "ready_seconds": 10.0,
            "grace_seconds": 1.0,
            "http": HttpSpec("", "/", {"q": "{{ question }}"}, ResponseMapping("/answer")),
        }
        return CommandSpec(**settings | changes)

    return make


def _ask(process, spec, release, *questions):
    async def ask():
        transport = HttpTransport()
        responder = CommandResponder(process, spec, release, transport)
        try:
            return [await responder.respond(Request("c", question)) for question in questions]
        finally:
            await transport.close()

    return asyncio.run(ask())


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_is_started_asked_and_ended(api, spec):
    release, one = api.release("http://x"), spec(environment={"MODE": "test", "DELAY": "0.3"})
    with CommandProcess(one, release, os.environ) as process:
        [found] = _ask(process, one, release, "How long?")
        pid = process._process.pid
    assert isinstance(found, Response)
    assert found.output == f"How long?! {release.digest[:9]} test"
    assert _is_gone(pid)


def test_the_port_alone_is_enough_to_be_ready(api, spec):
    release, one = api.release("http://x"), spec(ready_path=None)
    with CommandProcess(one, release, os.environ) as process:
        assert isinstance(_ask(process, one, release, "x")[0], Response)


def test_a_process_that_does_not_want_to_end_is_killed_after_the_grace(api, spec):
    one = spec(environment={"MODE": "t", "STUBBORN": "1"}, grace_seconds=0.3)
    with CommandProcess(one, api.release("http://x"), os.environ) as process:
        pid, began = process._process.pid, time.monotonic()
    assert 0.3 <= time.monotonic() - began < 60
    assert _is_gone(pid)


def test_children_are_ended_too(api, spec, tmp_path):
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, 'serve.py', sys.argv[1]])\n"
        "pathlib.Path('child').write_text(str(child.pid))\nchild.wait()\n"
    )
    one = spec(run=(sys.executable, "parent.py", "{{ port }}"))
    with CommandProcess(one, api.release("http://x"), os.environ):
        child = int((tmp_path / "child").read_text())
        assert not _is_gone(child)
    deadline = time.monotonic() + 60
    while not _is_gone(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    stat = Path(f"/proc/{child}/stat")
    assert _is_gone(child) or stat.read_text().split()[2] == "Z"


def test_a_process_that_dies_fails_every_further_question_with_its_last_words(api, spec):
    release, one = api.release("http://x"), spec()
    with CommandProcess(one, release, os.environ) as process:
        first, dead, after = _ask(process, one, release, "x", "die", "y")
    assert isinstance(first, Response)
    for failure in (dead, after):
        assert isinstance(failure, Failure)
        assert failure.kind == "application"
        assert failure.message.startswith("the process ended with status 7; it said: out of memory")
        assert "sk-abcdefghijklmnop0123" not in failure.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"run": ("no-such-program",)}, "'no-such-program' cannot be started: No such file"),
        (
            {"run": (sys.executable, "-c", "print('bad config'); exit(3)")},
            "ended with status 3; it said: bad config",
        ),
        (
            {"ready_path": "/health", "environment": {"MODE": "t", "DELAY": "60"}, "ready_seconds": 0.5},
            "within 0.5 s",
        ),
    ],
    ids=["no program", "ends", "never ready"],
)
def test_what_keeps_it_from_getting_ready_is_said(api, spec, changes, said):
    with (
        pytest.raises(ServiceError, match=said),
        CommandProcess(spec(**changes), api.release("http://x"), os.environ),
    ):
        pass
