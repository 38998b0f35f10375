"""Gates on a judge with human labels: size on the boundary, and the power of the study (statistics.md 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from relgate.decision.judges.judged import LabelledDifferences
from simulated.bounds import Rule
from simulated.cells import RIGHT, Cell, Judge, gate
from simulated.worlds import PRODUCTION, Bools

PLANS = (
    (300, 50, 0.10),
    (300, 60, 0.10),
    (300, 89, 0.05),
    (300, 100, 0.05),
    (1000, 100, 0.05),
    (1000, 200, 0.05),
    (1000, 400, 0.02),
    (5000, 60, 0.10),
    (5000, 200, 0.05),
    (5000, 400, 0.05),
)
"""Cases, cases with labels on both sides, margin."""

STUDY = (
    (1000, 100, 0.05, 0.95, 0.56),
    (1000, 100, 0.05, 0.90, 0.47),
    (1000, 100, 0.05, 0.75, 0.38),
    (1000, 200, 0.05, 0.95, 0.78),
    (300, 50, 0.10, 0.95, 0.78),
)
"""Cases, labels, margin, agreement of the judge, power of PPI++ for an equal candidate."""

POWER_WEIGHT = 4.0
"""Share of the repetitions of a power: some lie within a hundredth of what they are held to."""

STUDY_PSI = 0.16
"""The flip rate at which labels alone have the power of the study's (.34 with 100 labels at .05)."""


def judged_cells() -> Iterator[Cell]:
    """Truth exactly on the boundary, by judges of several kinds.

    "Catastrophe" data has losses only. A flattering judge passes three in ten of the candidate's wrong
    answers. One that overlooks losses errs on nothing else, and there is nothing but losses. A constant
    difference is the "all ties" of the other gates.
    """
    for cases, labels, margin in PLANS:
        kind = f"judged, {labels} labels"
        for shape, extra, agreement, flattery in (
            ("catastrophe", 0.0, 0.95, 0.0),
            ("zero-inflated", 0.02, 0.95, 0.0),
            ("skewed", 0.08, 0.90, 0.0),
            ("flattering judge", 0.05, 0.90, 0.3),
            ("poor judge", 0.08, 0.75, 0.0),
        ):

            def draw(
                rng: np.random.Generator,
                n: int = cases,
                read: int = labels,
                lost: float = margin + extra / 2.0,
                won: float = extra / 2.0,
                agrees: float = agreement,
                flatters: float = flattery,
            ) -> LabelledDifferences:
                return labelled(rng, n, read, lost, won, agrees, flatters)

            yield _cell(kind, shape, cases, margin, draw)
        for missed in (0.05, 0.2):

            def overlook(
                rng: np.random.Generator,
                n: int = cases,
                read: int = labels,
                lost: float = margin,
                miss: float = missed,
            ) -> LabelledDifferences:
                human = -(rng.random(n) < lost).astype(float)
                judged = np.where(rng.random(n) < miss, 0.0, human)
                return LabelledDifferences(human[:read], judged[:read], judged[read:], 0)

            yield _cell(kind, f"overlooks {100 * missed:g} % of losses", cases, margin, overlook)

        def noisy(
            rng: np.random.Generator, n: int = cases, read: int = labels, lost: float = margin
        ) -> LabelledDifferences:
            human = -0.9 * (rng.random(n) < lost / 0.9)
            judged = np.clip(human + 0.05 * rng.standard_normal(n), -1.0, 1.0)
            return LabelledDifferences(human[:read], judged[:read], judged[read:], 0)

        yield _cell(kind, "unit scores, rare losses, noisy judge", cases, margin, noisy)
        flat = LabelledDifferences(
            np.full(labels, -margin), np.full(labels, -margin), np.full(cases - labels, -margin), 0
        )
        yield _cell(kind, "all ties", cases, margin, lambda _, same=flat: same)


