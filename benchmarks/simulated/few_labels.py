"""What 50 labels prove by several methods, on the same draws: what the study's power is bought with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from relgate import stats
from relgate.decision.judges.judged import LabelledDifferences, infer_from_labels
from relgate.decision.policy import ALPHA
from simulated.bounds import SIZE_AT_MOST
from simulated.judged import STUDY_PSI, labelled
from simulated.policies import Claim

TUNED = "trust tuned on the same labels, t test"
SIZE = SIZE_AT_MOST["asymptotic"] or ALPHA
EQUAL = "equal, passed"
CASES, LABELS, MARGIN, AGREEMENT = 300, 50, 0.10, 0.95
STUDY: Mapping[str, tuple[str, str]] = {
    "labels alone, t test": (".56", ".069"),
    TUNED: (".78", ".072"),
    "cross-fitted trust, t test": ("", ".058"),
    "relgate": ("", ""),
}
"""By method the study's power for an equal candidate and its size, "" where it has none (statistics.md 9)."""


def few_labels(repetitions: int, seed: int) -> list[Claim]:
    """Power, and size where losses come with and without gains, of four methods on the same draws.

    The study's method is shown once more at the alpha that gives it, on either boundary, the size which every
    method must hold.
    """
    worlds = {
        EQUAL: (STUDY_PSI / 2.0, STUDY_PSI / 2.0),
        "on the boundary with gains, passed": (MARGIN + 0.04, 0.04),
        "on the boundary without gains, passed": (MARGIN, 0.0),
    }
    found = []
    p = {}
    for world, (lost, won) in worlds.items():
        rng = np.random.default_rng(seed)
        splits = [labelled(rng, CASES, LABELS, lost, won, AGREEMENT, 0.0) for _ in range(repetitions)]
        for method, test in _METHODS.items():
            p[world, method] = np.array([test(split) for split in splits])
            rate = float(np.mean(p[world, method] <= ALPHA))
            study = STUDY[method][world != EQUAL]
            found.append(Claim(f"{method}: {world}", rate, repetitions, study=study))
    alpha = min(float(np.quantile(p[world, TUNED], SIZE)) for world in worlds if world != EQUAL)
    rate = float(np.mean(p[EQUAL, TUNED] <= alpha))
    return [*found, Claim(f"{TUNED}, at a size of {SIZE:g}: {EQUAL}", rate, repetitions)]


def _t_test(found: stats.PredictionPoweredMean) -> float:
    return found.p(-MARGIN, "greater") if found.se > 0.0 else 1.0


_METHODS: Mapping[str, Callable[[LabelledDifferences], float]] = dict(
    zip(
        STUDY,
        (
            lambda s: _t_test(stats.ppi_mean(s.human, s.judged, s.rest, lam=0.0)),
            lambda s: _t_test(stats.ppi_mean(s.human, s.judged, s.rest)),
            lambda s: _t_test(stats.ppi_mean_cross_fitted(s.human, s.judged, s.rest)),
            lambda s: infer_from_labels(s, MARGIN, ALPHA).p_pass,
        ),
        strict=True,
    )
)
