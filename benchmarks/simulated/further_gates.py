"""Gates by another gate's method on data of their own: lower is better, pooled hops, compared outputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from relgate.decision.unchanged import Unchanged
from relgate.domain.metric import Metric
from simulated.bounds import Rule
from simulated.cells import CLUSTER_MARGIN, CLUSTERS, MARGIN, RIGHT, SIZES, TRIALS, Cell, gate, rule_of
from simulated.worlds import PRODUCTION, Floats, Ints, choose, pairs, sample, trial_means, units_of

OVER_REFUSAL = Metric("over_refusal", "binary", higher_is_better=False)
HOPS = 2
INPUTS = {8: 0.35, 20: 0.15, 50: 0.10}
"""By inputs of a traffic sample a margin that so many could prove (`n_min`)."""


def further_cells() -> Iterator[Cell]:
    """Truth exactly on the boundary."""
    for n in SIZES:
        units, margin = units_of(n), MARGIN[n]
        binary: Rule = "exact" if n <= 200 else "asymptotic"
        for shape, more in {"catastrophe": 0.0, "zero-inflated": 0.01, "skewed": 0.10}.items():
            worse, better = margin + more / 2.0, more / 2.0
            yield Cell(
                "non-inferiority of over-refusals, one trial",
                shape,
                n,
                0,
                binary,
                gate(OVER_REFUSAL, "non_inferior", margin),
                lambda rng, u=units, w=worse, b=better: sample(
                    *_turned(*pairs(rng, u, w, b)), u, clustered=False
                ),
            )
        for shape, psi in {"catastrophe": 0.005, "zero-inflated": 0.03, "skewed": 0.13}.items():
            yield Cell(
                f"non-inferiority of over-refusals, {TRIALS} trials",
                shape,
                n,
                0,
                "asymptotic",
                gate(OVER_REFUSAL, "non_inferior", margin),
                lambda rng, u=units, p=psi, m=margin: sample(
                    *_turned(*trial_means(rng, u, p, TRIALS, m / PRODUCTION)),
                    u,
                    clustered=False,
                    single=False,
                ),
            )
            yield Cell(
                f"non-inferiority, {HOPS} hops pooled",
                shape,
                n,
                0,
                "asymptotic",
                gate(RIGHT, "non_inferior", margin),
                lambda rng, u=units, p=psi, m=margin: sample(
                    *_one_hop_worse(rng, u, p, HOPS * m), u, clustered=False, single=False
                ),
            )
        yield Cell(
            "unchanged outputs",
            "every change is a loss",
            n,
            0,
            "exact",
            gate(RIGHT, "non_inferior", margin),
            lambda rng, size=n, m=margin: Unchanged("simulated", size, int(rng.binomial(size, m)), 0, ()),
        )


def further_clustered_cells() -> Iterator[Cell]:
    """The same on clusters, which are one size for all gates; "catastrophe" breaks whole ones at once."""
    for clusters in CLUSTERS:
        units = units_of(0, clusters)
        margin = CLUSTER_MARGIN[clusters]
        for shape, more, psi in (
            ("catastrophe", 0.0, 0.005),
            ("zero-inflated", 0.01, 0.03),
            ("skewed", 0.10, 0.13),
        ):
            together = shape == "catastrophe"
            worse, better = margin + more / 2.0, more / 2.0

            def turned(
                rng: np.random.Generator,
                w: float = worse,
                b: float = better,
                t: bool = together,
                u: Ints = units,
            ) -> tuple[Floats, Floats]:
                return _turned(*pairs(rng, u, w, b, together=t))

            def turned_means(
                rng: np.random.Generator,
                p: float = psi,
                m: float = margin,
                t: bool = together,
                u: Ints = units,
            ) -> tuple[Floats, Floats]:
                return _turned(*trial_means(rng, u, p, TRIALS, m / PRODUCTION, together=t))

            def pooled(
                rng: np.random.Generator,
                p: float = psi,
                m: float = margin,
                t: bool = together,
                u: Ints = units,
            ) -> tuple[Floats, Floats]:
                return _one_hop_worse(rng, u, p, HOPS * m, together=t)

            for kind, metric, single, draw in (
                ("non-inferiority of over-refusals, one trial", OVER_REFUSAL, True, turned),
                (f"non-inferiority of over-refusals, {TRIALS} trials", OVER_REFUSAL, False, turned_means),
                (f"non-inferiority, {HOPS} hops pooled", RIGHT, False, pooled),
            ):
                yield Cell(
                    kind,
                    shape,
                    int(units.size),
                    clusters,
                    rule_of("asymptotic", shape, clusters),
                    gate(metric, "non_inferior", margin),
                    lambda rng, d=draw, u=units, s=single: sample(*d(rng), u, clustered=True, single=s),
                )


def _turned(candidate: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """The same pairs where a hit is what one does not want."""
    return 1.0 - candidate, 1.0 - baseline


def _one_hop_worse(
    rng: np.random.Generator, units: np.ndarray, psi: float, lost: float, *, together: bool = False
) -> tuple[Floats, Floats]:
    """Case means over hops of which one alone loses this share of its cases: the mean loses half of it."""
    first = trial_means(rng, units, psi, 1, lost / PRODUCTION, together=together)
    second = trial_means(rng, units, psi, 1)
    candidate, baseline = ((a + b) / HOPS for a, b in zip(first, second, strict=True))
    return candidate, baseline


def unchanged_clustered_cells() -> Iterator[Cell]:
    """Outputs of lines with equal inputs: an input whose answers did not all stay has changed."""
    for clusters, margin in INPUTS.items():
        units = units_of(0, clusters)
        for shape, alike in (("changes lean together", False), ("all answers to an input change", True)):

            def draw(
                rng: np.random.Generator, u: Ints = units, m: float = margin, same: bool = alike
            ) -> Unchanged:
                inputs = int(u.max()) + 1
                of_input = rng.random(inputs)[u] < m
                changed = of_input if same else choose(rng, np.array([m, 1.0 - m]), u) == 0
                return Unchanged("simulated", inputs, np.unique(u[changed]).size, 0, ())

            yield Cell(
                "unchanged outputs, equal inputs",
                shape,
                int(units.size),
                clusters,
                "exact",
                gate(RIGHT, "non_inferior", margin),
                draw,
            )
