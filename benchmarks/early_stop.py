"""Measure how many golden calls early stop needs, in whole runs through the engine.

    python benchmarks/early_stop.py [--runs 20] [--seed N] [--recorded ../shared/data]

Each run judges a live candidate against a live baseline whose scores are drawn (or recorded), with one
required non-inferiority gate per metric, and as guards one by slice and a floor 12 points below the baseline.
Printed is the mean share of the planned golden calls that were made, with how the runs ended.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from relgate.usecases.options import RunOptions
from relgate.usecases.run_release import ReleaseRun

MARGIN, PSI, RIGHT = 0.05, 0.11, 0.92
BELOW = 0.12
"""How far the floor lies below the baseline."""

APPLICATION = """
import json, pathlib
from relgate import Response

def build(release):
    path = pathlib.Path(release.path).parent / f"scores-{release.version}.json"
    answers = json.loads(path.read_text())
    return lambda request: Response(answers[request.case_id])
"""
WORLDS = {
    "equal": (0.0, 0.65),
    "better by half a margin": (MARGIN / 2, 0.45),
    "worse by four": (-4 * MARGIN, 0.30),
}
"""Difference to the baseline, and the share of calls that it may need at one gate."""

RECORDED = (
    ("swebench-verified", "20240824_gru", "20240924_solver"),
    ("swebench-verified", "20241023_emergent", "20241223_emergent"),
    ("routellm-mmlu", "gpt-4-1106", "mixtral-8x7b"),
)
RECORDED_CASES = 1000


def drawn(rng: np.random.Generator, n: int, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """Candidate and baseline, 0 or 1 per case: regressions and improvements at (psi -+ delta) / 2."""
    psi = max(PSI, abs(delta))
    u = rng.random(n)
    lost = u < (psi - delta) / 2
    won = ~lost & (u < psi)
    both = rng.random(n) < RIGHT
    return np.where(lost, 0, np.where(won, 1, both)), np.where(lost, 1, np.where(won, 0, both))


def project(folder: Path, n: int, gates: int, sides: list[list[np.ndarray]], floor: float) -> None:
    """A project whose application answers with these scores, one array per side and metric."""
    golden = folder / "golden_sets" / "golden"
    golden.mkdir(parents=True, exist_ok=True)
    (folder / "drawn_app.py").write_text(APPLICATION)
    for version, side in zip(("1.0.0", "1.1.0"), (sides[1], sides[0]), strict=True):
        rows = {f"c{i}": " ".join(f"m{g}={int(side[g][i])};" for g in range(gates)) for i in range(n)}
        (folder / f"scores-{version}.json").write_text(json.dumps(rows))
        baseline = "none" if version == "1.0.0" else "production.yaml"
        name = "production.yaml" if version == "1.0.0" else "candidate.yaml"
        (folder / name).write_text(
            f'manifest: 1\nrelease: drawn\nversion: "{version}"\nowner: me\nbaseline: {baseline}\n'
            'application: {python: "drawn_app:build"}\n'
            f'artifacts: {{model: {{m: {{version: "{version}", provider: p, id: "m-{version}"}}}}}}\n'
            "providers: {p: {base_url: http://127.0.0.1:9}}\n"
        )
    slices = ("a", "b", "c", "d", "e")
    cases = [
        {"id": f"c{i}", "input": f"question {i}", "tags": {"area": slices[i % len(slices)]}} for i in range(n)
    ]
    (golden / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    required = "".join(f"  - {{metric: m{g}, non_inferior: {{margin: {MARGIN}}}}}\n" for g in range(gates))
    scorers = ", ".join(f"{{regex: {{pattern: 'm{g}=1;', as: m{g}}}}}" for g in range(gates))
    (golden / "suite.yaml").write_text(
        f"suite: golden\nkind: golden\ntrials: 1\nscorers: [{scorers}]\nslices: [area]\ngates:\n{required}"
        "  - {metric: m0, by: area, non_inferior: {margin: 0.10}}\n"
        f"  - {{metric: m0, at_least: {floor:.2f}, role: guard}}\n"
    )


def judged(folder: Path, seed: int) -> tuple[float, str]:
    """One run: share of the planned calls that were made, and the verdict."""
    options = RunOptions(
        manifest=folder / "candidate.yaml",
        golden_sets=folder / "golden_sets",
        rootdir=folder,
        folder=folder,
        registry=str(folder / f"registry-{seed}.db"),
        seed=seed,
    )
    run = ReleaseRun(options)
    try:
        keys = [(suite.name, case.id) for suite in run.prepared.suites for case in suite.all_cases]
        run.start(keys)
        for key in keys:
            run.case(*key)
        report = run.conclude()
    finally:
        run.close()
    calls = report.scorecard.calls
    return calls.made / calls.planned, report.scorecard.verdict.decision


def recorded(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Recorded candidates and baselines on the same cases, where the data is there."""
    for folder, baseline, candidate in RECORDED:
        path = data / folder / "outputs.jsonl"
        if not path.is_file():
            continue
        scores: dict[str, dict[str, float]] = {}
        for line in path.read_text().splitlines():
            row = json.loads(line)
            scores.setdefault(row["system"], {})[row["case_id"]] = row["score"]
        both = sorted(scores[baseline].keys() & scores[candidate].keys())[:RECORDED_CASES]
        sides = [np.array([scores[system][case] for case in both]) for system in (candidate, baseline)]
        flips, gain = float(np.mean(sides[0] != sides[1])), float(np.mean(sides[0] - sides[1]))
        name = f"{folder}: {baseline} -> {candidate}, {100 * gain:+.1f} points, psi {flips:.2f}"
        yield name, sides[0], sides[1]


