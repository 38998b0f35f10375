"""Tests against a difference of 0 on candidates that are exactly as good: superiority, and harm of alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from relgate.decision.policy import ALPHA
from relgate.domain.metric import Metric
from simulated.bounds import Rule
from simulated.cells import CLUSTERS, QUALITY, RIGHT, SHAPES, SIZES, TRIALS, Cell, gate, rule_of
from simulated.judged import POWER_WEIGHT
from simulated.worlds import (
    PRODUCTION,
    Ints,
    Shape,
    even,
    from_difference,
    pairs,
    sample,
    steadier,
    trial_means,
    units_of,
)

Values = Callable[[np.random.Generator], tuple]

WATCHED = (15, 20, 30, 50, 80, 200, 1000)
"""Sizes of slices, from the smallest that alarms watch."""

WATCHES = 10
"""Slices, hops and over-refusal of the default policy: Holm asks for ALPHA / WATCHES of the first."""


WEIGHTS = {
    "one trial": 1.0,
    f"{TRIALS} trials": 0.25,
    "unit scores": 0.25,
    f"unit scores, {TRIALS} trials": 0.1,
}
"""Shares of the repetitions: the more distinct values, the slower Gaffke's bound."""


def superiority_cells() -> Iterator[Cell]:
    """Superiority, with and without clusters; both sides have a size."""
    for n, clusters in [*((n, 0) for n in SIZES), *((0, groups) for groups in CLUSTERS)]:
        units = units_of(n, clusters)
        for kind, shape, metric, values in _no_gains(units):
            single = kind.endswith("one trial")
            yield Cell(
                kind,
                shape,
                int(units.size),
                clusters,
                rule_of("asymptotic", shape, clusters),
                gate(metric, "superior", 0.0),
                lambda rng, v=values, u=units, c=bool(clusters), s=single: sample(
                    *v(rng), u, clustered=c, single=s
                ),
                weight=WEIGHTS[kind.partition(", ")[2]],
            )


def _no_gains(units: Ints) -> Iterator[tuple[str, str, Metric, Values]]:
    for shape, psi in {"all ties": 0.0, "catastrophe": 0.01, "zero-inflated": 0.02, "skewed": 0.20}.items():
        yield "superiority, one trial", shape, RIGHT, _flips(units, psi, together=shape == "catastrophe")
    several = f"superiority, {TRIALS} trials"
    yield several, "all ties", RIGHT, lambda _: (np.ones(units.size), np.ones(units.size))
    for shape, psi in {"zero-inflated": 0.03, "skewed": 0.13}.items():
        yield several, shape, RIGHT, lambda rng, p=psi: trial_means(rng, units, p, TRIALS)
    yield several, "catastrophe", RIGHT, lambda rng: steadier(rng, units, TRIALS, together=True)
    for trials, shape in product((1, TRIALS), SHAPES):
        kind = "superiority, unit scores" + f", {trials} trials" * (trials > 1)
        yield kind, shape, QUALITY, _scores(units, even(shape), trials, together=shape == "catastrophe")


def _flips(units: Ints, psi: float, *, together: bool = False) -> Values:
    return lambda rng: pairs(rng, units, psi / 2.0, psi / 2.0, together=together)


def _scores(units: Ints, shape: Shape, trials: int = 1, *, together: bool = False) -> Values:
    """Scores of both sides with differences of this shape, each the mean of so many draws."""

    def draw(rng: np.random.Generator) -> tuple:
        return from_difference(
            np.mean([shape.draw(rng, units, together=together) for _ in range(trials)], axis=0)
        )

    return draw


