"""relgate and the bare loop on the same cases, one after the other, as often as asked."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from timed.process import Timed, run
from timed.project import Project, write_chat
from timed.server import HERE, SHARED, Server, serving

VERDICTS = (0, 1, 10)
"""Promote, reject and hold: with one case nothing can be proven."""

_PEER = SHARED / "peers" / "bare_aiohttp.py"
BARE_LOOP = _PEER if _PEER.exists() else HERE / "bare_loop.py"


@dataclass(frozen=True)
class Bench:
    """One project at one server, ready to be run."""

    project: Project
    server: Server
    concurrency: int

    @property
    def environment(self) -> dict[str, str]:
        """What the project, the bare loop and the other runners read."""
        return {
            "BASE_URL": self.server.url,
            "OPENAI_BASE_URL": self.server.url,
            "OPENAI_API_KEY": "sk-mock-key",
            "MOCK_KEY": "sk-mock-key",
            "CASES": str(self.project.cases),
            "CONC": str(self.concurrency),
            "DO_NOT_TRACK": "1",
            "LOGFIRE_IGNORE_NO_CONFIG": "1",
        }

    def other(self, command: Sequence[str]) -> Timed:
        """Another runner on the same cases."""
        return run(command, folder=self.project.folder, environment=self.environment, server=self.server)

    def bare(self) -> Timed:
        """The bare loop."""
        return self.other([sys.executable, str(BARE_LOOP)])

    def relgate(self, *more: str, first: bool = False) -> Timed:
        """The whole gate."""
        project = self.project
        command = (
            project.first_command(self.concurrency) if first else project.command(self.concurrency, *more)
        )
        return run(
            command,
            folder=project.folder,
            environment=self.environment,
            server=self.server,
            expected=VERDICTS,
        )


@contextmanager
def bench(cases: int, concurrency: int, latency_ms: float, sigma: float = 0.0) -> Iterator[Bench]:
    """A chat project with so many cases, and its provider."""
    with tempfile.TemporaryDirectory(prefix="relgate-bench-") as place, serving(latency_ms, sigma) as server:
        yield Bench(write_chat(Path(place), cases), server, concurrency)


def interleaved(runs: Sequence[Callable[[], Timed]], repetitions: int) -> list[list[Timed]]:
    """Each run so often, in turns: what disturbs one of them disturbs the others too."""
    rounds = [[one() for one in runs] for _ in range(repetitions)]
    return [list(column) for column in zip(*rounds, strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within each round."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))
