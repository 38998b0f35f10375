"""Small projects that the plugin is tried on, and a provider that counts what it is asked."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import sysconfig
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

# pytester removes what an in-process run imported; numpy, scipy and sqlalchemy cannot be imported twice.
import sqlalchemy.dialects.postgresql  # noqa: F401  # for the reason above

import relgate.engine.transport
import relgate.plugin.session
import relgate.usecases.run_release  # noqa: F401  # for the reason above
from relgate import late
from relgate.cli import main

late.import_now()

FLAGS = ("-p", "no:replay", "-p", "no:hypothesispytest", "-W", "error")
"""pytest-replay owns ``--replay``, hypothesis costs every process a second; leaks must show in every run."""

PATIENCE = 120.0
"""Seconds until a process that should have done something hangs, on a machine with much else to do."""

CASES = 8
FLOOR = "gates:\n  - {metric: exact, at_least: 0.5}\n"
APPLICATION = """
import json, urllib.request

def build(release):
    url = release.providers["local"].base_url + "/chat/completions"
    model = release.artifact("model", "answerer").settings["id"]

    def application(request):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": request.text}]})
        asked = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=600) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]

    return application
"""


@dataclass
class Provider:
    """An OpenAI-compatible server on loopback that counts.

    ``wrong`` holds model -> questions that it answers wrongly; ``status`` is what it answers instead of 200;
    ``says`` is the model that it says it is, ``backends`` what it calls the systems behind it in turn.
    ``most`` is how many it was asked at once; it waits a while for ``expected`` of them before it answers.
    ``answers`` is how many it answers: what is asked after them waits until the test is over.
    """

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: dict[str, set[str]] = field(default_factory=dict)
    suffix: str = ""
    says: str = ""
    backends: list[str] = field(default_factory=list)
    seconds: float = 0.0
    status: int = 200
    url: str = ""
    keys: set[str] = field(default_factory=set)
    most: int = 0
    now: int = 0
    expected: int = 0
    answers: int | None = None
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def calls(self) -> int:
        return sum(self.asked.values())

    def answer(self, model: str, text: str) -> str:
        self.asked[model, text] += 1
        number = text.split()[-1]
        return "wrong" if text in self.wrong.get(model, set()) else f"answer {number}{self.suffix}"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    state = Provider()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                state.keys.add(self.headers.get("Authorization", ""))
                text = state.answer(body["model"], body["messages"][-1]["content"].strip())
                state.now += 1
                state.most = max(state.most, state.now)
                answered = state.answers is None or state.calls <= state.answers
            if not answered:
                state.over.wait()
            time.sleep(state.seconds)
            patience = time.monotonic() + PATIENCE
            while state.most < state.expected and time.monotonic() < patience:
                time.sleep(0.005)
            with lock:
                state.now -= 1
            message: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": text}}]}
            if state.says:
                message["model"] = state.says
            if state.backends:
                message["system_fingerprint"] = state.backends[state.calls % len(state.backends)]
            payload = json.dumps(message if state.status == 200 else {"error": "busy"}).encode()
            try:
                self.send_response(state.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            except ConnectionError:
                return  # the run was interrupted

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # a connection that is dropped comes back a second later
        block_on_close = False

        def handle_error(self, *args: object) -> None:
            pass  # a client that was killed

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/v1"
        monkeypatch.setenv("PROVIDER_URL", state.url)
        yield state
        state.over.set()
        server.shutdown()
        thread.join()


def lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def numbered(count: int = CASES, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"c{n}", "input": f"question {n}", "expected": f"answer {n}", **more} for n in range(count)
    ]


def manifest(application: str, more: str = "", *, version: str = "1.1.0", baseline: str = "none") -> str:
    return (
        f'manifest: 1\nrelease: desk\nversion: "{version}"\nowner: me\nbaseline: {baseline}\n'
        f"application: {application}\n{more}"
    )


def live(model: str = "answerer-2", *, kind: str = "python", **keys: Any) -> str:
    """A manifest of a release that calls the provider."""
    application = '{python: "desk_app:build"}' if kind == "python" else "{chat: answer}"
    key = keys.pop("key", "")
    prompt = "  prompt: {answer: {version: v1, path: prompt.md, variables: [question]}}\n"
    more = (
        "deterministic: true\n"
        f'artifacts:\n  model: {{answerer: {{version: "{model}", provider: local, id: {model}}}}}\n'
        f"{prompt if kind == 'chat' else ''}"
        f'providers:\n  local: {{base_url: "${{PROVIDER_URL}}"{key}}}\n'
        "routes:\n  answer: {chain: [local/answerer]}\n"
    )
    return manifest(application, keys.pop("more", "") + more, **keys)


def text(result: pytest.RunResult) -> str:
    return result.stdout.str() + result.stderr.str()


def wait_for_calls(provider: Provider, count: int, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while provider.calls < count:
        assert time.monotonic() < deadline, f"{provider.calls} of {count} calls after {seconds} s"
        time.sleep(0.02)


@contextmanager
def heard() -> Iterator[None]:
    """Ctrl-C reaches what is started in here, also where a shell started the tests with ``&``."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def finish(process: subprocess.Popen[str], number: signal.Signals | None, seconds: float) -> tuple[int, str]:
    """Send a signal and wait; the time limit is the test."""
    if number is not None:
        process.send_signal(number)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        pytest.fail(f"still running {seconds} s later:\n{output}")
    return process.returncode, output


