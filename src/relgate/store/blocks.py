"""Cases of a long suite in blocks: columns of many cases compressed together, read as rows again.

A suite of a million cases in rows of its own takes hundreds of bytes a case and more time than scoring it;
in blocks it takes tens of bytes. Readers cannot tell them apart.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from relgate.domain.run import CaseBlock, CaseRecord, MeasurementRow
from relgate.store.database import to_json
from relgate.store.rows import CaseRow
from relgate.store.tables import case_blocks, stored_text

BLOCK = 1000
"""Cases of a block: enough to be compressed well, few enough to be unpacked for one of them."""

_FAST = 1
_ABSENT = "absent"
"""What stands for the score of a metric that a call has no score of; a failed scorer's is null."""

Column = list[Any] | dict[str, Any]
"""A value for each case or call, or ``{"all": value}`` where they are equal."""

_CALL = (
    "side",
    "trial",
    "hop",
    "confirmation",
    "outcome",
    "output",
    "served_by",
    "latency_ms",
    "tokens",
    "cost_usd",
    "model",
)
_TEXTS = frozenset({"hop", "output", "served_by", "model"})


class _Content(msgspec.Struct):
    """A block's document.

    Attributes:
        folder: the suite's.
        line: of each case, as the three columns after it.
        case: which of the block's cases each call asked; the fields of ``_CALL`` are columns like it.
        calls: the fields of ``_CALL``, and ``tool_calls`` and ``retrieved`` as JSON texts.
        scores: per metric, ``_ABSENT`` where a call has none.
    """

    folder: str
    line: Column
    input: Column
    expected: Column
    outcome: Column
    case: list[int]
    calls: dict[str, Column]
    scores: dict[str, Column]


_CONTENT = msgspec.json.Decoder(_Content)


def packed(calls: Iterable[Sequence[MeasurementRow]]) -> Iterator[CaseBlock]:
    """The calls of the cases of one suite in blocks.

    Args:
        calls: per case its calls, at least one.
    """
    remaining = iter(calls)
    while some := list(islice(remaining, BLOCK)):
        yield block_of(some)


def block_of(calls: Sequence[Sequence[MeasurementRow]]) -> CaseBlock:
    """The calls of some cases of one suite as a block.

    Args:
        calls: per case its calls, at least one.
    """
    cases = [rows[0] for rows in calls]
    rows = [row for of_case in calls for row in of_case]
    metrics = sorted({metric for row in rows for metric in row.scores})
    columns = {name: _folded([getattr(row, name) for row in rows], text=name in _TEXTS) for name in _CALL}
    columns["tool_calls"] = _folded([to_json([dict(call) for call in row.tool_calls]) for row in rows])
    columns["retrieved"] = _folded([to_json(list(row.retrieved)) for row in rows])
    content = _Content(
        folder=stored_text(cases[0].suite_folder),
        line=_folded([row.case_line for row in cases]),
        input=_folded([row.input for row in cases], text=True),
        expected=_folded([row.expected for row in cases], text=True),
        outcome=_folded([row.case_outcome for row in cases], text=True),
        case=[number for number, of_case in enumerate(calls) for _ in of_case],
        calls=columns,
        scores={name: _folded([row.scores.get(name, _ABSENT) for row in rows]) for name in metrics},
    )
    return CaseBlock(
        suite=cases[0].suite,
        cases=len(cases),
        calls=len(rows),
        case_ids=_compressed([stored_text(row.case_id) for row in cases]),
        content=_compressed(content),
        models=tuple(sorted({(row.side, row.served_by, row.model) for row in rows if row.model})),
    )


def add(connection: Connection, run: int, first_case: int, first_response: int, block: CaseBlock) -> None:
    """Write a block; to be called inside the transaction that writes the run."""
    connection.execute(
        insert(case_blocks).values(
            run=run,
            first_case=first_case,
            first_response=first_response,
            suite=block.suite,
            models=[list(model) for model in block.models],
            case_ids=block.case_ids,
            content=block.content,
        )
    )


def case_rows(connection: Connection, run: int) -> Iterator[tuple[int, CaseRow]]:
    """Every case in the blocks of a run with its number, in the order of measuring."""
    for row in connection.execute(_blocks_of(run)):
        content = _CONTENT.decode(zlib.decompress(row.content))
        ids = case_ids(row.case_ids)
        columns = (content.line, content.input, content.expected, content.outcome)
        fields = zip(ids, *(_unfolded(column, len(ids)) for column in columns), strict=True)
        for number, (case_id, line, asked, wanted, outcome) in enumerate(fields, row.first_case):
            yield number, CaseRow(row.suite, content.folder, case_id, line, asked, wanted, outcome)


