"""One call of one case: asked, or found among what was kept; told apart, scored, and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from relgate.domain.case import Case
from relgate.domain.digest import digest_json
from relgate.domain.kept import Kept, response_key
from relgate.domain.long_cases import LongCases
from relgate.domain.response import (
    Failure,
    Measurement,
    Outcome,
    Request,
    Response,
    ScorerFailure,
    Side,
)
from relgate.domain.scorer import Scorer
from relgate.engine.budget import Budget
from relgate.engine.executor import EngineError
from relgate.scorers import score_failure, score_response
from relgate.usecases.measuring.kept_answers import Answers, Tally
from relgate.usecases.measuring.model_judges import JudgeDesk
from relgate.usecases.measuring.probe import answers
from relgate.usecases.measuring.systems import AS_IT_IS, System, Variant
from relgate.usecases.measuring.unanswered import Unanswered
from relgate.usecases.preparing.plan_suite import SuitePlan
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.scored_anew import Scores, stored_of_raw, with_raw_scores

RELEASE_HEADER = "X-Relgate-Release"


class Caller:
    """Makes the calls of one run.

    Args:
        prepared: the run.
        systems: the releases made ready, per side.
        judges: asks the scorers' models.
        budget: asked before each call.
        kept: where what was paid for is kept.
        redact: applied to every text that leaves the scorers.

    Attributes:
        calls: made so far; written by the engine's thread only.
        tally: what was taken from kept answers.
        unanswered: of the calls made, those that got no answer.
    """

    def __init__(
        self,
        prepared: Prepared,
        systems: Mapping[Side, System],
        judges: JudgeDesk,
        budget: Budget,
        kept: Answers,
        *,
        redact: Callable[[str], str],
    ) -> None:
        self._systems = systems
        self._judges = judges
        self._budget = budget
        self._kept = kept
        self._redact = redact
        self._sealed = prepared.sealed
        self._compared = frozenset(prepared.untouched.claimed)
        self._versions = {
            (record.suite, case.id): case.digest
            for record, suite in zip(prepared.records, prepared.suites, strict=True)
            if not isinstance(suite.cases, LongCases)  # all of it is recorded
            for case in record.cases
        }
        self.calls = 0
        self.tally = Tally()
        self.unanswered = Unanswered(budget)

    async def call(
        self,
        plan: SuitePlan,
        case: Case,
        side: Side,
        trial: int,
        hop: str | None,
        *,
        confirmation: bool = False,
        scored: bool = True,
    ) -> Measurement:
        """Ask one side once, and score what it answers.

        Args:
            plan: the suite.
            case: what is asked.
            side: who is asked.
            trial: which repetition.
            hop: the target that is made to answer, None where the release runs as it is.
            confirmation: whether it confirms a critical miss, or is asked for a fingerprint.
            scored: False for sampled inputs, which nothing is expected of.

        Raises:
            Halt: the budget is spent.
        """
        system = self._systems[side]
        scorers = plan.scorers_of(side, case) if scored else ()
        recorded = system.release.application.kind == "recording"
        key = "" if recorded else call_key(plan, case, system.release.digest, trial, hop, scored=scored)
        by = self._scored_by(plan, case, scorers)
        # a fingerprint tells whether the baseline answers now as it did
        new = recorded or (confirmation and side == "baseline" and not self._kept.whole)
        kept = None if new else self._kept.find(key, baseline=side == "baseline")
        if kept is not None and kept.raw and self._is_compared(plan, scored=scored):
            kept = None
        if kept is None and self._kept.whole and not recorded:
            raise EngineError(f"the replay holds no answer of the {side} to {plan.suite.name}::{case.id}")
        if kept is not None:
            self.tally.note(kept, side, (plan.suite.name, case.id))
            outcome, scores = kept.outcome, await self._scores_of(kept, by, plan, case, scorers, scored)
        else:
            if not confirmation:
                self.tally.asked[side].add((plan.suite.name, case.id))
            outcome = await self._ask(system, plan, case, trial, hop, recorded=recorded)
            scores = await self._score(plan, case, outcome, scorers) if scored else ()
            if not recorded and (plan.suite.name, case.id) not in self._sealed:
                self._kept.keep(key, outcome, scores, by)
        return Measurement(
            side=side,
            suite=plan.suite.name,
            case_id=case.id,
            trial=trial,
            outcome=outcome,
            scores=scores,
            hop=hop,
            confirmation=confirmation,
        )

    def _is_compared(self, plan: SuitePlan, *, scored: bool) -> bool:
        """Whether outputs are compared, of which the other side's may be raw: a redacted one would differ."""
        return not self._kept.whole and (not scored or plan.suite.name in self._compared)

    async def _ask(
        self, system: System, plan: SuitePlan, case: Case, trial: int, hop: str | None, *, recorded: bool
    ) -> Outcome:
        responder = system.responders[AS_IT_IS if hop is None else Variant(plan.suite.route, hop)]
        request = Request(
            case_id=case.id,
            input=case.input if case.input is not None else "",
            trial=trial,
            headers={RELEASE_HEADER: system.release.digest},
        )
        if recorded:
            return await responder.respond(request)
        await self._budget.room()
        self._budget.begin()
        self.calls += 1
        usd: float | None = None
        started = time.perf_counter()
        try:
            outcome = await self.unanswered.ask(responder, request)
            if isinstance(outcome, Response):
                usd = outcome.cost_usd
                if usd is None:
                    self._budget.unpriced()
        finally:
            self._budget.end(usd)
        if outcome.latency_ms is None:
            outcome = replace(outcome, latency_ms=(time.perf_counter() - started) * 1000.0)
        return await _settled(outcome, plan, system, hop)

    async def _score(
        self, plan: SuitePlan, case: Case, outcome: Outcome, scorers: Sequence[Scorer]
    ) -> Scores:
        if not isinstance(outcome, Response):
            return score_failure(case, outcome, scorers, plan.suite.kind)
        said = await self._judges.judge(case, outcome, scorers)
        return score_response(
            case, outcome, scorers, suite_kind=plan.suite.kind, redact=self._redact, asked=said
        )

    async def _scores_of(
        self, kept: Kept, by: str, plan: SuitePlan, case: Case, scorers: Sequence[Scorer], scored: bool
    ) -> Scores:
        """The stored scores, or new ones where another scorer, or another expectation, scores now."""
        failed = any(isinstance(score, ScorerFailure) for score in kept.scores)
        if not scored or (kept.scored_by == by and not failed):
            return kept.scores
        self.tally.rescored += 1
        scores = await self._score(plan, case, kept.outcome, scorers)
        if not kept.raw:
            return scores
        raw = stored_of_raw(kept.scores, scorers)
        self.tally.raw |= raw.keys()
        return with_raw_scores(scores, raw)

    def _scored_by(self, plan: SuitePlan, case: Case, scorers: Sequence[Scorer]) -> str:
        judges = [scorer.asked.digest for scorer in scorers if scorer.asked is not None]
        version = self._versions.get((plan.suite.name, case.id), "")
        return digest_json([version, judges]) if judges else version


