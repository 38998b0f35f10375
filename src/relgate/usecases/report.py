"""What a finished run hands to the shells: the scorecard, every gate's result and the exit status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from relgate.decision.outcomes import CaseOutcome
from relgate.domain.gate import GateResult
from relgate.domain.scorecard import Scorecard
from relgate.domain.verdict import Decision


@dataclass(frozen=True, slots=True)
class CaseReport:
    """What became of one case, as soon as it is measured.

    Attributes:
        outcome: hit, miss, regressed, fixed, failed, or not_run where an early stop made it unnecessary.
        scores: the candidate's mean score per metric.
        trials: the candidate's trials.
        failure: why the case fails by itself, "" where it does not (``case_failure``); redacted.
        message: one line for a reader; redacted.
    """

    outcome: CaseOutcome
    scores: Mapping[str, float]
    trials: int
    failure: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """A finished run.

    Attributes:
        scorecard: what is shown and stored.
        gates: every gate's result, in order of the suites.
        exit_status: of the verdict alone.
        stored: whether the verdict was stored before and nothing was called.
        files: what was written.
        unwritten: what could not be written, one sentence each; the verdict stands all the same.
    """

    scorecard: Scorecard
    gates: tuple[GateResult, ...]
    exit_status: int
    stored: bool = False
    files: tuple[Path, ...] = field(default=())
    unwritten: tuple[str, ...] = ()

    @property
    def decision(self) -> Decision:
        """promote, hold or reject."""
        return self.scorecard.verdict.decision
