"""How often each case is asked (verdict.md 2 and 6)."""

from __future__ import annotations

from relgate.applications.recording import Rows, trials_of
from relgate.domain.case import Case, Suite

STOCHASTIC_TRIALS = 3
"""Trials of a stochastic system under ``trials: auto`` (verdict.md 2)."""


def trial_count(suite: Suite, case: Case, *, deterministic: bool, override: int | None = None) -> int:
    """Trials of one case for an application that can be called.

    ``trials: auto`` asks a deterministic system once and a stochastic one three times; zero-tolerance
    cases (harmful and regression cases) are asked once unless trials are set.
    """
    if override is not None:
        return override
    if isinstance(suite.trials, int):
        return suite.trials
    zero_tolerance = case.regression or (suite.kind == "safety" and case.tags.get("harmful") is True)
    return 1 if deterministic or zero_tolerance else STOCHASTIC_TRIALS


class TrialPlan:
    """Which trials each side is asked for; a recording gives those that it holds."""

    def __init__(self, *, deterministic: bool, override: int | None, rows: dict[str, Rows | None]) -> None:
        self._deterministic = deterministic
        self._override = override
        self._held = {side: trials_of(found) for side, found in rows.items() if found is not None}

    def trials(self, side: str, suite: Suite, case: Case) -> tuple[int, ...]:
        """The trials of one case on one side; (0,) where a recording holds nothing, to say so."""
        if side in self._held:
            return self._held[side].get(case.id, (0,))
        return tuple(
            range(trial_count(suite, case, deterministic=self._deterministic, override=self._override))
        )

    def single(self, suite: Suite) -> bool:
        """Whether every case of the suite has one trial."""
        sides = self._held or {"candidate": {}}
        return all(len(self.trials(side, suite, case)) == 1 for side in sides for case in suite.cases)
