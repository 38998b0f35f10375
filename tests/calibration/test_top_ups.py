"""Topping a held run up until it passes: pooled data and spent alpha keep the error, full alpha does not."""

from __future__ import annotations

import numpy as np
import pytest
from simulated.bounds import ATTEMPTS_AT_MOST, size_holds

from relgate import stats
from relgate.decision.policy import ALPHA, attempt_alpha

pytestmark = pytest.mark.calibration

REPETITIONS, ROUNDS, SEED = 3000, 5, 20260101
STEP, MARGIN, PSI = 250, 0.05, 0.15


def _promoted(spend: bool) -> float:
    """Share of candidates on the boundary that pass in one of five rounds, each with more cases."""
    rng = np.random.default_rng(SEED)
    worse, better = (PSI + MARGIN) / 2, (PSI - MARGIN) / 2
    promoted = 0
    for _ in range(REPETITIONS):
        lost = gained = n = 0
        for attempt in range(1, ROUNDS + 1):
            b, c, _ = rng.multinomial(STEP, (worse, better, 1.0 - PSI))
            lost, gained, n = lost + b, gained + c, n + STEP
            p = stats.tango_p(stats.PairedCounts(n - lost - gained, gained, lost, 0), -MARGIN, "greater")
            if p <= (attempt_alpha(attempt) if spend else ALPHA):
                promoted += 1
                break
    return promoted / REPETITIONS


def test_pooled_top_ups_at_spent_alpha_stay_within_all_alphas_together():
    spent, full = _promoted(spend=True), _promoted(spend=False)
    assert size_holds(spent, ATTEMPTS_AT_MOST, REPETITIONS)
    assert spent < 0.07 < 0.09 < full
