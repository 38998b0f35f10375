"""Applications over HTTP, deployed or started by relgate, judged from the manifest to the verdict."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

GATES = "gates:\n  - {metric: exact, non_inferior: {margin: 0.2}}\n"
CASES = 30
REQUEST = 'request: {model: "%s", messages: "{{ messages }}"}, response: {output: /choices/0/message/content}'
HTTP = """artifacts:
  model: {{answerer: {{version: "{model}", provider: local, id: {model}}}}}
providers:
  local: {{base_url: "${{PROVIDER_URL}}", retry_seconds: 0.2}}
"""
SERVE = """
import json, os, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        url = os.environ["RELGATE_PROVIDER_LOCAL_URL"] + "/chat/completions"
        request = urllib.request.Request(url, asked, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
class Server(ThreadingHTTPServer):
    request_queue_size = 64
open(f"pid-{os.environ['MODEL']}", "w").write(str(os.getpid()))
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def _http(project, model: str, *, build: str = "", **keys) -> str:
    spec = REQUEST % model
    said = f", build: {build}" if build else ""
    application = "{http: {provider: local, path: /chat/completions, " + spec + said + "}}"
    return project.manifest(application, HTTP.format(model=model), **keys)


def _command(project, model: str, **keys) -> str:
    run = json.dumps([sys.executable, "serve.py"])
    application = f"{{command: {{run: {run}, environment: {{MODEL: {model}}}, {REQUEST % model}}}}}"
    code = '  application_code: {app: {version: "1", files: [serve.py]}}\n'
    more = HTTP.format(model=model).replace("artifacts:\n", "artifacts:\n" + code)
    return project.manifest(application, more, **keys)


def _desk(project, make):
    project.suite("golden", project.numbered(CASES), GATES)
    project.write("serve.py", SERVE)
    project.write("production.yaml", make(project, "answerer-1", version="1.0.0"))
    project.write("candidate.yaml", make(project, "answerer-2", baseline="production.yaml"))
    return project


@pytest.fixture
def service(project, provider):
    return _desk(project, _http)


@pytest.fixture
def started(project, provider):
    return _desk(project, _command)


@pytest.fixture(params=["service", "started"])
def deployed(request):
    return request.getfixturevalue(request.param)


def test_it_is_judged_against_its_baseline(deployed, provider):
    result = deployed.spawn("--full", "--concurrency=4")
    assert result.ret == 0, deployed.text(result)
    assert provider.calls == 2 * CASES
    provider.wrong["answerer-2"] = {f"question {n}" for n in range(20)}
    deployed.write("candidate.yaml", (deployed.path / "candidate.yaml").read_text().replace("1.1.0", "1.2.0"))
    assert deployed.spawn("--full", "--reuse=never", "--registry=other.db").ret == 1


def test_a_service_that_is_away_is_not_measured(service, provider, monkeypatch):
    monkeypatch.setenv("PROVIDER_URL", "http://127.0.0.1:9/v1")
    result = service.spawn("--full")
    assert result.ret == 10, service.text(result)
    assert "not measured" in service.text(result)


def _is_gone(path: Path) -> bool:
    pid = path.read_text()
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_processes_end_with_the_run_however_it_ends(started, provider, number):
    provider.answers = 4
    process = started.start("--full", "--concurrency=2")
    started.wait_for_calls(provider, 6)
    pids = [started.path / f"pid-answerer-{n}" for n in (1, 2)]
    assert not any(map(_is_gone, pids))
    started.finish(process, number, 45)
    deadline = time.monotonic() + 20
    while not all(map(_is_gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert all(map(_is_gone, pids))


def test_a_process_that_does_not_start_costs_no_call(started, provider):
    started.write("serve.py", "print('no config'); raise SystemExit(4)")
    result = started.spawn()
    assert result.ret == 3
    assert "is not ready: the process ended with status 4; it said: no config" in started.text(result)
    assert "Traceback" not in started.text(result)
    assert provider.calls == 0
