"""Earlier whole runs of the same candidate against the same baseline, to be pooled with this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from relgate.decision.pairing import pair_cases
from relgate.decision.pooling import is_top_up, pooled
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement
from relgate.domain.run import AttemptKey, SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.stored_baseline import measurement_of, stored_of


@dataclass(frozen=True, slots=True)
class PooledRuns:
    """What earlier runs measured.

    Attributes:
        runs: their ids, newest first.
        rows: per case the calls of each of these runs that asked the same version of it.
    """

    runs: tuple[str, ...] = ()
    rows: Mapping[CaseKey, tuple[tuple[Measurement, ...], ...]] = field(default_factory=dict)

    def join(
        self, plans: Sequence[SuitePlan], measured: Mapping[CaseKey, tuple[Measurement, ...]]
    ) -> dict[CaseKey, tuple[Measurement, ...]]:
        """This run's calls with those of the earlier ones."""
        metrics = {plan.suite.name: plan.metrics for plan in plans}
        return {key: pooled(rows, self.rows.get(key, ()), metrics[key[0]]) for key, rows in measured.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Which runs are pooled; none where there is nothing to."""
        if not self.rows:
            return ()
        named = ", ".join(self.runs)
        return (
            f"pooled with {named}: what the same candidate answered on {len(self.rows)} cases before counts",
        )


def continued_key(
    registry: Registry, key: AttemptKey, release_digest: str, records: Iterable[SuiteRecord]
) -> tuple[AttemptKey, tuple[str, ...]]:
    """The key that attempts are counted under, and the earlier runs of this candidate under it.

    A golden set that only grew is the same set, continued: adding one case gives no fresh alpha to a
    candidate that was judged on the others.
    """
    now = tuple(records)
    chosen: AttemptKey | None = None
    runs: list[str] = []
    for golden_digest, run_id in registry.judged_runs(key.line, key.baseline_digest, release_digest):
        same = golden_digest == (chosen or key).golden_digest
        if same or (chosen is None and is_top_up(registry.suites(run_id), now)):
            chosen = AttemptKey(key.line, key.baseline_digest, golden_digest)
            runs.append(run_id)
    return chosen or key, tuple(runs)


def find_pooled(
    registry: Registry, runs: Sequence[str], plans: Sequence[SuitePlan], records: tuple[SuiteRecord, ...]
) -> PooledRuns:
    """What these runs measured of cases that are still the same."""
    by_suite = {plan.suite.name: plan for plan in plans}
    rows: dict[CaseKey, list[tuple[Measurement, ...]]] = {}
    used = []
    for run_id in runs:
        sides = {side: stored_of(registry, run_id, side) for side in ("candidate", "baseline")}
        held = sides["candidate"].calls.keys() & sides["baseline"].calls.keys()
        same = pair_cases(sides["candidate"].suites, records, held).paired
        for key in same:
            if key[0] in by_suite:
                calls = [row for stored in sides.values() for row in stored.calls[key]]
                found = tuple(measurement_of(row, by_suite[key[0]], run_id, side=row.side) for row in calls)
                rows.setdefault(key, []).append(found)
        used += [run_id] if same else []
    return PooledRuns(tuple(used), {key: tuple(found) for key, found in rows.items()})
