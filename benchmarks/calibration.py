"""Measure size and power of every gate kind and of the whole policy, and write docs/calibration.md.

    python benchmarks/calibration.py [--short | --share 0.1] [--kind NAME] [--out FILE] [--seed N]
        [--processes 2] [--resume FILE] [--into PAGE]

The long form takes at most two hours on two cores; with ``--resume`` it may be stopped and goes on from
what FILE holds, as long as the code that is measured is the same. Where only some gate kinds changed,
``--kind NAME --into PAGE`` measures these and puts their rows into a page of the same seed. Bounds stand
in ``simulated/bounds.py``; the exit status is 1 when one is missed. statgate is compared where it is
installed: pip install -e ".[calibration]".
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from simulated.again import moving_anchor, pooled_attempts
from simulated.against_zero import harm_cells, harm_of_trials_cells, harm_power_cells, superiority_cells
from simulated.cells import Cell, Measured, balanced_cells, measure, power_cells, size_cells
from simulated.counts import count_cells, dear_cells, limit_cells
from simulated.few_labels import few_labels
from simulated.further_gates import further_cells, further_clustered_cells, unchanged_clustered_cells
from simulated.judged import judged_boundary_cells, judged_cells, judged_power_cells, mistaken_cells
from simulated.kept import code, keep, kept
from simulated.looks import early_stop
from simulated.merge import merged
from simulated.millions import a_million_cases
from simulated.more_power import more_power_cells
from simulated.near_minimum import near_minimum_cells, tight_cells
from simulated.peers import Compared, compare, contests
from simulated.policies import EXPERIMENTS as POLICIES
from simulated.policies import Claim, Experiment
from simulated.report import Report, render

LONG, SHORT = 10_000, 100
PEERS = 0.1
"""Share of the repetitions that the comparison with statgate gets: its bootstrap is slow."""

LEAST = 50
CELLS: Sequence[Cell] = [
    *size_cells(),
    *power_cells(),
    *balanced_cells(),
    *superiority_cells(),
    *harm_cells(),
    *harm_power_cells(),
    *judged_cells(),
    *judged_power_cells(),
    *near_minimum_cells(),
    *tight_cells(),
    *further_cells(),
    *more_power_cells(),
    *further_clustered_cells(),
    *judged_boundary_cells(),
    *unchanged_clustered_cells(),
    *mistaken_cells(),
    *harm_of_trials_cells(),
    *count_cells(),
    *limit_cells(),
    *dear_cells(),
]
EXPERIMENTS: Mapping[str, tuple[Experiment, float]] = {
    **POLICIES,
    "A judge with 50 labels, judged by several methods": (few_labels, 0.5),
    "Early stop: ten looks at one required gate": (early_stop, 0.2),
    "A million cases on the boundary": (a_million_cases, 1.0),
    "Attempts that pool their data": (pooled_attempts, 0.3),
    "Creep from the best of the last twelve": (moving_anchor, 0.3),
}
CONTESTS = contests()
Job = tuple[str, int, int, int]
Result = Measured | Compared | list[Claim]


def jobs(repetitions: int, seed: int, only: str = "") -> list[Job]:
    """What to do: kind, which one, repetitions, seed. The longest first.

    With ``only`` the gate kinds and experiments whose name holds it, and nothing is compared.
    """
    found: list[Job] = [
        ("experiment", i, max(LEAST, round(repetitions * share)), seed + 1000 + i)
        for i, (name, (_, share)) in enumerate(EXPERIMENTS.items())
        if only in name
    ]
    found += [
        ("contest", i, max(LEAST, round(repetitions * PEERS)), seed + 2000 + i)
        for i in range(len(CONTESTS))
        if not only
    ]
    found += [
        ("cell", i, max(LEAST, round(repetitions * cell.weight)), seed + 3000 + i)
        for i, cell in enumerate(CELLS)
        if only in cell.kind
    ]
    return found


def work(job: Job) -> tuple[Job, Result, float]:
    """Do one job; its CPU seconds beside it."""
    kind, index, repetitions, seed = job
    started = time.process_time()
    result: Result
    if kind == "cell":
        found = measure(CELLS[index], repetitions, seed)
        # a cell draws from closures, which cannot travel between processes; the index can
        result = Measured(None, found.repetitions, found.passed, found.failed)  # type: ignore[arg-type]
    elif kind == "contest":
        result = compare(CONTESTS[index], repetitions, seed)
    else:
        result = list(EXPERIMENTS.values())[index][0](repetitions, seed)
    return job, result, time.process_time() - started


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="about a hundredth of the repetitions")
    size.add_argument("--share", type=float, default=1.0, help="share of the long form's repetitions")
    parser.add_argument("--kind", default="", help="only gate kinds and experiments whose name holds this")
    parser.add_argument("--out", type=Path, help="write the report here; default: print it")
    parser.add_argument("--into", type=Path, help="put the rows of --kind into this page")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resume", type=Path, help="keep each result in this file, and take what it has")
    options = parser.parse_args()
    repetitions = SHORT if options.short else max(LEAST, round(LONG * options.share))
    if options.into is not None and (options.out is not None or not options.kind):
        parser.error("--into needs --kind, and no --out: it replaces the rows of some kinds in a page")
    started, clock = datetime.now(UTC), time.perf_counter()
    todo = jobs(repetitions, options.seed, options.kind)
    if not todo:
        parser.error(f"no gate kind and no experiment is called {options.kind!r}")
    done: dict[tuple[str, int], Result] = {}
    cpu, digest = 0.0, code()
    if options.resume is not None:
        for job, result, seconds in kept(options.resume, digest):
            if job in todo and (job[0], job[1]) not in done:
                done[job[0], job[1]] = result
                cpu += seconds
    left = [job for job in todo if (job[0], job[1]) not in done]
    with multiprocessing.get_context("fork").Pool(options.processes) as pool:
        for job, result, seconds in pool.imap_unordered(work, left):
            done[job[0], job[1]] = result
            cpu += seconds
            if options.resume is not None:
                keep(options.resume, digest, job, result, seconds)
            print(f"\r{len(done)} of {len(todo)}, {cpu:.0f} s of CPU", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    cells = [
        Measured(cell, found.repetitions, found.passed, found.failed)
        for i, cell in enumerate(CELLS)
        if isinstance(found := done.get(("cell", i)), Measured)
    ]
    report = Report(
        date=f"{started:%Y-%m-%d}",
        machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        command=shlex.join(["python", *sys.argv]),
        seed=options.seed,
        repetitions=repetitions,
        long=LONG,
        cpu=cpu,
        wall=time.perf_counter() - clock if len(left) == len(todo) else None,
        cells=cells,
        claims={
            name: done["experiment", i]  # type: ignore[misc]
            for i, name in enumerate(EXPERIMENTS)
            if ("experiment", i) in done
        },
        compared=[done["contest", i] for i in range(len(CONTESTS)) if ("contest", i) in done],  # type: ignore[misc]
    )
    text = render(report)
    if options.into is not None:
        text = merged(options.into.read_text(encoding="utf-8"), text, report)
        options.into.write_text(text, encoding="utf-8")
    elif options.out is None:
        print(text)
    else:
        options.out.write_text(text, encoding="utf-8")
    misses = report.misses
    print(f"{len(misses)} bounds missed" + "".join(f"\n  {miss}" for miss in misses), file=sys.stderr)
    return 1 if misses else 0


if __name__ == "__main__":
    raise SystemExit(main())
