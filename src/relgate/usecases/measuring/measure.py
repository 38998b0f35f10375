"""Measuring one case on both sides, interleaved: call, score, and confirm a critical miss."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence

from relgate.decision.identity import ASSUMED_FLIP_RATE
from relgate.decision.outcomes import CONFIRMING_TRIALS, trial_hits
from relgate.domain.case import Case, CaseKey
from relgate.domain.long_cases import LongCases, held_cases
from relgate.domain.response import (
    Measurement,
    ScorerFailure,
    Side,
)
from relgate.domain.transport import Transport
from relgate.engine.budget import Budget
from relgate.usecases.measuring.caller import Caller
from relgate.usecases.measuring.kept_answers import Answers, Tally
from relgate.usecases.measuring.model_judges import JudgeDesk
from relgate.usecases.measuring.sentinels import SentinelCheck
from relgate.usecases.measuring.systems import System
from relgate.usecases.measuring.trials_pilot import LivePilot
from relgate.usecases.measuring.unanswered import Unanswered
from relgate.usecases.preparing.plan_suite import SuitePlan, traffic_key
from relgate.usecases.preparing.prepare import Prepared


class CaseMeasurer:
    """Measures cases; one instance a run.

    Args:
        prepared: the run.
        systems: the releases made ready, per side.
        transport: sends what judges ask.
        budget: asked before each call.
        answers: where what was paid for is kept.
        seed: decides which side of a pair is asked first.
        redact: applied to every text that leaves the scorers.
        selected: the cases of the run; a suite is piloted only when all of its cases are among them.

    Attributes:
        judges: asks the scorers' models.
    """

    def __init__(
        self,
        prepared: Prepared,
        systems: Mapping[Side, System],
        transport: Transport,
        budget: Budget,
        answers: Answers,
        *,
        seed: int,
        redact: Callable[[str], str],
        selected: Collection[CaseKey] = (),
    ) -> None:
        self._prepared = prepared
        self._systems = systems
        self._seed = seed
        self._redact = redact
        self._plans = {plan.suite.name: plan for plan in prepared.plans}
        self._cases = {
            (plan.suite.name, case.id): case for plan in prepared.plans for case in held_cases(plan.suite)
        }
        self._traffic = {
            traffic_key(plan.suite.name, case.id): (plan, case)
            for plan in prepared.plans
            for case in plan.suite.traffic
        }
        asked = [s for plan in prepared.plans for side in plan.scorers.values() for s in side]
        self.judges = JudgeDesk(systems["candidate"].release, asked, transport, budget, answers)
        self._caller = Caller(prepared, systems, self.judges, budget, answers, redact=redact)
        live = prepared.baseline is not None and prepared.stored_baseline is None
        whole = [
            plan
            for plan in prepared.plans
            if live
            and not isinstance(plan.suite.cases, LongCases)
            and all((plan.suite.name, case.id) in selected for case in plan.suite.all_cases)
        ]
        self._sentinels = SentinelCheck(
            prepared.untouched,
            whole,
            self._caller.call,
            seed=seed,
            deterministic=prepared.candidate.deterministic,
            flip_rates={
                plan.suite.name: prepared.trials.flip_rates.get(plan.suite.name, ASSUMED_FLIP_RATE)
                for plan in prepared.plans
            },
        )
        piloted = {plan.suite.name for plan in whole}
        for suite in prepared.suites:
            if suite.name not in piloted and prepared.trials.wants_pilot(suite):
                answers.note_trials(suite.name, prepared.trials.most("candidate", suite))
        self._pilot = LivePilot(
            prepared.trials,
            whole,
            self._ask_baseline,
            answers.note_trials,
            seed=seed,
            alpha=prepared.alpha,
        )

    @property
    def calls(self) -> int:
        """Calls to applications so far."""
        return self._caller.calls

    @property
    def unanswered(self) -> int:
        """Of these calls, those that got no answer."""
        return self._caller.unanswered.calls

    @property
    def outages(self) -> str:
        """How many calls met an outage, those to judges included, and which; "" where none did."""
        return Unanswered.told([self._caller.unanswered, self.judges.unanswered])

    @property
    def tally(self) -> Tally:
        """What was taken from kept answers."""
        return self._caller.tally

    async def measure(self, key: CaseKey) -> tuple[Measurement, ...]:
        """Every call of one case: sides interleaved, trials and hops in order."""
        if key in self._traffic:
            return await self._compare(*self._traffic[key])
        plan, case = self._plans[key[0]], self._cases[key]
        if not await self._sentinels.before(plan):
            await self._pilot.before(plan)
        rows: list[Measurement] = []
        for hop in plan.hops or (None,):
            planned = {
                side: self._prepared.trials_of(side, plan.suite, case) for side in self._prepared.sides
            }
            for turn in range(max(map(len, planned.values()))):
                for side in turn_order(self._seed, key, hop, turn, self._prepared.sides):
                    if turn < len(planned[side]):
                        rows.append(await self._ask(plan, case, side, planned[side][turn], hop))
        rows = await self.judges.compare(case, rows, plan.scorers_of("candidate", case))
        stored = self._prepared.stored_rows(plan.suite, case)
        if self._prepared.is_probe(plan.suite, case):
            rows.append(await self._caller.call(plan, case, "baseline", len(stored), None, confirmation=True))
        return (*rows, *stored, *await self._confirm(plan, case, rows))

    async def _compare(self, plan: SuitePlan, case: Case) -> tuple[Measurement, ...]:
        """Both sides' answers to one sampled input; nothing is scored."""
        key = traffic_key(plan.suite.name, case.id)
        return tuple(
            [
                await self._caller.call(plan, case, side, 0, None, scored=False)
                for side in turn_order(self._seed, key, None, 0, self._prepared.sides)
            ]
        )

    async def _ask(self, plan: SuitePlan, case: Case, side: Side, trial: int, hop: str | None) -> Measurement:
        """One trial: the answer of a sentinel or of the pilot where it was asked for already."""
        known = self._sentinels.asked(plan, case, side, trial, hop)
        if known is None and side == "baseline":
            known = self._pilot.asked(plan, case, trial)
        return known or await self._caller.call(plan, case, side, trial, hop)

    async def _ask_baseline(self, plan: SuitePlan, case: Case, trial: int) -> Measurement:
        return await self._ask(plan, case, "baseline", trial, None)

    async def _confirm(self, plan: SuitePlan, case: Case, rows: list[Measurement]) -> list[Measurement]:
        """Two more trials of a critical case that the candidate missed (verdict.md 3)."""
        if case.critical is not True or self._systems["candidate"].release.application.kind == "recording":
            return []
        confirming: list[Measurement] = []
        for hop in plan.hops or (None,):
            mine = [row for row in rows if row.side == "candidate" and row.hop == hop]
            if len(mine) >= CONFIRMING_TRIALS or not any(_missed(row, plan) for row in mine):
                continue
            confirming += [
                await self._caller.call(plan, case, "candidate", trial, hop, confirmation=True)
                for trial in range(len(mine), CONFIRMING_TRIALS)
            ]
        return confirming


def turn_order(seed: int, key: CaseKey, hop: str | None, turn: int, sides: Sequence[Side]) -> Sequence[Side]:
    """Which side of this pair goes first: drawn from the seed, so that neither is always the warm one."""
    if len(sides) == 1:
        return sides
    drawn = list(sides)
    random.Random(f"{seed}/{key}/{hop}/{turn}").shuffle(drawn)
    return drawn


def _missed(row: Measurement, plan: SuitePlan) -> bool:
    scores = {s.metric: s.value for s in row.scores if not isinstance(s, ScorerFailure)}
    return bool(scores) and not trial_hits(scores, plan.metrics)
