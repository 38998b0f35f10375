"""How latency, cost and tokens of stored calls vary, between cases and within one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from relgate.decision.simulation.world import Spread
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
    """

    def __init__(self) -> None:
        self._levels: dict[SuiteMetric, dict[Case, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._repeated: dict[SuiteMetric, list[float]] = defaultdict(list)
        self._paired: dict[SuiteMetric, list[float]] = defaultdict(list)
        self._calls: dict[SuiteMetric, int] = defaultdict(int)

    def add(self, rows: Iterable[MeasurementRow], production: Side) -> None:
        """Take the calls of one run in.

        Args:
            rows: its calls, without confirming ones.
            production: the side that production was on.
        """
        sides: dict[SuiteMetric, dict[Side, dict[Case, list[float]]]] = {}
        for row in rows:
            for metric, value in (
                ("latency_ms", row.latency_ms),
                ("cost_usd", row.cost_usd),
                ("tokens", row.tokens),
            ):
                if value is not None and value > 0.0:
                    of = sides.setdefault((row.suite, metric), {"candidate": {}, "baseline": {}})
                    of[row.side].setdefault((row.hop, row.case_id), []).append(float(np.log(value)))
        for key, found in sides.items():
            own = found[production]
            for case, values in own.items():
                self._levels[key][case] += values
                self._calls[key] += len(values)
                self._repeated[key] += _deviations(values)
            self._paired[key] += _across(found)

    def spreads(self) -> dict[SuiteMetric, Spread]:
        """What is known per suite and metric."""
        found = {}
        for key, cases in self._levels.items():
            within = np.array(self._repeated[key] or self._paired[key])
            if len(cases) < LEAST_CASES or within.size < LEAST_CASES:
                continue
            levels = np.array([float(np.mean(values)) for values in cases.values()])
            noise = float(np.mean([np.mean(within**2) / len(values) for values in cases.values()]))
            found[key] = Spread(
                levels=_kept(_without_noise(levels, noise)),
                within=_kept(within),
                calls=self._calls[key],
            )
        return found


def in_words(spread: Spread) -> str:
    """What is known, in the unit of the metric and in logarithms."""
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
