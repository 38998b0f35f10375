"""Ratios of counts that are mostly 0: tool calls, retries, cited sources."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from relgate.domain.metric import Metric
from simulated.cells import CLUSTERS, SIZES, Cell, gate, rule_of
from simulated.worlds import Floats, Ints, sample, units_of

CALLS = Metric("tool_calls", "count", higher_is_better=False)
BURST, CLUSTER_VARIANCE = 10.0, 0.2


def counts(
    rng: np.random.Generator, units: Ints, mean: float, ratio: float, name: str
) -> tuple[Floats, Floats]:
    """Candidate and baseline; the candidate's mean is ``ratio`` times the baseline's, which is ``mean``.

    "Poisson"; "shared": a load of each case (exponential, mean 1) that both sides see; "bursts": nothing or
    ten. In clusters a load of each cluster with variance .2 that both sides see.
    """
    n, groups = units.size, int(units.max()) + 1
    load = np.ones(n)
    if groups < n:
        load = rng.gamma(1.0 / CLUSTER_VARIANCE, CLUSTER_VARIANCE, groups)[units]
    if name == "shared":
        load = load * rng.exponential(1.0, n)
    if name == "bursts":
        rate = np.minimum(load * mean / BURST, 1.0 / ratio)
        return BURST * (rng.random(n) < ratio * rate), BURST * (rng.random(n) < rate)
    return rng.poisson(ratio * mean * load).astype(float), rng.poisson(mean * load).astype(float)


WORLDS = {
    "Poisson, mean 0.1": ("Poisson", 0.1, 2.0),
    "Poisson, mean 0.3": ("Poisson", 0.3, 2.0),
    "Poisson, mean 1": ("Poisson", 1.0, 2.0),
    "Poisson, mean 0.3, limit 1.2": ("Poisson", 0.3, 1.2),
    "shared load, mean 0.3": ("shared", 0.3, 2.0),
    "tens, mean 1": ("bursts", 1.0, 2.0),
}


def count_cells() -> Iterator[Cell]:
    """Counts whose mean lies exactly on the limit."""
    for n, clusters in [*((n, 0) for n in SIZES), *((0, groups) for groups in CLUSTERS)]:
        units = units_of(n, clusters)
        for data, (name, mean, limit) in WORLDS.items():

            def draw(
                rng: np.random.Generator, u: Ints = units, s: str = name, m: float = mean, r: float = limit
            ) -> tuple[Floats, Floats]:
                return counts(rng, u, m, r, s)

            yield Cell(
                "mean ratio of counts",
                data,
                int(units.size),
                clusters,
                rule_of("asymptotic", data, clusters),
                gate(CALLS, "ratio_at_most", limit),
                lambda rng, d=draw, u=units, c=bool(clusters): sample(*d(rng), u, clustered=c),
            )
