"""A candidate is held to what it answered before: a deterministic one to its answers, others to scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from relgate.domain.case import CaseKey
from relgate.domain.digest import canonical_json
from relgate.domain.metric import RESPONSE_METRICS
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Response, Score, Side
from relgate.domain.run import MeasurementRow, SuiteRecord
from relgate.store import Registry
from relgate.usecases.preparing.answered_worse import answered_worse
from relgate.usecases.preparing.case_records import as_scored_then
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.stored_baseline import is_silent
from relgate.usecases.redacting import CountingRedactor

_NAMED = 3
_BASELINE_RUNS = 3
"""The newest whole runs that asked a case, whose answers a baseline is held to."""
_LOOKED_AT = 10
"""Runs that tell anything new, among which they are looked for."""

_STEP = (
    "find what makes it answer otherwise; an application that may do so is not declared `deterministic: true`"
)
_BASELINE_STEP = (
    "find what made {label} answer otherwise and mend it, then run again: the hold ends once its newest "
    f"{_BASELINE_RUNS} runs agree; an application that may do so is not declared `deterministic: true`"
)
_MEASURED = ("response", "application")

_Draw = tuple[CaseKey, int, str, float | None]
"""A call by its case, trial, hop and milliseconds: no two calls take the same time, but copies of one do.

