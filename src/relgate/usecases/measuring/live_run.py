"""The engine of one run: systems made ready, cases measured, and what was not, with the reason."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relgate.domain.case import CaseKey, Suite
from relgate.domain.case_set import CaseSet
from relgate.domain.kept import Kept
from relgate.domain.long_cases import held_cases
from relgate.domain.release import ApplicationKind, Release
from relgate.domain.response import Side
from relgate.domain.transport import Transport
from relgate.engine.budget import Budget
from relgate.engine.executor import EngineError, Executor
from relgate.files.long.recording_file import RecordingFile
from relgate.redaction import Redactor, cut
from relgate.usecases.measuring.early_stop import EarlyStop, early_stop_of
from relgate.usecases.measuring.kept_answers import KeptAnswers
from relgate.usecases.measuring.long_suites.block import BlockScorer
from relgate.usecases.measuring.long_suites.long_suite import BlockKey, LongSuite
from relgate.usecases.measuring.measure import CaseMeasurer
from relgate.usecases.measuring.measured_cases import MeasuredCases, Rows
from relgate.usecases.measuring.replay import NoNetwork, ReplayedAnswers
from relgate.usecases.measuring.run_status import Rate, RunStatus
from relgate.usecases.measuring.systems import System, make_system, start_services, variants
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.plan_suite import in_order_of_calls
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.staleness import is_steady
from relgate.usecases.preparing.traffic import sampled
from relgate.usecases.redacting import CountingRedactor

if TYPE_CHECKING:
    from relgate.engine.transport import HttpTransport

Task = CaseKey | BlockKey

SENDING = frozenset[ApplicationKind]({"chat", "http", "command"})
"""Kinds of applications whose requests the engine sends; the others have their own ways."""

LONGEST_CAUSE = 60
"""Signs of a cause in a line of progress."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run measured.

    Attributes:
        cases: every call per case, in the order of the suites.
        traffic: the same of sampled inputs.
        unasked: calls for sampled inputs that were not made.
    """

    cases: Mapping[CaseKey, Rows] = field(default_factory=dict)
    traffic: Mapping[CaseKey, Rows] = field(default_factory=dict)
    unasked: int = 0


class LiveRun:
    """Measures the selected cases in the engine's thread.

    Args:
        prepared: the run.
        options: what was asked for.
        selected: the cases of the run.
        stack: stops the services.
        redactor_of: gives what redacts texts, from the releases with bound variables.
        responses: the file in which answers are kept.
        replayed: every answer, where nobody is to be called.
        expected_usd: what a call may cost, 0 where nothing tells.

    Attributes:
        early: what may end the calls early, None where nothing may.
        measurer: measures a case.
        budget: what the run may spend.
        answers: where what was paid for is kept.

    Raises:
        ServiceError: a service does not start.
        InputError: a variable is unset, or an application cannot be built.
    """

    def __init__(
        self,
        prepared: Prepared,
        options: RunOptions,
        selected: Collection[CaseKey],
        stack: ExitStack,
        redactor_of: Callable[[Collection[Release]], Redactor],
        responses: Path,
        replayed: Mapping[str, Kept] | None = None,
        expected_usd: float = 0.0,
    ) -> None:
        self._wanted = wanted = CaseSet.chosen(prepared.suites, selected)
        self._unmeasured = frozenset[CaseKey]()
        self._prepared = prepared
        self._order = [key for suite in prepared.suites for key in _keys_one_by_one(suite)]
        whole = len(wanted) == sum(len(s.all_cases) for s in prepared.suites)
        self.early: EarlyStop | None = early_stop_of(prepared, options, whole=whole)
        self._traffic = tuple(sampled(prepared)) if whole else ()
        self.budget = Budget(options.allowance, expected_usd=expected_usd)
        self._rate = Rate()
        offline = replayed is not None
        self._transport = transport = _transport(prepared, options.seed, self.budget, offline=offline)
        systems = self._systems(options, wanted, stack, transport, offline=offline)
        redactor = redactor_of([system.release for system in systems.values()])
        self._redact: Callable[[str], str] = lambda text: redactor.redact(text).text
        self.long = self._long_suites(wanted, redactor, seed=options.seed)
        tasks: list[Task] = []
        for suite in (plan.suite for plan in in_order_of_calls(prepared.plans)):
            if suite.name in self.long:
                tasks += self.long[suite.name].tasks
            tasks += (key for key in _keys_one_by_one(suite) if key in wanted)
        tasks = tasks if self.early is None else [*self.early.tasks]
        baseline = prepared.baseline
        self.answers: KeptAnswers | ReplayedAnswers = (
            ReplayedAnswers(replayed or {})
            if replayed is not None or _calls_nobody(prepared)
            else KeptAnswers(
                responses,
                options.reuse,
                steady=baseline is None or is_steady(baseline),
                redactor=redactor,
                record=options.record,
                # kept answers of any run may stand in a recording of this one
                whole=whole and not prepared.screen and options.reuse != "always",
                releases=(prepared.candidate.digest, "" if baseline is None else baseline.digest),
                asked=prepared.trials.asked(prepared.suites),
            )
        )
        self.measurer = CaseMeasurer(
            prepared,
            systems,
            transport,
            self.budget,
            self.answers,
            seed=options.seed,
            redact=self._redact,
            selected=wanted,
        )

        async def opening() -> None:
            for system in systems.values():
                await system.open()

        async def closing() -> None:
            for system in systems.values():
                await system.close()
            await transport.close()

        self._executor: Executor[Task, Rows] = Executor(
            [*tasks, *self._traffic],
            self._measure,
            concurrency=options.concurrency,
            opening=opening,
            closing=closing,
            watcher=self.early,
        )

    def _systems(
        self,
        options: RunOptions,
        wanted: CaseSet,
        stack: ExitStack,
        transport: Transport,
        *,
        offline: bool,
    ) -> dict[Side, System]:
        prepared = self._prepared
        asked = {name for name, _ in wanted.short} | wanted.long.keys()
        suites = [plan.suite for plan in prepared.plans if plan.suite.name in asked]
        releases: dict[Side, Release] = {"candidate": prepared.candidate}
        if prepared.baseline is not None and prepared.baseline_is_asked(wanted):
            releases["baseline"] = prepared.baseline
        systems: dict[Side, System] = {}
        for side, release in releases.items():
            if offline:
                systems[side] = System(release, {})
                continue
            running = start_services(release, options.environment, stack)
            systems[side] = make_system(
                running,
                variants(running, suites),
                suites,
                prepared.rows[side],
                stack,
                transport,
                options.environment,
            )
        return systems

    def _long_suites(self, wanted: CaseSet, redactor: Redactor, *, seed: int) -> dict[str, LongSuite]:
        """The long suites of which any case is wanted, by name."""
        prepared = self._prepared
        rows = {side: found for side, found in prepared.rows.items() if isinstance(found, RecordingFile)}
        return {
            plan.suite.name: LongSuite(
                plan,
                wanted.long[plan.suite.name],
                BlockScorer(
                    plan,
                    {side: rows[side] for side in prepared.sides},
                    seed=seed,
                    redact=self._redact,
                    redactor=lambda: CountingRedactor(redactor),
                ),
                prepared.sides,
                seed=seed,
            )
            for plan in prepared.plans
            if plan.suite.name in wanted.long
        }

    async def _measure(self, task: Task) -> Rows:
        """Measure a case, or a block of a long suite, whose calls are kept with the suite."""
        if isinstance(task, BlockKey):
            self.long[task.suite].measure(task)
            await asyncio.sleep(0)  # nothing in a block waits, and the loop must hear that it shall end
            return ()
        return await self.measurer.measure(task)

    def start(self) -> None:
        """Start the engine; cases are measured behind.

        Raises:
            InputError: an application cannot be built.
        """
        self._executor.start()

    @property
    def done(self) -> int:
        """Cases measured so far."""
        return self._executor.done

    def is_measured(self, key: CaseKey) -> bool:
        """Whether a case that is a task of its own is measured."""
        return self._executor.is_done(key)

    def status(self, planned: int) -> RunStatus:
        """How far the run is, of so many calls."""
        made = self.measurer.calls + self.measurer.tally.reused
        passed, gates = self.early.gates_passed if self.early is not None else (0, 0)
        return RunStatus(
            made=made,
            planned=planned,
            in_flight=self.budget.in_flight,
            usd=self.budget.usd,
            per_second=self._rate.at(time.monotonic(), made),
            gates_passed=passed,
            gates=gates,
            trouble=self._trouble(),
        )

    def _trouble(self) -> str:
        """Why a provider gives no answers and what is done about it, in few words; "" while all do."""
        trouble = self._transport.trouble
        if trouble is None:
            return ""
        return f"{cut(self._redact(' '.join(trouble.cause.split())), LONGEST_CAUSE)}, {trouble.remedy}"

    def rows(self, key: CaseKey, beat: Callable[[], None] | None = None) -> Rows | None:
        """Every call of one case, None where it was not made; waits for it.

        Raises:
            EngineError: the engine ended before it was measured.
        """
        long = self.long.get(key[0])
        number = -1 if long is None else long.chosen.find(key[1])
        if long is None or number < 0:
            return self._executor.wait(key, beat)
        self.wait_for(long, number, beat)
        return long.rows(number)

    def wait_for(self, long: LongSuite, number: int, beat: Callable[[], None] | None = None) -> None:
        """Wait until a case of a long suite is measured.

        Raises:
            EngineError: the engine ended before it was.
        """
        block = long.block_of(number)
        if block is None:
            raise EngineError("the case was not chosen")
        self._executor.wait(block, beat)

    @property
    def spared(self) -> frozenset[CaseKey]:
        """Cases that were not called because the verdict does not need them; once ``finish`` was called."""
        early = self.early
        return frozenset() if early is None else frozenset(filter(early.spares, self._unmeasured))

    def why_not(self, key: CaseKey) -> str:
        """Why a case was not called."""
        if self.early is not None and self.early.spares(key):
            return self.early.why_not(key[0])
        return self.budget.reached

    def finish(self) -> Measured:
        """Wait for the sampled inputs, stop the engine and give everything measured."""
        for key in self._traffic:  # cases were waited for by whoever reports them
            self._executor.wait(key)
        self._executor.close()
        self.answers.flush()
        results = self._executor.results()
        traffic = {key: results[key] for key in self._traffic if key in results}
        # In the order of the suites: cases finish in another one each time, and reports must not show it.
        short = {key: results[key] for key in self._order if key in results}
        cases = MeasuredCases(short, self.long, [suite.name for suite in self._prepared.suites])
        self._unmeasured = self._wanted.short - short.keys()
        return Measured(cases, traffic, unasked=2 * (len(self._traffic) - len(traffic)))

    def close(self) -> None:
        """Stop the engine and write what was answered; may be called twice."""
        self._executor.close()
        self.answers.close()


def _transport(prepared: Prepared, seed: int, budget: Budget, *, offline: bool) -> HttpTransport | NoNetwork:
    """What sends the requests of applications and judges, where there are any."""
    releases = [r for r in (prepared.candidate, prepared.baseline) if r is not None]
    scorers = [s for plan in prepared.plans for side in plan.scorers.values() for s in side]
    sends = any(r.application.kind in SENDING for r in releases) or any(s.asked is not None for s in scorers)
    if offline or not sends:
        return NoNetwork()
    from relgate.engine.transport import HttpTransport  # aiohttp takes an eighth of a second of a start

    return HttpTransport(seed=seed, budget=budget)


def _keys_one_by_one(suite: Suite) -> list[CaseKey]:
    """The cases of a suite that are tasks of their own."""
    return [(suite.name, case.id) for case in held_cases(suite)]


def _calls_nobody(prepared: Prepared) -> bool:
    """Whether everything is recorded and no model judges it: then there is no answer to keep."""
    releases = [r for r in (prepared.candidate, prepared.baseline) if r is not None]
    asked = any(s.asked is not None for plan in prepared.plans for s in plan.scorers["candidate"])
    return not asked and all(release.application.kind == "recording" for release in releases)
