"""Calls that got no answer, and why: whatever ends a run, an outage must show in its verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from relgate.decision.wording import count
from relgate.domain.application import Responder
from relgate.domain.response import Failure, Outcome, Request
from relgate.engine.budget import Budget
from relgate.engine.executor import Halt

_NUMBER = re.compile(r"\d+")
"""Outages that differ in their numbers alone, such as those of their tries, are one."""


class Unanswered:
    """Asks, and counts what gets no answer; used in the engine's loop only.

    Args:
        budget: whose calls they are.

    Attributes:
        calls: without an answer: outages, and what could not be sent before the run's seconds were spent.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._outages: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self.calls = 0

    async def ask(self, responder: Responder, request: Request) -> Outcome:
        """What comes of a call that the budget let begin.

        Raises:
            Halt: the run's seconds were spent. An outage is no outcome then: it may have been tried less
                often than the provider allows.
        """
        try:
            outcome = await responder.respond(request)
        except Halt:
            self.calls += 1
            raise
        if isinstance(outcome, Failure) and outcome.kind == "outage":
            self.calls += 1
            self._note(outcome.message)
            if not self._budget.in_time():
                raise Halt(self._budget.reached)
        return outcome

    def _note(self, why: str) -> None:
        kind = _NUMBER.sub("", why)
        self._outages[kind] += 1
        self._examples.setdefault(kind, why)

    @staticmethod
    def told(parts: Iterable[Unanswered]) -> str:
        """How many calls met an outage, with the most frequent one; "" where none did."""
        outages: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for part in parts:
            outages.update(part._outages)
            examples = part._examples | examples
        if not outages:
            return ""
        [(kind, _)] = outages.most_common(1)
        total = outages.total()
        return f"{count(total, 'call')} got no answer{', such as' if total > 1 else ''}: {examples[kind]}"
