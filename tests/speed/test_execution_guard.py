"""A small guard of the speed of execution; ``benchmarks/execution.py`` measures it with care.

relgate and a bare aiohttp loop ask the same server the same cases in turns, in this process. On a calm
machine relgate takes 1.2 to 1.5 times as long, with 20 ms more per case 1.6 to 2.2 times. A run of relgate is
compared with the faster of the two bare loops around it, so that a pause of the machine in one of them hides
nothing, and one run of several within the bound is enough, so that a pause in relgate's own fails nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relgate.usecases.options import RunOptions
from relgate.usecases.run_release import ReleaseRun

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CASES, CONCURRENCY, LATENCY_MS = 500, 50, 20.0
AT_MOST = 1.5
PAIRS = 8
CALM = 2.25
"""A bare loop that takes longer than so many times what its calls wait for is short of processors itself."""

PATIENCE_SECONDS = 60.0
Seconds = Callable[[], float]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The mock provider in Python as a process of its own, whatever compiler there is."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from timed import server as module

    command = (sys.executable, str(BENCHMARKS / "timed" / "asyncio_server.py"))
    monkeypatch.setattr(module, "command", lambda: command)
    with module.serving(LATENCY_MS) as serving:
        yield serving


@pytest.fixture
def project(server: Any, tmp_path: Path) -> Any:
    """A chat release with so many cases, of which every fiftieth is missed."""
    from timed.project import write_chat

    return write_chat(tmp_path, CASES)


@pytest.fixture
def bare(server: Any, project: Any) -> Seconds:
    """The bare loop, timed."""
    from timed.bare_loop import ask_all

    cases = [json.loads(line) for line in project.cases.read_bytes().splitlines()]

    def seconds() -> float:
        begun = time.perf_counter()
        hits = asyncio.run(ask_all(cases, f"{server.url}/chat/completions", CONCURRENCY))
        took = time.perf_counter() - begun
        assert hits == CASES - CASES // 50
        return took

    return seconds


@pytest.fixture
def relgate(server: Any, project: Any) -> Seconds:
    """Every call and score of a run of relgate, timed from before the first to after the last."""
    folder = project.folder
    options = RunOptions(
        manifest=folder / "candidate.yaml",
        golden_sets=folder / "golden_sets",
        rootdir=folder,
        folder=folder,
        registry=str(folder / "registry.db"),
        concurrency=CONCURRENCY,
        full=True,
        reuse="never",
        environment={**os.environ, "BASE_URL": server.url, "MOCK_KEY": "sk-mock-key"},
    )

    def seconds() -> float:
        shutil.copy(folder / "empty.db", folder / "registry.db")
        run = ReleaseRun(options)
        try:
            keys = [(suite.name, case.id) for suite in run.prepared.suites for case in suite.all_cases]
            server.get("/reset")
            begun = time.perf_counter()
            run.start(keys)
            while run.done < CASES and time.perf_counter() - begun < PATIENCE_SECONDS:
                time.sleep(0.002)
            took = time.perf_counter() - begun
            seen = server.get("/stats")
            outcomes = Counter(run.case(*key).outcome for key in keys)
        finally:
            run.close()
        assert outcomes == {"hit": CASES - CASES // 50, "miss": CASES // 50}
        assert seen["requests"] == CASES
        assert seen["max_inflight"] == CONCURRENCY
        return took

    return seconds


def test_cases_take_hardly_longer_than_a_bare_loop(bare: Seconds, relgate: Seconds) -> None:
    bare()
    relgate()  # imports, and the byte code of both
    bares, ratios = [bare()], []
    for _ in range(PAIRS):
        ours = relgate()
        bares.append(bare())
        ratios.append(ours / min(bares[-2:]))
        if ratios[-1] <= AT_MOST:
            return
    found = f"relgate / bare {', '.join(f'{ratio:.2f}' for ratio in ratios)}, bare {min(bares):.2f} s"
    if min(bares) > CALM * CASES / CONCURRENCY * LATENCY_MS / 1000.0:
        pytest.skip(f"the machine is too busy to compare: {found}")
    pytest.fail(f"no run within {AT_MOST}: {found}")
