"""Kept answers as JSON: one line each in a file of ``--record``, one body each in the response store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.kept import AskedTrials, Kept
from relgate.domain.metric import MetricKind
from relgate.domain.response import Failure, Outcome, Response, Score, ScorerFailure, ToolCall
from relgate.files.jsonl import read_lines
from relgate.files.reading import shown

VERSION = 1


class _Call(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    arguments: dict[str, Any] = {}


class _Score(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    metric: str
    value: float | None = None
    kind: MetricKind = "binary"
    note: str = ""


class KeptRow(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One kept answer on the wire."""

    key: str
    at: str
    scored_by: str = ""
    raw: bool = False
    output: str = ""
    failed: bool = False
    served_by: str | None = None
    degraded: str | None = None
    model: str | None = None
    failed_hops: list[str] = []
    tool_calls: list[_Call] = []
    retrieved: list[str] = []
    tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    first_token_ms: float | None = None
    scores: list[_Score] = []
    given: dict[str, float] = {}


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of a file of ``--record``.

    Attributes:
        candidate: digest of the release.
        baseline: digest of what it is compared with, "" for nothing.
        run: names the run among those whose answers are kept.
        whole: whether the run asked every case and was no screen.
        every: trials of every case, None where each suite has its own number.
        trials: by suite, as far as they were known when it was written; later lines tell the others.
        flip_rates: by suite, as far as earlier runs told them.
    """

    relgate_answers: Literal[1]
    candidate: str
    baseline: str = ""
    run: str = ""
    whole: bool = False
    every: int | None = None
    trials: dict[str, int] = {}
    flip_rates: dict[str, float] = {}


class Settled(msgspec.Struct, forbid_unknown_fields=True):
    """A line that tells the trials of suites that were not known yet when the header was written."""

    relgate_trials: dict[str, int]


_ROWS = msgspec.json.Decoder(KeptRow)
_HEADERS = msgspec.json.Decoder(Header)
_SETTLED = msgspec.json.Decoder(Settled)
_ENCODER = msgspec.json.Encoder()
_SETTLED_BEGINS = '{"relgate_trials":'


def encode_kept(kept: Kept) -> bytes:
    """One line of JSON without its end."""
    outcome = kept.outcome
    row = KeptRow(
        key=kept.key,
        at=kept.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        scored_by=kept.scored_by,
        raw=kept.raw,
        latency_ms=outcome.latency_ms,
        scores=[_score(score) for score in kept.scores],
    )
    if isinstance(outcome, Failure):
        row.failed, row.output = True, outcome.message
        return _ENCODER.encode(row)
    row.output = outcome.output
    row.served_by, row.degraded, row.model = outcome.served_by, outcome.degraded, outcome.model
    row.failed_hops, row.retrieved = list(outcome.failed_hops), list(outcome.retrieved)
    row.tool_calls = [_Call(call.name, dict(call.arguments)) for call in outcome.tool_calls]
    row.given = dict(outcome.scores)
    row.tokens, row.cost_usd, row.first_token_ms = outcome.tokens, outcome.cost_usd, outcome.first_token_ms
    return _ENCODER.encode(row)


def decode_kept(line: bytes) -> Kept:
    """What ``encode_kept`` wrote.

    Raises:
        msgspec.MsgspecError: it is something else.
        ValueError: its time is none.
    """
    row = _ROWS.decode(line)
    return Kept(
        key=row.key,
        at=datetime.fromisoformat(row.at),
        outcome=_outcome(row),
        scores=tuple(
            ScorerFailure(s.metric, s.note) if s.value is None else Score(s.metric, s.value, s.kind, s.note)
            for s in row.scores
        ),
        scored_by=row.scored_by,
        raw=row.raw,
    )


def encode_header(
    candidate: str, baseline: str, run: str, *, whole: bool, asked: AskedTrials | None = None
) -> bytes:
    """The first line of a file of ``--record``, without its end."""
    known = asked or AskedTrials()
    told = (known.every, dict(known.suites), dict(known.flip_rates))
    return _ENCODER.encode(Header(1, candidate, baseline, run, whole, *told))


def encode_settled(suite: str, trials: int) -> bytes:
    """The line that tells the trials of a suite, without its end."""
    return _ENCODER.encode(Settled({suite: trials}))


def recorded_trials(path: Path) -> AskedTrials:
    """How often the run asked its cases that a file of ``--record`` is of; nothing where it does not tell."""
    begins = _SETTLED_BEGINS.encode()
    try:
        with path.open("rb") as file:
            header = _HEADERS.decode(file.readline())
            later = [_SETTLED.decode(line).relgate_trials for line in file if line.startswith(begins)]
    except (OSError, msgspec.MsgspecError, ValueError):
        return AskedTrials()
    trials = dict(header.trials)
    for settled in later:
        trials |= settled
    return AskedTrials(header.every, trials, header.flip_rates)


def recorded_run(path: Path) -> str:
    """The run that a file of ``--record`` is of; "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return _HEADERS.decode(file.readline()).run
    except (OSError, msgspec.MsgspecError, ValueError):
        return ""


def load_kept(path: Path, candidate: str, baseline: str) -> tuple[Header, dict[str, Kept]]:
    """Read a file of ``--record``.

    Args:
        path: the file.
        candidate: digest of the release that it must be of.
        baseline: digest of what that is compared with, "" for nothing.

    Raises:
        InputError: it is no such file, or one of other releases.
    """
    name, found = shown(path), dict[str, Kept]()
    header = Header(1, candidate, baseline)
    remedy = "name a file that --record wrote"
    for number, line in read_lines(path):
        try:
            if number == 1:
                header = _HEADERS.decode(line)
                _check(header, candidate, baseline, name)
                continue
            if line.startswith(_SETTLED_BEGINS):
                continue
            kept = decode_kept(line.encode())
        except (msgspec.MsgspecError, ValueError) as error:
            problem = Problem(Place(name, number, 1), f"is no kept answer ({error})", remedy=remedy)
            raise InputError([problem]) from None
        found[kept.key] = kept
    if not found:
        raise InputError([Problem(Place(name, 1, 1), "holds no answers", remedy=remedy)])
    return header, found


def _check(header: Header, candidate: str, baseline: str, name: str) -> None:
    remedy = "replay with the manifests that it was recorded with"
    problems = [
        Problem(Place(name, 1, 1), f"was recorded with another {side}", digest[:19], remedy)
        for side, digest, ours in (
            ("candidate", header.candidate, candidate),
            ("baseline", header.baseline, baseline),
        )
        if digest != ours
    ]
    if problems:
        raise InputError(problems)


def _score(score: Score | ScorerFailure) -> _Score:
    if isinstance(score, ScorerFailure):
        return _Score(score.metric, None, note=score.message)
    return _Score(score.metric, score.value, score.kind, score.note)


def _outcome(row: KeptRow) -> Outcome:
    if row.failed:
        return Failure("application", row.output, row.latency_ms)
    return Response(
        output=row.output,
        tool_calls=tuple(ToolCall(call.name, call.arguments) for call in row.tool_calls),
        retrieved=tuple(row.retrieved),
        served_by=row.served_by,
        degraded=row.degraded,
        failed_hops=tuple(row.failed_hops),
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        latency_ms=row.latency_ms,
        first_token_ms=row.first_token_ms,
        model=row.model,
        scores=row.given,
    )
