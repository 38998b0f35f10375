"""What the reader of a scorecard must know beside its numbers: causes of failures, what is unprotected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from relgate.decision.evidence import LOW_CLUSTERS
from relgate.decision.measurements import SuiteData
from relgate.decision.sample import CLUSTER
from relgate.domain.case import CaseKey
from relgate.domain.response import Measurement, Response, ScorerFailure, Side
from relgate.late import np
from relgate.redaction import cut
from relgate.usecases.judging.failed_calls import Part, failed_calls
from relgate.usecases.judging.judge_run import Judgement
from relgate.usecases.measuring.long_suites.long_suite import LongSuite
from relgate.usecases.measuring.measured_cases import parts_of
from relgate.usecases.preparing.prepare import Prepared

LONGEST_NOTE = 300

Measured = Mapping[CaseKey, Sequence[Measurement]]


def run_notes(
    prepared: Prepared, judgement: Judgement, measured: Measured, redact: Callable[[str], str]
) -> list[str]:
    """Every note of a run; what is said of sealed cases is left out."""
    notes = [*prepared.notes]
    parts = [*_open_parts(measured, prepared.sealed)]
    notes += _application_failures(parts, redact)
    notes += _beside(prepared, judgement)
    notes += _weakly_founded(judgement)
    if prepared.left_out:
        notes.append(f"left out by --suite: {', '.join(prepared.left_out)}")
    if judgement.unprotected:
        shown = ", ".join(judgement.unprotected[:12]) + (" ..." if len(judgement.unprotected) > 12 else "")
        notes.append(f"unprotected (too small to watch): {shown}")
    away = Counter(
        row.outcome.message
        for rows in parts
        if not isinstance(rows, LongSuite)  # what is recorded was never away
        for row in rows
        if not isinstance(row.outcome, Response) and row.outcome.kind == "outage"
    )
    notes += [
        f"not measured, {times(count, 'call')}: {_brief(redact(message))}"
        for message, count in away.most_common(3)
    ]
    failed: dict[str, tuple[int, str]] = {}
    for metric, times_failed, message in _scorer_failures(parts):
        before, first = failed.get(metric, (0, message))
        failed[metric] = before + times_failed, first
    notes += [
        f"the scorer of {metric} failed {times(count, 'time')}, such as: {_brief(redact(message))}"
        for metric, (count, message) in sorted(failed.items())
    ]
    return notes


def _beside(prepared: Prepared, judgement: Judgement) -> Iterator[str]:
    """Of which few cases a metric with a required gate says nothing: likelier a slip than meant."""
    sealed = {case for _, case in prepared.sealed}
    for data in judgement.data:
        required = {
            gate.metric
            for gate in data.suite.gates
            if gate.role == "require" and not gate.only and data.suite.kind != "safety"
        }
        for metric in sorted(required):
            beside, first = _not_applicable(data, metric, sealed)
            total = len(data.suite.cases)
            if 0 < 2 * beside < total:
                yield (
                    f"{data.suite.name}: {metric} says nothing of {beside} of {times(total, 'case')}, "
                    f"such as {first}: they count in no gate on it"
                )


def _weakly_founded(judgement: Judgement) -> Iterator[str]:
    """Gates that pass on few clusters, or although a scorer failed: the table shows neither."""
    passed = [gate for gate in judgement.gates if gate.result == "pass" and gate.role != "report"]
    few = {
        gate.suite: gate.units
        for gate in passed
        if gate.unit_noun == CLUSTER and gate.units < min(gate.n, LOW_CLUSTERS)
    }
    for suite, units in sorted(few.items()):
        yield (
            f"{suite}: only {times(units, 'cluster')} (fewer than {LOW_CLUSTERS}): its gates may pass more "
            "often than their level says"
        )
    for gate in passed:
        if gate.missing:
            yield f"{gate.id.removeprefix('gates::')} passes all the same: {gate.message}"


def _not_applicable(data: SuiteData, metric: str, sealed: Collection[str]) -> tuple[int, str]:
    """How many cases no scorer of a metric applies to, and the first of them."""
    if data.columns is not None:
        numbers = np.flatnonzero(data.columns.not_applicable(metric))
        return numbers.size, data.columns.cases.numbered(numbers[:1]).ids[0] if numbers.size else ""
    beside = data.not_applicable.get(metric, frozenset())
    ids = [case.id for case in data.suite.cases if case.id in beside and case.id not in sealed]
    return len(ids), ids[0] if ids else ""


def _open_parts(measured: Measured, sealed: Collection[CaseKey]) -> Iterator[Part]:
    """What was measured of cases that are not sealed; no long suite has any that is."""
    if not sealed:
        yield from parts_of(measured)
        return
    yield from (rows for key, rows in measured.items() if key not in sealed)


def _scorer_failures(parts: Iterable[Part]) -> Iterator[tuple[str, int, str]]:
    """Metric of a scorer that failed, how often, and why the first time."""
    for part in parts:
        if isinstance(part, LongSuite):
            yield from ((metric, *found) for metric, found in part.scorer_failures().items())
            continue
        for row in part:
            yield from ((s.metric, 1, s.message) for s in row.scores if isinstance(s, ScorerFailure))


def _application_failures(parts: Sequence[Part], redact: Callable[[str], str]) -> Iterator[str]:
    """In how many cases the application of either side failed, with its most frequent failure."""
    sides: tuple[Side, Side] = ("candidate", "baseline")
    for side in sides:
        found = failed_calls(parts, side)
        if found.messages:
            yield f"{found.words(side)}, such as: {_brief(redact(found.messages.most_common(1)[0][0]))}"


def times(count: int, noun: str) -> str:
    """``1 call``, ``3 calls``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _brief(message: str) -> str:
    return cut(" ".join(message.split()), LONGEST_NOTE)
