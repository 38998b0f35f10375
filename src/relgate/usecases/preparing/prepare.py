"""Everything before the first call: files read, releases resolved, gates spread, feasibility known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from relgate.applications.recording import Rows
from relgate.catalog import Catalog
from relgate.decision.identity import is_untouched
from relgate.decision.judges.label_needs import labels_alpha
from relgate.decision.judges.labels import label_id
from relgate.decision.planning.feasibility import Feasibility, feasibility
from relgate.decision.policy import attempt_alpha, policy_digest
from relgate.decision.sealing import is_tuned, judged_by, open_half, sealed_ids
from relgate.decision.unchanged import sample_digest
from relgate.decision.wording import plain_rate
from relgate.domain.case import Case, Suite
from relgate.domain.errors import Problem
from relgate.domain.gate import GateSpec
from relgate.domain.kept import AskedTrials
from relgate.domain.release import Release
from relgate.domain.response import Measurement, Side
from relgate.domain.run import AttemptKey, SuiteRecord
from relgate.files.kept import recorded_trials
from relgate.store import Registry, StoredVerdict
from relgate.usecases.options import RunOptions
from relgate.usecases.preparing.attempt_count import count_attempt, golden_digest, key_of
from relgate.usecases.preparing.baseline import Baseline, find_baseline, uncompared_holds
from relgate.usecases.preparing.case_records import suite_records
from relgate.usecases.preparing.changes_since import ComparedSuites, changes_since
from relgate.usecases.preparing.exposure import were_shown, with_broken_seals
from relgate.usecases.preparing.inputs import Sources, read_inputs
from relgate.usecases.preparing.judged_key import judged_before, judged_key_of
from relgate.usecases.preparing.notes import broken_seal_notes, release_notes, sealed_notes, tuned_notes
from relgate.usecases.preparing.plan_suite import SuitePlan, plan_suite
from relgate.usecases.preparing.pooled_runs import PooledRuns, find_pooled
from relgate.usecases.preparing.production import Standing, standing_of
from relgate.usecases.preparing.staleness import choose_probes, is_steady, live_calls, stale_hold, staleness
from relgate.usecases.preparing.stored_baseline import (
    StoredSide,
    measured_since,
    pairing_notes,
    stored_side,
)
from relgate.usecases.preparing.stored_pilot import settle_as_replayed, settle_from_registry
from relgate.usecases.preparing.trials import TrialPlan
from relgate.usecases.preparing.unfinished import Unfinished, find_unfinished
from relgate.usecases.preparing.untouched import UntouchedSuites, compared_in_full, disproven


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready for its first call.

    Attributes:
        candidate: the release under test.
        baseline: what it is compared with.
        plans: suites in order of their folders.
        rows: recordings per side, None for callable applications.
        trials: which trials are asked.
        policy_digest: all gates, digested before the first call.
        attempt_key: what counts attempts together.
        attempt: which attempt this would be.
        alpha: promote-side alpha of this attempt.
        judged_key: identifies a verdict that would be the same again.
        stored: the verdict stored under this key, if any.
        same_digest: whether candidate and baseline are the same release.
        left_out: names of the suites that it left out.
        feasibility: per gate whether it can pass.
        notes: what the reader must know, whatever part of the cases is run (``notes_of`` has the rest).
        records: the suites as the registry keeps them.
        holds: reasons to hold that are known before the first call, each with its next step.
        weakened: required gates that are gone or loosened since the baseline's run.
        contradicted: that the candidate answered otherwise, or better, in earlier runs.
        stored_baseline: the baseline's side where it is taken from a stored run.
        screen: whether harm is looked for and nothing is promoted.
        exposed: whether open cases of these golden sets were shown since the baseline was set.
        again: whether measuring this candidate another time would be a further attempt.
        draws: whether anything is asked live and may answer otherwise the next time.
        unfinished: the candidate's runs that showed outcomes and have no verdict.
        uncounted: whether it takes answers that no attempt may stand on.
        standing: what the candidate is to production.
        pooled: what earlier runs of the same candidate measured.
        sealed: suite and id of every sealed case.
        untouched: suites that nothing changed can reach.
        by_labels: names of the suites of which more labels are a further attempt.
    """

    candidate: Release
    baseline: Release | None
    plans: tuple[SuitePlan, ...]
    rows: Mapping[Side, Rows | None]
    trials: TrialPlan
    policy_digest: str
    attempt_key: AttemptKey
    attempt: int
    alpha: float
    judged_key: str
    stored: StoredVerdict | None
    same_digest: bool
    left_out: tuple[str, ...]
    feasibility: tuple[Feasibility, ...]
    notes: tuple[str, ...]
    records: tuple[SuiteRecord, ...] = ()
    holds: tuple[tuple[str, str], ...] = ()
    weakened: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    stored_baseline: StoredSide | None = None
    screen: bool = False
    exposed: bool = False
    again: bool = False
    draws: bool = False
    unfinished: Unfinished = field(default_factory=Unfinished)
    uncounted: bool = False
    standing: Standing = field(default_factory=Standing)
    pooled: PooledRuns = field(default_factory=PooledRuns)
    sealed: frozenset[tuple[str, str]] = frozenset()
    untouched: UntouchedSuites = field(default_factory=UntouchedSuites)
    by_labels: frozenset[str] = frozenset()

    @property
    def next_alpha(self) -> float:
        """Promote-side alpha of a run of this candidate on more cases: a further attempt."""
        return self.alpha if self.screen else attempt_alpha(self.attempt + 1)

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The suites of the run."""
        return tuple(plan.suite for plan in self.plans)

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that are measured."""
        return ("candidate",) if self.baseline is None else ("candidate", "baseline")

    def notes_of(self, *, attempt: bool) -> tuple[str, ...]:
        """What the reader of a run must know that is an attempt, or of one that is none (a partial one)."""
        notes = (*self.notes, *self.trials.notes, *self.untouched.notes)
        if not attempt or self.attempt == 1 or self.screen:
            return notes
        notes = (*notes, *self.pooled.notes, *self.unfinished.notes(self.attempt))
        tuned = "; a promote would be one on a tuned set" * is_tuned(self.suites, exposed=self.exposed)
        return (
            *notes,
            f"attempt {self.attempt} on these golden sets: promote-side alpha {plain_rate(self.alpha)} "
            f"instead of 0.05{tuned}",
        )

    def held_for_its_answers(self, holds: tuple[tuple[str, str], ...], *, attempt: bool) -> Prepared:
        """The run with what the answers that it takes keep it from.

        A verdict that holds for its answers alone is not served to who asks for other ones.

        Args:
            holds: reasons with their next steps.
            attempt: whether an attempt may stand on them.
        """
        return replace(self, holds=(*self.holds, *holds), judged_key="", uncounted=not attempt)

    def moved_to(self, attempt: int) -> Prepared:
        """The run as another attempt than it was when it began."""
        note = "another run of the line was recorded, or is going on, beside this one: each of them counts"
        return replace(
            self,
            attempt=attempt,
            alpha=attempt_alpha(attempt),
            exposed=self.exposed or attempt > 1,
            notes=(*self.notes, *([] if note in self.notes else [note])),
        )

    def calls_of(self, plan: SuitePlan, case: Case) -> int:
        """Planned calls of one case, both sides."""
        hops = len(plan.hops) or 1
        asked = 0
        for side in self.sides:
            asked += len(self.trials_of(side, plan.suite, case))
        return hops * asked + self.trials.beyond(plan.suite, case) + self.is_probe(plan.suite, case)

    def trials_at_most(self, plan: SuitePlan) -> int:
        """The most trials that the candidate is asked for in a case of a suite."""
        asked = (len(self.trials.trials("candidate", plan.suite, case)) for case in plan.suite.cases)
        return max(asked, default=1)

    def trials_of(self, side: Side, suite: Suite, case: Case) -> tuple[int, ...]:
        """The trials that a side is asked for; none of a baseline whose stored scores are taken."""
        stored = self.stored_baseline
        if side == "baseline" and stored is not None and not stored.is_called((suite.name, case.id)):
            return ()
        planned = self.trials.trials(side, suite, case)
        return self.untouched.trials(suite.name, case.id, planned) if side == "baseline" else planned

    def is_probe(self, suite: Suite, case: Case) -> bool:
        """Whether the baseline is asked once more for the fingerprint of its stored scores."""
        stored = self.stored_baseline
        return stored is not None and (suite.name, case.id) in stored.probes

    def stored_rows(self, suite: Suite, case: Case) -> tuple[Measurement, ...]:
        """The baseline's stored calls of a case."""
        stored = self.stored_baseline
        return () if stored is None else stored.measurements.get((suite.name, case.id), ())

    def baseline_is_asked(self, keys: Collection[tuple[str, str]]) -> bool:
        """Whether any of these cases needs a live answer of the baseline."""
        stored = self.stored_baseline
        return self.baseline is not None and (
            stored is None or any(stored.is_called(key) or key in stored.probes for key in keys)
        )


