"""Unchanged outputs: at most what changed has regressed, so few changes prove non-inferiority (verdict.md 4).

It needs no labels: both releases answer a random sample of production inputs once, and outputs are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from relgate import stats
from relgate.decision.duplicates import units_of
from relgate.decision.policy import ALPHA, Gate
from relgate.decision.wording import count, level_of, percent
from relgate.domain.case import Suite
from relgate.domain.digest import digest_json
from relgate.domain.gate import GateResult
from relgate.domain.response import Failure, Measurement, Response

MOST_LINES = 20_000
"""Lines beyond which no number is named."""

METHOD = "unchanged outputs, Clopper-Pearson"

_WORSE = ("same", "away", "changed")


@dataclass(frozen=True, slots=True)
class Unchanged:
    """How many outputs of a suite's traffic sample changed.

    Attributes:
        suite: the suite that names the sample.
        n: independent inputs; equal ones are one.
        changed: of these, those whose output changed, and those that were not measured on both sides.
        unmeasured: how many of ``changed`` were not measured.
        changed_ids: ids of the changed lines, in the order of the file.
        digest: of the lines (``sample_digest``).
    """

    suite: str
    n: int
    changed: int
    unmeasured: int
    changed_ids: tuple[str, ...]
    digest: str = ""

    def upper(self, alpha: float) -> float:
        """Upper bound of the share of outputs that change, one-sided at alpha (Clopper and Pearson 1934)."""
        return stats.clopper_pearson(self.changed, self.n, alpha).high


def sample_digest(suite: Suite) -> str:
    """Digest of the lines of a suite's traffic sample, in any order."""
    return digest_json(sorted(line.digest for line in suite.traffic))


def _units(suite: Suite) -> Mapping[str, str]:
    return units_of(replace(suite, cases=suite.traffic, clustered=False))


def count_changes(suite: Suite, answers: Mapping[str, Sequence[Measurement]]) -> Unchanged:
    """Compare both sides' outputs over the suite's traffic sample.

    Args:
        suite: with its ``traffic``.
        answers: per line id the candidate's and the baseline's call.
    """
    unit = _units(suite)
    became = {case.id: _compare(answers.get(case.id, ())) for case in suite.traffic}
    worst: dict[str, str] = {}
    for case_id, what in became.items():
        label = unit[case_id]
        worst[label] = max(worst.get(label, "same"), what, key=_WORSE.index)
    return Unchanged(
        suite=suite.name,
        n=len(worst),
        digest=sample_digest(suite),
        changed=sum(what != "same" for what in worst.values()),
        unmeasured=sum(what == "away" for what in worst.values()),
        changed_ids=tuple(case_id for case_id, what in became.items() if what == "changed"),
    )


def _compare(rows: Sequence[Measurement]) -> str:
    """``same``, ``changed`` or ``away``: an outage, or nothing recorded, is never taken for unchanged."""
    sides = {row.side: row.outcome for row in rows}
    if set(sides) != {"candidate", "baseline"}:
        return "away"
    if any(isinstance(side, Failure) and side.kind != "application" for side in sides.values()):
        return "away"
    said = [_said(side) for side in sides.values()]
    return "same" if said[0] == said[1] else "changed"


def _said(outcome: Response | Failure) -> object:
    """What a user gets: text, tool calls and whether it is an answer of a degraded mode."""
    if isinstance(outcome, Failure):
        return "the application failed"
    calls = [(call.name, dict(call.arguments)) for call in outcome.tool_calls]
    return outcome.output.rstrip(), calls, outcome.degraded


def serves(gate: Gate) -> bool:
    """Whether unchanged outputs may let a gate pass: required non-inferiority over the whole suite."""
    spec = gate.spec
    whole = not gate.only and gate.hop is None and spec.against == "baseline"
    return spec.form == "non_inferior" and spec.role == "require" and whole


def lines_needed(found: Unchanged, margin: float, alpha: float) -> int | None:
    """Further lines with which so small a share of changed outputs proves the margin; None where none do.

    The least n at which the upper bound is at most the margin when outputs go on to change as often as
    they did: 59, 93, 124, 153 lines in all for 0, 1, 2, 3 changed at a margin of .05 and alpha .05.
    """
    if found.n == 0 or found.changed / found.n >= margin:
        return None
    for n in range(found.n + 1, MOST_LINES + 1):
        if stats.ceiling_p(round(found.changed * n / found.n), n, margin) <= alpha:
            return n - found.n
    return None


def pass_unchanged(
    result: GateResult,
    gate: Gate,
    found: Unchanged | None,
    alpha: float,
    next_alpha: float | None = None,
) -> GateResult:
    """A gate that its own test leaves open passes where few enough outputs changed; it never fails one.

    Args:
        result: what the gate's own test says, before fails are weighed.
        gate: the gate.
        found: the suite's traffic sample; None where it has none.
        alpha: promote-side alpha of the attempt.
        next_alpha: of the run that would compare further lines; None where it is the same.
    """
    if found is None or result.result != "hold" or not serves(gate):
        return result
    margin, upper = gate.spec.boundary, found.upper(alpha)
    facts = (
        f"{found.changed} of {count(found.n, 'sampled output')} changed"
        + (f" ({found.unmeasured} of them not measured)" if found.unmeasured else "")
        + f": at most {percent(upper)} ({level_of(alpha, digits=2)} confidence), margin {100 * margin:g}"
    )
    contradicted = result.proven_worse or (result.p_fail is not None and result.p_fail <= ALPHA)
    if contradicted:
        return replace(result, message=f"{result.message}; {facts}")
    if upper > margin:
        more = lines_needed(found, margin, alpha if next_alpha is None else next_alpha)
        enough = f" ({count(more, 'more line')}, {found.n + more:,} in all, would prove it)" if more else ""
        return replace(result, needed_lines=more, message=f"{result.message}; {facts}{enough}")
    return replace(
        result,
        result="pass",
        lower=max(-upper, result.lower) if result.lower is not None else -upper,
        p_pass=stats.ceiling_p(found.changed, found.n, margin),
        needed=None,
        needed_trials=None,
        basis="",
        method=METHOD,
        message=f"unchanged outputs: {facts}; by its own cases: {result.message}",
    )
