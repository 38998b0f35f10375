"""An OpenAI-compatible server on loopback that answers as a test scripts it, and releases that call it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from relgate.domain.release import (
    ApplicationSpec,
    Artifact,
    Price,
    Provider,
    Release,
    Route,
    Secret,
    Target,
)

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def completion(text: str | None = "Hello.", **message: Any) -> Reply:
    """A chat completion with usage."""

    async def reply(_: web.Request) -> web.Response:
        return web.json_response(
            {
                "choices": [{"message": {"role": "assistant", "content": text, **message}}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50},
            }
        )

    return reply


def status(code: int, text: str = "{}", **headers: str) -> Reply:
    """An answer with this status."""

    async def reply(_: web.Request) -> web.Response:
        return web.Response(status=code, text=text, headers=headers)

    return reply


def body(text: str) -> Reply:
    """Status 200 with this body."""
    return status(200, text)


async def truncated(request: web.Request) -> web.StreamResponse:
    """Fewer bytes than the header promises."""
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def hanging(_: web.Request) -> web.Response:
    """No answer within any test's patience."""
    await asyncio.sleep(3600)
    return web.Response()


class Server:
    """Answers requests with the scripted replies in turn, the last one again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._ready = threading.Event()
        self._runner: web.AppRunner | None = None

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(json.loads(await request.text()))
        self.headers.append(dict(request.headers))
        self.paths.append(request.path)
        reply = self.replies[min(len(self.bodies), len(self.replies)) - 1]
        return await reply(request)

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._chat)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        self._ready.set()

    def _run(self) -> None:
        self._loop.run_until_complete(self._start())
        self._loop.run_forever()
        assert self._runner is not None
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    for server in servers:
        server.__enter__()
    try:
        yield
    finally:
        for server in servers:
            server.__exit__()


def chat_release(
    *urls: str,
    prompt: str = "Answer: {{ question }}",
    key: str | None = None,
    timeout: float = 5.0,
    price: Price | None = None,
    tools: tuple[str, ...] = (),
    parameters: dict[str, Any] | None = None,
    retry: float = 0.3,
) -> Release:
    """A chat release whose route ``answer`` has one target per URL: p0/m0, p1/m1, ..."""
    artifacts = [
        Artifact("model", f"m{i}", "1", "d", {"id": f"model-{i}", "parameters": parameters or {}})
        for i in range(len(urls))
    ]
    artifacts.append(Artifact("prompt", "answer", "1", "d", path=Path("p.md"), content=prompt.encode()))
    artifacts += [Artifact("tool_schema", f"t{i}", "1", "d", content=t.encode()) for i, t in enumerate(tools)]
    return Release(
        name="desk",
        version="1",
        owner="me",
        digest="sha256:" + "ab" * 32,
        path=Path("candidate.yaml"),
        application=ApplicationSpec("chat", "answer"),
        artifacts=tuple(artifacts),
        providers={
            f"p{i}": Provider(
                f"p{i}",
                url,
                Secret(key) if key else None,
                timeout_seconds=timeout,
                price=price,
                retry_seconds=retry,
            )
            for i, url in enumerate(urls)
        },
        routes={"answer": Route("answer", tuple(Target(f"p{i}", f"m{i}") for i in range(len(urls))))},
    )


class Api:
    """The helpers of this file, for test modules: tests are no package."""

    Server, running, release = Server, staticmethod(running), staticmethod(chat_release)
    completion, status, body = staticmethod(completion), staticmethod(status), staticmethod(body)
    truncated, hanging = staticmethod(truncated), staticmethod(hanging)


@pytest.fixture(scope="session")
def api() -> type[Api]:
    return Api


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without long pauses; tests of the pauses set their own."""
    monkeypatch.setattr("relgate.engine.retries.BACKOFF_SECONDS", 0.01)
