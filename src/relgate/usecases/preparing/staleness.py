"""Whether stored scores of a baseline may decide a promote (verdict.md 7)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from relgate.decision.fingerprint import CASES, Asked, fingerprint
from relgate.decision.measurements import primary_metrics
from relgate.domain.case import CaseKey
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Response, ScorerFailure
from relgate.files.versions import unpinned_model_id
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.stored_baseline import StoredSide
from relgate.usecases.preparing.trials import TrialPlan

if TYPE_CHECKING:
    from relgate.usecases.preparing.prepare import Prepared

AGE_AT_MOST = timedelta(hours=24)
TRIALS_AT_LEAST = 2


def is_steady(release: Release) -> bool:
    """Whether a release answers the same again by itself, so that stored scores never get stale."""
    return release.application.kind == "recording" or release.deterministic


def staleness(side: StoredSide, plans: Iterable[SuitePlan], now: datetime | None = None) -> tuple[str, ...]:
    """What keeps stored scores from deciding a promote, before anything is asked; all of it is named.

    Args:
        side: the stored scores.
        plans: the suites of this run.
        now: when the run is; default: now.
    """
    reasons = []
    if not side.run.callable:
        reasons.append("its manifest is not what was recorded, so no fingerprint can be taken")
    if (now or datetime.now(UTC)) - _moment(side.run.finished) > AGE_AT_MOST:
        reasons.append("it is older than 24 hours")
    asked_once = [
        key
        for plan in plans
        for case in plan.suite.cases
        if len(side.measurements.get(key := (plan.suite.name, case.id), ())) == 1
        and case.tags.get("harmful") is not True
    ]
    if asked_once:
        reasons.append("it was stored with one trial a case")
    elif len(_askable(side, plans)) < CASES:
        reasons.append(f"it has fewer than {CASES} cases for a fingerprint")
    models = {row.model for rows in side.run.calls.values() for row in rows}
    if not models - {""}:
        reasons.append("its provider reported no model id")
    elif "" in models or any(map(unpinned_model_id, models)):
        reasons.append("its provider reported no pinned model id")
    return tuple(reasons)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def stale_hold(
    side: StoredSide, baseline: Release, calls: int, reasons: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Reason and next step of a verdict that stored scores cap at hold.

    Args:
        side: the stored side.
        baseline: the release that it was measured on.
        calls: what a live baseline would cost in calls; the candidate is asked beside it.
        reasons: why it is stale.
    """
    costs = [row.cost_usd for rows in side.run.calls.values() for row in rows if row.cost_usd is not None]
    money = f", about ${2 * calls * sum(costs) / len(costs):.2f}" if costs else ""
    reason = f"the baseline is stale: stored scores of {baseline.label} cannot decide a promote"
    step = f"name its manifest as the baseline: both sides are asked then, about {2 * calls} calls{money}"
    return ((f"{reason} ({'; '.join(reasons)})", step),)


def live_calls(plans: Iterable[SuitePlan], trials: TrialPlan) -> int:
    """Calls to one side in a run that asks both: every case as often as the candidate is asked."""
    return sum(
        (len(plan.hops) or 1) * len(trials.trials("candidate", plan.suite, case))
        for plan in plans
        for case in plan.suite.all_cases
    )


def _askable(side: StoredSide, plans: Iterable[SuitePlan]) -> list[CaseKey]:
    """Cases that were answered in two or more stored trials, outside fallback suites."""
    return sorted(
        (plan.suite.name, case.id)
        for plan in plans
        if not plan.hops
        for case in plan.suite.cases
        if len(side.measurements.get((plan.suite.name, case.id), ())) >= TRIALS_AT_LEAST
    )


def choose_probes(side: StoredSide, plans: Iterable[SuitePlan], seed: int) -> frozenset[CaseKey]:
    """The cases of the fingerprint, drawn from the seed."""
    askable = _askable(side, plans)
    return frozenset(random.Random(f"{seed}/fingerprint").sample(askable, CASES))


def with_fingerprint(
    prepared: Prepared, measured: Mapping[CaseKey, Sequence[Measurement]], redact: Callable[[str], str]
) -> Prepared:
    """The run with what the fingerprint said; the same where none was to be taken.

    Stored texts are redacted, so the new ones are before they are compared.
    """
    side, baseline = prepared.stored_baseline, prepared.baseline
    if side is None or baseline is None or not side.probes or not side.probes <= measured.keys():
        return prepared
    plans = {plan.suite.name: plan for plan in prepared.plans}
    probes = {
        key: next(row for row in measured[key] if row.side == "baseline" and row.confirmation)
        for key in sorted(side.probes)
    }
    reasons = _identity(side, probes)
    note = ""
    if not reasons:
        found = fingerprint(
            [_asked(plans[key[0]], side.measurements[key], row, redact) for key, row in probes.items()]
        )
        note = found.message
        reasons = () if found.passed else (found.message,)
    calls = live_calls(prepared.plans, prepared.trials)
    holds = stale_hold(side, baseline, calls, reasons) if reasons else ()
    return replace(
        prepared,
        holds=prepared.holds + holds,
        notes=(*prepared.notes, *([note] if note else [])),
        stored_baseline=replace(side, stale=tuple(reasons), fingerprint=note),
    )


def _identity(side: StoredSide, probes: Mapping[CaseKey, Measurement]) -> tuple[str, ...]:
    """Why the model that answers now is not known to be the stored one."""
    answers = {key: row.outcome for key, row in probes.items() if isinstance(row.outcome, Response)}
    if len(answers) < len(probes):
        return (f"{len(probes) - len(answers)} of {len(probes)} cases of its fingerprint gave no answer",)
    for key, answer in answers.items():
        stored = sorted({row.model for row in side.run.calls[key]})
        if answer.model not in stored:
            return (
                f"the provider reports the model {answer.model or 'nothing'}, and {stored[0]} was stored",
            )
    return ()


def _asked(
    plan: SuitePlan, stored: Sequence[Measurement], new: Measurement, redact: Callable[[str], str]
) -> Asked:
    metric = next(iter(primary_metrics(plan.suite, plan.metrics)), None)
    scores = [_score(row, metric) for row in stored]
    return Asked(
        stored=tuple(_text(row) for row in stored),
        text=redact(_text(new)),
        stored_scores=tuple(s for s in scores if s is not None) if None not in scores else (),
        score=_score(new, metric),
    )


def _text(row: Measurement) -> str:
    return row.outcome.output if isinstance(row.outcome, Response) else row.outcome.message


def _score(row: Measurement, metric: str | None) -> float | None:
    score = row.score(metric) if metric is not None else None
    return None if score is None or isinstance(score, ScorerFailure) else score.value