def prepare(
    options: RunOptions,
    catalog: Catalog,
    registry: Registry,
    responses: Path,
    problems: Sequence[Problem] = (),
) -> Prepared:
    """Read and check everything; nothing is called.

    Args:
        options: what to do.
        catalog: what can be named.
        registry: where releases are looked up.
        responses: where answers are kept.
        problems: what is wrong with plugins; scorers that are not known may be theirs.

    Raises:
        InputError: everything that is wrong, at once.
    """
    replayed = AskedTrials() if options.replay is None else recorded_trials(options.replay)
    if options.trials is None and not options.screen:
        options = replace(options, trials=replayed.every)
    sources = Sources(
        manifest=options.manifest,
        golden_sets=options.golden_sets,
        environment=options.asked_environment,
        catalog=catalog,
        whole_catalog=not problems,
        chosen=tuple(options.suites),
    )

    def find(release: Release) -> Baseline:
        return find_baseline(
            release,
            options.baseline,
            registry,
            base=options.folder,
            environment=options.asked_environment,
            golden_sets=options.golden_sets,
            artifact_kinds=catalog.artifact_kinds,
            screen=options.screen,
        )

    inputs = read_inputs(sources, find, problems)
    baseline, releases, rows, suites = inputs.baseline, inputs.releases, inputs.rows, inputs.suites
    candidate = releases["candidate"]
    same = baseline.release is not None and baseline.release.digest == candidate.digest
    plans = [
        plan_suite(suite, judging, candidate, first=baseline.release is None)
        for suite, judging in zip(suites, inputs.judgings, strict=True)
    ]
    policy = policy_digest(suites)
    golden = golden_digest(suites)
    unfinished = find_unfinished(registry, key_of(candidate, baseline, golden), candidate, responses, options)
    records = suite_records(suites, catalog.plugins_digest)
    count = count_attempt(
        registry,
        candidate,
        baseline,
        golden,
        records,
        screen=options.screen,
        taken_again=unfinished.judges_again(registry, options),
        labels={suite.name: frozenset(map(label_id, suite.labels)) for suite in suites},
        lines={suite.name: sample_digest(suite) for suite in suites if suite.traffic},
        drawn_anew=len(unfinished.drawn_anew),
    )
    key, attempt = count.key, count.number
    others: list[str] = []
    if count.draws and not options.screen:
        others = [run for run in registry.candidate_runs(candidate.digest) if run not in count.continued]
    alpha = attempt_alpha(attempt)
    next_alpha = alpha if options.screen else attempt_alpha(attempt + 1)
    read, suites = suites, with_broken_seals(registry, key, candidate.digest, suites)
    plans = [replace(plan, suite=suite) for plan, suite in zip(plans, suites, strict=True)]
    shown = were_shown(registry, key, candidate.digest, suites)
    exposed = shown or attempt > 1
    if options.screen:
        plans = [replace(plan, suite=open_half(plan.suite)) for plan in plans]
    trials = TrialPlan(
        deterministic=all(release.deterministic for release in releases.values()),
        override=options.trials or (1 if options.screen else None),
        rows={str(side): found for side, found in rows.items()},
    )
    settle_as_replayed(trials, suites, replayed)
    if baseline.release is not None:
        settle_from_registry(trials, plans, baseline.release, registry, alpha)
    side = None if baseline.stored is None else stored_side(baseline.stored, plans, records)
    compared = ComparedSuites(read, records, inputs.left_out)
    changes = changes_since(registry, candidate, baseline.release, baseline.stored, compared, count)
    holds = changes.holds
    if not options.screen:
        holds += uncompared_holds(candidate, baseline, registry)
    if side is not None and baseline.release is not None and not options.screen:
        holds += side.pairing.holds
        if not is_steady(baseline.release):
            if reasons := staleness(side, plans):
                holds += stale_hold(side, baseline.release, live_calls(plans, trials), reasons)
                side = replace(side, stale=reasons)
            else:
                side = replace(side, probes=choose_probes(side, plans, options.seed))
    judged_key = judged_key_of(
        registry, candidate, baseline, suites, policy, options, catalog.plugins_digest, holds
    )
    return Prepared(
        candidate=candidate,
        baseline=baseline.release,
        plans=tuple(plans),
        rows=rows,
        trials=trials,
        policy_digest=policy,
        attempt_key=key,
        attempt=attempt,
        alpha=alpha,
        judged_key=judged_key,
        stored=judged_before(registry, judged_key, options),
        same_digest=same,
        left_out=inputs.left_out,
        feasibility=tuple(
            feasibility(
                gate,
                _judged_by(plan.suite, gate.spec, side, exposed=exposed),
                alpha=alpha,
                single_trial=trials.single(plan.suite),
                labels_alpha=labels_alpha(
                    plan.gates, plan.suite, count.by_labels, alpha=alpha, next_alpha=next_alpha
                ),
            )
            for plan in plans
            for gate in plan.gates
        ),
        notes=(
            *release_notes(baseline, candidate, registry),
            *(pairing_notes(side) if side is not None else ()),
            *_measured_since(registry, baseline, options),
            *changes.notes,
            *tuned_notes(suites, shown, attempt, options.screen),
            *broken_seal_notes(read, suites),
            *sealed_notes(suites, registry.uses(key.golden_digest), exposed=exposed, screen=options.screen),
            *inputs.notes,
        ),
        records=records,
        holds=holds,
        weakened=changes.weakened,
        stored_baseline=side,
        screen=options.screen,
        exposed=exposed,
        again=count.again,
        standing=standing_of(registry, candidate, baseline),
        draws=count.draws,
        unfinished=unfinished,
        pooled=find_pooled(registry, count.continued, others, plans, records, baseline),
        sealed=frozenset((s.name, case_id) for s in suites for case_id in sealed_ids(s)),
        untouched=UntouchedSuites(
            suite.name
            for suite in suites
            if baseline.release is not None
            and side is None
            and suite.name not in changes.rerouted
            and is_untouched(suite, baseline.release, candidate)
            and suite.name not in compared_in_full(registry, count.judged)
            and suite.name not in disproven(registry, count.key)
        ),
        by_labels=count.by_labels,
    )


def _measured_since(registry: Registry, baseline: Baseline, options: RunOptions) -> tuple[str, ...]:
    if baseline.release is None or baseline.stored is None or options.screen:
        return ()
    return measured_since(registry, baseline.release, baseline.stored)


def _judged_by(suite: Suite, spec: GateSpec, side: StoredSide | None, *, exposed: bool) -> Suite:
    """The suite with the cases that a gate judges; a comparison has no others than the baseline answers."""
    judged = judged_by(suite, spec, exposed=exposed)
    unpaired = side.unpaired(judged) if side is not None and spec.relative else ()
    return (
        replace(judged, cases=tuple(c for c in judged.cases if c.id not in unpaired)) if unpaired else judged
    )
