"""The last lines of a report: cases, calls, what they cost, and which run it was."""

from __future__ import annotations

from relgate.decision.wording import count, plain_rate
from relgate.domain.digest import short
from relgate.domain.scorecard import CallsPart, Scorecard


def footer(card: Scorecard) -> tuple[str, ...]:
    """Cases, calls, cost and where the run can be found."""
    c, k = card.cases, card.calls
    which = "cases, earlier runs pooled" if card.pooled else "cases"
    cases = f"{which}: {c.hit} hit, {c.fixed} fixed, {c.miss} miss, {c.regressed} regressed"
    cases += f", {c.failed} not measured" if c.failed else ""
    cases += f", {c.not_run} not run" if c.not_run else ""
    cases += f", {c.sealed} sealed (counted in their gates only)" if c.sealed else ""
    attempt = f"attempt {card.verdict.attempts}, alpha {plain_rate(card.gate_policy.alpha)}"
    if not card.verdict.attempts:
        attempt = "no attempt"
    if card.verdict.partial:
        attempt = "partial, no attempt"
    elif card.verdict.screen:
        attempt = "screen, no attempt"
    elif card.verdict.lacking:
        attempt = "not all of it measured, no attempt"
    return (
        cases,
        _calls(k, card.cost.total_usd) + _judges(k),
        f"run {card.run.id}, {attempt}, policy {short(card.gate_policy.digest)}, "
        f"release {short(card.release.digest)}",
    )


def _calls(calls: CallsPart, usd: float | None) -> str:
    if not (calls.planned or calls.made):
        return "calls: none" if usd is None else f"calls: none; the recorded answers cost ${usd:.4f}"
    spent, answered = usd if calls.usd is None else calls.usd, calls.made - calls.unanswered
    money = "" if spent is None or not answered else f", cost ${spent:.4f}"
    money += f"; {calls.unanswered:,} got no answer" if calls.unanswered else ""
    money += f"; {count(calls.reused, 'answer')} of earlier runs" if calls.reused else ""
    if calls.reused and not answered and usd is not None:
        money += f", which cost ${usd:.4f} then"
    more = calls.made - calls.planned
    if more > 0:
        return f"calls: {calls.planned} planned and {more} more to confirm critical misses{money}"
    return f"calls: {answered} of {calls.planned} planned{money}"


def _judges(calls: CallsPart) -> str:
    money = "" if calls.judge_usd is None else f", cost ${calls.judge_usd:.4f}"
    return f"; judges: {calls.judge} calls{money}" if calls.judge else ""
