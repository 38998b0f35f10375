"""The demo's providers: OpenAI-compatible HTTP servers on loopback, one per provider of the release."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from relgate.demo.answerer import Completion, ModelSettings, complete
from relgate.domain.errors import ServiceError
from relgate.domain.release import Provider, Release

logger = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(slots=True)
class _Server:
    """One provider: its models by name and by id, its key, its counts."""

    name: str
    models: dict[str, ModelSettings]
    api_key: str | None
    requests: Counter[str] = field(default_factory=Counter)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_get("/v1/models", self.list_models)
        app.router.add_get("/stats", self.stats)
        return app

    async def chat(self, request: web.Request) -> web.Response:
        if not self._authorised(request):
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        try:
            body = await request.json()
            model, messages = str(body["model"]), body["messages"]
            known = self.models.get(model)
            if known is None:
                return _error(404, "model_not_found", f"The model {model!r} does not exist.")
            self.requests[model] += 1
            completion = complete(messages, body.get("tools") or [], known)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            return _error(400, "invalid_request_error", f"The request is no chat completion: {error!r}")
        logger.info(
            "%s/%s answered, %d tokens, release %s",
            self.name,
            model,
            completion.prompt_tokens + completion.completion_tokens,
            request.headers.get("X-Relgate-Release", "unknown"),
        )
        return web.json_response(_document(model, sum(self.requests.values()), completion))

    async def list_models(self, request: web.Request) -> web.Response:
        if not self._authorised(request):
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        data = [{"id": name, "object": "model", "owned_by": self.name} for name in sorted(self.models)]
        return web.json_response({"object": "list", "data": data})

    async def stats(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"requests": sum(self.requests.values()), "by_model": dict(sorted(self.requests.items()))}
        )

    def _authorised(self, request: web.Request) -> bool:
        return self.api_key is None or request.headers.get("Authorization") == f"Bearer {self.api_key}"


@contextmanager
def serve(release: Release) -> Iterator[dict[str, str]]:
    """Run every provider of the release until the block ends.

    All servers live in one background thread with an event loop of its own, so that a caller's loop, or the
    lack of one, does not matter.

    Args:
        release: its providers get a server each; its model artifacts decide how the models behave.

    Yields:
        ``{"HOSTED_A_URL": "http://127.0.0.1:PORT/v1", ...}``, one variable per provider.

    Raises:
        ServiceError: the servers did not start.
    """
    servers = [_server(release, provider) for provider in release.providers.values()]
    host = _Host(servers)
    host.start()
    try:
        yield host.variables
    finally:
        host.stop()


class _Host:
    """The thread that runs the servers."""

    def __init__(self, servers: list[_Server]) -> None:
        self.variables: dict[str, str] = {}
        self._servers = servers
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="relgate-demo-providers", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise ServiceError(f"the demo providers did not start: {self._failure}") from self._failure

    def stop(self) -> None:
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        runners: list[web.AppRunner] = []
        try:
            for server in self._servers:
                runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
                runners.append(runner)
                await runner.setup()
                await web.TCPSite(runner, _HOST, 0).start()
                port = runner.addresses[0][1]
                self.variables[f"{server.name.upper()}_URL"] = f"http://{_HOST}:{port}/v1"
            self._ready.set()
            await self._stopping.wait()
        finally:
            for runner in runners:
                await runner.cleanup()


def _server(release: Release, provider: Provider) -> _Server:
    models: dict[str, ModelSettings] = {}
    for artifact in release.of_kind("model"):
        if artifact.settings.get("provider") == provider.name:
            settings = ModelSettings.parse(artifact.text)
            models[artifact.name] = settings
            models[str(artifact.settings.get("id", artifact.name))] = settings
    return _Server(provider.name, models, _key(provider))


def _key(provider: Provider) -> str | None:
    """The provider's key; services start before variables are bound, so ``${VAR}`` is looked up here."""
    if not provider.api_key:
        return None
    written = provider.api_key.reveal()
    variable = _VARIABLE.fullmatch(written)
    return os.environ.get(variable.group(1)) if variable else written


def _document(model: str, number: int, completion: Completion) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": completion.text}
    finish = "stop"
    if completion.tool_call is not None:
        arguments = json.dumps(dict(completion.tool_call.arguments))
        function = {"name": completion.tool_call.name, "arguments": arguments}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call-{number}", "type": "function", "function": function}],
        }
        finish = "tool_calls"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "total_tokens": completion.prompt_tokens + completion.completion_tokens,
        },
    }


def _error(status: int, code: str, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
