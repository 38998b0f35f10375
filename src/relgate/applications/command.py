"""The application kind ``command``: relgate starts a process that serves HTTP, and stops it after the run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import IO

from relgate.applications.http import HttpResponder
from relgate.applications.mapping import fill
from relgate.domain.deployed import CommandSpec
from relgate.domain.errors import ServiceError
from relgate.domain.release import Provider, Release
from relgate.domain.response import Failure, Outcome, Request
from relgate.domain.transport import Transport
from relgate.redaction import mask

POLL_SECONDS = 0.05
LAST_LINES = 5
LAST_BYTES = 4000
RETRY_SECONDS = 2.0
"""How long a process that is still there may refuse connections."""


class CommandProcess:
    """The process; a context manager that starts it, waits until it is ready, and ends it with its children.

    Args:
        spec: how.
        release: whose digest and addresses the process gets in its environment.
        environment: the variables of relgate's own process.

    Raises:
        ServiceError: on entering: it cannot be started, ends, or is not ready in time.
    """

    def __init__(self, spec: CommandSpec, release: Release, environment: Mapping[str, str]) -> None:
        self._spec = spec
        self._port = _free_port()
        self._environment = {
            **environment,
            **spec.environment,
            "PORT": str(self._port),
            "RELGATE_RELEASE": release.digest,
            **{
                f"RELGATE_PROVIDER_{name.upper().replace('-', '_').replace('.', '_')}_URL": provider.base_url
                for name, provider in release.providers.items()
            },
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def obituary(self) -> str:
        """How the process ended, with its last words; "" while it runs."""
        status = None if self._process is None else self._process.poll()
        if status is None:
            return ""
        return f"the process ended with status {status}{self._last_words()}"

    def __enter__(self) -> CommandProcess:
        run = [str(part) for part in fill(list(self._spec.run), {"port": str(self._port)})]
        try:
            self._process = subprocess.Popen(
                run,
                cwd=self._spec.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # it is ended with everything that it started
            )
        except OSError as error:
            self._output.close()
            raise ServiceError(f"the command {run[0]!r} cannot be started: {error.strerror}") from error
        try:
            self._await_ready(run[0])
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _await_ready(self, name: str) -> None:
        deadline = time.monotonic() + self._spec.ready_seconds
        while not self._is_ready():
            if self.obituary:
                raise ServiceError(f"the command {name!r} is not ready: {self.obituary}")
            if time.monotonic() > deadline:
                where = self._spec.ready_path or f"port {self._port}"
                raise ServiceError(
                    f"the command {name!r} is not ready: nothing answered at {where} within "
                    f"{self._spec.ready_seconds:g} s{self._last_words()}"
                )
            time.sleep(POLL_SECONDS)

    def _is_ready(self) -> bool:
        if self._spec.ready_path is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1.0).close()
            except OSError:
                return False
            return True
        try:
            with urllib.request.urlopen(self.url + self._spec.ready_path, timeout=2.0) as answer:
                return bool(answer.status < 400)
        except (urllib.error.URLError, OSError, ValueError):
            return False

    def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        for number, seconds in ((signal.SIGTERM, self._spec.grace_seconds), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # children that outlived it
        self._output.close()

    def _last_words(self) -> str:
        if self._output.closed:
            return ""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - LAST_BYTES))
        lines = self._output.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]
        said = " | ".join(" ".join(line.split()) for line in lines if line.strip())
        return f"; it said: {mask(said)}" if said else ""


class CommandResponder:
    """Asks the process; once it has ended, every question is the application's failure.

    Args:
        process: started already.
        spec: how it is asked.
        release: the release.
        transport: sends the requests.
    """

    def __init__(
        self, process: CommandProcess, spec: CommandSpec, release: Release, transport: Transport
    ) -> None:
        self._process = process
        provider = Provider("the command", process.url, retry_seconds=RETRY_SECONDS)
        self._responder = HttpResponder(spec.http, provider, release, transport)

    async def open(self) -> None:
        """Nothing to open: the process runs."""

    async def respond(self, request: Request) -> Outcome:
        """Ask once."""
        outcome = await self._responder.respond(request)
        if isinstance(outcome, Failure) and (end := self._process.obituary):
            return Failure("application", end, outcome.latency_ms)
        return outcome

    async def close(self) -> None:
        """Nothing to give back: whoever started the process ends it."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