def harm_cells() -> Iterator[Cell]:
    """Harm against 0: its fail side has a size, it has no other.

    By trials with flip rates psi of cases of accuracy .92 and .8, whose pass probabilities are U-shaped, and
    for unit scores. Windfall data is reported only: nearly every case is a little worse, which an alarm is
    there to say, and the rare great gains that make up for it are mostly not in the sample. In clusters the
    test is CR2 without a guard (verdict.md 3): an alarm errs to the side of looking.
    """
    flips = {"zero-inflated": (0.05, PRODUCTION), "skewed": (0.13, PRODUCTION), "unsteady": (0.20, 0.8)}
    for n, clusters in [*((n, 0) for n in WATCHED), *((0, groups) for groups in CLUSTERS)]:
        units = units_of(n, clusters)
        for shape, psi in {"all ties": 0.0, "zero-inflated": 0.02, "skewed": 0.20}.items():
            yield _harm("harm, one trial", shape, units, RIGHT, _flips(units, psi), clusters=clusters)
        for trials, (shape, (psi, accuracy)) in product((TRIALS, 5), flips.items()):

            def means(
                rng: np.random.Generator,
                u: Ints = units,
                p: float = psi,
                k: int = trials,
                a: float = accuracy,
            ) -> tuple:
                return trial_means(rng, u, p, k, accuracy=a)

            yield _harm(f"harm, {trials} trials", shape, units, RIGHT, means, clusters=clusters)
        for shape in (*SHAPES, "windfall"):
            scores = _scores(units, even(shape), together=bool(clusters) and shape == "catastrophe")
            rule: Rule | None = "reported" if shape == "windfall" else None
            yield _harm("harm, unit scores", shape, units, QUALITY, scores, clusters=clusters, rule=rule)


def harm_of_trials_cells() -> Iterator[Cell]:
    """Harm on case means of two equally good releases of which one misses any trial, the other whole cases.

    Where the candidate misses whole cases it is catastrophe data; the other way round windfall data.
    """
    for n, clusters in [*((n, 0) for n in WATCHED), *((0, groups) for groups in CLUSTERS)]:
        units = units_of(n, clusters)
        for trials in (TRIALS, 5):
            kind = f"harm, {trials} trials"
            same = np.ones(units.size)
            yield _harm(kind, "all ties", units, RIGHT, lambda _, s=same: (s, s), clusters=clusters)

            def rare(
                rng: np.random.Generator, u: Ints = units, k: int = trials, c: bool = bool(clusters)
            ) -> tuple:
                return steadier(rng, u, k, together=c)

            yield _harm(kind, "catastrophe", units, RIGHT, rare, clusters=clusters)
            yield _harm(
                kind,
                "windfall",
                units,
                RIGHT,
                lambda rng, draw=rare: draw(rng)[::-1],
                clusters=clusters,
                rule="reported",
            )


def harm_power_cells() -> Iterator[Cell]:
    """The drops of a slice that alarms find four times in five (verdict.md 3: three trials)."""
    for n, drop in {15: 0.50, 20: 0.35, 30: 0.25, 40: 0.20, 60: 0.15, 100: 0.10}.items():
        units = units_of(n)
        yield _harm(
            f"harm, {TRIALS} trials",
            f"{100 * drop:g} points worse, psi 0.08, one of {WATCHES} watches",
            units,
            RIGHT,
            lambda rng, u=units, f=drop / PRODUCTION: trial_means(rng, u, 0.08, TRIALS, f),
            figure=0.80,
            level=ALPHA / WATCHES,
            weight=POWER_WEIGHT,
        )


def _harm(
    kind: str,
    shape: str,
    units: Ints,
    metric: Metric,
    values: Values,
    *,
    clusters: int = 0,
    rule: Rule | None = None,
    figure: float | None = None,
    level: float = ALPHA,
    weight: float = 1.0,
) -> Cell:
    single = kind.endswith("one trial")
    return Cell(
        kind,
        shape,
        int(units.size),
        clusters,
        rule or rule_of("asymptotic", shape, clusters),
        gate(metric, "superior", 0.0),
        lambda rng: sample(*values(rng), units, clustered=bool(clusters), single=single),
        figure,
        failing=True,
        weight=weight,
        harm=level,
    )
