"""Asking the judges of a run: over the connections of the chat application, counted, with what they cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from relgate.applications.chat import ChatResponder
from relgate.decision.wording import count
from relgate.domain.case import Case
from relgate.domain.kept import response_key
from relgate.domain.release import ApplicationSpec, Artifact, Release, Route, Target
from relgate.domain.response import Failure, Measurement, Outcome, Request, Response, Score, ScorerFailure
from relgate.domain.scorecard import CallsPart
from relgate.domain.scorer import Ask, Judgement, ModelJudge, Scorer
from relgate.domain.transport import Transport
from relgate.engine.budget import Budget
from relgate.stats import PositionBias, position_bias
from relgate.usecases.measuring.kept_answers import Answers
from relgate.usecases.measuring.unanswered import Unanswered

_ROUTE = "judge"
TIE = 0.5

Said = TypeVar("Said")


@dataclass(slots=True)
class Orders:
    """Verdicts of a pairwise judge: the winner with the candidate first and with the baseline first.

    1 is the candidate, 2 the baseline, 0 a tie.
    """

    kept: list[int] = field(default_factory=list)
    swapped: list[int] = field(default_factory=list)


class JudgeDesk:
    """Asks the judges of one run.

    Args:
        release: the candidate, its variables bound; both sides are judged by its models.
        scorers: every scorer of the run; those without a model are ignored.
        transport: sends the requests, within each provider's limits.
        budget: asked before each call.
        kept: where what was paid for is kept.

    Attributes:
        calls: made so far.
        reused: kept answers that were taken instead.
        cost_usd: what they cost, None while unknown.
        unanswered: of the calls made, those that got no answer.
    """

    def __init__(
        self,
        release: Release,
        scorers: Collection[Scorer],
        transport: Transport,
        budget: Budget,
        kept: Answers,
    ) -> None:
        targets = sorted({scorer.asked.target for scorer in scorers if scorer.asked is not None})
        self._responders = {
            target: _responder(release, Target.parse(target), transport) for target in targets
        }
        self._orders: dict[str, Orders] = {}
        self._budget, self._kept = budget, kept
        self._release = release
        self.calls = 0
        self.reused = 0
        self.cost_usd: float | None = None
        self.unanswered = Unanswered(budget)

    async def judge(
        self, case: Case, response: Response, scorers: Sequence[Scorer]
    ) -> Mapping[str, Judgement]:
        """What the judges of single answers say, by metric."""
        said: dict[str, Judgement] = {}
        for scorer in scorers:
            if scorer.asked is not None:
                judge = scorer.asked.judge
                said[scorer.metric.name] = (
                    None if judge is None else await self._heard(scorer.asked, partial(judge, case, response))
                )
        return said

    async def compare(
        self, case: Case, rows: Sequence[Measurement], scorers: Sequence[Scorer]
    ) -> list[Measurement]:
        """The rows with the scores of pairwise judges: win 1, tie .5, loss 0; the baseline's is always .5."""
        done = list(rows)
        for scorer in scorers:
            if scorer.asked is None or scorer.asked.prefer is None:
                continue
            name = scorer.metric.name
            done = [replace(row, scores=tuple(s for s in row.scores if s.metric != name)) for row in done]
            where = {(row.side, row.hop, row.trial): i for i, row in enumerate(done) if not row.confirmation}
            for (side, hop, trial), index in where.items():
                other = where.get(("baseline", hop, trial))
                if side == "candidate" and other is not None:
                    won = await self._won(case, done[index].outcome, done[other].outcome, scorer)
                    if won is not None:
                        tie = won if isinstance(won, ScorerFailure) else Score(name, TIE, "unit")
                        done[index] = replace(done[index], scores=(*done[index].scores, won))
                        done[other] = replace(done[other], scores=(*done[other].scores, tie))
        return done

    def orders(self) -> dict[str, PositionBias]:
        """How far each pairwise judge minds the order, by metric."""
        return {
            name: position_bias(orders.kept, orders.swapped) for name, orders in sorted(self._orders.items())
        }

    def notes(self) -> list[str]:
        """How far each pairwise judge minds the order, and how many answers were kept, in words."""
        found = []
        if self.reused and not self._kept.whole:
            found.append(f"{count(self.reused, 'answer')} of judges kept from before: not asked for again")
        for name, bias in self.orders().items():
            found.append(
                f"the judge of {name} said the same in both orders in {bias.consistent} of {bias.n} pairs; "
                f"position bias {bias.bias:+.2f} (above 0 favours what is shown first); the others count .5"
            )
        return found

    @property
    def usd_per_call(self) -> float | None:
        """Mean dollars of the calls made; None where none was, or no price is known."""
        return self.cost_usd / self.calls if self.calls and self.cost_usd is not None else None

    def counted(self, calls: CallsPart) -> CallsPart:
        """The calls of a run with those to judges."""
        usd = None if self.cost_usd is None else round(self.cost_usd, 9)
        # the run's budget pays for both
        own = calls.usd if calls.usd is None or usd is None else max(0.0, calls.usd - usd)
        rounded = None if own is None else round(own, 9)
        return calls.model_copy(update={"judge": self.calls, "judge_usd": usd, "usd": rounded})

    async def _won(
        self, case: Case, candidate: Outcome, baseline: Outcome, scorer: Scorer
    ) -> Score | ScorerFailure | None:
        name, asked = scorer.metric.name, scorer.asked
        assert asked is not None
        assert asked.prefer is not None
        if not isinstance(candidate, Response) or not isinstance(baseline, Response):
            if any(not isinstance(o, Response) and o.kind != "application" for o in (candidate, baseline)):
                return None
            lost, beaten = not isinstance(candidate, Response), not isinstance(baseline, Response)
            return Score(name, TIE if lost and beaten else float(beaten), "unit")
        kept = await self._heard(asked, partial(asked.prefer, case, candidate, baseline))
        shown = await self._heard(asked, partial(asked.prefer, case, baseline, candidate))
        for said in (kept, shown):
            if isinstance(said, ScorerFailure):
                return replace(said, metric=name)
        assert isinstance(kept, int)
        assert isinstance(shown, int)
        swapped = {0: 0, 1: 2, 2: 1}[shown]
        orders = self._orders.setdefault(name, Orders())
        orders.kept.append(kept)
        orders.swapped.append(swapped)
        return Score(name, {1: 1.0, 2: 0.0, 0: TIE}[kept] if kept == swapped else TIE, "unit")

    async def _heard(self, judge: ModelJudge, read: Callable[[Ask], Awaitable[Said]]) -> Said:
        """What a judge says. A kept answer that cannot be read is asked for anew: the judge may be mended."""
        taken: list[Outcome] = []
        said = await read(self._asking(judge, taken))
        if isinstance(said, ScorerFailure) and taken and not self._kept.whole:
            return await read(self._asking(judge, None))
        self.reused += len(taken)
        return said

    def _known(self, key: str) -> Outcome | None:
        """A kept answer. A judge that refused may answer now, and nobody paid for that: it is asked again."""
        known = self._kept.find(key, baseline=False)
        usable = known is not None and (self._kept.whole or isinstance(known.outcome, Response))
        return known.outcome if known is not None and usable else None

    def _asking(self, judge: ModelJudge, taken: list[Outcome] | None) -> Ask:
        """Asks a judge; kept answers that it takes instead are put into `taken`, where it is given."""

        async def ask(text: str) -> Outcome:
            key = response_key(self._release.digest, f"judge {judge.target}", (judge.digest, text), 0)
            if taken is not None and (known := self._known(key)) is not None:
                taken.append(known)
                return known
            if self._kept.whole:
                return Failure("missing", "the replay holds no answer of this judge")
            await self._budget.room()
            self._budget.begin()
            self.calls += 1
            usd: float | None = None
            try:
                outcome = await self.unanswered.ask(self._responders[judge.target], Request("judge", text))
                usd = outcome.cost_usd if isinstance(outcome, Response) else None
            finally:
                self._budget.end(usd)
            if usd is not None:
                self.cost_usd = (self.cost_usd or 0.0) + usd
            self._kept.keep(key, outcome, (), "")
            return outcome

        return ask


def _responder(release: Release, target: Target, transport: Transport) -> ChatResponder:
    """A chat application of one target that is asked the judge's question as it stands."""
    prompt = Artifact("prompt", _ROUTE, "1", "", content=b"{{ question }}")
    return ChatResponder(
        replace(
            release,
            application=ApplicationSpec("chat", _ROUTE),
            artifacts=(prompt, *release.of_kind("model")),
            routes={_ROUTE: Route(_ROUTE, (target,))},
        ),
        transport,
    )
