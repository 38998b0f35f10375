"""A baseline that is not called: the scores that a stored run measured (verdict.md 7, design 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from relgate.applications.recording import Rows
from relgate.decision.pairing import Pairing, pair_cases
from relgate.domain.case import CaseKey, Suite
from relgate.domain.errors import InputError, Place, Problem, Refusal
from relgate.domain.release import ApplicationKind, ApplicationSpec, Artifact, Release, Route, Target
from relgate.domain.response import (
    Failure,
    Measurement,
    Outcome,
    Response,
    Score,
    ScorerFailure,
    Side,
    ToolCall,
)
from relgate.domain.run import MeasurementRow, ReleaseRow, SuiteRecord
from relgate.files.yamldoc import parse_yaml
from relgate.store import Registry
from relgate.usecases.preparing.plan_suite import SuitePlan

PREFIX = "run:"
"""What begins the name of a stored baseline: ``run:20261120-101500-a1b2c3``."""


NEWEST, PREFERRED_TRIALS = 3, 3
"""Stored runs that a screen looks at, and the trials that it would rather have."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What a run measured of its candidate.

    Attributes:
        run_id: the run.
        finished: when it ended, as the registry writes it.
        suites: the suites as they were.
        calls: every call of a case that was measured whole, without confirming trials.
        callable: whether the release can also be asked live.
    """

    run_id: str
    finished: str
    suites: tuple[SuiteRecord, ...]
    calls: Mapping[CaseKey, tuple[MeasurementRow, ...]]
    callable: bool

    @property
    def silent(self) -> bool:
        """Whether the release's application failed in every call, so that nothing is known of its answers."""
        return is_silent(row for rows in self.calls.values() for row in rows)

    @property
    def rows(self) -> Rows:
        """The answers as a recording would hold them."""
        return {(row.case_id, row.trial): _outcome(row) for rows in self.calls.values() for row in rows}


@dataclass(frozen=True, slots=True)
class StoredSide:
    """The baseline's side of a run that is taken from a stored one.

    Attributes:
        run: the stored run.
        pairing: which of this run's cases it answers.
        measurements: its calls by case, for those cases.
        probes: cases of which the baseline is asked once more for the fingerprint.
        stale: why it decides no promote; none where it may.
        fingerprint: what asking it again said, "" where nobody was asked.
    """

    run: StoredRun
    pairing: Pairing
    measurements: Mapping[CaseKey, tuple[Measurement, ...]]
    probes: frozenset[CaseKey] = frozenset()
    stale: tuple[str, ...] = ()
    fingerprint: str = ""

    def is_called(self, key: CaseKey) -> bool:
        """Whether the baseline is asked for this case: it has no stored score and can be asked."""
        return self.run.callable and key not in self.measurements

    def unpaired(self, suite: Suite) -> frozenset[str]:
        """Cases without a stored score whose baseline cannot be asked: no gate may pair them."""
        if self.run.callable:
            return frozenset()
        return frozenset(
            case.id for case in suite.all_cases if (suite.name, case.id) not in self.measurements
        )


def is_stored(name: str) -> bool:
    """Whether a baseline is named as a stored run."""
    return name.startswith(PREFIX)


def find_stored(
    name: str, place: Place, registry: Registry, read: Callable[[ReleaseRow], Release]
) -> tuple[Release, StoredRun]:
    """The release that a stored run judged, with what was measured.

    Args:
        name: ``run:`` and the run's id, or its beginning.
        place: where it is named.
        registry: holds the run.
        read: resolves the recorded release from its manifest; raises InputError where it no longer can.

    Raises:
        InputError: no such run, a partial one, or one without measurements.
    """
    try:
        run = registry.run(name.removeprefix(PREFIX))
    except Refusal as error:
        near = error.remedy.endswith("?")
        remedy = error.remedy if near else "`relgate history` lists them"
        raise InputError([Problem(place, error.what, remedy=remedy)]) from None
    suites = tuple(registry.suites(run.id))
    if run.partial or not suites:
        what = "the run is a partial one" if run.partial else "the run holds no suites to compare with"
        remedy = "name a whole run, or a release to run it live"
        raise InputError([Problem(place, what, repr(name), remedy)])
    row = registry.release(run.release.name, run.release.version, run.release.digest)
    assert row is not None
    try:
        release, callable_ = read(row), True
    except InputError:
        release, callable_ = from_row(row), False
    return release, stored_of(registry, run.id, "candidate", callable_)


def newest_stored(registry: Registry, release: Release) -> StoredRun | None:
    """The newest whole run that measured a release, one of three trials before others; for screens."""
    found: StoredRun | None = None
    for run_id, side in registry.stored_runs(release.digest)[:NEWEST]:
        run = stored_of(registry, run_id, side, True)
        if any(len(rows) >= PREFERRED_TRIALS for rows in run.calls.values()):
            return run
        found = found or (run if run.calls else None)
    return found


def stored_of(
    registry: Registry, run_id: str, side: Side, callable_: bool = False, *, confirming: bool = False
) -> StoredRun:
    """What a run measured of the release on one of its sides, confirming trials where they are asked for."""
    rows = (row for row in registry.measurements(run_id) if row.side == side)
    calls = _whole(row for row in rows if confirming or not row.confirmation)
    finished = registry.run(run_id).finished
    return StoredRun(run_id, finished, tuple(registry.suites(run_id)), calls, callable_)


