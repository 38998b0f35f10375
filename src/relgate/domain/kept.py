"""An answer that was paid for, as it may be kept: redacted, with the scores that its raw text got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring

from relgate.domain.digest import digest_bytes
from relgate.domain.response import Outcome, Score, ScorerFailure


@dataclass(frozen=True, slots=True)
class Kept:
    """One call.

    Attributes:
        key: of ``response_key``.
        at: when the answer was there, in UTC.
        outcome: a response or the application's failure, redacted and without evidence.
        scores: what the raw answer got.
        scored_by: digest of what scored it; another one scores again.
        raw: whether redaction changed the answer, or evidence came with it: scorers that need those
            cannot score it again.
    """

    key: str
    at: datetime
    outcome: Outcome
    scores: tuple[Score | ScorerFailure, ...]
    scored_by: str
    raw: bool


@dataclass(frozen=True, slots=True)
class AskedTrials:
    """How often a run asked its cases, which a replay of it asks as well: its registry may know otherwise.

    Attributes:
        every: of every case, where the run was told so; None where each suite has its own number.
        suites: of the cases of a suite, without those that are always asked once.
        flip_rates: upper bound of the flip rate of suites, by which their sentinels were judged.
    """

    every: int | None = None
    suites: Mapping[str, int] = field(default_factory=dict)
    flip_rates: Mapping[str, float] = field(default_factory=dict)


def response_key(release: str, target: str, request: Sequence[str], trial: int) -> str:
    """What a kept answer is found by: another trial, target, question or release is another answer.

    Args:
        release: digest of the release.
        target: the hop that was made to answer, "" where the release ran as it is.
        request: what was asked: suite, case and the input as text.
        trial: of the case.
    """
    asked = ",".join(map(encode_basestring, request))
    spelled = f"[{encode_basestring(release)},{encode_basestring(target)},[{asked}],{trial:d}]"
    return digest_bytes(spelled.encode())  # of canonical JSON, by whose encoder it would take thrice as long
