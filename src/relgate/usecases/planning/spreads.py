"""How latency, cost and counts of stored calls vary, between cases and within one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from relgate.decision.simulation.world import Observed, Spread
from relgate.domain.metric import Metric
from relgate.domain.response import Side
from relgate.domain.run import MeasurementRow

LEAST_CASES = 10
"""Cases below which nothing is taken from them."""

_MOST = 2000
"""Values that are kept of a distribution; of more, as many of its quantiles."""

SuiteMetric = tuple[str, str]
Case = tuple[str, str]


class Spreads:
    """Collects the calls of runs, and says how they vary.

    Within a case the calls of production in one run are compared; where no case was asked twice, those of
    both sides, each laid on its side's mean: a candidate that is slower on some cases alone adds to it.
    A cost or a count that is 0 in some call has no logarithm: its calls are kept as they are, those of both
    sides where production asked no case twice.
    """

    def __init__(self) -> None:
        self._levels: dict[SuiteMetric, dict[Case, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._repeated: dict[SuiteMetric, list[float]] = defaultdict(list)
        self._paired: dict[SuiteMetric, list[float]] = defaultdict(list)
        self._calls: dict[SuiteMetric, int] = defaultdict(int)
        self._plain: dict[bool, dict[SuiteMetric, dict[Case, list[float]]]] = {
            own: defaultdict(lambda: defaultdict(list)) for own in (True, False)
        }
        self._zero: set[SuiteMetric] = set()

    def add(
        self,
        rows: Iterable[MeasurementRow],
        production: Side,
        metrics: Mapping[str, Mapping[str, Metric]] | None = None,
    ) -> None:
        """Take the calls of one run in.

        Args:
            rows: its calls, without confirming ones.
            production: the side that production was on.
            metrics: of each suite by name: those without bounds that scorers report are taken in as well.
        """
        sides: dict[SuiteMetric, dict[Side, dict[Case, list[float]]]] = {}
        for row in rows:
            for metric, value in _amounts(row, (metrics or {}).get(row.suite, {})):
                key, case = (row.suite, metric), (row.hop, row.case_id)
                self._plain[row.side == production][key][case].append(value)
                if value > 0.0:
                    of = sides.setdefault(key, {"candidate": {}, "baseline": {}})
                    of[row.side].setdefault(case, []).append(float(np.log(value)))
                else:
                    self._zero.add(key)
        for key, found in sides.items():
            own = found[production]
            for case, values in own.items():
                self._levels[key][case] += values
                self._calls[key] += len(values)
                self._repeated[key] += _deviations(values)
            self._paired[key] += _across(found)

    def spreads(self) -> dict[SuiteMetric, Spread | Observed]:
        """What is known per suite and metric."""
        found: dict[SuiteMetric, Spread | Observed] = {}
        for key in self._zero:
            calls = self._observed(key)
            if len(calls) >= LEAST_CASES:
                found[key] = Observed(_thinned(calls), sum(map(len, calls)))
        for key, cases in self._levels.items():
            within = np.array(self._repeated[key] or self._paired[key])
            if key in self._zero or len(cases) < LEAST_CASES or within.size < LEAST_CASES:
                continue
            levels = np.array([float(np.mean(values)) for values in cases.values()])
            noise = float(np.mean([np.mean(within**2) / len(values) for values in cases.values()]))
            found[key] = Spread(
                levels=_kept(_without_noise(levels, noise)),
                within=_kept(within),
                calls=self._calls[key],
            )
        return found

    def _observed(self, key: SuiteMetric) -> list[tuple[float, ...]]:
        own, others = self._plain[True][key], self._plain[False][key]
        alone = any(len(values) > 1 for values in own.values())
        return [tuple(values if alone else values + others[case]) for case, values in own.items()]


def _amounts(row: MeasurementRow, metrics: Mapping[str, Metric]) -> Iterator[tuple[str, float]]:
    """The metrics without bounds of a call: its own, and what scorers counted."""
    if row.latency_ms is not None and row.latency_ms > 0.0:
        yield "latency_ms", row.latency_ms
    own = {"cost_usd": row.cost_usd, "tokens": row.tokens}
    counted = {
        name: row.scores.get(name)
        for name, metric in metrics.items()
        if not metric.bounded and name not in own and name != "latency_ms"
    }
    for name, value in (own | counted).items():
        if value is not None:
            yield name, float(value)


def _thinned(cases: Sequence[tuple[float, ...]]) -> tuple[tuple[float, ...], ...]:
    """As many as are kept, evenly over all."""
    if len(cases) <= _MOST:
        return tuple(cases)
    return tuple(cases[i] for i in np.linspace(0, len(cases) - 1, _MOST).astype(int))


def in_words(spread: Spread | Observed) -> str:
    """What is known, in the unit of the metric and in logarithms."""
    if isinstance(spread, Observed):
        means = [float(np.mean(calls)) for calls in spread.cases]
        never = sum(mean == 0.0 for mean in means)
        return (
            f"mean {np.mean(means):.3g}, 0 throughout in {never:,} of {len(means):,} cases, "
            f"from {spread.calls:,} calls"
        )
    between, within = float(np.std(spread.levels)), float(np.mean(np.square(spread.within)) ** 0.5)
    return (
        f"median {np.exp(np.median(spread.levels)):.4g}, log spread {between:.2g} between cases and "
        f"{within:.2g} within one, from {spread.calls:,} calls"
    )


def _deviations(values: Sequence[float]) -> list[float]:
    """Of each call from the mean of its case, as large as they are around the true one."""
    k = len(values)
    if k < 2:
        return []
    x = np.array(values)
    deviations: list[float] = ((x - x.mean()) * (k / (k - 1)) ** 0.5).tolist()
    return deviations


def _across(sides: Mapping[Side, Mapping[Case, Sequence[float]]]) -> list[float]:
    """The same of the two calls of a case, one on each side."""
    both = [case for case in sides["candidate"] if case in sides["baseline"]]
    if not both:
        return []
    d = np.array([np.mean(sides["candidate"][case]) - np.mean(sides["baseline"][case]) for case in both])
    d = (d - d.mean()) / 2.0**0.5
    deviations: list[float] = np.concatenate((d, -d)).tolist()
    return deviations


def _without_noise(levels: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """Means of calls, drawn together until they vary no more than the cases themselves."""
    seen = float(levels.var(ddof=1))
    share = max(0.0, 1.0 - noise / seen) ** 0.5 if seen > 0.0 else 0.0
    middle = float(levels.mean())
    return np.asarray(middle + share * (levels - middle), dtype=np.float64)


def _kept(values: NDArray[np.float64]) -> tuple[float, ...]:
    if values.size > _MOST:
        values = np.quantile(values, np.linspace(0.0, 1.0, _MOST))
    return tuple(values.tolist())
