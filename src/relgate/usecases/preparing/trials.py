"""How often each case is asked (verdict.md 2 and 6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from relgate.applications.recording import Rows, trials_of
from relgate.decision.sealing import SEALED_TRIALS
from relgate.decision.trials import DEFAULT_TRIALS, PILOT_CASES
from relgate.domain.case import Case, Suite
from relgate.domain.kept import AskedTrials
from relgate.domain.long_cases import LongCases, Numbers
from relgate.files.long.recording_file import RecordingFile
from relgate.late import np


def trial_count(
    suite: Suite,
    case: Case,
    *,
    deterministic: bool,
    override: int | None = None,
    auto: int = DEFAULT_TRIALS,
) -> int:
    """Trials of one case for an application that can be called.

    ``trials: auto`` asks a deterministic system once and a stochastic one ``auto`` times; zero-tolerance
    cases (harmful and regression cases) are asked once unless trials are set, and a suite with a sealed half
    ``SEALED_TRIALS`` times.
    """
    if override is not None:
        return override
    if isinstance(suite.trials, int):
        return suite.trials
    if suite.sealed and not deterministic:
        return SEALED_TRIALS
    zero_tolerance = case.regression or (suite.kind == "safety" and case.tags.get("harmful") is True)
    return 1 if deterministic or zero_tolerance else auto


@lru_cache(maxsize=64)  # asked for many times a case
def _numbered(count: int) -> tuple[int, ...]:
    return tuple(range(count))


class TrialPlan:
    """Which trials each side is asked for; a recording gives those that it holds.

    The trials of a golden suite under ``trials: auto`` are known once its pilot is (``settle``): before the
    first call from stored runs, or in the run before the suite's first case.

    Attributes:
        notes: what the pilots said, one sentence per suite.
        flip_rates: upper 80 % bound of the flip rate of each suite that stored runs settled.
    """

    def __init__(self, *, deterministic: bool, override: int | None, rows: dict[str, Rows | None]) -> None:
        self._deterministic = deterministic
        self._override = override
        self._rows = rows
        self._held = {side: trials_of(found) for side, found in rows.items() if found is not None}
        self._settled: dict[str, int] = {}
        self._twice: dict[str, frozenset[str]] = {}
        self.flip_rates: dict[str, float] = {}
        self.notes: tuple[str, ...] = ()

    def trials(self, side: str, suite: Suite, case: Case) -> tuple[int, ...]:
        """The trials of one case on one side; (0,) where a recording holds nothing, to say so."""
        if side in self._held:
            return self._held[side].get(case.id, (0,))
        count = trial_count(
            suite,
            case,
            deterministic=self._deterministic,
            override=self._override,
            auto=self._settled.get(suite.name, DEFAULT_TRIALS),
        )
        return _numbered(count)

    def asked_once(self, suite: Suite) -> list[str]:
        """Which cases of a suite are asked once though others are asked more often."""
        marks = {
            "harmful": [case for case in suite.cases if case.tags.get("harmful") is True],
            "regression": suite.regressions,
        }
        return [
            kind
            for kind, cases in marks.items()
            if cases and all(len(self.trials("candidate", suite, case)) == 1 for case in cases)
        ]

    def wants_pilot(self, suite: Suite) -> bool:
        """Whether a pilot would say how often this suite's cases are asked, and has not said so yet."""
        chosen = self._deterministic or self._override is not None or bool(self._held)
        auto = suite.kind == "golden" and suite.trials == "auto" and len(suite.cases) >= PILOT_CASES
        return auto and not suite.sealed and not chosen and suite.name not in self._settled

    def settle(self, suite: Suite, trials: int, note: str, asked_twice: Collection[str] = ()) -> None:
        """Take what a pilot said.

        Args:
            suite: the suite.
            trials: of each of its cases.
            note: said in the notes.
            asked_twice: cases of which the run asked the baseline two trials for the pilot.
        """
        self._settled[suite.name] = trials
        self._twice[suite.name] = frozenset(asked_twice)
        self.notes = (*self.notes, note)

    def asked(self, suites: Collection[Suite]) -> AskedTrials:
        """How often cases are asked; of a suite whose pilot is still to come that is not known."""
        known = [suite for suite in suites if not self.wants_pilot(suite)]
        return AskedTrials(
            self._override, {suite.name: self.most("candidate", suite) for suite in known}, self.flip_rates
        )

    def is_settled(self, suite: Suite) -> bool:
        """Whether a pilot said how often this suite's cases are asked."""
        return suite.name in self._settled

    def settled_anew(self, trials: Mapping[str, int]) -> TrialPlan:
        """The plan of a later run, whose pilots say so many trials and are no calls of their own."""
        later = TrialPlan(deterministic=self._deterministic, override=self._override, rows=self._rows)
        later._settled = {**self._settled, **trials}
        return later

    def beyond(self, suite: Suite, case: Case) -> int:
        """Calls of the pilot that are no trial of the case: its second one, where one is enough."""
        if not self._twice or case.id not in self._twice.get(suite.name, ()):
            return 0
        return max(0, 2 - len(self.trials("baseline", suite, case)))

    def single(self, suite: Suite) -> bool:
        """Whether every case of the suite has one trial."""
        sides = self._held or {"candidate": {}}
        if isinstance(suite.cases, LongCases):
            return all(bool(np.all(self.counts(side, suite.cases) == 1)) for side in sides)
        return all(len(self.trials(side, suite, case)) == 1 for side in sides for case in suite.cases)

    def counts(self, side: str, cases: LongCases) -> Numbers:
        """How often each case of a long suite is recorded on one side, 1 where it is not; shape (total,)."""
        rows = self._rows[side]
        assert isinstance(rows, RecordingFile)
        return np.maximum(np.diff(rows.answers(cases).first.astype(np.int64)), 1)

    def most(self, side: str, suite: Suite) -> int:
        """The most trials that a case of the suite has on one side."""
        if isinstance(suite.cases, LongCases):
            return int(self.counts(side, suite.cases).max())
        return max((len(self.trials(side, suite, case)) for case in suite.cases), default=0)
