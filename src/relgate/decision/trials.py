"""How many trials a stochastic suite gets under ``trials: auto``, from an A/A pilot (verdict.md 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from relgate import stats
from relgate.decision.measurements import Trial
from relgate.decision.outcomes import trial_outcome
from relgate.decision.planning.needed import POWER
from relgate.domain.case import Suite
from relgate.domain.metric import Metric

PILOT_CASES = 40
"""Cases on which a system is compared with itself."""

DEFAULT_TRIALS = 3
"""Trials of a stochastic system without a pilot (verdict.md 2)."""

_CALM, _LIVELY = 0.03, 0.10
_MANY_TRIALS = 5


@dataclass(frozen=True, slots=True)
class Pilot:
    """One system asked the same twice: ``flips`` of ``cases`` cases hit once and missed once.

    Attributes:
        measured: the flip rate where more than two trials told it, which whole flips would round.
    """

    flips: int
    cases: int
    measured: float | None = None

    @property
    def rate(self) -> float:
        """The flip rate psi."""
        return self.flips / self.cases if self.measured is None else self.measured

    @property
    def is_calm(self) -> bool:
        """Whether so few cases flip that one trial is enough, however few the cases are."""
        return self.rate <= _CALM

    @property
    def upper_rate(self) -> float:
        """The upper 80 % bound of the flip rate."""
        return stats.discordance_upper(self.flips, self.cases)


def pilot_of(pairs: Iterable[tuple[Trial, Trial]], metrics: Mapping[str, Metric]) -> Pilot | None:
    """The flip rate of cases with two trials each; None when fewer than 40 of them could be judged."""
    judged = [(trial_outcome(first, metrics), trial_outcome(second, metrics)) for first, second in pairs]
    usable = [(first, second) for first, second in judged if first is not None and second is not None]
    if len(usable) < PILOT_CASES:
        return None
    return Pilot(sum(first != second for first, second in usable), len(usable))


def trials_after(pilot: Pilot, suite: Suite, metrics: Mapping[str, Metric], alpha: float) -> int:
    """Trials per case: 1 at a flip rate of at most .03, 3 up to .10, else 5.

    One is enough, too, where the suite has the cases that its required non-inferiority gates need at one
    trial (Nam 1997, the flip rate at its upper 80 % bound): new cases tell more than new trials.
    """
    if pilot.is_calm or len(suite.cases) >= _cases_at_one_trial(pilot, suite, metrics, alpha):
        return 1
    return DEFAULT_TRIALS if pilot.rate <= _LIVELY else _MANY_TRIALS


def _cases_at_one_trial(pilot: Pilot, suite: Suite, metrics: Mapping[str, Metric], alpha: float) -> float:
    """Infinite where a required comparison is no pass or fail of all cases: the formula is for these."""
    required = [g for g in suite.gates if g.role == "require" and g.form == "non_inferior"]
    plain = all(metrics[g.metric].kind == "binary" and not (g.only or g.by or g.pooled) for g in required)
    if not required or not plain:
        return float("inf")
    margin = min(gate.boundary for gate in required)
    return stats.nam_n(margin, pilot.upper_rate, 0.0, alpha, POWER)
