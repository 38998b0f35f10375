"""The zero-tolerance gate over a suite's regression cases: an old incident may not come back."""

from __future__ import annotations

from relgate.decision.measurements import SuiteData
from relgate.decision.outcomes import case_hits
from relgate.domain.gate import GateResult

REGRESSION_GATE = "regressions:zero"


def regression_gate_id(suite: str) -> str:
    """``gates::<suite>[regressions:zero]``."""
    return f"gates::{suite}[{REGRESSION_GATE}]"


def judge_regressions(data: SuiteData) -> GateResult | None:
    """Every regression case must be a hit; None where the suite has none.

    Regression cases enter no floor and no paired gate: they were picked because production failed.
    """
    cases = data.suite.regressions
    if not cases:
        return None
    hits = {case.id: case_hits(data, case, "candidate") for case in cases}
    missed = [name for name, hit in hits.items() if hit is False]
    unmeasured = [name for name, hit in hits.items() if hit is None]
    n = len(cases) - len(unmeasured)
    if missed:
        named = ", ".join(missed[:5]) + (" ..." if len(missed) > 5 else "")
        message = f"{len(missed)} of {n} regression cases came back: {named}"
    elif unmeasured:
        message = f"{len(unmeasured)} of {len(cases)} regression cases were not measured"
    else:
        message = f"none of {n} regression cases came back"
    return GateResult(
        id=regression_gate_id(data.suite.name),
        suite=data.suite.name,
        metric="regression",
        role="require",
        form="violations",
        result="fail" if missed else "hold" if unmeasured else "pass",
        message=message,
        estimate=len(missed) / n if n else None,
        boundary=0.0,
        p_fail=0.0 if missed else None,
        n=n,
        units=n,
        method="zero tolerance",
    )
