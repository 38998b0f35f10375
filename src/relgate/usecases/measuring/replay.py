"""A run from a file of ``--record``: nothing is called, and what is missing is said before the first case."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from relgate.domain.case import CaseKey
from relgate.domain.errors import InputError, Place, Problem, ProviderOutage
from relgate.domain.kept import Kept
from relgate.domain.release import Provider
from relgate.domain.response import Outcome, Score, ScorerFailure, Side
from relgate.domain.transport import HttpCall, HttpReply
from relgate.files.kept import Header, load_kept
from relgate.files.reading import shown
from relgate.store import Registry
from relgate.usecases.measuring.caller import call_key
from relgate.usecases.preparing.baseline import row_of
from relgate.usecases.preparing.plan_suite import traffic_key
from relgate.usecases.preparing.prepare import Prepared
from relgate.usecases.preparing.staleness import is_steady
from relgate.usecases.preparing.unfinished import RESUMED_WITHIN

NAMED = 5


class NoNetwork:
    """A transport that sends nothing (``domain.transport.Transport``)."""

    trouble = None

    async def send(self, provider: Provider, call: HttpCall) -> HttpReply:
        """Refuse.

        Raises:
            ProviderOutage: always.
        """
        raise ProviderOutage(f"{provider.name} was not asked: a replay calls nobody")

    def used(self, provider: Provider, call: HttpCall, tokens: int) -> None:
        """Nothing was used."""

    async def close(self) -> None:
        """Nothing is open."""


class ReplayedAnswers:
    """Answers of a file of ``--record``: everything is found there, or it is missing.

    Args:
        found: the answers by their keys.
    """

    problems: tuple[str, ...] = ()
    whole = True
    run = ""
    of_no_attempt = False
    count = 0

    def __init__(self, found: Mapping[str, Kept]) -> None:
        self._found = found

    def find(self, key: str, *, baseline: bool) -> Kept | None:
        """The answer to a key."""
        return self._found.get(key)

    def keep(self, key: str, outcome: Outcome, scores: Sequence[Score | ScorerFailure], by: str) -> None:
        """Nothing is asked, so there is nothing to keep."""

    def note_trials(self, suite: str, trials: int) -> None:
        """What is replayed is not recorded again."""

    def flush(self) -> None:
        """Nothing was written."""

    def finish(self, *, attempt: bool) -> None:
        """Nothing was written."""

    def close(self) -> None:
        """Nothing to give back."""


def load_replay(
    path: Path, prepared: Prepared, selected: Collection[CaseKey]
) -> tuple[Header, dict[str, Kept]]:
    """The answers of a file, for every call that is known beforehand.

    Raises:
        InputError: it is no such file, one of other releases, or it lacks answers.
    """
    baseline = "" if prepared.baseline is None else prepared.baseline.digest
    header, found = load_kept(path, prepared.candidate.digest, baseline)
    lacking = [name for name, key in _planned(prepared, selected) if key not in found]
    if lacking:
        more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
        what = f"holds no answer to {', '.join(lacking[:NAMED])}{more}"
        remedy = "record a whole run with --record and --full, on these suites"
        raise InputError([Problem(Place(shown(path), 1, 1), what, remedy=remedy)])
    return header, found


def replay_holds(
    header: Header, found: Mapping[str, Kept], prepared: Prepared, registry: Registry
) -> tuple[tuple[str, str], ...]:
    """Why answers of a file cannot decide a promote.

    A later run of the same content speaks against it; they are old, and systems may answer otherwise now; or
    they are of runs that were no attempt, of which anybody may have picked the luckiest.
    """
    baseline = None if prepared.baseline is None else row_of(prepared.baseline)
    newest = max(kept.at for kept in found.values())
    since = registry.spoken_against_since(prepared.candidate.digest, baseline, newest)
    if since is not None:
        reason = f"run {since[0]} of the same content, after the replayed answers, says: {since[1]}"
        return ((reason, "run all cases again without --replay"),)
    if all(is_steady(r) for r in (prepared.candidate, prepared.baseline) if r is not None):
        return ()
    if not header.whole:
        reason = "the replayed answers are of a screen or of a run of some cases, which was no attempt"
        return ((reason, "record a whole run, or run without --replay"),)
    oldest = min(kept.at for kept in found.values())
    if datetime.now(UTC) - oldest <= RESUMED_WITHIN:
        return ()
    reason = f"the replayed answers are of {oldest:%Y-%m-%d %H:%M}Z, older than 24 hours"
    return ((reason, "record the run again, or run without --replay"),)


def _planned(prepared: Prepared, selected: Collection[CaseKey]) -> Iterator[tuple[str, str]]:
    sides: Sequence[tuple[Side, str]] = [("candidate", prepared.candidate.digest)]
    if prepared.baseline is not None and prepared.baseline_is_asked(set(selected)):
        sides = [*sides, ("baseline", prepared.baseline.digest)]
    for plan in prepared.plans:
        for case in plan.suite.all_cases:
            if (plan.suite.name, case.id) not in selected or (plan.suite.name, case.id) in prepared.sealed:
                continue
            for side, digest in sides:
                for hop in plan.hops or (None,):
                    trials = prepared.trials_of(side, plan.suite, case)
                    for trial in trials if plan.suite.name not in prepared.untouched.claimed else ():
                        name = f"{side} {plan.suite.name}::{case.id} trial {trial}"
                        name += "" if hop is None else f" by {hop}"
                        yield name, call_key(plan, case, digest, trial, hop, scored=True)
        for case in plan.suite.traffic:
            if len(selected) == sum(len(p.suite.all_cases) for p in prepared.plans):
                for side, digest in sides:
                    name = "::".join(traffic_key(plan.suite.name, case.id))
                    yield f"{side} {name}", call_key(plan, case, digest, 0, None, scored=False)