def call_key(plan: SuitePlan, case: Case, release: str, trial: int, hop: str | None, *, scored: bool) -> str:
    """What the answer to a call is kept by.

    Args:
        plan: the suite.
        case: what is asked.
        release: digest of who is asked.
        trial: which repetition.
        hop: the target that is made to answer, None where the release runs as it is.
        scored: False for sampled inputs.
    """
    request = (plan.suite.name, case.id, case.text, "" if scored else "unchanged")
    return response_key(release, hop or "", request, trial)


async def _settled(outcome: Outcome, plan: SuitePlan, system: System, hop: str | None) -> Outcome:
    """Tell what relgate broke itself from what broke by itself.

    Without injected faults an answer of a later hop means that a hop before it was away: the release as
    it is was not measured. With them, an outage counts against the release as long as the hop that was
    left to answer can be reached.
    """
    if hop is None:
        if isinstance(outcome, Response) and outcome.failed_hops:
            return Failure(
                "outage", f"{', '.join(outcome.failed_hops)} did not answer; {outcome.served_by} did"
            )
        return outcome
    if isinstance(outcome, Response):
        return _served_by_hop(outcome, plan, system, hop)
    if outcome.kind == "outage":
        provider = system.release.providers[hop.partition("/")[0]]
        parts = urlsplit(provider.base_url)
        if parts.hostname and await answers(
            parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        ):
            return replace(outcome, kind="application")
    return outcome


def _served_by_hop(response: Response, plan: SuitePlan, system: System, hop: str) -> Outcome:
    """The response if the hop gave it; an answer of another hop says nothing about this one."""
    if hop in response.failed_hops:
        return Failure("outage", f"{hop} did not answer; {response.served_by} did")
    assert plan.suite.route is not None
    chain = [str(target) for target in system.release.routes[plan.suite.route].chain]
    before = chain[: chain.index(hop)] if hop in chain else []
    if response.served_by in before:
        return Failure(
            "outage",
            f"{response.served_by} answered although it was away for {hop}: "
            "the application does not call the addresses that the release gives it",
        )
    return response
