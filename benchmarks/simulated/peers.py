"""The same data given to statgate, where it is installed, and to "the mean must not drop"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from relgate.decision.sample import Sample
from simulated.cells import QUALITY, RIGHT, decide_sample, gate
from simulated.worlds import from_difference, loss, pairs, sample, units_of

try:
    from statgate import EvalRecord, GateSettings, __version__, evaluate_gate
except ImportError:
    __version__ = ""

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Contest:
    """One world in which three rules decide.

    Attributes:
        name: the world.
        margin: how much the candidate may lose.
        draw: one sample.
        metric: "right" or "quality".
    """

    name: str
    margin: float
    draw: Callable[[np.random.Generator], Sample]
    binary: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """How often each promotes; ``statgate`` is None where it is not installed."""

    name: str
    repetitions: int
    relgate: float
    statgate: float | None
    plain: float


def contests() -> list[Contest]:
    """On the boundary nothing should be promoted more than 5 times in 100; equals should be."""
    found = []
    for n, margin, psi in ((20, 0.15, 0.16), (50, 0.10, 0.20), (200, 0.05, 0.10), (1000, 0.02, 0.10)):
        for name, lost in (("on the boundary", margin), ("identical", 0.0)):
            worse, better = (psi + lost) / 2.0, (psi - lost) / 2.0
            found.append(
                Contest(
                    f"pass or fail, n {n}, margin {margin:g}, {name}", margin, _pairs(n, 0, worse, better)
                )
            )
    for shape in ("zero-inflated", "skewed", "catastrophe"):
        for n, margin in ((20, 0.15), (200, 0.05), (1000, 0.02)):
            units = units_of(n)
            lossy = loss(shape, -margin)
            found.append(
                Contest(
                    f"unit scores, {shape}, n {n}, margin {margin:g}, on the boundary",
                    margin,
                    lambda rng, s=lossy, u=units: sample(
                        *from_difference(s.draw(rng, u)), u, clustered=False
                    ),
                    binary=False,
                )
            )
    for clusters in (20, 50):
        for name, lost in (("on the boundary", 0.10), ("identical", 0.0)):
            found.append(
                Contest(
                    f"{clusters} clusters, margin 0.1, {name}",
                    0.10,
                    _pairs(0, clusters, (0.4 + lost) / 2.0, (0.4 - lost) / 2.0),
                )
            )
    units = units_of(5)
    found.append(
        Contest(
            "five cases, all tie, margin 0.02, identical",
            0.02,
            lambda rng: sample(np.ones(5), np.ones(5), units, clustered=False),
        )
    )
    return found


def _pairs(n: int, clusters: int, worse: float, better: float) -> Callable[[np.random.Generator], Sample]:
    units = units_of(n, clusters)
    return lambda rng: sample(*pairs(rng, units, worse, better), units, clustered=bool(clusters))


def compare(contest: Contest, repetitions: int, seed: int) -> Compared:
    """Let all three decide the same samples."""
    rng = np.random.default_rng(seed)
    ours = theirs = plain = 0
    judged = gate(RIGHT if contest.binary else QUALITY, "non_inferior", contest.margin)
    for i in range(repetitions):
        drawn = contest.draw(rng)
        ours += decide_sample(judged, drawn)[0]
        plain += float(np.mean(drawn.difference)) >= 0.0
        if __version__:
            theirs += _ships(drawn, contest.margin, seed + i)
    share = theirs / repetitions if __version__ else None
    return Compared(contest.name, repetitions, ours / repetitions, share, plain / repetitions)


def _ships(drawn: Sample, margin: float, seed: int) -> bool:
    """Statgate's verdict at a one-sided .05 (its alpha is two-sided)."""
    assert drawn.baseline is not None
    sides = [
        [EvalRecord(case_id=f"c{i}", score=score) for i, score in enumerate(scores.tolist())]
        for scores in (drawn.baseline, drawn.candidate)
    ]
    settings = GateSettings(alpha=0.10, margin=margin, resamples=RESAMPLES, permutations=100, seed=seed)
    return evaluate_gate(*sides, settings).verdict.value == "SHIP"
