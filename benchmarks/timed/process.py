"""One command as a whole process: wall time, CPU of the tree, peak memory, what the server saw."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from timed.server import Server


@dataclass(frozen=True)
class Timed:
    """What a process took.

    Attributes:
        wall: seconds from its start to its end.
        cpu: user and system seconds, of every child that it waited for too.
        megabytes: peak resident memory of the largest process.
        status: exit status.
        output: standard output and error.
        stats: of the server, since before the start.
    """

    wall: float
    cpu: float
    megabytes: float
    status: int
    output: str
    stats: Mapping[str, Any] = field(default_factory=dict)

    @property
    def span(self) -> float:
        """Seconds from the first request to the last answer, as the server saw them."""
        return float(self.stats["span_s"])


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    server: Server | None = None,
    expected: Sequence[int] = (0,),
) -> Timed:
    """Run a command to its end.

    Raises:
        RuntimeError: its exit status is another one.
    """
    if server is not None:
        server.get("/reset")
    log = folder / "output.txt"
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_inherited(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(errors="replace")
    if process.returncode not in expected:
        raise RuntimeError(f"{' '.join(command)}: exit status {process.returncode}\n{output[-3000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Timed(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss * unit / 1024**2,
        status=process.returncode,
        output=output,
        stats=server.get("/stats") if server is not None else {},
    )


def _inherited() -> dict[str, str]:
    """The environment without what slows an interpreter down: byte code is written as for anybody else."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
