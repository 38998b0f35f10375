"""What is gone or loosened of the suites since earlier runs: who is judged must not shrink the measure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from relgate.decision.suite_changes import (
    Loss,
    SuiteChanges,
    added_cases,
    compare_suites,
    is_rerouted,
    regrouped,
    rerouted_text,
)
from relgate.domain.case import Suite
from relgate.domain.long_cases import LongCases
from relgate.domain.release import Release
from relgate.domain.run import SuiteRecord
from relgate.store import Registry
from relgate.store.rows import ReleaseName
from relgate.usecases.preparing.attempt_count import AttemptCount
from relgate.usecases.preparing.baseline import PRODUCTION
from relgate.usecases.preparing.case_records import as_scored_then
from relgate.usecases.preparing.plan_suite import RECORDED_OR_NOT
from relgate.usecases.preparing.stored_baseline import StoredRun

BASELINE = "the baseline's run"
_ANOTHER = "a run of another candidate"
_OTHER_RUNS = 5
"""The newest runs of other candidates whose cases are looked at."""


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """What the reader must know of earlier suites, and what of it holds.

    Attributes:
        notes: one sentence each, with the run since which it is.
        holds: reasons with their next steps.
        weakened: required gates that are gone or loosened since the baseline's run.
        rerouted: suites that measured another route then, that were not there, or of which that is not known.
    """

    notes: tuple[str, ...] = ()
    holds: tuple[tuple[str, str], ...] = ()
    weakened: tuple[str, ...] = ()
    rerouted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ComparedSuites:
    """The suites of this run, to be laid over those of earlier ones.

    Attributes:
        suites: the suites.
        records: the same as the registry keeps them, in the same order.
        left_out: those that ``--suite`` left out; they are not gone.
    """

    suites: Sequence[Suite]
    records: tuple[SuiteRecord, ...]
    left_out: Collection[str] = ()

    def since(self, before: Sequence[SuiteRecord]) -> SuiteChanges:
        """What changed since a run with these suites."""
        now = as_scored_then(self.records, self.suites, before)
        return compare_suites(self._as_fitted(before), now, left_out=self.left_out)

    def _as_fitted(self, before: Sequence[SuiteRecord]) -> list[SuiteRecord]:
        """Earlier suites without the gates that a filled-in policy leaves out for want of what they judge."""
        absent = {
            suite.name: set(RECORDED_OR_NOT) - {gate.metric for gate in suite.gates}
            for suite in self.suites
            if suite.default_policy
        }
        return [
            replace(r, gates=tuple(g for g in r.gates if g["metric"] not in absent.get(r.suite, ())))
            for r in before
        ]

    def rerouted(self, before: Sequence[SuiteRecord]) -> frozenset[str]:
        """Suites that a run with these suites did not have, or with another route, or with one not known."""
        known = {r.suite: None if r.settings is None else r.settings.route for r in before}
        return frozenset(
            record.suite
            for record in self.records
            if record.settings is None
            or known.get(record.suite) is None
            or record.settings.route != known[record.suite]
        )

    @property
    def are_long(self) -> bool:
        """Whether reading an earlier run's suites takes its time."""
        return any(isinstance(suite.cases, LongCases) for suite in self.suites)


def changes_since(
    registry: Registry,
    candidate: Release,
    baseline: Release | None,
    stored: StoredRun | None,
    compared: ComparedSuites,
    count: AttemptCount,
) -> ChangesSince:
    """What changed since the run that the baseline stands on, and since candidates were judged against it.

    A slice, a case or a gate that came after the promotion is known to the runs since then: the candidate
    that was judged by it is not judged without it. Another candidate may stand on another branch, so of its
    runs what is gone is only noted: slices and clusters, and of the newest runs cases and suites.

    Where nobody holds production it is a project that is being set up: what is gone is noted, and nothing
    holds, unless the baseline was judged with this content.

    Args:
        registry: where runs are.
        candidate: the release under test.
        baseline: what it is compared with; without one there is nothing to compare suites with.
        stored: the run whose answers stand for the baseline's, if any.
        compared: the suites of this run.
        count: tells the candidate's earlier runs against this baseline, and those of others.
    """
    if baseline is None:
        return ChangesSince()
    named = ReleaseName(baseline.name, baseline.version, baseline.digest)
    run_id = registry.judging_run(named) if stored is None else stored.run_id
    known = run_id is not None
    run_id = run_id or registry.judging_run(named, of_version=True)
    said = _Said()
    weakened: tuple[str, ...] = ()
    rerouted: frozenset[str] = frozenset()
    if run_id is not None:
        another = "" if known else " with another content"
        where = f"the run that judged {baseline.label}{another}"
        before = registry.suites(run_id)
        changes, rerouted = compared.since(before), compared.rerouted(before)
        said.add(changes, where, BASELINE, holds=known)
        weakened = changes.weakened if known else ()
    promoted = _production_since(registry, candidate.name)
    for earlier in count.judged:
        if earlier != run_id:
            run = f"{earlier}, a run of this candidate"
            before = registry.suites(earlier)
            holds = promoted is not None and registry.run(earlier).finished >= promoted
            changes = compared.since(before)
            grown = added_cases(before, compared.records)
            said.add(replace(changes, notes=(*changes.notes, *grown)), run, f"run {run}", holds=holds)
            rerouted |= compared.rerouted(before)
    settings = {record.suite: record.settings for record in compared.records}
    others: dict[str, None] = {}
    for earlier, suite, then in registry.judged_settings(count.key):
        if earlier in count.judged:
            continue
        others[earlier] = None
        now = settings.get(suite)
        sent = is_rerouted(then, now)
        notes = (rerouted_text(suite, then, now),) if sent else ()
        rerouted |= {suite} if sent else frozenset()
        losses = tuple(regrouped(suite, then, now))
        said.add(SuiteChanges(notes, losses), f"{earlier}, {_ANOTHER}", "", holds=False)
    for earlier in () if compared.are_long else islice(others, _OTHER_RUNS):
        lost = compared.since(registry.suites(earlier)).losses
        said.add(SuiteChanges(losses=lost), f"{earlier}, {_ANOTHER}", "", holds=False)
    return ChangesSince(tuple(said.notes), tuple(said.holds), weakened, rerouted)


def _production_since(registry: Registry, line: str) -> str | None:
    """When the release in production took it for the first time; None where nobody holds it."""
    holder = registry.alias(PRODUCTION, line)
    if holder is None:
        return None
    moves = registry.alias_moves(PRODUCTION, line)
    return min((move.since for move in moves if move.release.digest == holder.digest), default=None)


class _Said:
    """Sentences on changes, none of them twice: what is gone since two runs is said of the first."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.holds: list[tuple[str, str]] = []
        self._noted: set[str] = set()
        self._lost: set[Loss] = set()

    def add(self, changes: SuiteChanges, noted: str, held: str, *, holds: bool) -> None:
        """Take what changed since a run.

        Args:
            changes: what changed.
            noted: how the run is named in a note.
            held: how it is named in a reason to hold.
            holds: whether what is lost holds; else it is noted.
        """
        sentences = list(changes.notes)
        for loss in changes.losses:
            if loss in self._lost:
                continue
            self._lost.add(loss)
            if holds:
                self.holds.append((loss.sentence(held), loss.remedy))
            elif not any(note.startswith(loss.sentence()) for note in changes.notes):
                sentences.append(loss.sentence())
        for sentence in sentences:
            if sentence not in self._noted:
                self._noted.add(sentence)
                self.notes.append(f"since {noted}: {sentence}")
