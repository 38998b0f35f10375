"""What is drawn for a batch of simulated runs: scores, latencies and cost of every case on both sides."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from relgate.decision.duplicates import counts_clusters, units_of
from relgate.decision.evidence import FEW_CLUSTERS
from relgate.decision.measurements import cases_in_scope
from relgate.decision.simulation import pvalues as fast
from relgate.decision.simulation.suite import Fault, SimulatedSuite
from relgate.decision.simulation.world import (
    CellKey,
    Level,
    World,
    changed,
    drawn_durations,
    durations,
    means,
    pass_probabilities,
)
from relgate.domain.metric import Metric

Floats = NDArray[np.float64]
Within = frozenset[str] | None
"""Ids of the cases that count; None for all."""


class Draws:
    """Draws that truths share, so that two of them differ in what is changed alone."""

    def __init__(
        self, suites: Sequence[SimulatedSuite], world: World, *, repetitions: int, seed: int, number: int
    ) -> None:
        self._suites = {each.suite.name: each for each in suites}
        self._world = world
        self._size = repetitions
        self._seed = (seed, number)
        self._p: dict[CellKey, Floats] = {}
        self._base: dict[CellKey, Floats] = {}
        self._cand: dict[tuple[str, CellKey], Floats] = {}
        self._slow: dict[tuple[str, str], tuple[Floats, Floats]] = {}
        self._labels: dict[str, Mapping[str, str]] = {}

    def rng(self, *what: str) -> np.random.Generator:
        """A generator of its own for everything that is drawn, whatever else is."""
        return np.random.default_rng([*self._seed, zlib.crc32("\0".join(what).encode())])

    def pair(self, key: CellKey, fault: Fault) -> tuple[Floats, Floats]:
        """Share of good trials per case of candidate and baseline, each (R, cases of the metric)."""
        each = self._suites[key[0]]
        name = fault.label if fault.strikes(key) else ""
        if key not in self._base:
            level = self._level(key)
            shape = (self._size, len(each.scope(key[1])))
            self._p[key] = pass_probabilities(self.rng(*key, "p"), level, shape)
            self._base[key] = means(self.rng(*key, "baseline"), self._p[key], each.trials_of(key[1]))
        if (name, key) not in self._cand:
            p = self._p[key]
            if name:
                p = p.copy()
                where = self._columns(each, key[1], fault.only)
                units, _ = self._units(each, key[1], where)
                if where:
                    p[:, where] = changed(
                        self.rng(*key, "fault"), p[:, where], self._level(key), fault.change, units
                    )
            self._cand[name, key] = means(self.rng(*key, "candidate"), p, each.trials_of(key[1]))
        return self._cand[name, key], self._base[key]

    def _level(self, key: CellKey) -> Level:
        hops = self._suites[key[0]].hops
        return self._world.level(key, hops.index(key[2]) if key[2] in hops else None)

    def _columns(
        self, each: SimulatedSuite, metric: str, only: Mapping[str, object], within: Within = None
    ) -> list[int]:
        ids = {case.id for case in cases_in_scope(each.suite, only)}
        ids = ids if within is None else ids & within
        return [j for j, i in enumerate(each.scope(metric)) if each.suite.cases[i].id in ids]

    def scores(
        self,
        each: SimulatedSuite,
        metric: str,
        only: Mapping[str, object],
        hops: Sequence[str],
        fault: Fault,
        within: Within = None,
    ) -> tuple[Floats, Floats, fast.Clusters | None, bool]:
        """Share of good trials of both sides, averaged over hops; the clusters; whether units are enough."""
        where = self._columns(each, metric, only, within)
        pairs = [self.pair((each.suite.name, metric, hop), fault) for hop in hops]
        cand: Floats = np.round(sum(c[:, where] for c, _ in pairs) / len(pairs), 12)
        base: Floats = np.round(sum(b[:, where] for _, b in pairs) / len(pairs), 12)
        codes, clustered = self._units(each, metric, where)
        clusters = fast.Clusters.of(codes) if clustered and codes.size and codes.max() > 0 else None
        return cand, base, clusters, self._large_enough(codes, clustered)

    def _units(
        self, each: SimulatedSuite, metric: str, where: Sequence[int]
    ) -> tuple[NDArray[np.int64], bool]:
        """The independent unit of these cases of a metric, 0 to G - 1, and whether units are clusters."""
        if each.suite.name not in self._labels:
            self._labels[each.suite.name] = units_of(each.suite)
        scope, unit_of = each.scope(metric), self._labels[each.suite.name]
        labels = [unit_of[each.suite.cases[scope[i]].id] for i in where]
        codes: dict[str, int] = {}
        numbers = np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)
        return numbers, counts_clusters(each.suite, labels)

    @staticmethod
    def _large_enough(codes: NDArray[np.int64], clustered: bool) -> bool:
        return codes.size > 0 and not (clustered and int(codes.max()) + 1 < FEW_CLUSTERS)

    def timed(self, each: SimulatedSuite, metric: Metric) -> tuple[Floats, Floats]:
        """Latency (or cost) of every trial of both sides, baseline first, each (R, cases, trials)."""
        key = each.suite.name, metric.name
        if key not in self._slow:
            slow = metric.kind == "latency"
            shape = (self._size, len(each.scope(metric.name)), each.trials_of(metric.name))
            world, rng = self._world, self.rng(*key, "durations")
            median, sigma = (world.latency_median, world.latency_sigma) if slow else (1.0, world.cost_sigma)
            known = world.spreads.get(key)
            self._slow[key] = (
                drawn_durations(rng, shape, known)
                if known is not None
                else durations(rng, shape, median, sigma, slow=slow)
            )
        return self._slow[key]
