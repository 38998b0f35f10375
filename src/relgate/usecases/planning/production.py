"""What stored runs say about production: accuracy, flip rate, violations and latency per suite and hop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from relgate.decision.sealing import HIDDEN
from relgate.decision.simulation.suite import SimulatedSuite
from relgate.decision.simulation.world import CellKey, Level, Observed, Spread, World
from relgate.decision.trials import PILOT_CASES
from relgate.domain.case import CaseKey
from relgate.domain.response import Side
from relgate.domain.run import MeasurementRow, ReleaseRow
from relgate.store.attempts import PRODUCTION
from relgate.store.registry import Registry
from relgate.store.rows import ReleaseName, RunRow
from relgate.usecases.planning.spreads import LEAST_CASES, Spreads

RUNS = 5
"""The newest whole runs that are looked at."""


@dataclass(frozen=True, slots=True)
class Production:
    """What stored runs say.

    Attributes:
        runs: ids of the runs, newest first.
        levels: production's accuracy and flip rate; a flip rate that was not measured is the assumed one.
        pairs: cases whose repeated trials give the flip rate, per cell; absent where it is assumed.
        violations: calls and violations of production per suite, on cases that allow none.
        spreads: how latency, cost and counts vary, per suite and metric.
        trials: per suite and case whether each stored call was a hit, over runs, sides and trials.
        disagree: cases whose trials in one run disagree on one side.
        seen: ids of the runs that measured each case.
    """

    runs: tuple[str, ...] = ()
    levels: Mapping[CellKey, Level] = field(default_factory=dict)
    pairs: Mapping[CellKey, int] = field(default_factory=dict)
    violations: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    spreads: Mapping[tuple[str, str], Spread | Observed] = field(default_factory=dict)
    trials: Mapping[CaseKey, tuple[bool, ...]] = field(default_factory=dict)
    disagree: frozenset[CaseKey] = frozenset()
    seen: Mapping[CaseKey, frozenset[str]] = field(default_factory=dict)

    def world(self, assumed: World) -> World:
        """The assumed world with everything that is known put in its place."""
        calls = sum(c for c, _ in self.violations.values())
        hits = sum(h for _, h in self.violations.values())
        return replace(
            assumed,
            levels={**assumed.levels, **self.levels},
            violation_rate=hits / calls if calls else assumed.violation_rate,
            spreads=self.spreads,
        )


def read_production(
    registry: Registry, suites: Sequence[SimulatedSuite], assumed: World, line: str = ""
) -> Production:
    """Read the newest whole runs of these suites.

    Production is the release that holds it, on whichever side of a run; where none of these runs measured
    it, or nobody holds production, it is the baseline of a run, else its candidate.

    Flip rates come from production's repeated trials, or where these are too few from those of both
    sides; and from pairs of both sides where they are the same release and did not answer byte for byte
    alike. Where these runs tell none, as after a promotion, those of the line before them do.

    Args:
        registry: where runs are stored.
        suites: what would be simulated.
        assumed: gives the flip rate where no trial was repeated.
        line: the release's name; "" takes the runs of all.
    """
    holder = registry.alias(PRODUCTION, line) if line else None
    whole = [run for run in registry.runs(release=line or None) if not run.partial]
    measured = [run for run in whole if _side_of(run, holder) is not None]
    runs = (measured or whole)[:RUNS]
    scores: dict[CellKey, list[float]] = defaultdict(list)
    flips: dict[bool, dict[CellKey, list[float]]] = {own: defaultdict(list) for own in (True, False)}
    harmful: dict[str, list[float]] = defaultdict(list)
    spreads = Spreads()
    hits: dict[CaseKey, list[bool]] = defaultdict(list)
    seen: dict[CaseKey, set[str]] = defaultdict(set)
    disagree: set[CaseKey] = set()
    by_name = {each.suite.name: each for each in suites}
    for run in runs:
        rows = [r for r in registry.measurements(run.id) if r.suite in by_name and not r.confirmation]
        production = _side_of(run, holder) or ("candidate" if run.baseline is None else "baseline")
        same = run.baseline is not None and run.baseline.digest == run.release.digest and not _copied(rows)
        spreads.add(rows, production, {name: each.metrics for name, each in by_name.items()})
        groups: dict[tuple[str, CellKey, str], list[float]] = defaultdict(list)
        case_hits: dict[tuple[str, CaseKey], list[bool]] = defaultdict(list)
        for row in rows:
            each = by_name[row.suite]
            good = _good(each, row)
            for metric, value in good.items():
                groups["both" if same else row.side, (row.suite, metric, row.hop), row.case_id].append(value)
                if row.side == production:
                    scores[row.suite, metric, row.hop].append(value)
            if row.side == production:
                harmful[row.suite] += [1.0 - good["violation"]] if "violation" in good else []
            if good and row.case_outcome != HIDDEN:
                hit = all(value > 0.5 for value in good.values())
                case_hits[f"{row.side} {row.hop}", (row.suite, row.case_id)].append(hit)
                seen[row.suite, row.case_id].add(run.id)
        for (side, cell, _), values in groups.items():
            if len(values) > 1:
                flips[side in ("both", production)][cell].append(_disagreement(values))
        for (_, case), found in case_hits.items():
            hits[case] += found
            if len(set(found)) > 1:
                disagree.add(case)
    levels, pairs = {}, {}
    earlier: Mapping[CellKey, list[float]] | None = None
    for cell, values in scores.items():
        if cell[1] == "violation":
            continue
        psi, flipped = assumed.psi, flips[True][cell]
        if len(flipped) < PILOT_CASES:
            flipped = flipped + flips[False][cell]
        if len(flipped) < LEAST_CASES:
            earlier = _earlier_flips(registry, whole, runs, by_name) if earlier is None else earlier
            flipped = flipped + earlier.get(cell, [])
        if len(flipped) >= LEAST_CASES:
            psi, pairs[cell] = float(np.mean(flipped)), len(flipped)
        levels[cell] = Level(float(np.mean(values)), psi)
    return Production(
        runs=tuple(run.id for run in runs),
        levels=levels,
        pairs=pairs,
        violations={suite: (len(v), int(sum(v))) for suite, v in harmful.items() if v},
        spreads=spreads.spreads(),
        trials={case: tuple(found) for case, found in hits.items()},
        disagree=frozenset(disagree),
        seen={case: frozenset(ids) for case, ids in seen.items()},
    )


def _earlier_flips(
    registry: Registry,
    whole: Sequence[RunRow],
    runs: Sequence[RunRow],
    by_name: Mapping[str, SimulatedSuite],
) -> Mapping[CellKey, list[float]]:
    """How often the repeated trials of a case differed in the newest whole runs that are not among these."""
    known = {run.id for run in runs}
    found: dict[CellKey, list[float]] = defaultdict(list)
    for run in [run for run in whole if run.id not in known][:RUNS]:
        groups: dict[tuple[Side, CellKey, str], list[float]] = defaultdict(list)
        for row in registry.measurements(run.id):
            if row.suite in by_name and not row.confirmation:
                for metric, value in _good(by_name[row.suite], row).items():
                    groups[row.side, (row.suite, metric, row.hop), row.case_id].append(value)
        for (_, cell, _), values in groups.items():
            if len(values) > 1:
                found[cell].append(_disagreement(values))
    return found


def _side_of(run: RunRow, holder: ReleaseRow | None) -> Side | None:
    """The side of a run that the release in production was on, None where it was on none."""
    if holder is None:
        return None
    if run.baseline is not None and _is(run.baseline, holder):
        return "baseline"
    return "candidate" if _is(run.release, holder) else None


def _is(release: ReleaseName, holder: ReleaseRow) -> bool:
    """Whether a release is that one; a recording's digest grows with the golden set."""
    return release.digest == holder.digest or release.label == holder.label


def _good(each: SimulatedSuite, row: MeasurementRow) -> dict[str, float]:
    """The scores of a call by metric, 1 for the best there is."""
    found = {}
    for name, metric in each.metrics.items():
        value = row.scores.get(name)
        if metric.bounded and value is not None:
            found[name] = value if metric.higher_is_better else 1.0 - value
    return found


def _disagreement(values: Sequence[float]) -> float:
    """The mean squared difference of two trials: for pass and fail, how often two of them differ."""
    x = np.array(values)
    return float(2.0 * x.var(ddof=1))


def _copied(rows: Iterable[MeasurementRow]) -> bool:
    """Whether both sides answered byte for byte alike, as two copies of a recording do."""
    sides: dict[str, dict[tuple[str, str, int, str], str]] = {"candidate": {}, "baseline": {}}
    for row in rows:
        sides[row.side][row.suite, row.case_id, row.trial, row.hop] = row.output
    return sides["candidate"] == sides["baseline"]
