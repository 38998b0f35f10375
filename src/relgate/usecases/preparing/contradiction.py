"""A candidate that is declared deterministic is held to what it answered before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from relgate.domain.case import CaseKey
from relgate.domain.response import Failure, Measurement
from relgate.domain.run import MeasurementRow
from relgate.store import Registry
from relgate.usecases.preparing.prepare import Prepared

_NAMED = 3
_STEP = (
    "find what makes it answer otherwise, or leave `deterministic: true` out of its manifest: then what it "
    "answered before counts as well"
)


def with_contradiction(
    prepared: Prepared,
    registry: Registry,
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redact: Callable[[str], str],
) -> Prepared:
    """The run with a hold where a deterministic candidate answered the same question otherwise before.

    Its earlier runs are not pooled, because it would answer the same again; where it does not, they would
    have to be.

    Args:
        prepared: the run.
        registry: where earlier runs are.
        measured: what this run measured.
        redact: what the registry does to a text; stored texts are redacted, so new ones are to be compared.
    """
    candidate = prepared.candidate
    if not candidate.deterministic or candidate.application.kind == "recording" or prepared.screen:
        return prepared
    for run_id in registry.candidate_runs(candidate.digest):
        differing = _otherwise(prepared, registry.measurements(run_id), measured, redact)
        if found := list(islice(differing, _NAMED)):
            reason = (
                f"{candidate.label} is declared deterministic, and answered otherwise in run {run_id}: "
                f"{', '.join(found)}"
            )
            return replace(prepared, holds=(*prepared.holds, (reason, _STEP)), judged_key="")
    return prepared


def _otherwise(
    prepared: Prepared,
    rows: Sequence[MeasurementRow],
    measured: Mapping[CaseKey, Sequence[Measurement]],
    redact: Callable[[str], str],
) -> Iterator[str]:
    """The cases of a run that asked the same and were answered otherwise."""
    asked = {(p.suite.name, case.id): case for p in prepared.plans for case in p.suite.all_cases}
    said: set[CaseKey] = set()
    for row in rows:
        key = (row.suite, row.case_id)
        if row.side != "candidate" or key in said or key not in asked or key in prepared.sealed:
            continue
        if row.outcome != "response" or redact(asked[key].text) != row.input:
            continue
        now = [m for m in measured.get(key, ()) if m.side == "candidate" and (m.hop or "") == row.hop]
        answers = [m.outcome.output for m in now if not (m.stored or isinstance(m.outcome, Failure))]
        if answers and row.output not in map(redact, answers):
            said.add(key)
            yield row.case_id
