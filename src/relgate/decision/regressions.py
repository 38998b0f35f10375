"""The zero-tolerance gate over a suite's regression cases: an old incident may not come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from relgate.decision.measurements import SuiteData
from relgate.decision.outcomes import trial_outcome
from relgate.decision.policy import JUDGE_FAILURES_AT_MOST
from relgate.decision.wording import some, was
from relgate.domain.case import Case
from relgate.domain.gate import GateOutcome, GateResult

REGRESSION_GATE = "regressions:zero"


def regression_gate_id(suite: str) -> str:
    """``gates::<suite>[regressions:zero]``."""
    return f"gates::{suite}[{REGRESSION_GATE}]"


def judge_regressions(data: SuiteData) -> GateResult | None:
    """Every trial of every regression case must be a hit; None where the suite has none.

    Regression cases enter no floor and no paired gate: they were picked because production failed.
    """
    cases = data.suite.regressions
    if not cases:
        return None
    missed = [case for case in cases if _missed(data, case)]
    away = [case for case in cases if case not in missed and _away(data, case)]
    unjudged = [case for case in cases if case not in missed and case not in away and _unjudged(data, case)]
    n = len(cases) - len(away) - len(unjudged)
    result: GateOutcome = "pass"
    message = f"none of {n} regression cases came back"
    if missed:
        result = "fail"
        message = f"{len(missed)} of {n} regression cases came back: {_named(missed)}"
    elif len(unjudged) > JUDGE_FAILURES_AT_MOST * len(cases) or n == 0:
        result = "error"
        message = f"{len(away) + len(unjudged)} of {len(cases)} regression cases could not be judged"
    elif away or unjudged:
        result = "hold"
        open_ = len(away) + len(unjudged)
        message = f"{open_} of {len(cases)} regression cases {was(open_)} not measured"
    if not missed and (away or unjudged):
        message += f": {_named([*unjudged, *away])}"
    return replace(
        unjudged_regressions(data.suite.name, message),
        result=result,
        estimate=len(missed) / n if n else None,
        boundary=0.0,
        p_fail=0.0 if missed else None,
        n=n,
        units=n,
        method="zero tolerance",
    )


def unjudged_regressions(suite: str, message: str) -> GateResult:
    """The gate of a suite whose regression cases did not all run.

    Args:
        suite: its name.
        message: what is missing.
    """
    return GateResult(
        id=regression_gate_id(suite),
        suite=suite,
        metric="regression",
        role="require",
        form="violations",
        result="partial",
        message=message,
    )


def came_back(data: SuiteData) -> str | None:
    """Which regression cases of a suite that did not run whole came back, None where none did."""
    missed = [case for case in data.suite.regressions if _missed(data, case)]
    return (
        f"{regression_gate_id(data.suite.name).removeprefix('gates::')}: {_named(missed)} came back"
        if missed
        else None
    )


def _outcomes(data: SuiteData, case: Case) -> list[bool | None]:
    return [
        trial_outcome(trial, data.metrics)
        for hop in data.hop_keys
        for trial in data.trials.get((hop, case.id), ())
    ]


def _missed(data: SuiteData, case: Case) -> bool:
    return False in _outcomes(data, case)


def _away(data: SuiteData, case: Case) -> bool:
    return any(case.id in data.unmeasured.get(("candidate", hop), {}) for hop in data.hop_keys)


def _unjudged(data: SuiteData, case: Case) -> bool:
    outcomes = _outcomes(data, case)
    return None in outcomes or not outcomes


def _named(cases: Iterable[Case]) -> str:
    return some(case.id for case in cases)
