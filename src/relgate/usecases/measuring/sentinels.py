"""Untouched suites in a run: sentinels on both sides, then the candidate alone (verdict.md 4)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection, Mapping

from relgate.decision.identity import SENTINELS, disagreement
from relgate.decision.sealing import open_half
from relgate.domain.case import Case
from relgate.domain.response import Failure, Measurement, Side
from relgate.usecases.measuring.shared_work import SharedWork
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.untouched import UntouchedSuites

Ask = Callable[[SuitePlan, Case, Side, int, str | None], Awaitable[Measurement]]
"""Asks a side for one trial of a case at a hop."""


class SentinelCheck:
    """Asks both sides for 20 seeded cases of every suite that is claimed to be untouched, once each.

    The answers are the first trials of their cases.

    Args:
        untouched: what is claimed; it takes the outcome.
        plans: the suites whose every case is to be measured.
        ask: asks a side.
        seed: chooses the cases.
        deterministic: whether equal input gives equal output.
        flip_rates: per suite the flip rate of one system.
    """

    def __init__(
        self,
        untouched: UntouchedSuites,
        plans: Collection[SuitePlan],
        ask: Ask,
        *,
        seed: int,
        deterministic: bool,
        flip_rates: Mapping[str, float],
    ) -> None:
        self._untouched, self._ask = untouched, ask
        self._deterministic, self._flip_rates = deterministic, flip_rates
        self._rows: dict[tuple[str, str, str | None], dict[Side, Measurement]] = {}
        self._work: dict[str, SharedWork] = {}
        for plan in plans:
            cases = open_half(plan.suite).cases
            if plan.suite.name in untouched.claimed and cases:
                drawn = random.Random(f"{seed}/sentinels/{plan.suite.name}").sample(
                    cases, min(SENTINELS, len(cases))
                )
                self._work[plan.suite.name] = self._work_of(plan, drawn)

    def _work_of(self, plan: SuitePlan, drawn: list[Case]) -> SharedWork:
        async def ask(case: Case) -> None:
            for hop in plan.hops or (None,):
                found = self._rows.setdefault((plan.suite.name, case.id, hop), {})
                for side in ("candidate", "baseline"):
                    found[side] = await self._ask(plan, case, side, 0, hop)

        return SharedWork(drawn, ask, lambda: self._end(plan, [case.id for case in drawn]))

    async def before(self, plan: SuitePlan) -> bool:
        """Ask the sentinels, or wait for them; whether the suite is identical on both sides."""
        work = self._work.get(plan.suite.name)
        if work is not None:
            await work.help()
        return plan.suite.name in self._untouched.agreed

    def asked(
        self, plan: SuitePlan, case: Case, side: Side, trial: int, hop: str | None
    ) -> Measurement | None:
        """A sentinel's answer, where this trial was asked for."""
        return self._rows.get((plan.suite.name, case.id, hop), {}).get(side) if trial == 0 else None

    def _end(self, plan: SuitePlan, drawn: list[str]) -> None:
        name = plan.suite.name
        pairs = [
            (found["candidate"], found["baseline"])
            for (suite, _, _), found in self._rows.items()
            if suite == name
        ]
        if any(_is_away(row) for pair in pairs for row in pair):
            self._untouched.unconfirmed(name)
            return
        why = disagreement(
            pairs, plan.metrics, deterministic=self._deterministic, flip_rate=self._flip_rates[name]
        )
        if why:
            self._untouched.differ(name, why)
        else:
            self._untouched.agree(name, drawn)


def _is_away(row: Measurement) -> bool:
    return isinstance(row.outcome, Failure) and row.outcome.kind != "application"
