"""How fast relgate executes, as whole processes beside a bare aiohttp loop on the same cases.

    python benchmarks/execution.py FIGURE [FIGURE ...] [--quick] [--repetitions 3] [--replayed 1000000]
                                   [--out docs/performance.md]

FIGURE is one of latency, process, zero, cpu, cold, replay, xdist, idle, peers, or all. Every ratio is the
median over rounds, relgate and the other one by one in each round; compare ratios, never seconds of two
machines. The mock provider is the C server of ../shared/bench where a compiler is found, else a slower one of
our own. ``peers`` needs the virtual environments of ../shared/bench (BENCH_HOME). The exit status is 1 when a
bound is missed. ``--quick`` shows that it works: its figures mean nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent))
from timed.figure import Figure, table
from timed.idle import measure_idle
from timed.page import page
from timed.pair import VERDICTS, Bench, bench, interleaved, ratio
from timed.process import run
from timed.project import write_recorded
from timed.redaction_clock import MARK
from timed.server import SHARED, command

LATENCIES = (
    (1000, 50, 0.0, 1.05),
    (5000, 200, 0.0, 1.06),
    (1000, 200, 0.0, 1.12),
    (1000, 50, 0.6, 1.10),
)
"""Cases, concurrency, sigma, the bound on the ratio of spans."""

PEERS = (
    ("pydantic-evals", "venv-pydeval", "peers/pydantic_evals_run.py", 1.2),
    ("inspect-ai", "venv-inspect", "peers/inspect/golden.py", 3.0),
)


REPLAYED = 1_000_000
"""Cases of the recording that the bounds are for."""


def measure_latency(repetitions: int, *, quick: bool) -> list[Figure]:
    """First call to last score, against the bare loop: the span that the server saw."""
    found = []
    for cases, concurrency, sigma, bound in LATENCIES:
        with bench(cases // 10 if quick else cases, concurrency, 200.0, sigma) as one:
            bare, ours = interleaved((one.bare, one.relgate), repetitions)
        what = f"first call to last answer, N={cases} C={concurrency}{' lognormal' * (sigma > 0)}"
        inflight = [max(run.stats["max_inflight"] for run in runs) for runs in (ours, bare)]
        means = [median(run.stats["avg_inflight"] for run in runs) for runs in (ours, bare)]
        note = (
            f"{median(r.span for r in ours):.2f} s / {median(r.span for r in bare):.2f} s; in flight at most "
            f"{inflight[0]} / {inflight[1]}, mean {means[0]:.1f} / {means[1]:.1f}"
        )
        found.append(Figure(what, ratio([r.span for r in ours], [r.span for r in bare]), bound, note=note))
    return found


def measure_process(repetitions: int, *, quick: bool) -> list[Figure]:
    """Whole process against whole bare process."""
    with bench(500 if quick else 5000, 50, 200.0) as one:
        bare, ours = interleaved((one.bare, one.relgate), repetitions)
    note = f"{median(r.wall for r in ours):.2f} s / {median(r.wall for r in bare):.2f} s"
    walls = ratio([r.wall for r in ours], [r.wall for r in bare])
    return [Figure("whole process, N=5000 C=50", walls, 1.08, note=note)]


def measure_zero(repetitions: int, *, quick: bool) -> list[Figure]:
    """No latency: what is left is CPU."""
    with bench(1000 if quick else 10_000, 50, 0.0) as one:
        bare, ours = interleaved((one.bare, one.relgate), repetitions)
    with bench(1000 if quick else 10_001, 50, 0.0) as one:  # one case more, and items are chunks
        chunks = interleaved((one.relgate, one.bare), repetitions)
    spans = ratio([r.span for r in ours], [r.span for r in bare])
    walls = ratio([r.wall for r in ours], [r.wall for r in bare])
    seconds = f"{median(r.wall for r in ours):.2f} s / {median(r.wall for r in bare):.2f} s"
    return [
        Figure(
            "zero latency, N=10001, chunk items, whole process",
            ratio(*([run.wall for run in runs] for runs in chunks)),
            1.25,
        ),
        Figure("zero latency, N=10000, one item per case, whole process", walls, 2.0, note=seconds),
        Figure("the same, first call to last answer", spans),
    ]


def measure_cpu(repetitions: int, *, quick: bool) -> list[Figure]:
    """CPU of one more live case: the slope from 1 case to 1000."""
    many = 100 if quick else 1000
    with bench(1, 50, 20.0) as small, bench(many, 50, 20.0) as large:
        runs = interleaved((small.bare, large.bare, small.relgate, large.relgate), repetitions)
        clocked = [_redaction_seconds(large) - _redaction_seconds(small) for _ in range(repetitions)]
    slopes = [
        [(b.cpu - a.cpu) * 1000.0 / (many - 1) for a, b in zip(*pair, strict=True)]
        for pair in (runs[:2], runs[2:])
    ]
    redaction = median(clocked) * 1000.0 / (many - 1)
    bare, ours = map(median, slopes)
    note = f"relgate {ours:.3f} ms, bare {bare:.3f} ms, redaction {redaction:.3f} ms"
    return [
        Figure("CPU per live case over bare, without redaction", ours - bare - redaction, 0.2, " ms", note),
        Figure("redaction per live case", redaction, unit=" ms"),
    ]


def _redaction_seconds(one: Bench) -> float:
    path = str(Path(__file__).resolve().parent)
    found = run(
        one.project.command(one.concurrency, "-p", "timed.redaction_clock", "-s"),
        folder=one.project.folder,
        environment={**one.environment, "PYTHONPATH": path},
        server=one.server,
        expected=VERDICTS,
    )
    said = re.search(rf"{MARK} ([\d.]+) s", found.output)
    assert said is not None, found.output
    return float(said.group(1))


def measure_cold(repetitions: int, *, quick: bool) -> list[Figure]:
    """One case of 0.2 s, registry and scorecard included."""
    with bench(1, 1, 200.0) as one:
        one.relgate()  # writes the byte code
        bare, ours, first = interleaved((one.bare, one.relgate, lambda: one.relgate(first=True)), repetitions)
    walls = [median(r.wall for r in runs) for runs in (bare, ours, first)]
    return [
        Figure(
            "cold start, one case of 0.2 s",
            walls[1],
            1.4,
            " s",
            note=f"bare {walls[0]:.2f} s; {ratio([r.wall for r in ours], [r.wall for r in bare]):.2f} x",
        ),
        Figure("the same with a registry to be made", walls[2], unit=" s"),
    ]


def measure_replay(repetitions: int, *, quick: bool, cases: int = REPLAYED) -> list[Figure]:
    """A recording of a million cases, or as many as asked for, scored, stored and judged."""
    cases = 1000 if quick else cases
    with tempfile.TemporaryDirectory(prefix="relgate-bench-") as place:
        project = write_recorded(Path(place), cases)
        runs = [
            run(project.command(50), folder=project.folder, environment={}, expected=VERDICTS)
            for _ in range(repetitions)
        ]
        stored = (project.folder / "registry.db").stat().st_size / 1e6
    what, whole = f"{cases:,} replayed cases", cases == REPLAYED
    return [
        Figure(what, median(r.wall for r in runs), 8.0 if whole else None, " s"),
        Figure(f"{what}, CPU", median(r.cpu for r in runs), unit=" s", note=f"registry {stored:.0f} MB"),
        Figure(f"{what}, peak memory", median(r.megabytes for r in runs), 300.0 if whole else None, " MB"),
    ]


def measure_xdist(repetitions: int, *, quick: bool) -> list[Figure]:
    """Two workers of xdist against none."""
    cases = 100 if quick else 1000
    with bench(cases, 50, 200.0) as one:
        alone, two = interleaved(
            (lambda: one.relgate("-n", "0"), lambda: one.relgate("-n", "2")), repetitions
        )
    doubled = max(r.stats["requests"] for r in (*alone, *two)) - cases
    note = f"{median(r.wall for r in two):.2f} s / {median(r.wall for r in alone):.2f} s"
    return [
        Figure(
            "wall under -n 2 / -n 0, N=1000 C=50",
            ratio([r.wall for r in two], [r.wall for r in alone]),
            1.25,
            note=note,
        ),
        Figure("calls doubled under -n 2", float(doubled), 0.0),
    ]


def measure_peers(repetitions: int, *, quick: bool) -> list[Figure]:
    """Other runners over relgate, whole processes."""
    home = Path(os.environ.get("BENCH_HOME", Path.home() / ".cache" / "relgate-bench"))
    found = []
    for name, venv, script, bound in PEERS:
        python = home / venv / "bin" / "python"
        if not python.exists() or not (SHARED / script).exists():
            print(f"{name} is left out: no {venv} in BENCH_HOME, or no ../shared/bench", file=sys.stderr)
            continue
        with bench(100 if quick else 1000, 50, 200.0) as one:
            ask = [str(python), str(SHARED / script)]
            theirs, ours = interleaved((lambda: one.other(ask), one.relgate), repetitions)  # noqa: B023
        note = f"{median(r.wall for r in theirs):.2f} s / {median(r.wall for r in ours):.2f} s"
        walls = ratio([r.wall for r in theirs], [r.wall for r in ours])
        found.append(Figure(f"{name} / relgate, N=1000 C=50", walls, bound, note=note, least=True))
    return found


MEASURES: Mapping[str, Callable[..., list[Figure]]] = {
    "latency": measure_latency,
    "process": measure_process,
    "zero": measure_zero,
    "cpu": measure_cpu,
    "cold": measure_cold,
    "replay": measure_replay,
    "xdist": measure_xdist,
    "idle": measure_idle,
    "peers": measure_peers,
}


def main() -> int:
    """Measure the named figures and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("figures", nargs="+", choices=[*MEASURES, "all"], metavar="FIGURE")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--replayed", type=int, default=REPLAYED, help="cases of the figure replay")
    parser.add_argument("--out", type=Path, help="write docs/performance.md here as well")
    options = parser.parse_args()
    repetitions = options.repetitions or (1 if options.quick else 3)
    chosen = list(MEASURES) if "all" in options.figures else options.figures
    server = "C mock server" if len(command()) == 1 else "mock server in Python"
    measured = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} CPUs ({platform.machine()}), "
        f"CPython {platform.python_version()}, load {os.getloadavg()[0]:.1f} before, {server}, "
        f"rounds {repetitions}{', quick: these figures mean nothing' * options.quick}"
    )
    print(measured)
    found: list[Figure] = []
    for name in chosen:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        more = {"cases": options.replayed} if name == "replay" else {}
        found += MEASURES[name](repetitions, quick=options.quick, **more)
    print(table(found))
    if options.out is not None:
        options.out.write_text(page(found, measured, " ".join(["python", *sys.argv])), encoding="utf-8")
    return int(any(figure.missed for figure in found))


if __name__ == "__main__":
    raise SystemExit(main())