def is_silent(rows: Iterable[MeasurementRow]) -> bool:
    """Whether all of some calls failed in the release's own application; there is one at least."""
    outcomes = {row.outcome for row in rows}
    return outcomes == {"application"}


def _whole(rows: Iterable[MeasurementRow]) -> dict[CaseKey, tuple[MeasurementRow, ...]]:
    """The calls by case; cases of which a call was not measured (an outage) are left out."""
    calls: dict[CaseKey, list[MeasurementRow]] = {}
    away: set[CaseKey] = set()
    for row in rows:
        key = (row.suite, row.case_id)
        calls.setdefault(key, []).append(row)
        if row.outcome not in ("response", "application"):
            away.add(key)
    return {key: tuple(found) for key, found in calls.items() if key not in away}


def from_row(row: ReleaseRow) -> Release:
    """The release as far as the registry knows it: enough to say what changed, not to call it."""
    document, _ = parse_yaml(row.manifest, row.manifest_path)
    value: dict[str, Any] = dict(document.value) if document is not None else {}
    code = next((a for a in row.artifacts if a.kind == "application_code" and not a.version), None)
    application = value.get("application")
    kind, named = next(iter(application.items())) if isinstance(application, dict) else ("recording", "")
    routes = value.get("routes")
    return Release(
        name=row.name,
        version=row.version,
        owner=row.owner,
        digest=row.digest,
        path=Path(row.manifest_path),
        application=ApplicationSpec(
            cast(ApplicationKind, kind), str(named), code_digest=code.digest if code is not None else ""
        ),
        artifacts=tuple(
            Artifact(a.kind, a.name, a.version, a.digest) for a in row.artifacts if a is not code
        ),
        routes={
            name: Route(name, tuple(Target.parse(str(target)) for target in route["chain"]))
            for name, route in (routes.items() if isinstance(routes, dict) else ())
        },
        deterministic=value.get("deterministic") is True,
        manifest_text=row.manifest,
    )


def stored_side(stored: StoredRun, plans: Collection[SuitePlan], now: tuple[SuiteRecord, ...]) -> StoredSide:
    """The stored run laid over this run's cases."""
    by_suite = {plan.suite.name: plan for plan in plans}
    held = {key for key, rows in stored.calls.items() if key[0] in by_suite and _hops(rows, by_suite[key[0]])}
    pairing = pair_cases(stored.suites, now, held)
    measurements = {
        key: tuple(measurement_of(row, by_suite[key[0]], stored.run_id) for row in rows)
        for key, rows in stored.calls.items()
        if key in pairing.paired
    }
    return StoredSide(stored, pairing, measurements)


def _hops(rows: Iterable[MeasurementRow], plan: SuitePlan) -> bool:
    """Whether the case was measured on every hop that this run measures."""
    return {row.hop for row in rows} >= set(plan.hops or ("",))


def measurement_of(
    row: MeasurementRow, plan: SuitePlan, run_id: str, *, side: Side = "baseline"
) -> Measurement:
    """A stored call as a measurement of this run, on the side that it stands for."""
    scores: list[Score | ScorerFailure] = []
    for name, value in row.scores.items():
        if value is None:
            scores.append(ScorerFailure(name, f"the scorer failed in run {run_id}"))
        elif name in plan.metrics:
            scores.append(Score(name, value, plan.metrics[name].kind))
    return Measurement(
        side=side,
        suite=row.suite,
        case_id=row.case_id,
        trial=row.trial,
        outcome=_outcome(row),
        scores=tuple(scores),
        hop=row.hop or None,
        confirmation=row.confirmation,
        stored=True,
    )


def _outcome(row: MeasurementRow) -> Outcome:
    if row.outcome != "response":
        return Failure("application", row.output, row.latency_ms)
    return Response(
        output=row.output,
        tool_calls=tuple(ToolCall(str(c["name"]), dict(c["arguments"])) for c in row.tool_calls),
        retrieved=row.retrieved,
        served_by=row.served_by or None,
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        latency_ms=row.latency_ms,
        model=row.model or None,
    )


def pairing_notes(side: StoredSide) -> tuple[str, ...]:
    """What the reader must know about a baseline that is not called."""
    pairing = side.pairing
    asked = "asked live" if side.run.callable else "left out of every comparison: it cannot be called"
    notes = [
        f"the baseline is the stored run {side.run.run_id} of {side.run.finished[:16]}Z: "
        f"{len(pairing.paired)} cases have stored scores"
    ]
    if pairing.changed:
        notes.append(f"{_cases(pairing.changed)} changed since, the baseline is {asked}")
    if pairing.lacking:
        notes.append(f"not in the stored run: {_cases(pairing.lacking)}; there the baseline is {asked}")
    return tuple(notes)


def measured_since(registry: Registry, baseline: Release, stored: StoredRun) -> tuple[str, ...]:
    """That a newer run measured the baseline too: who names an older one chooses what is compared with."""
    newest = next(iter(registry.stored_runs(baseline.digest)), None)
    if newest is None or newest[0] == stored.run_id:
        return ()
    return (f"run {newest[0]} measured the baseline since the stored run {stored.run_id}",)


def _cases(keys: Collection[CaseKey]) -> str:
    named = [case for _, case in keys][:3]
    more = " ..." if len(keys) > len(named) else ""
    return f"{len(keys)} case{'s' * (len(keys) != 1)} ({', '.join(named)}{more})"
