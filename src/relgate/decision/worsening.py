"""Whether a candidate answers worse than it did in an earlier run: its new calls against those of then.

A part of the cases judges nothing, but a stored promote must not be served after it showed that the system
does not answer as it did. If nothing changed, the calls of a case are exchangeable: which of them are the new
ones says nothing. The test is the exact permutation test within cases, of the sum of the new scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from relgate.decision.permutation import on_grid, sum_distribution
from relgate.late import np, special

ALPHA = 0.01
"""A false alarm costs a further attempt, so it is rarer than that of a fingerprint."""

_EXACT = 200
"""Of more cases the sum is normal."""

_COMBINATIONS = 1000
"""Where more choices of a case's new calls are possible, only its first new call counts."""


@dataclass(frozen=True, slots=True)
class Again:
    """One case: its scores in earlier runs and now, in [0, 1], more is better; at least one of each."""

    before: tuple[float, ...]
    now: tuple[float, ...]


def worsening_p(cases: Sequence[Again]) -> float:
    """P(a sum of new scores as low or lower), over which calls of each case are the new ones.

    Scores are laid on hundredths, as those of a fingerprint. 1.0 where there is no case.
    """
    observed, parts = 0, []
    for case in cases:
        now = [on_grid(score) for score in case.now]
        before = [on_grid(score) for score in case.before]
        if math.comb(len(now) + len(before), len(now)) > _COMBINATIONS:
            now = now[:1]
        observed += sum(now)
        parts.append([sum(chosen) for chosen in combinations((*before, *now), len(now))])
    if len(parts) > _EXACT:
        mean = sum(float(np.mean(sums)) for sums in parts)
        spread = math.sqrt(sum(float(np.var(sums)) for sums in parts))
        return float(special.ndtr((observed + 0.5 - mean) / spread)) if spread else 1.0
    return min(float(sum_distribution(parts)[: observed + 1].sum()), 1.0)
