"""What a run will cost, said before its first call."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from relgate.applications.chat import chat_prompt
from relgate.applications.json_body import BYTES_PER_TOKEN
from relgate.domain.case import Case, CaseKey
from relgate.domain.response import Request
from relgate.engine.budget import Allowance
from relgate.store import Registry
from relgate.usecases.preparing.prepare import Prepared

ANSWER_TOKENS = 256
"""Tokens of an answer whose model has no ``max_tokens``, where no earlier run tells."""

LOOKED_AT = 20
"""The newest runs of a line among which one with known costs is looked for."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens and dollars of the planned calls.

    Attributes:
        tokens: None where nothing tells.
        usd: None where no price is known.
        source: what it rests on.
    """

    tokens: float | None
    usd: float | None
    source: str

    def __str__(self) -> str:
        parts = []
        if self.tokens is not None:
            parts.append(f"{_rounded(self.tokens)} tokens")
        if self.usd is not None:
            parts.append(f"${self.usd:.2g}" if self.usd < 100 else f"${self.usd:,.0f}")
        return f"about {', '.join(parts)} ({self.source})"


def estimate(prepared: Prepared, registry: Registry, selected: Collection[CaseKey]) -> Estimate | None:
    """Tokens and money of the calls to applications; None where there is nothing to go by.

    From the means per suite of the newest run of the release line, else, for a chat application, from the
    length of prompts and questions.

    Args:
        prepared: the run.
        registry: where runs are.
        selected: the cases of the run.
    """
    asked = {
        plan.suite.name: [
            (case, prepared.calls_of(plan, case))
            for case in plan.suite.all_cases
            if (plan.suite.name, case.id) in selected
        ]
        for plan in prepared.plans
    }
    calls = {name: count for name, found in asked.items() if (count := sum(calls for _, calls in found))}
    for run in registry.runs(limit=LOOKED_AT, release=prepared.candidate.name):
        means = registry.call_means(run.id)
        if calls and calls.keys() <= means.keys() and all(means[name] != (None, None) for name in calls):
            tokens = _sum(_times(means[name][0], count) for name, count in calls.items())
            usd = _sum(_times(means[name][1], count) for name, count in calls.items())
            return Estimate(tokens, usd, f"as in run {run.id}")
    if prepared.candidate.application.kind != "chat" or not calls:
        return None
    return _by_length(prepared, [one for found in asked.values() for one in found])


def expected_usd(
    prepared: Prepared,
    registry: Registry,
    selected: Collection[CaseKey],
    planned: int,
    allowance: Allowance,
) -> float:
    """What one of so many planned calls may cost, where dollars are limited; 0 where nothing tells."""
    if allowance.usd is None or not planned:
        return 0.0
    found = estimate(prepared, registry, selected)
    return 0.0 if found is None or found.usd is None else found.usd / planned


def _by_length(prepared: Prepared, cases: Iterable[tuple[Case, int]]) -> Estimate:
    release = prepared.candidate
    target = release.routes[release.application.value].chain[0]
    price = release.providers[target.provider].price_of(target.model)
    said = release.artifact("model", target.model).settings.get("parameters") or {}
    most = said.get("max_tokens", said.get("max_completion_tokens"))
    answer = most if isinstance(most, int) else ANSWER_TOKENS
    prompt = len(chat_prompt(release).text.encode()) / BYTES_PER_TOKEN
    asked = written = 0.0
    for case, calls in cases:
        asked += calls * (prompt + _length(case) / BYTES_PER_TOKEN)
        written += calls * answer
    usd = None
    if price is not None:
        usd = (asked * price.input_per_million + written * price.output_per_million) / 1e6
    source = "by the length of prompts and questions" + ("" if usd is not None else "; no price is given")
    return Estimate(asked + written, usd, f"{source}, {answer} tokens an answer")


def _length(case: Case) -> int:
    return len(Request(case.id, case.input or "").text.encode("utf-8", "replace"))


def _times(mean: float | None, count: int) -> float | None:
    return None if mean is None else mean * count


def _sum(parts: Iterable[float | None]) -> float | None:
    found = list(parts)
    return None if None in found else sum(part for part in found if part is not None)


def _rounded(tokens: float) -> str:
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if tokens >= size:
            return f"{tokens / size:.1f} {unit}"
    return f"{round(tokens, -2 if tokens >= 1000 else 0):,.0f}"
