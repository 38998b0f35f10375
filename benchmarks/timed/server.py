"""The mock provider as a process of its own: the C server of ../shared/bench where it can be built."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1].parent / "shared" / "bench"
SOURCE = SHARED / "mock" / "mockllm.c"
START_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    """A running mock provider."""

    port: int

    @property
    def url(self) -> str:
        """What a client has as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, path: str) -> dict[str, Any]:
        """A JSON answer of the server's own pages."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@cache
def command() -> tuple[str, ...]:
    """How the server is started, without its arguments; builds the C server once."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not SOURCE.exists():
        return sys.executable, str(HERE / "asyncio_server.py")
    binary = Path(tempfile.mkdtemp(prefix="relgate-mock-")) / "mockllm"
    subprocess.run([compiler, "-O2", "-o", str(binary), str(SOURCE), "-lm"], check=True)
    return (str(binary),)


@contextmanager
def serving(median_ms: float, sigma: float = 0.0) -> Iterator[Server]:
    """A server with this delay; it is stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(port)
    process = subprocess.Popen([*command(), str(port), f"{median_ms:g}", f"{sigma:g}"])
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                server.get("/stats")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the mock server did not start") from None
                time.sleep(0.02)
        yield server
    finally:
        process.kill()
        process.wait()
