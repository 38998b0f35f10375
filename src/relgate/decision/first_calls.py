"""One call per case for an absolute quantile: the first trial of the candidate, a failed one as +inf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf

from relgate.domain.case import Suite
from relgate.domain.response import Failure, Measurement, Score


def limited_metrics(suite: Suite) -> Sequence[str]:
    """The metrics whose quantiles have an absolute limit."""
    found = [g.metric for g in suite.gates if g.limits_a_quantile]
    return tuple(dict.fromkeys(found))


class FirstCalls:
    """Collects the first call of each case for the metrics of one suite that need it.

    The trials of a case are no independent calls, and the largest or the mean of them has another
    quantile than a call has; so each case gives one, its first. A call that ended in the release's own
    failure never answered: +inf, however fast it failed (statistics.md 13).
    """

    def __init__(self, suite: Suite) -> None:
        self._metrics = limited_metrics(suite)
        self._seen: dict[tuple[str, str], dict[str, tuple[int, float | None]]] = defaultdict(dict)

    def add(self, row: Measurement) -> None:
        """Note a measured call of the suite; the candidate's alone are judged against a limit."""
        if row.side != "candidate":
            return
        for metric in self._metrics:
            value: float | None = inf
            if not isinstance(row.outcome, Failure):
                scores = (s.value for s in row.scores if isinstance(s, Score) and s.metric == metric)
                value = next(scores, None)
            first = self._seen[metric, row.hop or ""]
            if row.case_id not in first or row.trial < first[row.case_id][0]:
                first[row.case_id] = (row.trial, value)

    def values(self) -> Mapping[tuple[str, str], Mapping[str, float]]:
        """By metric and hop: the value of each case's first call, without those that have none."""
        return {
            key: {case: value for case, (_, value) in cases.items() if value is not None}
            for key, cases in self._seen.items()
        }