An application that tells the same time of every call says nothing by it.
"""


def with_contradiction(
    prepared: Prepared,
    registry: Registry,
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redactor: CountingRedactor,
) -> Prepared:
    """The run with a hold where a deterministic release answered the same question otherwise before.

    Its earlier runs are not pooled, because it would answer the same again; where it does not, they would
    have to be. Another candidate, which is pooled with them, is compared with what it scored when it was
    promoted: a part of the cases, a screen or a run beside another baseline judges nothing of that, and must
    still speak against a promote that it contradicts. A deterministic baseline is held to its newest runs:
    who draws anew what it must not fall short of has another measure.

    Args:
        prepared: the run.
        registry: where earlier runs are.
        measured: what this run measured.
        redactor: stored texts are redacted, so the new ones are before they are compared.
    """
    candidate, baseline = prepared.candidate, prepared.baseline
    if candidate.application.kind != "recording" and not candidate.deterministic:
        prepared = replace(prepared, contradicted=answered_worse(prepared, registry, measured))
    elif _is_held(candidate):
        runs: list[tuple[str, Side]] = [
            (run, "candidate") for run in registry.candidate_runs(candidate.digest)
        ]
        if reason := _contradiction(prepared, registry, runs, measured, redactor, candidate, "candidate"):
            holds = (*prepared.holds, (reason, _STEP))
            prepared = replace(prepared, holds=holds, contradicted=(reason,), judged_key="")
    if (
        baseline is not None
        and baseline.digest != candidate.digest
        and _is_held(baseline)
        and not prepared.screen
    ):
        asked = _asked_live(prepared, registry, baseline)
        if reason := _contradiction(
            prepared, registry, asked, measured, redactor, baseline, "baseline", at_most=_BASELINE_RUNS
        ):
            step = _BASELINE_STEP.format(label=baseline.label)
            prepared = replace(prepared, holds=(*prepared.holds, (reason, step)), judged_key="")
    return prepared


def _asked_live(prepared: Prepared, registry: Registry, baseline: Release) -> Iterator[tuple[str, Side]]:
    """The whole runs that asked a baseline, newest first, without the one that is taken and its copies."""
    stored = prepared.stored_baseline
    for run, side in registry.stored_runs(baseline.digest):
        card = registry.scorecard(run)
        copied = side == "baseline" and card.get("stored_baseline") is not None
        if not copied and card["calls"]["made"] and (stored is None or run != stored.run.run_id):
            yield run, side


def _is_held(release: Release) -> bool:
    return release.deterministic and release.application.kind != "recording"


def _contradiction(
    prepared: Prepared,
    registry: Registry,
    runs: Iterable[tuple[str, Side]],
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redactor: CountingRedactor,
    release: Release,
    side: Side,
    *,
    at_most: int | None = None,
) -> str:
    """That a release answered otherwise in one of these runs, on the side that it was on, or within this one;
    "" else.

    ``at_most`` so many of them count for each case: the newest that asked it.
    """
    if found := list(islice(_unsteady(prepared, measured, redactor, side), _NAMED)):
        return (
            f"{release.label} is declared deterministic, and answered otherwise from one trial to the next: "
            f"{', '.join(dict.fromkeys(found))}"
        )
    heard: Counter[CaseKey] = Counter()
    drawn: set[_Draw] = set()
    looked_at = 0
    for run_id, then in runs:
        if at_most is not None and looked_at >= _LOOKED_AT:
            break
        told = heard.total()
        enough = {key for key, count in heard.items() if at_most is not None and count >= at_most}
        before = registry.suites(run_id) if prepared.sealed else []
        rows = [row for row in registry.measurements(run_id) if row.side == then]
        if is_silent(rows):
            continue
        timed = len({row.latency_ms for row in rows}) > 1
        rows = [row for row in rows if (row.suite, row.case_id) not in enough]
        said = _otherwise(prepared, rows, before, measured, redactor, side, heard, drawn if timed else set())
        if found := list(islice(said, _NAMED)):
            return (
                f"{release.label} is declared deterministic, and answered otherwise in run {run_id}: "
                f"{', '.join(dict.fromkeys(found))}"
            )
        looked_at += heard.total() > told
    return ""


def _otherwise(
    prepared: Prepared,
    rows: Iterable[MeasurementRow],
    before: Sequence[SuiteRecord],
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redactor: CountingRedactor,
    side: Side,
    heard: Counter[CaseKey],
    drawn: set[_Draw],
) -> Iterator[str]:
    """The cases of a run that asked the same and were answered otherwise; sealed ones are not named.

    Every case that asked the same is counted in ``heard``; not where its answer is a copy of one that was
    ``drawn`` by another run.
    """
    asked = {(p.suite.name, case.id): case for p in prepared.plans for case in p.suite.all_cases}
    unchanged: set[CaseKey] = set()
    if prepared.sealed:
        now_as_then = as_scored_then(prepared.records, prepared.suites, before)
        unchanged = {key for key, _ in _versions(before).items() & _versions(now_as_then).items()}
    anew = _of_the_day(prepared)
    said: set[CaseKey] = set()
    compared: set[CaseKey] = set()
    for row in rows:
        key = (row.suite, row.case_id)
        if key in said or key not in asked or row.outcome not in _MEASURED:
            continue
        now = [
            m
            for m in measured.get(key, ())
            if m.side == side
            and (m.hop or "") == row.hop
            and (side == "baseline" or not m.stored)
            and _is_measured(m)
        ]
        same = key in unchanged if key in prepared.sealed else redactor.text(asked[key].text) == row.input
        if not (same and now):
            continue
        draw = (key, row.trial, row.hop, row.latency_ms)
        if key not in compared:
            compared.add(key)
            heard[key] += row.latency_ms is None or draw not in drawn
        drawn.add(draw)
        if key in prepared.sealed:
            differs = any(_differ(_without(row.scores, anew), _scores(m)) for m in now)
        else:
            differs = any(_told(row) != _told_now(m, redactor) for m in now)
        if differs:
            said.add(key)
            yield "sealed cases" if key in prepared.sealed else row.case_id


def _unsteady(
    prepared: Prepared,
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redactor: CountingRedactor,
    side: Side,
) -> Iterator[str]:
    """The cases that this run asked more than once and that were answered otherwise; sealed ones unnamed."""
    anew = _of_the_day(prepared)
    for plan in prepared.plans:
        for case in plan.suite.all_cases:
            key = (plan.suite.name, case.id)
            sealed = key in prepared.sealed
            first: dict[str | None, object] = {}
            for m in measured.get(key, ()):
                if m.side != side or m.stored or not _is_measured(m):
                    continue
                said = _without(_scores(m), anew) if sealed else _told_now(m, redactor)
                if first.setdefault(m.hop, said) != said:
                    yield "sealed cases" if sealed else case.id
                    break


def _of_the_day(prepared: Prepared) -> frozenset[str]:
    """Metrics that belong to the machine and the day, or to a model that judged."""
    unbounded = {m.name for m in RESPONSE_METRICS if not m.bounded}
    return frozenset(unbounded).union(
        scorer.metric.name for plan in prepared.plans for scorer in plan.scorers["candidate"] if scorer.asked
    )


def _differ(then: Mapping[str, float | None], now: Mapping[str, float | None]) -> bool:
    """Whether any metric that both have differs: a scorer may have come or gone."""
    return any(then[name] != now[name] for name in then.keys() & now.keys())


def _versions(suites: Sequence[SuiteRecord]) -> dict[CaseKey, str]:
    return {(suite.suite, case.id): case.digest for suite in suites for case in suite.cases}


def _is_measured(m: Measurement) -> bool:
    return isinstance(m.outcome, Response) or m.outcome.kind == "application"


def _told(row: MeasurementRow) -> bytes:
    """What was answered; of two failures of the application none is another one."""
    if row.outcome != "response":
        return b""
    return canonical_json([row.output, [dict(call) for call in row.tool_calls], list(row.retrieved)])


def _told_now(m: Measurement, redactor: CountingRedactor) -> bytes:
    if not isinstance(m.outcome, Response):
        return b""
    calls = [redactor.value({"name": c.name, "arguments": dict(c.arguments)}) for c in m.outcome.tool_calls]
    texts = [redactor.text(found) for found in m.outcome.retrieved]
    return canonical_json([redactor.text(m.outcome.output), calls, texts])


def _scores(m: Measurement) -> dict[str, float | None]:
    return {s.metric: s.value if isinstance(s, Score) else None for s in m.scores}


def _without(scores: Mapping[str, float | None], names: Collection[str]) -> dict[str, float | None]:
    """The scores but for these."""
    return {name: value for name, value in scores.items() if name not in names}
