"""Never paid twice: answers are kept as they arrive, and found again by a run that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from relgate.domain.case import CaseKey
from relgate.domain.kept import AskedTrials, Kept
from relgate.domain.response import Failure, Outcome, Response, Score, ScorerFailure, Side, ToolCall
from relgate.files.kept import decode_kept, encode_header, encode_kept, encode_settled
from relgate.redaction import Redactor
from relgate.store.response_writer import ResponseWriter
from relgate.store.responses import ResponseStore, State
from relgate.usecases.options import Reuse
from relgate.usecases.preparing.unfinished import RESUMED_WITHIN
from relgate.usecases.redacting import CountingRedactor
from relgate.usecases.run_name import asks, is_going_on, name_run


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the scores that it got, before redaction."""

    key: str
    at: datetime
    outcome: Outcome
    scores: tuple[Score | ScorerFailure, ...]
    scored_by: str


@dataclass(frozen=True, slots=True)
class _Settled:
    """How many trials of a suite's cases are asked."""

    suite: str
    trials: int


class Answers(Protocol):
    """Where answers are kept and found.

    Attributes:
        whole: whether everything must be found: nobody may be called.
    """

    whole: bool

    def find(self, key: str, *, baseline: bool) -> Kept | None:
        """The kept answer to a key that this run may use."""
        ...

    def keep(self, key: str, outcome: Outcome, scores: Sequence[Score | ScorerFailure], by: str) -> None:
        """Keep an answer, unless nobody was reached."""
        ...

    def note_trials(self, suite: str, trials: int) -> None:
        """Note how many trials of a suite's cases are asked, once it is known: a pilot may settle it."""
        ...


@dataclass(slots=True)
class Tally:
    """What a run took from kept answers.

    Attributes:
        reused: calls that were not made.
        oldest: when the oldest of them was answered.
        kept: per side the cases with a kept answer.
        asked: per side the cases that were asked.
        rescored: of them, those that were scored again.
        raw: metrics that kept their stored score, for they need the raw text.
    """

    reused: int = 0
    oldest: datetime | None = None
    rescored: int = 0
    raw: set[str] = field(default_factory=set)
    kept: dict[Side, set[CaseKey]] = field(default_factory=lambda: {"candidate": set(), "baseline": set()})
    asked: dict[Side, set[CaseKey]] = field(default_factory=lambda: {"candidate": set(), "baseline": set()})

    def note(self, kept: Kept, side: Side, key: CaseKey) -> None:
        """Count an answer."""
        self.kept[side].add(key)
        self.reused += 1
        self.oldest = kept.at if self.oldest is None else min(self.oldest, kept.at)

    @property
    def since(self) -> str | None:
        """When the oldest of them was answered, None where there are none."""
        return None if self.oldest is None else f"{self.oldest.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def notes(self) -> list[str]:
        """What the reader must know."""
        if not self.reused or self.oldest is None:
            return []
        found = [
            f"{self.reused} answers were kept from before and not asked for again, the oldest of "
            f"{self.oldest:%Y-%m-%d %H:%M}Z"
        ]
        if self.rescored:
            kept = f"; {', '.join(sorted(self.raw))} kept the score that the raw text got" if self.raw else ""
            found.append(f"{self.rescored} of them were scored again without a call{kept}")
        return found


