"""What 50 labels prove by several methods, on the same draws: what the study's power is bought with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from relgate import stats
from relgate.decision.judges.judged import LabelledDifferences, infer_from_labels
from relgate.decision.policy import ALPHA
from simulated.judged import STUDY_PSI, labelled
from simulated.policies import Claim

CASES, LABELS, MARGIN, AGREEMENT = 300, 50, 0.10, 0.95
STUDY: Mapping[str, tuple[str, str]] = {
    "labels alone, t test": (".56", ".069"),
    "trust tuned on the same labels, t test": (".78", ".072"),
    "cross-fitted trust, t test": ("", ".058"),
    "relgate": ("", ""),
}
"""By method the study's power for an equal candidate and its size, "" where it has none (statistics.md 9)."""


def few_labels(repetitions: int, seed: int) -> list[Claim]:
    """Power, and size where losses come with and without gains, of four methods on the same draws."""
    worlds = {
        "equal, passed": (STUDY_PSI / 2.0, STUDY_PSI / 2.0),
        "on the boundary with gains, passed": (MARGIN + 0.04, 0.04),
        "on the boundary without gains, passed": (MARGIN, 0.0),
    }
    found = []
    for world, (lost, won) in worlds.items():
        rng = np.random.default_rng(seed)
        passed = dict.fromkeys(STUDY, 0)
        for _ in range(repetitions):
            split = labelled(rng, CASES, LABELS, lost, won, AGREEMENT, 0.0)
            for method, p in _METHODS.items():
                passed[method] += p(split) <= ALPHA
        power = world == "equal, passed"
        found += [
            Claim(f"{method}: {world}", hits / repetitions, repetitions, study=STUDY[method][not power])
            for method, hits in passed.items()
        ]
    return found


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
