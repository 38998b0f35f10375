"""One run from the manifest to the verdict; pytest's shell drives it, nothing in it knows pytest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from relgate.catalog import Catalog
from relgate.domain.case import Case, CaseKey
from relgate.domain.case_set import CaseSet
from relgate.domain.errors import AttemptMoved, InputError, Problem
from relgate.domain.long_cases import LongCases
from relgate.domain.release import Release
from relgate.domain.run import CaseBlock, MeasurementRow
from relgate.domain.scorecard import CallsPart, Scorecard
from relgate.engine.executor import EngineError
from relgate.redaction import Redactor
from relgate.store import Registry, StoredVerdict, open_registry, registry_url, responses_file
from relgate.usecases.judging.failed_calls import known_holds, uncounted_if_silent
from relgate.usecases.judging.judge_run import NOTHING_CHANGED, Judgement, judge_run, nothing_changed
from relgate.usecases.judging.judge_trusts import changed_before, trusted_before, with_answers
from relgate.usecases.judging.moved_models import backends_of, moved_models, served_by
from relgate.usecases.judging.screening import screened
from relgate.usecases.measuring.budget_stop import stopped_by, unpriced
from relgate.usecases.measuring.draw import Draw
from relgate.usecases.measuring.judged_again import with_kept_answers
from relgate.usecases.measuring.live_run import LiveRun, Measured
from relgate.usecases.measuring.meanwhile import import_what_judges
from relgate.usecases.measuring.measured_cases import reused
from relgate.usecases.measuring.moved_meanwhile import held_for_a_moved_model
from relgate.usecases.measuring.replay import load_replay, replay_holds
from relgate.usecases.measuring.run_status import RunStatus
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.anchors import anchor_data, find_anchors
from relgate.usecases.preparing.contradiction import with_contradiction
from relgate.usecases.preparing.estimate import expected_usd
from relgate.usecases.preparing.prepare import Prepared, prepare
from relgate.usecases.preparing.staleness import with_fingerprint
from relgate.usecases.preparing.traffic import changes_found, sampled
from relgate.usecases.redacting import CountingRedactor, secrets_of
from relgate.usecases.report import CaseReport, Report
from relgate.usecases.reporting.build_scorecard import CaseOutcomes, build_scorecard, case_outcomes
from relgate.usecases.reporting.case_report import CaseReporter
from relgate.usecases.reporting.gate_parts import gate_result_of
from relgate.usecases.reporting.registry_rows import is_attempt, measurement_rows, run_record
from relgate.usecases.reporting.run_part import now, run_part
from relgate.usecases.reporting.stored_card import stored_card
from relgate.usecases.reporting.waivers import waiver_parts
from relgate.usecases.reporting.write_report import Written, folder_problems, write_report


class ReleaseRun:
    """A run of one candidate.

    The order of use: construct (reads and checks everything), ``start`` with the selected cases,
    ``case`` per case in any order, ``conclude``, ``close``. ``close`` may come at any time.

    Args:
        options: what to do.
        plugins: what may register scorers and the like.
        problems: plugins that could not be loaded; they are named among the others.

    Raises:
        InputError: everything that is wrong with the manifest, the suites or the options, at once.
        RegistryError: the registry cannot be used.
    """

    def __init__(
        self, options: RunOptions, plugins: Iterable[object] = (), problems: Iterable[Problem] = ()
    ) -> None:
        self.options = options
        self._stack = ExitStack()
        self._live: LiveRun | None = None
        self._wanted = CaseSet()
        self._planned = 0
        self._planned_after: tuple[str, ...] = ()
        self._draw: Draw | None = None
        self._started = now()
        try:
            self.catalog, wrong = Catalog.read(plugins)
            url = registry_url(options.registry, options.environment, options.rootdir)
            self._responses = responses_file(url, options.rootdir)
            self.registry: Registry = self._stack.enter_context(open_registry(url))
            known = (*problems, *wrong, *folder_problems(self.options.report_folder))
            self.prepared: Prepared = prepare(options, self.catalog, self.registry, self._responses, known)
            if missing := unpriced(options, self.prepared.candidate):
                raise InputError(missing)
            self._redactor = self._redactor_of([self.prepared.candidate, self.prepared.baseline])
        except BaseException:
            self._stack.close()
            raise
        self._trusted = trusted_before(self.registry, self.prepared)
        self._anchors = find_anchors(self.registry, self.prepared)
        self._reporter = CaseReporter(
            self.prepared.plans, self.prepared.sealed, paired=self.prepared.baseline is not None
        )
        self.cases = CaseSet.of_all(self.prepared.suites)

    def _redactor_of(self, releases: Iterable[Release | None]) -> Redactor:
        given = self.options.environment.get("RELGATE_REDACTION_KEY")
        return self.catalog.redactor(
            key=self.registry.redaction_key(given), known_secrets=secrets_of(releases)
        )

    @property
    def settled(self) -> str | None:
        """Why nothing needs to be called when every case is selected, None if something does."""
        if self.prepared.left_out:
            return None
        if self.prepared.stored is not None:
            return f"judged before, in run {self.prepared.stored.run_id}"
        if self.prepared.same_digest and self.prepared.candidate.application.kind != "recording":
            return f"{NOTHING_CHANGED}: the candidate and the baseline are the same release"
        return None

    @property
    def changed_judges(self) -> tuple[str, ...]:
        """Judges that changed and will hold their gates, one sentence each."""
        return changed_before(self.prepared, self._trusted)

    @property
    def missed_before(self) -> dict[CaseKey, str]:
        """Critical cases whose miss carried the stored verdict, with what was said of them."""
        return {} if self.prepared.stored is None else self.prepared.stored.confirmed_misses

    def planned_calls(self, selected: Collection[CaseKey]) -> int:
        """Calls to applications that these cases need, both sides; a recording needs none."""
        if not selected or self.prepared.candidate.application.kind == "recording":
            return 0
        whole = self.cases == selected
        return 2 * len(sampled(self.prepared)) * whole + sum(
            self.prepared.calls_of(plan, case)
            for plan in self.prepared.plans
            for case in plan.suite.all_cases
            if (plan.suite.name, case.id) in selected
        )

    def start(self, selected: Collection[CaseKey]) -> None:
        """Start services and the engine for these cases.

        Raises:
            ServiceError: a service does not start.
            InputError: a variable is unset, or an application cannot be built.
        """
        self._wanted = CaseSet.chosen(self.prepared.suites, selected)
        self._planned = self.planned_calls(selected)
        replayed, draw = None, ""
        if self.options.replay is not None:
            header, replayed = load_replay(self.options.replay, self.prepared, self._wanted)
            draw = header.run
            if holds := replay_holds(header, replayed, self.prepared, self.registry):
                self.prepared = self.prepared.held_for_its_answers(holds, attempt=False)
        usd = expected_usd(self.prepared, self.registry, selected, self._planned, self.options.allowance)
        parts = (self._stack, self._redacting, self._responses)
        self._live = LiveRun(self.prepared, self.options, selected, *parts, replayed, usd)
        self._draw = Draw(self.registry, self.prepared, self._live, self._started, draw)
        self._live.start()
        import_what_judges()

    def _redacting(self, releases: Collection[Release]) -> Redactor:
        self._redactor = self._redactor_of(releases)
        return self._redactor

    @property
    def done(self) -> int:
        """Cases measured so far."""
        return self._live.done if self._live is not None else 0

    def is_measured(self, key: CaseKey) -> bool:
        """Whether a case that is a task of its own is measured: ``case`` would not wait."""
        return self._live is not None and self._live.is_measured(key)

    @property
    def kept(self) -> str:
        """What becomes of the answers of a run that ended without a verdict; "" where it has none."""
        return "" if self._draw is None else self._draw.kept

    def status(self) -> RunStatus | None:
        """How far the run is, None where nobody is called."""
        if self._live is None or not self._planned:
            return None
        if self._planned_after != (pilots := self.prepared.trials.notes):
            self._planned, self._planned_after = self.planned_calls(self._wanted), pilots
        return self._live.status(self._planned)

    def case(self, suite: str, case_id: str, beat: Callable[[], None] | None = None) -> CaseReport:
        """What became of one case; waits for it and calls ``beat`` now and then.

        Raises:
            EngineError: the engine ended before it was measured.
        """
        if self._live is None:
            raise EngineError("the engine was not started")
        rows = self._live.rows((suite, case_id), beat)
        if rows is None:
            why = self._redacted(self._live.why_not((suite, case_id)))
            return CaseReport("not_run", {}, 0, failure="", message=why)
        if self._draw is not None:
            self._draw.show((suite, case_id), rows)
        return self._reporter.report((suite, case_id), rows, self._redacted)

    def reports(
        self,
        suite: str,
        cases: Sequence[Case],
        beat: Callable[[], None] | None = None,
        quiet: Counter[str] | None = None,
    ) -> Iterator[tuple[str, CaseReport]]:
        """What became of some cases of a suite, one after another; waits for each as ``case`` does.

        Cases that are only counted may be left out where ``quiet`` counts them by what became of them.

        Raises:
            EngineError: the engine ended before one was measured.
        """
        long = None if self._live is None else self._live.long.get(suite)
        if self._live is None or long is None or not isinstance(cases, LongCases):
            yield from ((case.id, self.case(suite, case.id, beat)) for case in cases)
            return
        if self._draw is not None:
            self._draw.show_recorded()
        live = self._live
        yield from self._reporter.long_reports(
            long, cases, lambda number: live.wait_for(long, number, beat), self._redacted, quiet
        )

    def _redacted(self, text: str) -> str:
        return CountingRedactor(self._redactor).text(text)

    def conclude(self) -> Report:
        """Judge what was measured, record it in one transaction and write the reports.

        Raises:
            RegistryError: the run could not be recorded; there is no verdict then.
        """
        assert self._live is not None
        found = self._live.finish()
        tally, old = self._live.measurer.tally, self._live.answers.of_no_attempt
        if self.options.reuse == "always":
            self.prepared = with_kept_answers(self.prepared, tally, of_no_attempt=old)
        self.prepared = held_for_a_moved_model(self.prepared, tally, found.cases)
        while True:
            try:
                return self._judge(self._live, found)
            except AttemptMoved as moved:
                self.prepared = self.prepared.moved_to(moved.number)

    def _judge(self, live: LiveRun, found: Measured) -> Report:
        """Judge and record under the attempt as it stands.

        Raises:
            AttemptMoved: another run of the line was recorded meanwhile.
        """
        prepared, early, traffic, unasked = self.prepared, live.early, found.traffic, found.unasked
        redact = CountingRedactor(self._redactor).text
        again = CountingRedactor(self._redactor)
        prepared = with_contradiction(prepared, self.registry, found.cases, again)
        prepared = uncounted_if_silent(prepared, found.cases)
        self.prepared = replace(self.prepared, judged_key=prepared.judged_key, uncounted=prepared.uncounted)
        prepared = with_fingerprint(prepared, found.cases, redact)
        pooled = prepared.pooled.join(prepared.plans, found.cases)
        measured = with_answers(pooled, prepared.plans, redact)
        missing = self._wanted - found.cases.keys() - live.spared if live.budget.reached else ()
        left = (found.cases, live.answers.count, live.measurer.outages)
        stopped = stopped_by(live.budget, prepared, frozenset(missing), *left)
        judgement = judge_run(
            prepared,
            measured,
            early.looked if early is not None else None,
            changes_found(prepared, {} if unasked else traffic),
            anchor_data(self._anchors, prepared.plans, measured),
            self._trusted,
            stopped,
            live.measurer.judges.usd_per_call,
        )
        if prepared.screen:
            judgement = screened(judgement, known_holds(prepared, measured))
        if prepared.uncounted:
            judgement = replace(judgement, verdict=replace(judgement.verdict, attempts=0))
        redactor = CountingRedactor(self._redactor)
        outcomes = case_outcomes(prepared, judgement, measured)
        made = live.measurer.calls
        planned = self.planned_calls(self._wanted or self.cases)
        spared = (unasked if live.spared else 0) + self.planned_calls(live.spared)
        rows = measurement_rows(prepared, measured, outcomes.of_case, redactor)
        served = served_by(prepared, found.cases)
        scorecard = build_scorecard(
            replace(
                prepared,
                notes=(
                    *prepared.notes_of(attempt=is_attempt(prepared, judgement)),
                    *(early.notes(measured) if early is not None else ()),
                    *live.measurer.judges.notes(),
                    *live.measurer.tally.notes(),
                    *moved_models(self.registry, prepared, served),
                    *live.answers.problems,
                ),
            ),
            judgement,
            measured,
            waivers=waiver_parts(self.registry, self.prepared.candidate.name),
            redactor=redactor,
            calls=live.measurer.judges.counted(
                CallsPart(
                    planned=planned,
                    made=made,
                    unanswered=live.measurer.unanswered,
                    reused=reused(measured, prepared.pooled.remembered) + live.measurer.tally.reused,
                    reused_since=live.measurer.tally.since,
                    # a case that ended early may have been asked by the pilot before
                    saved=max(0, min(spared, planned - made - live.measurer.tally.reused)),
                    usd=live.budget.spent,
                )
            ),
            run=run_part(self._started, self.options.seed, self.options.baseline, backends_of(served)),
            outcomes=outcomes,
            traffic=traffic,
            orders=live.measurer.judges.orders(),
        )
        # the next run goes on with what a budget ended, or an outage kept from being whole
        goes_on = stopped is not None or judgement.verdict.lacking
        report = self._finish(scorecard, judgement, rows=rows, redactor=redactor, goes_on=goes_on)
        if not goes_on and (unnoted := live.answers.finish(attempt=is_attempt(prepared, judgement))):
            report = replace(report, unwritten=(*report.unwritten, unnoted))
        return report

    def conclude_settled(self) -> Report:
        """The stored verdict, or a promote because nothing changed; no call is made."""
        stored = self.prepared.stored
        if stored is not None:
            return self._stored_report(stored)
        redactor = CountingRedactor(self._redactor)
        judgement = nothing_changed(() if self.prepared.screen else self.prepared.holds)
        if self.prepared.screen:
            judgement = screened(judgement, ())
        scorecard = build_scorecard(
            replace(self.prepared, notes=self.prepared.notes_of(attempt=False)),
            judgement,
            {},
            waivers=waiver_parts(self.registry, self.prepared.candidate.name),
            redactor=redactor,
            calls=CallsPart(planned=0, made=0, reused=0, saved=0),
            run=run_part(self._started, self.options.seed, self.options.baseline, {}),
            outcomes=CaseOutcomes(),
        )
        return self._finish(scorecard, judgement, rows=(), redactor=redactor, attempt=False)

    def _stored_report(self, stored: StoredVerdict) -> Report:
        scorecard = stored_card(stored, self.registry, self.prepared)
        written = self._write(scorecard)
        gates = tuple(gate_result_of(part) for part in scorecard.gates)
        return Report(
            scorecard, gates, stored.exit_status, stored=True, files=written.files, unwritten=written.problems
        )

    def _write(self, scorecard: Scorecard) -> Written:
        return write_report(scorecard, self.options.report_folder, environment=self.options.environment)

    def _finish(
        self,
        scorecard: Scorecard,
        judgement: Judgement,
        *,
        rows: tuple[MeasurementRow | CaseBlock, ...],
        redactor: CountingRedactor,
        attempt: bool = True,
        goes_on: bool = False,
    ) -> Report:
        record = run_record(
            self.prepared,
            judgement,
            scorecard,
            rows,
            manifest_path=self.options.manifest_given or str(self.options.manifest),
            redactor=redactor,
            ended=() if goes_on or self._draw is None else self._draw.ended,
            draw="" if self._draw is None else self._draw.name,
        )
        if not attempt:
            record = replace(record, judged_key="", attempt=None)
        self.registry.record(record)
        written = self._write(scorecard)
        return Report(
            scorecard=scorecard,
            gates=tuple(
                replace(gate, message=part.message)
                for gate, part in zip(judgement.gates, scorecard.gates, strict=True)
            ),
            exit_status=record.exit_status,
            files=written.files,
            unwritten=written.problems,
        )

    def close(self) -> None:
        """Stop the engine and the services, close the registry; may be called twice."""
        if self._live is not None:
            self._live.close()
        self._stack.close()
