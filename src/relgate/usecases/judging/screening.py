"""What a run says when it was asked to screen: the same measurements, looked at for harm only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relgate.decision.measurements import unmeasured_suites
from relgate.decision.outcomes import CONFIRMING_TRIALS
from relgate.decision.screen import screen_verdict
from relgate.usecases.judging.judge_run import Judgement


def screened(judgement: Judgement, holds: Sequence[tuple[str, str]]) -> Judgement:
    """The judgement with a screen's verdict.

    Args:
        judgement: of the same measurements.
        holds: what holds whatever the gates say, such as cases that are gone.
    """
    known = [
        *(reason for reason, _ in holds),
        *(
            f"{gate.id.removeprefix('gates::')} could not be judged: {gate.message}"
            for gate in judgement.gates
            if gate.result == "error" and gate.role == "require"
        ),
        *unmeasured_suites(judgement.data),
        *(f"alarm: {alarm.suite}: {alarm.message}" for alarm in judgement.alarms),
        *(
            f"{miss.suite}: {miss.message}"
            for miss in judgement.critical
            if not miss.confirmed and (miss.misses == 0 or miss.trials < CONFIRMING_TRIALS)
        ),
    ]
    return replace(judgement, verdict=screen_verdict(judgement.verdict, judgement.gates, known))
