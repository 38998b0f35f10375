"""Whole runs against real servers that misbehave: nothing measured is lost, and the summary says why."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CASES = 60
GATES = "gates:\n  - {metric: exact, at_least: 0.5}\n"
Act = Callable[[BaseHTTPRequestHandler, int], bool]


class Server:
    """Answers rightly, unless ``act`` did something else with the n-th request; counts both."""

    def __init__(self, act: Act = lambda handler, number: False, port: int = 0) -> None:
        self.requests, self.answered = 0, 0
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.requests += 1
                    number = outer.requests
                if act(self, number):
                    return
                text = f"answer {body['messages'][-1]['content'].split()[-1]}"
                reply(self, 200, {"choices": [{"message": {"role": "assistant", "content": text}}]})
                with lock:
                    outer.answered += 1

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads, block_on_close, request_queue_size = True, False, 64

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Quiet(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reply(handler: BaseHTTPRequestHandler, status: int, value: object, **headers: str) -> bool:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    handler.send_response(status)
    for name, text in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), text)
    handler.end_headers()
    handler.wfile.write(body)
    return True


@pytest.fixture
def against(chat, monkeypatch):
    """Runs the chat application against a server that acts."""
    chat.suite("small", chat.numbered(CASES), GATES)
    servers: list[Server] = []

    def run(act: Act, *args: str, limits: str = "", before: Callable[[Server], None] | None = None):
        server = Server(act)
        servers.append(server)
        monkeypatch.setenv("PROVIDER_URL", f"http://127.0.0.1:{server.port}/v1")
        manifest = chat.live(kind="chat").replace('PROVIDER_URL}"', 'PROVIDER_URL}"' + limits)
        chat.write("candidate.yaml", manifest)
        if before is not None:
            threading.Thread(target=before, args=(server,), daemon=True).start()
        result = chat.spawn("--full", "--concurrency=8", *args)
        return result, server, chat.text(result)

    yield run
    for server in servers:
        server.end()


def test_a_fifth_of_429s_loses_no_case_and_doubles_no_call(against, chat):
    def throttle(handler, number):
        return number % 5 == 0 and reply(handler, 429, {}, Retry_After="0.05")

    result, server, shown = against(throttle)
    assert result.ret == 0, shown
    assert server.answered == CASES
    assert chat.scorecard()["cases"]["hit"] == CASES


def test_resets_lose_no_case(against, chat):
    def reset(handler, number):
        if number % 20:
            return False
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        handler.close_connection = True
        return True

    result, server, shown = against(reset)
    assert result.ret == 0, shown
    assert server.answered == CASES


def test_a_server_that_is_killed_and_started_again_loses_no_case(against, chat):
    again: list[Server] = []

    def slow(handler, number):
        time.sleep(0.05)
        return False

    def kill(server):
        while server.requests < 20:
            time.sleep(0.01)
        server.end()
        time.sleep(0.5)
        again.append(Server(port=server.port))

    result, server, shown = against(slow, before=kill)
    assert result.ret == 0, shown
    assert chat.scorecard()["cases"]["hit"] == CASES
    assert server.answered + again[0].answered <= CASES + 8
    again[0].end()


def test_a_provider_that_hangs_holds_and_says_so(against, chat):
    def hang(handler, number):
        time.sleep(3)
        return True

    result, server, shown = against(hang, limits=", timeout_seconds: 0.2")
    assert result.ret == 10, shown
    assert "no answer within 0.2 s, 3 times" in " ".join(shown.split())
    assert chat.scorecard()["verdict"]["decision"] == "hold"
    assert server.requests < 3 * CASES, "the circuit opens"


def test_calls_without_an_answer_are_not_told_as_made(against, chat):
    def hang_after_20(handler, number):
        if number <= 20:
            return False
        time.sleep(3)
        return True

    result, server, shown = against(hang_after_20, limits=", timeout_seconds: 1")
    assert result.ret == 10, shown
    card = chat.scorecard()
    answered = card["cases"]["hit"]
    assert 0 < answered <= 20
    assert (card["calls"]["made"], card["calls"]["unanswered"]) == (CASES, CASES - answered)
    assert f"calls: {answered} of {CASES} planned; {CASES - answered} got no answer" in shown
    assert server.requests < 20 + 3 * (CASES - 20), "most of them were never sent"


def test_an_answer_that_is_no_json_is_the_applications_failure(against, chat):
    result, server, shown = against(lambda handler, number: reply(handler, 200, b"<html>\xff\xfe</html>"))
    assert result.ret == 1, shown
    assert server.requests == CASES, "asking again would not help"
    assert "the answer is no chat completion" in " ".join(shown.split())


def test_a_completion_with_bytes_that_are_no_text_is_read_and_loses_no_case(against, chat):
    """One in ten answers has a stray byte in its text: the wrong answer of one case, and of no other."""

    def stray(handler, number):
        if number % 10:
            return False
        body = b'{"choices": [{"message": {"role": "assistant", "content": "answer \xff\xfe"}}]}'
        return reply(handler, 200, body)

    result, server, shown = against(stray)
    assert "Traceback" not in shown
    assert result.ret == 0, shown
    assert server.requests == CASES
    assert (chat.scorecard()["cases"]["hit"], chat.scorecard()["cases"]["miss"]) == (CASES - 6, 6)


def test_a_server_that_speaks_no_http_holds(against, chat):
    def garble(handler, number):
        handler.wfile.write(b"HTTP/9.9 banana\r\n\r\n")
        handler.close_connection = True
        return True

    result, _, shown = against(garble, limits=", retry_seconds: 1")
    assert result.ret == 10, shown
    assert "the answer is no HTTP" in " ".join(shown.split())


def test_a_host_that_does_not_resolve_holds(chat, monkeypatch):
    monkeypatch.setenv("PROVIDER_URL", "http://desk.invalid/v1")
    chat.suite("small", chat.numbered(CASES), GATES)
    result = chat.spawn("--full")
    shown = chat.text(result)
    assert result.ret == 10, shown
    assert re.search(r"not\s+measured", shown)
    assert "desk.invalid" in shown


def test_an_engine_that_dies_leaves_no_verdict_and_what_it_paid_for(against, chat, monkeypatch):
    chat.write(
        "conftest.py",
        "from relgate.usecases.measuring.caller import Caller\n"
        "call = Caller.call\n"
        "async def dying(self, *args, **kwargs):\n"
        "    if self.calls == 40:\n"
        "        raise SystemError('out of luck')\n"
        "    return await call(self, *args, **kwargs)\n"
        "Caller.call = dying\n",
    )
    result, server, shown = against(lambda handler, number: False)
    assert result.ret == 3, shown
    assert "the engine failed: SystemError: out of luck; no verdict" in shown
    assert chat.decisions == []
    (chat.path / "conftest.py").unlink()
    asked = server.requests
    result, server, shown = against(lambda handler, number: False)
    assert result.ret == 0, shown
    assert asked + server.requests <= CASES + 8
