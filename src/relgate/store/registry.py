"""The registry: releases, runs, verdicts, aliases with history, waivers, incidents."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import TracebackType
from typing import Any, Self

from sqlalchemy import select

from relgate.domain.case import CaseKey
from relgate.domain.response import Side
from relgate.domain.run import (
    AttemptKey,
    MeasurementRow,
    ReleaseRow,
    RunRecord,
    SuiteRecord,
    SuiteSettings,
    UnfinishedRun,
)
from relgate.store import (
    alias_reading,
    attempts,
    intake,
    promotion,
    reading,
    recording,
    suites,
    unfinished,
)
from relgate.store.database import Database
from relgate.store.rows import (
    AliasChange,
    AliasRow,
    CaseRow,
    Incident,
    RegressionCase,
    ReleaseName,
    RunRow,
    Waiver,
)
from relgate.store.tables import releases
from relgate.store.verdict_access import VerdictAccess


class Registry(VerdictAccess):
    """What ``open_registry`` gives. Every method is one transaction; a failure is a RegistryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def place(self) -> str:
        """The file or URL, without a password."""
        return self._database.place

    def close(self) -> None:
        """Give back every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, record: RunRecord) -> int:
        """Write a finished run, all of it or nothing.

        Returns:
            The attempt number, counted in the same transaction: two runs at once get two numbers. 0 when
            the run is no attempt.
        """
        with self._database.write() as connection:
            return recording.record(connection, record)

    def next_attempt(
        self, key: AttemptKey, release_digest: str, *, again: bool = False, discarded: int = 0
    ) -> int:
        """The number that a run of this candidate would get now.

        Args:
            key: what counts attempts together.
            release_digest: the candidate; judging its answers again keeps its number.
            again: whether it would be measured anew or on more cases, which is a further attempt.
            discarded: unfinished runs of the candidate that it would not go on with, each a further attempt.
        """
        with self._database.read() as connection:
            return attempts.number_of(connection, key, release_digest, again=again, discarded=discarded)

    def unfinished_runs(self, key: AttemptKey, release_digest: str) -> list[UnfinishedRun]:
        """Runs that drew outcomes of a candidate, showed them and have no verdict yet, oldest first.

        Args:
            key: the release line and the baseline; any golden set.
            release_digest: the candidate.
        """
        with self._database.read() as connection:
            return unfinished.of_candidate(connection, key, release_digest)

    def is_judged(self, draw: str) -> bool:
        """Whether an attempt stands on the answers of this draw."""
        with self._database.read() as connection:
            return attempts.is_judged(connection, draw)

    def begin(
        self, key: AttemptKey, release_digest: str, run: UnfinishedRun, drawn_anew: Collection[str]
    ) -> None:
        """Remember that a run shows outcomes of a candidate now, until it is recorded.

        Args:
            key: the release line and the baseline; any golden set.
            release_digest: the candidate.
            run: the run.
            drawn_anew: earlier ones that it does not go on with.
        """
        with self._database.write() as connection:
            unfinished.begin(connection, key, release_digest, run, drawn_anew)

    def judged_runs(
        self, key: AttemptKey, release_digest: str, recorded: tuple[str, str] | None = None
    ) -> list[tuple[str, str]]:
        """Golden digest and run of every attempt of a candidate against a baseline, newest first.

        Args:
            key: the release line and the baseline; any golden set.
            release_digest: the candidate.
            recorded: name and version of a recorded candidate, whose digest changes with its file.
        """
        with self._database.read() as connection:
            return attempts.judged_runs(connection, key, release_digest, recorded)

    def continued_set(self, key: AttemptKey) -> str | None:
        """The golden set under which candidates were counted that were judged on this key's; None before."""
        with self._database.read() as connection:
            return attempts.continued_set(connection, key)

    def alias(self, name: str, line: str | None = None) -> ReleaseRow | None:
        """The holder of an alias, such as ``production``, in a release line or in the only one that has it.

        Raises:
            Refusal: no line was named and several have the alias.
        """
        with self._database.read() as connection:
            identity = alias_reading.holder_id(connection, name, line)
            return None if identity is None else reading.release_of(connection, identity)

    def aliases(self) -> list[AliasRow]:
        """Every alias of every line with its holder."""
        with self._database.read() as connection:
            return alias_reading.alias_rows(connection)

    def alias_moves(self, alias: str, line: str | None = None, limit: int | None = None) -> list[AliasRow]:
        """Every move of an alias, newest first, of all lines or one; ``since`` is when, ``by`` who did it."""
        with self._database.read() as connection:
            return alias_reading.alias_moves(connection, alias, line, limit)

    def former_holders(self, line: str, alias: str = "production") -> list[ReleaseName]:
        """Every release of a line that an alias was taken from; one of them may hold it again."""
        with self._database.read() as connection:
            return alias_reading.former_holders(connection, line, alias)

    def fled(self, line: str) -> list[ReleaseRow]:
        """What was taken out of production by a way back and has not come back."""
        with self._database.read() as connection:
            moves = alias_reading.fled(connection, line).values()
            return [reading.release_of(connection, move.from_release) for move in moves]

    def holders(self, line: str, alias: str = "production", *, limit: int) -> list[ReleaseRow]:
        """The last releases that held an alias of a line, the newest first."""
        with self._database.read() as connection:
            return alias_reading.holders(connection, line, alias, limit)

    def release(self, name: str, version: str, digest: str | None = None) -> ReleaseRow | None:
        """A release; where one version was judged with several digests, the one named or judged last."""
        with self._database.read() as connection:
            identity = reading.release_id(connection, name, version, digest)
            return None if identity is None else reading.release_of(connection, identity)

    def releases(self) -> list[ReleaseRow]:
        """Every release, in the order of recording."""
        with self._database.read() as connection:
            return reading.release_rows(connection, select(releases).order_by(releases.c.id))

    def promote(
        self,
        name: str,
        version: str,
        *,
        alias: str = "production",
        by: str,
        reason: str | None = None,
        waive: str | None = None,
        named: bool = True,
    ) -> AliasChange:
        """Let a release hold an alias of its line; production's old holder becomes ``previous``.

        Nothing is written when it holds the alias already. A release that takes production for the first time
        starts the attempts against pinned baselines anew.

        Args:
            name: the release.
            version: its version.
            alias: such as ``production``.
            by: who promotes.
            reason: why.
            waive: why, against the verdict.
            named: whether the user wrote name and version, and no alias or digest.

        Raises:
            Refusal: the release is unknown, its latest whole verdict is not promote and no waiver is given,
                or it was taken out of production by a way back and is not named, or no reason is given.
        """
        with self._database.write() as connection:
            return promotion.promote(
                connection, name, version, alias=alias, by=by, reason=reason, waive=waive, named=named
            )

    def waivers(self, name: str) -> list[Waiver]:
        """Every waiver of a release line, oldest first."""
        with self._database.read() as connection:
            return reading.waiver_rows(connection, name)

    def runs(
        self, limit: int | None = None, release: str | None = None, *, by_verdict: bool = False
    ) -> list[RunRow]:
        """Runs, newest first, all or of one name; ``by_verdict``: as new as its verdict was last given."""
        with self._database.read() as connection:
            return reading.run_rows(connection, limit=limit, release=release, by_verdict=by_verdict)

    def call_means(self, run_id: str) -> dict[str, tuple[float | None, float | None]]:
        """Mean tokens and dollars of a call per suite of a run; None where none is known."""
        with self._database.read() as connection:
            return reading.call_means(connection, run_id)

    def reported_models(self, release_digest: str) -> dict[str, frozenset[str]]:
        """The models that the targets of a release said they were, in the newest run that measured it."""
        with self._database.read() as connection:
            return reading.reported_models(connection, release_digest)

    def run(self, id_or_prefix: str) -> RunRow:
        """One run.

        Raises:
            Refusal: no run begins so, or several do.
        """
        with self._database.read() as connection:
            run_id = reading.find_run(connection, id_or_prefix)
            return reading.run_rows(connection, run_id=run_id)[0]

    def scorecard(self, id_or_prefix: str) -> dict[str, Any]:
        """scorecard.json of a run.

        Raises:
            Refusal: no run begins so, or several do.
        """
        with self._database.read() as connection:
            return reading.scorecard(connection, reading.find_run(connection, id_or_prefix))

    def cases(self, id_or_prefix: str, outcome: str | None = None) -> list[CaseRow]:
        """The cases of a run, all or those with this outcome.

        Raises:
            Refusal: no run begins so, or several do.
        """
        with self._database.read() as connection:
            return reading.case_rows(connection, reading.find_run(connection, id_or_prefix), outcome)

    def repeating_runs(self, ids: Sequence[str], suites: Sequence[str]) -> frozenset[str]:
        """Which of these runs asked some case of these suites more than once, by their full ids."""
        with self._database.read() as connection:
            return reading.repeating_runs(connection, ids, suites)

    def measurements(self, id_or_prefix: str) -> list[MeasurementRow]:
        """Everything that a run measured, in the order of recording.

        Raises:
            Refusal: no run begins so, or several do.
        """
        with self._database.read() as connection:
            run_id = reading.find_run(connection, id_or_prefix)
            return reading.measurement_rows(connection, run_id, None, None)

    def case_measurements(
        self, id_or_prefix: str, case_id: str, suite: str | None = None
    ) -> list[MeasurementRow]:
        """Every call for one case of a run; empty when it was not measured.

        Raises:
            Refusal: no run begins so, or several do.
        """
        with self._database.read() as connection:
            run_id = reading.find_run(connection, id_or_prefix)
            return reading.measurement_rows(connection, run_id, case_id, suite)

    def suites(self, run_id: str) -> list[SuiteRecord]:
        """The suites of a run as they were, by name; none where nothing was measured."""
        with self._database.read() as connection:
            return suites.of_run(connection, run_id)

    def case_digests(self, run_id: str) -> dict[str, str]:
        """Digest of the cases of each suite of a run, "" where it was not recorded."""
        with self._database.read() as connection:
            return suites.case_digests(connection, run_id)

    def judged_settings(self, key: AttemptKey) -> list[tuple[str, str, SuiteSettings]]:
        """Run, suite and settings of every suite of every attempt against a baseline, newest first.

        Args:
            key: the release line and the baseline; any golden set.
        """
        with self._database.read() as connection:
            return suites.judged_settings(connection, key)

    def stored_runs(self, release_digest: str) -> list[tuple[str, Side]]:
        """The whole runs that measured a release, newest first, with the side that it was on."""
        with self._database.read() as connection:
            return suites.stored_runs(connection, release_digest)

    def showed(
        self,
        key: AttemptKey,
        release_digest: str,
        cases: Collection[CaseKey],
        *,
        interrupted_too: bool = True,
    ) -> bool:
        """Whether a screen or another candidate's run showed one of these cases, for this baseline.

        Args:
            key: the release line and the baseline.
            release_digest: the candidate.
            cases: suite and id of each.
            interrupted_too: whether a run without a verdict may have shown any case of its suites.
        """
        with self._database.read() as connection:
            return attempts.showed(connection, key, release_digest, cases, interrupted_too=interrupted_too)

    def uses(self, golden_digest: str) -> int:
        """How many candidates were judged on these golden cases, ever."""
        with self._database.read() as connection:
            return attempts.uses(connection, golden_digest)

    def candidate_runs(self, release_digest: str) -> list[str]:
        """Every run of a candidate, whole or not, against whatever baseline, newest first."""
        with self._database.read() as connection:
            return suites.candidate_runs(connection, release_digest)

    def judging_run(self, release: ReleaseName, *, of_version: bool = False) -> str | None:
        """The whole run that a release stands on: what a comparison with it must not fall short of.

        Args:
            release: the release.
            of_version: whether its version is enough, whatever its content and whoever holds production.
        """
        with self._database.read() as connection:
            return suites.judging_run(connection, release, of_version=of_version)

    def add_incident(self, incident: Incident) -> int:
        """Write an incident about a case of a recorded run and give its number."""
        with self._database.write() as connection:
            return intake.add_incident(connection, incident)

    def add_regression_case(self, case: RegressionCase) -> int:
        """Write the regression case made of an incident and give its number."""
        with self._database.write() as connection:
            return intake.add_regression_case(connection, case)

    def regression_cases(self) -> list[RegressionCase]:
        """Every regression case, oldest first."""
        with self._database.read() as connection:
            return intake.regression_case_rows(connection)

    def redaction_key(self, given: str | None = None) -> bytes:
        """The key that placeholders are made with.

        Args:
            given: the value of RELGATE_REDACTION_KEY; without it a random key that this registry keeps.
        """
        if given:
            return given.encode()
        with self._database.read() as connection:
            key = intake.stored_key(connection)
        if key is None:
            with self._database.write() as connection:
                key = intake.make_key(connection)
        return key.encode()