class KeptAnswers:
    """The response store of one run.

    Args:
        path: the store.
        reuse: ``run`` takes what an interrupted run left, ``always`` whatever is there, ``never`` nothing.
        steady: whether the baseline answers the same by itself: else its answers stand for it only where the
            run that they are of asked this candidate beside it.
        redactor: for what is written.
        record: a file that every answer is also written to.
        releases: digests of candidate and baseline.
        whole: whether the run asks every case and is no screen.
        asked: how often it asks them, as far as that is known; a replay does the same.

    Attributes:
        run: names this run among those whose answers are kept.
        of_no_attempt: whether an answer was taken that no attempt stands on: who asked for it had seen it.

    Raises:
        RegistryError: the store or the file cannot be opened.
    """

    whole = False

    def __init__(
        self,
        path: Path,
        reuse: Reuse,
        *,
        steady: bool,
        redactor: Redactor,
        record: Path | None = None,
        releases: tuple[str, str] = ("", ""),
        whole: bool = True,
        asked: AskedTrials | None = None,
    ) -> None:
        self._reuse = reuse
        self._steady = steady
        self._redactor = redactor
        self._candidate = releases[0]
        self._since = datetime.now(UTC) - RESUMED_WITHIN
        self.run = name_run(self._candidate)
        self._alive: dict[str, bool] = {}
        self._recording = record is not None
        self._used: list[int] = []
        self.of_no_attempt = False
        self._writer: ResponseWriter[Answer | Kept | _Settled] = ResponseWriter(
            path,
            self._encode,
            run=self.run,
            record=record,
            header=encode_header(*releases, self.run, whole=whole, asked=asked),
        )
        self._reader = ResponseStore(path, of_attempts=reuse == "run")
        self._looks = reuse == "always" or (reuse == "run" and self._reader.has_unfinished())

    @property
    def problems(self) -> list[str]:
        """That answers are not kept any more, or that the recording lacks some, with the reason."""
        writer = self._writer
        found = [f"answers are not kept: {writer.problem}"] if writer.problem else []
        if self._recording and writer.unrecorded:
            found.append(f"the file of --record lacks answers and cannot be replayed: {writer.unrecorded}")
        return found

    def find(self, key: str, *, baseline: bool) -> Kept | None:
        """The kept answer to a key that this run may use."""
        if not self._looks:
            return None
        found = self._reader.find(key, not_of=self.run)
        if found is None:
            return None
        done = found.state is not State.UNFINISHED
        if not done and self._goes_on(found.run):
            return None
        try:
            kept = decode_kept(found.body)
        except (msgspec.MsgspecError, ValueError):  # written by another version
            return None
        if (done and self._reuse != "always") or (baseline and not self._beside_candidate(found.run)):
            return None
        if self._reuse == "run" and kept.at < self._since:
            return None
        self._used.append(found.number)
        self.of_no_attempt |= found.state is State.OF_NO_ATTEMPT
        if self._recording:
            self._writer.put(kept)
        return kept

    def _beside_candidate(self, run: str) -> bool:
        """Whether the baseline's answers may stand: it drifts, and only side by side does that cancel out."""
        return self._steady or asks(run, self._candidate)

    def _goes_on(self, run: str) -> bool:
        """Whether the run that paid for an answer is still going on beside this one."""
        if run not in self._alive:
            self._alive[run] = is_going_on(run)
        return self._alive[run]

    def keep(self, key: str, outcome: Outcome, scores: Sequence[Score | ScorerFailure], by: str) -> None:
        """Keep an answer, unless nobody was reached."""
        if isinstance(outcome, Failure) and outcome.kind != "application":
            return
        self._writer.put(Answer(key, datetime.now(UTC), outcome, tuple(scores), by))

    def note_trials(self, suite: str, trials: int) -> None:
        """Note how many trials of a suite's cases are asked, once it is known."""
        if self._recording:
            self._writer.put(_Settled(suite, trials))

    @property
    def count(self) -> int:
        """Answers that the next run finds if this one ends now."""
        return len(self._used) + self._writer.count

    def flush(self) -> None:
        """Wait until every answer is written."""
        self._writer.flush()

    def finish(self, *, attempt: bool) -> str:
        """Note that the run has ended, so that nobody goes on with it.

        Args:
            attempt: whether its verdict is an attempt and stands on what it took as well. A run that is none
                leaves what it took to those who go on.

        Returns:
            What the reader must know where it could not be noted, else "".
        """
        if attempt:
            problem = self._writer.finish(State.JUDGED, tuple(self._used))
        else:
            problem = self._writer.finish(State.OF_NO_ATTEMPT)
        return problem and f"{problem}: the next run takes this one's answers for those of an interrupted run"

    def close(self) -> None:
        """Write what is left; may be called twice."""
        self._writer.close()
        self._reader.close()

    def _encode(self, answer: Answer | Kept | _Settled) -> tuple[str, bytes]:
        if isinstance(answer, _Settled):
            return "", encode_settled(answer.suite, answer.trials)
        if isinstance(answer, Kept):  # what became of it is noted where it was found
            return "", encode_kept(answer)
        kept = redacted(answer, self._redactor)
        return kept.key, encode_kept(kept)


def redacted(answer: Answer, redactor: Redactor) -> Kept:
    """The answer as it may be kept."""
    cleaner = CountingRedactor(redactor)
    outcome = answer.outcome
    raw = False
    if isinstance(outcome, Response):
        raw = bool(outcome.evidence)
        output = cleaner.text(outcome.output)
        served_by = None if outcome.served_by is None else cleaner.text(outcome.served_by)
        model = None if outcome.model is None else cleaner.text(outcome.model)
        lists = outcome.tool_calls or outcome.retrieved or outcome.failed_hops or outcome.evidence
        if lists or (output, served_by, model) != (outcome.output, outcome.served_by, outcome.model):
            outcome = replace(
                outcome,
                output=output,
                tool_calls=tuple(
                    ToolCall(cleaner.text(call.name), cleaner.value(dict(call.arguments)))
                    for call in outcome.tool_calls
                ),
                retrieved=tuple(map(cleaner.text, outcome.retrieved)),
                served_by=served_by,
                model=model,
                failed_hops=tuple(map(cleaner.text, outcome.failed_hops)),
                evidence=(),
            )
    else:
        outcome = replace(outcome, message=cleaner.text(outcome.message))
    return Kept(answer.key, answer.at, outcome, answer.scores, answer.scored_by, raw or bool(cleaner.counts))