@dataclass
class Project:
    """A folder with a manifest and golden sets."""

    pytester: pytest.Pytester
    request: pytest.FixtureRequest

    # Test modules cannot import a conftest.py, so they find the helpers here.
    lines = staticmethod(lines)
    numbered = staticmethod(numbered)
    manifest = staticmethod(manifest)
    live = staticmethod(live)
    text = staticmethod(text)
    wait_for_calls = staticmethod(wait_for_calls)
    finish = staticmethod(finish)
    floor = FLOOR
    application = APPLICATION

    @property
    def path(self) -> Path:
        return self.pytester.path

    @property
    def registry(self) -> Path:
        return self.path / ".relgate" / "registry.db"

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def suite(self, name: str, cases: Sequence[Mapping[str, Any]], more: str = FLOOR) -> None:
        head = f"suite: {name}\nkind: golden\ntrials: 1\nscorers: [exact]\n"
        self.write(f"golden_sets/{name}/suite.yaml", head + more)
        self.write(f"golden_sets/{name}/cases.jsonl", lines(cases))

    def run(self, *args: str, manifest: str = "candidate.yaml") -> pytest.RunResult:
        """In this process: fast; no signals, no xdist, and the application must not print."""
        return self.pytester.runpytest_inprocess(*FLAGS, "-p", "no:xdist", f"--manifest={manifest}", *args)

    def spawn(self, *args: str, manifest: str = "candidate.yaml") -> pytest.RunResult:
        """In a process of its own."""
        self.request.getfixturevalue("bytecode")
        return self.pytester.runpytest_subprocess(
            *FLAGS, f"--manifest={manifest}", *args, timeout=2 * PATIENCE
        )

    def judge(self, mode: Sequence[str], *args: str) -> pytest.RunResult:
        """In this process, or in one of its own where the mode is a ``-n``."""
        return self.spawn(*mode, *args) if "-n" in mode else self.run(*args)

    def start(self, *args: str, group: bool = False) -> subprocess.Popen[str]:
        """In a process that the test talks to and that Ctrl-C ends."""
        command = [sys.executable, "-m", "pytest", *FLAGS, "--manifest=candidate.yaml", *args]
        self.request.getfixturevalue("bytecode")
        with heard():
            return subprocess.Popen(
                command,
                cwd=self.path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=group,
            )

    def relgate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The ``relgate`` command through its entry point, in this process."""
        out, errors, status = StringIO(), StringIO(), 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
            patch.setattr(sys, "argv", ["relgate", *arguments])
            try:
                main()
            except SystemExit as exit_:
                status = int(exit_.code or 0)
        return subprocess.CompletedProcess(arguments, status, out.getvalue(), errors.getvalue())

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """What the registry file holds; empty when it was never made."""
        if not self.registry.exists():
            return []
        with closing(sqlite3.connect(self.registry)) as connection:
            return connection.execute(f"select {columns} from {table}").fetchall()

    def wait_for_rows(self, table: str, count: int = 1, seconds: float = PATIENCE) -> None:
        """Until the registry holds so many rows; another process may be making it just now."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(sqlite3.OperationalError):
                if len(self.rows(table)) >= count:
                    return
            assert time.monotonic() < deadline, f"fewer than {count} rows in {table} after {seconds} s"
            time.sleep(0.02)

    @property
    def decisions(self) -> list[str]:
        return [row[0] for row in self.rows("verdicts", "decision")]

    def scorecard(self, folder: str = "reports") -> dict[str, Any]:
        [path] = (self.path / folder).glob("*/scorecard.json")
        return json.loads(path.read_text(encoding="utf-8"))

    def junit(self, *args: str, name: str = "junit.xml", spawn: bool = False) -> list[ElementTree.Element]:
        """All testcase elements of a run."""
        run = self.spawn if spawn else self.run
        run(f"--junitxml={name}", *args)
        return list(ElementTree.parse(self.path / name).getroot().iter("testcase"))


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Project:
    """An empty folder; relgate's and CI's variables are unset."""
    for name in [name for name in os.environ if name.startswith(("RELGATE_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    project = Project(pytester, request)
    project.write("prompt.md", "{{ question }}\n")
    return project


@pytest.fixture
def recording(project: Project) -> Project:
    """Eight recorded answers, all right: a promote by a floor."""
    project.suite("small", numbered())
    project.write(
        "answers.jsonl", lines([{"case_id": f"c{n}", "output": f"answer {n}"} for n in range(CASES)])
    )
    project.write("candidate.yaml", manifest("{recording: answers.jsonl}"))
    return project


@pytest.fixture
def python_app(project: Project, provider: Provider) -> Project:
    """A ``python`` application that calls the provider."""
    project.suite("small", numbered())
    project.write("desk_app.py", APPLICATION)
    project.write("candidate.yaml", live())
    return project


@pytest.fixture
def drifting(project: Project, provider: Provider) -> Project:
    """A candidate and a live baseline that may answer otherwise each time; 40 cases, one trial."""
    gates = "gates:\n  - {metric: exact, at_least: 0.5}\n  - {metric: exact, non_inferior: {margin: 0.2}}\n"
    project.suite("golden", numbered(40), gates)
    project.write("desk_app.py", project.application)
    for name, model, version, baseline in (
        ("production.yaml", "answerer-1", "1.0.0", "none"),
        ("candidate.yaml", "answerer-2", "1.1.0", "production.yaml"),
    ):
        text = live(model, version=version, baseline=baseline)
        project.write(name, text.replace("deterministic: true\n", ""))
    return project


@pytest.fixture
def chat(project: Project, provider: Provider) -> Project:
    """A ``chat`` application: relgate calls the provider itself."""
    project.suite("small", numbered())
    project.write("candidate.yaml", live(kind="chat"))
    return project


CROWD = (
    "pytest-asyncio>=1.0",
    "pytest-cov>=6.1",
    "pytest-html>=4.1",
    "pytest-instafail>=0.5",
    "pytest-json-report>=1.5",
    "pytest-random-order>=1.2",
    "pytest-randomly>=3.16",
    "pytest-replay>=1.6",
    "pytest-sugar>=1.0",
    "teamcity-messages>=1.32",
    "anyio>=4.9",
)


@dataclass(frozen=True)
class Crowd:
    """An interpreter that holds what this one holds and many other pytest plugins."""

    python: str

    def run(
        self, project: Project, *args: str, flags: Sequence[str] = FLAGS
    ) -> subprocess.CompletedProcess[str]:
        """``pytest --manifest`` in the project; pytest-randomly shuffles only where a seed is given."""
        if not any(arg.startswith("--randomly-seed") for arg in args):
            args = ("-p", "no:randomly", *args)
        scope = ("-o", "asyncio_default_fixture_loop_scope=function")
        command = [self.python, "-m", "pytest", *flags, *scope, "--manifest=candidate.yaml", *args]
        outer = ("PYTEST_", "COV_", "TEAMCITY_")  # what tells a plugin that it runs in the outer session
        environment = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
        return subprocess.run(
            command,
            cwd=project.path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )


def gather_crowd(home: Path) -> str:
    """Make the interpreter; returns why it could not be made, or nothing."""
    python = home / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    ours = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    # A line that begins with import is run: so the .pth files of our folders count too, relgate's among them.
    (Path(site) / "crowd.pth").write_text(
        "".join(f"import site; site.addsitedir({folder!r})\n" for folder in sorted(ours))
    )
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    done = subprocess.run(
        [*pip, "--prefer-binary", "--retries=1", "--timeout=30", *CROWD], capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
    return (
        "" if done.returncode == 0 else f"other pytest plugins cannot be installed: {' '.join(said)[-400:]}"
    )


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """The crowd, installed once for all workers of a session; without a package index its tests skip."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    home, said = base / "crowd", base / "crowd.txt"
    with (base / "crowd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(gather_crowd(home))
    if reason := said.read_text():
        if "all" in os.environ.get("RELGATE_TEST_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    return Crowd(str(home / "bin" / "python"))