def measured(pairs: Sequence[tuple[np.ndarray, np.ndarray]], seed: int) -> tuple[float, str]:
    """One run on a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        try:
            sides = [[c for c, _ in pairs], [b for _, b in pairs]]
            floor = float(np.mean(pairs[0][1])) - BELOW
            project(Path(folder), len(pairs[0][0]), len(pairs), sides, floor)
            return judged(Path(folder), seed)
        finally:
            sys.path.remove(folder)
            sys.modules.pop("drawn_app", None)


def main() -> int:
    """Print the table; 1 when a bound at one gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--recorded", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    args = parser.parse_args()
    missed = 0
    print("| candidate | n | gates | share of golden calls | at most | promote / reject / hold | s a run |")
    print("|---|---|---|---|---|---|---|")
    for name, (delta, bound) in WORLDS.items():
        for n in (500, 1000):
            for gates in (1, 5, 12):
                shares, ends, began = [], Counter[str](), time.perf_counter()
                for number in range(args.runs):
                    rng = np.random.default_rng([args.seed, n, gates, number])
                    pairs = [drawn(rng, n, delta if g == 0 or delta >= 0 else 0.0) for g in range(gates)]
                    share, decision = measured(pairs, number)
                    shares.append(share)
                    ends[decision] += 1
                mean, bounded = float(np.mean(shares)), gates == 1
                bad = bounded and mean > bound
                missed += bad
                how = " / ".join(str(ends[d]) for d in ("promote", "reject", "hold"))
                limit = f"{bound:.2f}{' MISSED' if bad else ''}" if bounded else ""
                seconds = (time.perf_counter() - began) / args.runs
                print(
                    f"| {name} | {n} | {gates} | {mean:.2f} | {limit} | {how} | {seconds:.1f} |", flush=True
                )
    for name, candidate, baseline in recorded(args.recorded):
        ends = Counter[str]()
        shares = []
        for number in range(args.runs):
            share, decision = measured([(candidate, baseline)], number)
            shares.append(share)
            ends[decision] += 1
        how = " / ".join(str(ends[d]) for d in ("promote", "reject", "hold"))
        print(f"| {name} | {len(candidate)} | 1 | {np.mean(shares):.2f} | | {how} | |", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