def judged_power_cells() -> Iterator[Cell]:
    """An equal candidate, with the power that PPI++ had in the study."""
    for cases, labels, margin, agreement, power in STUDY:

        def draw(
            rng: np.random.Generator, n: int = cases, read: int = labels, agrees: float = agreement
        ) -> LabelledDifferences:
            return labelled(rng, n, read, STUDY_PSI / 2.0, STUDY_PSI / 2.0, agrees, 0.0)

        shape = f"judge right in {100 * agreement:g} %"
        yield replace(
            _cell(f"judged, {labels} labels", shape, cases, margin, draw, figure=power), weight=POWER_WEIGHT
        )


def judged_boundary_cells() -> Iterator[Cell]:
    """The study's boundary, where one difference in four or five is a gain, by a judge right in 95 %."""
    for cases, labels, margin in PLANS:

        def draw(
            rng: np.random.Generator, n: int = cases, read: int = labels, lost: float = margin + 0.04
        ) -> LabelledDifferences:
            return labelled(rng, n, read, lost, 0.04, 0.95, 0.0)

        yield _cell(f"judged, {labels} labels", "losses and gains", cases, margin, draw)


MISTAKEN = {
    "takes one loss in seven for a win": lambda m: ((-1, -1, 6 * m / 7), (-1, 1, m / 7), (0, -1, m / 5)),
    "takes one loss in three for a win": lambda m: ((-1, -1, 2 * m / 3), (-1, 1, m / 3), (0, -1, m / 3)),
    "overlooks a third of losses and all gains": lambda m: (
        (-1, -1, 0.77 * m),
        (-1, 0, 0.39 * m),
        (1, 0, 0.16 * m),
    ),
    "sees losses where there are none": lambda m: ((-1, -1, 0.8 * m), (-1, 0, 0.2 * m), (0, -1, 0.38 * m)),
}
"""By name and margin what people say, what the judge says, and how often; both say 0 of the rest."""


def mistaken_cells() -> Iterator[Cell]:
    """The boundary by judges whose mistakes lean to one side, on pass or fail and on wins and ties."""
    for cases, labels, margin in PLANS:
        for shape, table in MISTAKEN.items():
            for kind, scale in (("", 1.0), (", pairs", 0.5)):

                def draw(
                    rng: np.random.Generator,
                    n: int = cases,
                    read: int = labels,
                    rows: Sequence[tuple[int, int, float]] = table(margin / scale),
                    unit: float = scale,
                ) -> LabelledDifferences:
                    chosen = np.searchsorted(np.cumsum([p for _, _, p in rows]), rng.random(n), side="right")
                    human, judged = (np.array([*(row[i] for row in rows), 0])[chosen] * unit for i in (0, 1))
                    return LabelledDifferences(human[:read], judged[:read], judged[read:], 0)

                yield _cell(f"judged{kind}, {labels} labels", shape, cases, margin, draw)


def _cell(kind: str, shape: str, cases: int, margin: float, draw: Judge, figure: float | None = None) -> Cell:
    rule: Rule = "asymptotic"
    judged = gate(RIGHT, "non_inferior", margin)
    return Cell(kind, shape, cases, 0, rule, judged, draw, figure=figure)


def labelled(
    rng: np.random.Generator,
    cases: int,
    labels: int,
    lost: float,
    won: float,
    agreement: float,
    flattery: float,
) -> LabelledDifferences:
    """What people and a judge say of both sides; people read a random subset, the judge errs by itself."""
    baseline = rng.random(cases) < PRODUCTION
    moved = rng.random(cases)
    candidate = np.where(baseline, moved >= lost / PRODUCTION, moved < won / (1.0 - PRODUCTION))
    said = _says(rng, candidate, agreement) | (rng.random(cases) < flattery)
    judged = said.astype(float) - _says(rng, baseline, agreement)
    human = candidate.astype(float) - baseline
    return LabelledDifferences(human[:labels], judged[:labels], judged[labels:], 0)


def _says(rng: np.random.Generator, right: Bools, agreement: float) -> Bools:
    return np.where(rng.random(right.size) < agreement, right, ~right)
