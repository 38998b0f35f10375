"""Metrics: a name, a kind that chooses the statistical method, and the direction that is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MetricKind = Literal["binary", "unit", "count", "latency", "cost"]

BOUNDED: frozenset[str] = frozenset({"binary", "unit"})
LOWER_IS_BETTER_KINDS: frozenset[str] = frozenset({"count", "latency", "cost"})


@dataclass(frozen=True, slots=True)
class Metric:
    """A named number that scorers report or that comes with every response.

    Attributes:
        name: as written in gates.
        kind: binary (0 or 1), unit (0 to 1), count, latency (ms) or cost (US dollars).
        higher_is_better: False for latency, cost, count and violations.
    """

    name: str
    kind: MetricKind
    higher_is_better: bool = True

    @property
    def bounded(self) -> bool:
        """Whether every score lies in [0, 1]."""
        return self.kind in BOUNDED


RESPONSE_METRICS: tuple[Metric, ...] = (
    Metric("answered", "binary"),
    Metric("latency_ms", "latency", higher_is_better=False),
    Metric("cost_usd", "cost", higher_is_better=False),
    Metric("tokens", "count", higher_is_better=False),
    Metric("first_token_ms", "latency", higher_is_better=False),
)
"""The metrics that come with every response, whatever the scorers."""

TIMES = frozenset(metric.name for metric in RESPONSE_METRICS if metric.kind == "latency")
"""Those that tell how long an answer took."""

SAFETY_METRICS: tuple[Metric, ...] = (
    Metric("violation", "binary", higher_is_better=False),
    Metric("over_refusal", "binary", higher_is_better=False),
)
"""The metrics of a safety suite; violation on cases tagged harmful, over_refusal on benign ones."""
