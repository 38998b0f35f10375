"""How long the gates of a very large run take, from arrays, and how much memory.

    python benchmarks/decision.py [--cases 1000000] [--metrics 20] [--slices 9] [--no-bootstrap]

Half of the metrics are pass or fail, most of the others case means, the last two costs. Every metric has a
gate against the baseline per slice and over all cases, bounded ones a floor as well. The quantile gates and
one gate by scipy.stats.bootstrap are timed apart. The exit status is 1 when the gates take 3 s or more, or
the process 1.5 GB or more before the bootstrap.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from relgate.decision.arrays import ScoreArrays, judge_slices
from relgate.decision.evidence import Evidence
from relgate.decision.policy import ALPHA
from relgate.domain.gate import GateSpec
from relgate.domain.metric import Metric
from relgate.stats import quantile_ratio

SECONDS, GIGABYTES = 3.0, 1.5
COSTS = 2


def metric_arrays(number: int, metrics: int, cases: int, slices: np.ndarray, count: int) -> ScoreArrays:
    """One metric's scores on both sides."""
    rng = np.random.default_rng(number)
    name = f"m{number}"
    if number < metrics // 2:
        candidate, baseline = rng.random(cases) < 0.915, rng.random(cases) < 0.92
        return ScoreArrays(Metric(name, "binary"), candidate, baseline, slices, count)
    if number < metrics - COSTS:
        base = np.round(rng.random(cases), 2)
        cand = np.clip(base + np.round(rng.normal(0.0, 0.1, cases), 2), 0.0, 1.0)
        return ScoreArrays(Metric(name, "unit"), cand, base, slices, count)
    metric = Metric(name, "cost", higher_is_better=False)
    costs = [0.003 * np.exp(0.4 * rng.standard_normal(cases)) for _ in range(2)]
    return ScoreArrays(metric, costs[0], costs[1], slices, count)


def specs(metric: Metric) -> list[GateSpec]:
    """The gates of a metric."""
    if not metric.bounded:
        return [GateSpec(metric.name, "ratio_at_most", 1.5)]
    floor = 0.9 if metric.kind == "binary" else 0.45
    return [GateSpec(metric.name, "non_inferior", 0.05), GateSpec(metric.name, "at_least", floor)]


def memory() -> float:
    """Peak memory of the process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0**2


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--slices", type=int, default=9)
    parser.add_argument("--no-bootstrap", action="store_true")
    options = parser.parse_args()
    cases, count = options.cases, options.slices
    slices = np.random.default_rng(0).integers(0, count, cases)
    columns = [metric_arrays(i, options.metrics, cases, slices, count) for i in range(options.metrics)]
    held = memory()

    clock, cpu = time.perf_counter(), time.process_time()
    gates = 0
    for scores in columns:
        for spec in specs(scores.metric):
            found = judge_slices(spec, scores, alpha=ALPHA)
            assert all(isinstance(one, Evidence) for one in found)
            gates += len(found)
    took, cpu = time.perf_counter() - clock, time.process_time() - cpu
    peak = memory()
    print(f"{cases:,} cases x {options.metrics} metrics x {count} slices: {gates} binary and mean gates")
    print(f"  {took:.2f} s ({cpu:.2f} s of CPU); limit {SECONDS:g} s")
    print(f"  peak memory {peak:.2f} GB, of it {held:.2f} GB before the first gate; limit {GIGABYTES:g} GB")

    rng = np.random.default_rng(1)
    base, cand = rng.lognormal(7.0, 0.8, cases), rng.lognormal(7.0, 0.8, cases)
    for q in (0.5, 0.95):
        clock = time.perf_counter()
        result = quantile_ratio(base, cand, q, 1.5)
        assert result.p_less < ALPHA
        print(f"  p{100 * q:g} ratio over all cases: {time.perf_counter() - clock:.2f} s (one gate)")
    print(f"  peak memory with quantiles {memory():.2f} GB")

    if not options.no_bootstrap:
        from scipy.stats import bootstrap

        n = min(cases, 200_000)
        scores = columns[options.metrics // 2]
        assert scores.baseline is not None
        d = (scores.candidate - scores.baseline)[:n]
        clock = time.perf_counter()
        bootstrap((d,), np.mean, n_resamples=2000, method="percentile", batch=10, rng=1)
        print(
            f"  scipy.stats.bootstrap, one gate of {n:,} cases, 2,000 resamples, percentile: "
            f"{time.perf_counter() - clock:.2f} s"
        )
    return 0 if took < SECONDS and peak < GIGABYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
