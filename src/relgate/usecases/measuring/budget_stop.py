"""What a run that its budget ended lacks, and what the rest would cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from relgate.decision.verdict import Stopped
from relgate.domain.case import CaseKey
from relgate.domain.errors import Place, Problem
from relgate.domain.release import Release
from relgate.domain.response import Failure, Measurement
from relgate.engine.budget import Budget
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.prepare import Prepared

CURE = "run again with a larger budget: what was answered is kept and not asked for again"

UNPRICED = (
    "let the application report what a call costs (`cost_usd`), or run again with --budget-calls or "
    "--budget-seconds"
)


def unpriced(options: RunOptions, release: Release) -> list[Problem]:
    """A budget in dollars that nothing could hold to: a target that may be called has no price."""
    if options.allowance.usd is None or release.application.kind != "chat":
        return []
    chain = release.routes[release.application.value].chain
    return [
        Problem(
            Place(str(release.path)),
            "--budget-usd needs a price for every target",
            str(target),
            f"give providers.{target.provider} a price",
        )
        for target in chain
        if release.providers[target.provider].price_of(target.model) is None
    ]


def stopped_by(
    budget: Budget,
    prepared: Prepared,
    missing: Collection[CaseKey],
    measured: Mapping[CaseKey, Sequence[Measurement]],
    kept: int,
    outages: str,
) -> Stopped | None:
    """Why the calls ended, what is missing and what it would take; None where no limit was reached.

    A case that an outage left without an answer is missing as well: the next run asks it again.

    Args:
        budget: of the run.
        prepared: the run.
        missing: cases that were planned and not measured.
        measured: every call of the cases that were measured whole.
        kept: answers that are there for the next run; those to missing cases are not asked for again.
        outages: how many calls met one, and which, in words; "" where none did.
    """
    if not budget.reached or not missing:
        return None
    lacking = set(missing) | {key for key, rows in measured.items() if any(map(_met_an_outage, rows))}
    parts, calls = [], 0
    for plan in prepared.plans:
        mine = [case for case in plan.suite.all_cases if (plan.suite.name, case.id) in lacking]
        if mine:
            parts.append(f"{len(mine)} of {len(plan.suite.all_cases)} of {plan.suite.name}")
            calls += sum(prepared.calls_of(plan, case) for case in mine)
    asked_again = prepared.sealed | lacking
    of_measured = sum(
        not row.stored for key, rows in measured.items() if key not in asked_again for row in rows
    )
    calls = max(0, calls - max(0, kept - of_measured))
    unkept = prepared.sealed & measured.keys() - lacking
    calls += sum(
        prepared.calls_of(plan, case)
        for plan in prepared.plans
        for case in plan.suite.all_cases
        if (plan.suite.name, case.id) in unkept
    )
    cure = UNPRICED
    if budget.priced:
        cure = f"{CURE}, but for that of sealed cases" if unkept else CURE
    if outages:
        cure = f"make everything answer and {cure}"
    usd = f", ${calls * budget.usd / budget.calls:.2g}" if budget.usd else ""
    return Stopped(
        reason="; ".join(filter(None, [budget.reached, f"not measured: {', '.join(parts)}", outages])),
        step=f"{cure} (about {calls:,} more calls{usd})",
    )


def _met_an_outage(row: Measurement) -> bool:
    return isinstance(row.outcome, Failure) and row.outcome.kind == "outage"
