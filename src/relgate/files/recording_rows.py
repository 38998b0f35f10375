"""One line of a recording: one trial of one case, read quickly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from relgate.domain.response import Failure, Response, ToolCall


class ToolCallRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A tool that was called."""

    name: str
    arguments: dict[str, Any] = {}


class RecordingRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line of a recording: one trial of one case."""

    case_id: str
    trial: int = 0
    output: str | None = None
    served_by: str | None = None
    tool_calls: list[ToolCallRow] | None = None
    retrieved: list[str] | None = None
    evidence: list[str] | None = None
    scores: dict[str, float | bool | None] | None = None
    latency_ms: float | None = None
    first_token_ms: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    error: str | None = None


class PlainRow(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """A line of a recording that tells no more than a text and how it was made."""

    case_id: str
    trial: int = 0
    output: str | None = None
    served_by: str | None = None
    latency_ms: float | None = None
    first_token_ms: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None


_decode_plain = msgspec.json.Decoder(PlainRow).decode_lines


def plain_rows(block: bytes) -> list[PlainRow] | None:
    """Rows with only white space between, decoded together; None where one of them is no plain answer."""
    try:
        return _decode_plain(block)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


decode_row = msgspec.json.Decoder(RecordingRow).decode


def is_sound(row: RecordingRow) -> bool:
    """Whether a line says what it must and no number in it is negative."""
    if not row.case_id or row.trial < 0:
        return False
    numbers = (row.latency_ms, row.first_token_ms, row.tokens, row.cost_usd)
    return all(value is None or value >= 0 for value in numbers)


def are_sound(rows: Sequence[PlainRow]) -> bool:
    """``is_sound`` of all of them."""
    if "" in [row.case_id for row in rows] or min([row.trial for row in rows]) < 0:
        return False
    columns: tuple[list[float | None], ...] = (
        [row.latency_ms for row in rows],
        [row.first_token_ms for row in rows],
        [row.tokens for row in rows],
        [row.cost_usd for row in rows],
    )
    return all(
        column.count(None) == len(rows) or all(value is None or value >= 0 for value in column)
        for column in columns
    )


def outcome_of(row: RecordingRow) -> Response | Failure:
    """What a line says was answered."""
    if row.error is not None:
        return Failure("application", row.error, row.latency_ms)
    scores = {} if row.scores is None else {n: float(v) for n, v in row.scores.items() if v is not None}
    return Response(
        row.output or "",
        tuple(ToolCall(call.name, call.arguments) for call in row.tool_calls) if row.tool_calls else (),
        tuple(row.retrieved or ()),
        row.served_by,
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        latency_ms=row.latency_ms,
        first_token_ms=row.first_token_ms,
        scores=scores,
        evidence=tuple(row.evidence or ()),
    )
