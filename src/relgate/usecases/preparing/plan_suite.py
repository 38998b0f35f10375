"""One suite made ready for a run: its scorers, metrics, gates and hops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from relgate.applications.recording import Rows
from relgate.decision.policy import Gate, spread_gates
from relgate.domain.case import Case, Suite
from relgate.domain.long_cases import LongCases
from relgate.domain.metric import Metric
from relgate.domain.release import Release
from relgate.domain.response import Response, Side
from relgate.domain.scorer import Scorer
from relgate.files.long.recording_file import RecordingFile
from relgate.usecases.preparing.check_suites import Judging

RECORDED_OR_NOT = ("latency_ms", "cost_usd")
"""What a filled-in policy judges only where a recording holds it."""


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """One suite made ready.

    Attributes:
        suite: the suite.
        metrics: every metric that it reports, by name.
        scorers: per side.
        regression_scorer: for regression cases that say what they expect.
        gates: spread over slices and hops.
        hops: targets measured one by one, empty outside fallback suites.
    """

    suite: Suite
    metrics: Mapping[str, Metric]
    scorers: Mapping[Side, tuple[Scorer, ...]]
    regression_scorer: Scorer
    gates: tuple[Gate, ...]
    hops: tuple[str, ...]

    def scorers_of(self, side: Side, case: Case) -> tuple[Scorer, ...]:
        """The scorers of one case: a regression case that says what it expects has its own assertion."""
        if case.regression and case.expected is not None:
            return (self.regression_scorer,)
        return self.scorers[side]


def traffic_key(suite: str, line_id: str) -> tuple[str, str]:
    """The key of a sampled input among the engine's tasks: no suite is called like this."""
    return f"{suite}::unchanged", line_id


_ASKED = ("golden", "safety", "fallback")


def in_order_of_calls(plans: Iterable[SuitePlan]) -> tuple[SuitePlan, ...]:
    """Golden suites first: where a run ends early for a reject, they say the most about what is wrong."""
    return tuple(sorted(plans, key=lambda plan: _ASKED.index(plan.suite.kind)))


def without_absent(suite: Suite, rows: Rows) -> Suite:
    """Leave latency and cost out of a filled-in policy where the baseline's recording holds none of them.

    Args:
        suite: the suite.
        rows: the baseline's recording, or the candidate's on a first release. Never the candidate's beside
            a baseline: what is judged cannot set its own bar.
    """
    if not suite.default_policy:
        return suite
    absent = _absent(suite, rows)
    return replace(suite, gates=tuple(gate for gate in suite.gates if gate.metric not in absent))


def _absent(suite: Suite, rows: Rows) -> set[str]:
    """What no recorded answer to a case of the suite tells."""
    if isinstance(suite.cases, LongCases) and isinstance(rows, RecordingFile):
        lines = rows.answers(suite.cases).lines
        told = {"latency_ms": rows.has_latency, "cost_usd": rows.has_cost}
        return {name for name in RECORDED_OR_NOT if not told[name][lines].any()}
    ids = {case.id for case in suite.cases}
    responses = [r for (case, _), r in rows.items() if case in ids and isinstance(r, Response)]
    return {name for name in RECORDED_OR_NOT if all(getattr(r, name) is None for r in responses)}


def hops_of(release: Release, suite: Suite) -> tuple[str, ...]:
    """The targets that a fallback suite measures one by one; empty for other suites."""
    if suite.kind != "fallback" or suite.route is None:
        return ()
    return tuple(str(target) for target in release.routes[suite.route].chain)


def plan_suite(suite: Suite, judging: Judging, candidate: Release, *, first: bool) -> SuitePlan:
    """Spread the gates over slices and hops.

    Args:
        suite: the suite.
        judging: what judges it, without problems.
        candidate: the release under test.
        first: whether there is no baseline.
    """
    hops = hops_of(candidate, suite)
    return SuitePlan(
        suite=suite,
        metrics=judging.metrics,
        scorers=judging.scorers,
        regression_scorer=judging.regression_scorer,
        gates=spread_gates(suite, judging.metrics, hops, has_baseline=not first),
        hops=hops,
    )
