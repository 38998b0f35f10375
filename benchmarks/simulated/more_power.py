"""Further truths whose power the studies give (statistics.md 3, 4 and 9; verdict.md 6)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulated.cells import COST, QUALITY, RIGHT, Cell, gate
from simulated.judged import STUDY_PSI, labelled
from simulated.worlds import (
    PRODUCTION,
    Shape,
    from_difference,
    latencies,
    pairs,
    sample,
    trial_means,
    units_of,
)

OF_TRIALS = {
    (1, 0.03): 0.96,
    (1, 0.08): 0.75,
    (1, 0.13): 0.58,
    (1, 0.20): 0.43,
    (2, 0.03): 1.0,
    (2, 0.08): 0.96,
    (2, 0.13): 0.86,
    (2, 0.20): 0.71,
    (3, 0.20): 0.85,
    (5, 0.03): 1.0,
    (5, 0.08): 1.0,
    (5, 0.20): 0.97,
}
"""Trials and flip rate: P(pass | equal) at 200 cases and a margin of .05 (verdict.md 6)."""

HIGHEST_PSI, FLAKY = 0.147, 0.85
"""The highest flip rate that there is at the accuracy of the others, and an accuracy that allows more."""

OF_COSTS = {20: 0.20, 50: 0.36, 200: 0.78, 1000: 1.0}
"""Cases: Fieller's power at a budget of 2 (statistics.md 4), for a candidate that costs half as much more."""

DROP = 0.005
"""Share of cases with a drop of .9 in "catastrophe" data; the study gives none, and .97 and .93 fit this."""

OF_DROPS = {(50, 0.10): 0.97, (200, 0.03): 0.93}
"""Cases and margin: power of min(Hall, Gaffke) on "catastrophe" data (statistics.md 3)."""

FAVOURED = (1000, 100, 0.05, 0.90, 0.42)
"""Cases, labels, margin, agreement and power of PPI++ with a judge that favours the candidate."""


def more_power_cells() -> Iterator[Cell]:
    """An equal candidate, or one that is cheaper than its budget."""
    units = units_of(200)
    for (trials, psi), figure in OF_TRIALS.items():
        accuracy = PRODUCTION if psi < HIGHEST_PSI else FLAKY
        kind = "non-inferiority, one trial" if trials == 1 else f"non-inferiority, {trials} trials"
        yield Cell(
            kind,
            f"equal, psi {psi:g}, margin 0.05",
            200,
            0,
            "exact" if trials == 1 else "asymptotic",
            gate(RIGHT, "non_inferior", 0.05),
            lambda rng, p=psi, k=trials, a=accuracy: sample(
                *(pairs(rng, units, p / 2, p / 2) if k == 1 else trial_means(rng, units, p, k, accuracy=a)),
                units,
                clustered=False,
                single=k == 1,
            ),
            figure,
        )
    for n, figure in OF_COSTS.items():
        these = units_of(n)
        yield Cell(
            "mean ratio",
            "half as much again, budget 2",
            n,
            0,
            "asymptotic",
            gate(COST, "ratio_at_most", 2.0),
            lambda rng, u=these: sample(*latencies(rng, u, 1.5, "skewed"), u, clustered=False),
            figure,
        )
    noise, quiet = np.array([-0.01, 0.0, 0.01]), np.array([0.25, 0.5, 0.25])
    rare = Shape(
        np.concatenate((noise, noise - 0.9)) + 0.9 * DROP,
        np.concatenate((quiet * (1.0 - DROP), quiet * DROP)),
    )
    for (n, margin), figure in OF_DROPS.items():
        these = units_of(n)
        yield Cell(
            "non-inferiority, unit scores",
            f"equal, catastrophe, margin {margin:g}",
            n,
            0,
            "asymptotic",
            gate(QUALITY, "non_inferior", margin),
            lambda rng, u=these: sample(*from_difference(rare.draw(rng, u)), u, clustered=False),
            figure,
            weight=0.25,
        )
    cases, labels, margin, agreement, figure = FAVOURED
    yield Cell(
        f"judged, {labels} labels",
        f"judge right in {100 * agreement:g} %, favours the candidate",
        cases,
        0,
        "asymptotic",
        gate(RIGHT, "non_inferior", margin),
        lambda rng: labelled(rng, cases, labels, STUDY_PSI / 2, STUDY_PSI / 2, agreement, 0.3),
        figure,
    )
