"""Ratios of means that are hard to test: of counts that are mostly 0, and of costs with rare dear calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from relgate.decision.sample import Sample
from relgate.domain.metric import Metric
from simulated.cells import CLUSTERS, SIZES, Cell, gate, rule_of
from simulated.worlds import Floats, Ints, sample, units_of

COST = Metric("cost_usd", "cost", higher_is_better=False)
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

MORE_WORLDS = {
    "Poisson, mean 0.02": ("Poisson", 0.02, 2.0),
    "Poisson, mean 0.05, limit 0.5": ("Poisson", 0.05, 0.5),
    "Poisson, mean 0.3, limit 0.5": ("Poisson", 0.3, 0.5),
    "Poisson, mean 0.3, limit 0.25": ("Poisson", 0.3, 0.25),
    "Poisson, mean 0.1, limit 1": ("Poisson", 0.1, 1.0),
    "Poisson, mean 0.3, limit 3": ("Poisson", 0.3, 3.0),
    "Poisson, mean 0.3, limit 5": ("Poisson", 0.3, 5.0),
    "shared load, mean 1, limit 0.25": ("shared", 1.0, 0.25),
    "tens, mean 1, limit 0.5": ("bursts", 1.0, 0.5),
}


def count_cells() -> Iterator[Cell]:
    """Counts whose mean lies exactly on the limit."""
    return _cells(WORLDS)


def limit_cells() -> Iterator[Cell]:
    """The same with rarer counts, and with limits from a quarter to five."""
    return (replace(cell, weight=0.5) for cell in _cells(MORE_WORLDS))


def _cells(worlds: Mapping[str, tuple[str, float, float]]) -> Iterator[Cell]:
    for n, clusters in [*((n, 0) for n in SIZES), *((0, groups) for groups in CLUSTERS)]:
        units = units_of(n, clusters)
        for data, (name, mean, limit) in worlds.items():

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


DEAR = {"2 % cost 51 times as much": (0.02, 51.0), "5 % cost 21 times as much": (0.05, 21.0)}
"""Worlds in which the candidate's other calls cost what the baseline's do: the ratio of the means is 2."""


def dear_cells() -> Iterator[Cell]:
    """Rare dear calls of the candidate alone: no test of costs without an upper end keeps a level there."""
    for n in SIZES:
        for data, (share, times) in DEAR.items():

            def draw(rng: np.random.Generator, n: int = n, p: float = share, k: float = times) -> Sample:
                base = rng.lognormal(0.0, 0.5, n)
                noise = rng.lognormal(-0.02, 0.2, n)  # of mean 1
                return sample(
                    base * noise * np.where(rng.random(n) < p, k, 1.0), base, units_of(n), clustered=False
                )

            kind = "mean ratio, dear calls of the candidate alone"
            yield Cell(kind, data, n, 0, "reported", gate(COST, "ratio_at_most", 2.0), draw, weight=0.25)