def measurement_rows(
    connection: Connection, run: int, case_id: str | None, suite: str | None
) -> Iterator[tuple[int, MeasurementRow]]:
    """What the blocks of a run hold with the number of each call, in the order of recording.

    Args:
        connection: to the registry.
        run: its surrogate key.
        case_id: the only case that is wanted.
        suite: the only suite that is wanted.
    """
    query = _blocks_of(run)
    if suite is not None:
        query = query.where(case_blocks.c.suite == suite)
    for row in connection.execute(query):
        ids = case_ids(row.case_ids)
        if case_id is not None and case_id not in ids:
            continue
        content = _CONTENT.decode(zlib.decompress(row.content))
        for number, found in enumerate(_calls(row.suite, content, ids), row.first_response):
            if case_id is None or found.case_id == case_id:
                yield number, found


def call_means(connection: Connection, run: int) -> dict[str, tuple[float | None, float | None]]:
    """Mean tokens and dollars of a call per suite in the blocks of a run; None where none is known."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for row in connection.execute(_blocks_of(run)):
        content = _CONTENT.decode(zlib.decompress(row.content))
        known = found.setdefault(row.suite, ([], []))
        for name, values in zip(("tokens", "cost_usd"), known, strict=True):
            column = _unfolded(content.calls[name], len(content.case))
            values += [value for value in column if value is not None]
    return {suite: (_mean(tokens), _mean(usd)) for suite, (tokens, usd) in found.items()}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def reported_models(connection: Connection, run: int, side: str) -> Iterator[tuple[str, str]]:
    """Target and model of the calls in the blocks of a run whose provider said which model answered."""
    for row in connection.execute(select(case_blocks.c.models).where(case_blocks.c.run == run)):
        yield from ((target, model) for by, target, model in row.models if by == side)


def case_ids(packed: bytes) -> list[str]:
    """The ids of a block's cases, in order."""
    return msgspec.json.decode(zlib.decompress(packed), type=list[str])


def pack_records(records: Sequence[CaseRecord]) -> bytes:
    """The cases of a long suite's record as one value."""
    digests = [record.digest for record in records]
    prefix, width = "sha256:", len("sha256:") + 64
    usual = all(digest.startswith(prefix) and len(digest) == width for digest in digests)
    return msgspec.msgpack.encode(
        {
            "ids": _compressed([record.id for record in records]),
            "digests": bytes.fromhex("".join(d[len(prefix) :] for d in digests)) if usual else digests,
            "critical": [number for number, record in enumerate(records) if record.critical],
            "regression": [number for number, record in enumerate(records) if record.regression],
        }
    )


def unpack_records(packed: bytes) -> tuple[CaseRecord, ...]:
    """What ``pack_records`` was given."""
    held = msgspec.msgpack.decode(packed)
    ids, digests = case_ids(held["ids"]), held["digests"]
    if isinstance(digests, bytes):
        digests = [f"sha256:{digests[at : at + 32].hex()}" for at in range(0, len(digests), 32)]
    critical, regression = set(held["critical"]), set(held["regression"])
    return tuple(
        CaseRecord(case_id, digest, number in critical, number in regression)
        for number, (case_id, digest) in enumerate(zip(ids, digests, strict=True))
    )


def _blocks_of(run: int) -> Any:
    return select(case_blocks).where(case_blocks.c.run == run).order_by(case_blocks.c.first_case)


def _calls(suite: str, content: _Content, ids: Sequence[str]) -> Iterator[MeasurementRow]:
    asked = content.case
    cases = list(
        zip(
            ids,
            *(
                _unfolded(column, len(ids))
                for column in (content.line, content.input, content.expected, content.outcome)
            ),
            strict=True,
        )
    )
    calls = {name: _unfolded(column, len(asked)) for name, column in content.calls.items()}
    fields = zip(*(calls[name] for name in _CALL), strict=True)
    lists = zip(calls["tool_calls"], calls["retrieved"], strict=True)
    names = list(content.scores)
    values = zip(*(_unfolded(column, len(asked)) for column in content.scores.values()), strict=True)
    scores = values if names else repeat(())
    for number, call, (tools, retrieved), found in zip(asked, fields, lists, scores, strict=False):
        case_id, line, given, wanted, outcome = cases[number]
        yield MeasurementRow(
            **dict(zip(_CALL, call, strict=True)),
            suite=suite,
            case_id=case_id,
            tool_calls=tuple(json.loads(tools)),
            retrieved=tuple(json.loads(retrieved)),
            scores={name: value for name, value in zip(names, found, strict=True) if value != _ABSENT},
            case_outcome=outcome,
            input=given,
            expected=wanted,
            case_line=line,
            suite_folder=content.folder,
        )


def _folded(values: list[Any], *, text: bool = False) -> Column:
    if text:
        values = list(map(stored_text, values))
    return {"all": values[0]} if values.count(values[0]) == len(values) else values


def _unfolded(column: Column, count: int) -> list[Any]:
    return [column["all"]] * count if isinstance(column, dict) else column


def _compressed(value: Any) -> bytes:
    return zlib.compress(msgspec.json.encode(value), _FAST)
