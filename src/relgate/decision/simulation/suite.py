"""What is simulated: a suite with its gates and trials, and the one thing that a faulty candidate breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from relgate.decision.alarms import watched_slices
from relgate.decision.measurements import primary_metrics
from relgate.decision.policy import Gate
from relgate.decision.simulation.world import CellKey
from relgate.domain.case import Suite
from relgate.domain.metric import Metric

Watched = tuple[str, str, str, Mapping[str, object], tuple[str, ...]]
"""Suite, metric and label of what an alarm watches, the tags that select it, and its hops."""


@dataclass(frozen=True, slots=True)
class SimulatedSuite:
    """A suite as a simulation runs it.

    Attributes:
        suite: its cases, tags and clusters.
        gates: spread over slices and hops.
        metrics: of its gates, by name, the first one first.
        hops: of its route; empty outside fallback suites.
        trials: per case, in the order of the suite's cases.
    """

    suite: Suite
    gates: tuple[Gate, ...]
    metrics: Mapping[str, Metric]
    hops: tuple[str, ...]
    trials: tuple[int, ...]

    def scope(self, metric: str) -> tuple[int, ...]:
        """Which cases a metric applies to: safety metrics live on their own subsets."""
        harmful = {"over_refusal": False, "violation": True}.get(metric)
        if self.suite.kind != "safety" or harmful is None:
            return tuple(range(len(self.suite.cases)))
        return tuple(i for i, c in enumerate(self.suite.cases) if c.tags.get("harmful") is harmful)

    def trials_of(self, metric: str) -> int:
        """The trials that most cases of a metric have."""
        found = [self.trials[i] for i in self.scope(metric)]
        return max(set(found), key=found.count) if found else 1

    @property
    def own(self) -> tuple[str, ...]:
        """The metrics that slices and hops are watched on."""
        return () if self.suite.kind == "safety" else primary_metrics(self.suite, self.metrics)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that differs between candidate and production; nothing for an identical candidate.

    Attributes:
        label: how a table names it.
        change: change of accuracy of the cells below, in points of 1.
        suite: which suite it strikes, and so on; "" strikes no cell.
        metric: which metric.
        only: tags of the cases that it strikes.
        hop: which hop; None for all.
        latency: how many times slower the candidate is.
        violations: the candidate's rate of violations per call; None leaves production's.
    """

    label: str
    change: float = 0.0
    suite: str = ""
    metric: str = ""
    only: Mapping[str, object] = field(default_factory=dict)
    hop: str | None = None
    latency: float = 1.0
    violations: float | None = None

    def strikes(self, key: CellKey) -> bool:
        """Whether it changes a cell."""
        hop = self.hop is None or self.hop == key[2]
        return bool(self.suite) and (self.suite, self.metric) == key[:2] and hop


IDENTICAL = Fault("identical")


def watched_of(each: SimulatedSuite) -> list[Watched]:
    """Everything that alarms look at in a suite, as ``alarms.watch`` does."""
    suite = each.suite
    found: list[Watched] = []
    if suite.kind == "safety" and "over_refusal" in each.metrics:
        found.append((suite.name, "over_refusal", "", {}, ("",)))
    for (metric, tag), only in watched_slices(suite, each.own).items():
        for value in sorted({str(case.tags[tag]) for case in suite.cases if tag in case.tags}):
            hops = each.hops or ("",)
            found.append((suite.name, metric, f"{tag}={value}", {**only, tag: value}, hops))
    found += [(suite.name, m, f"hop={hop}", {}, (hop,)) for m in each.own for hop in each.hops]
    return found
