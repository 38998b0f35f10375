"""Cases of a long suite in blocks: columns of many cases compressed together, read as rows again.

A suite of a million cases in rows of its own takes hundreds of bytes a case and more time than scoring it;
in blocks it takes tens of bytes. Readers cannot tell them apart.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from relgate.domain.run import CaseBlock, CaseRecord, MeasurementRow, RecordBlocks
from relgate.store.database import to_json
from relgate.store.rows import CaseRow
from relgate.store.tables import case_blocks, stored_text, suite_blocks

BLOCK = 1000
"""Cases of a block: enough to be compressed well, few enough to be unpacked for one of them."""

_FAST = 1
_WRITTEN_AT_ONCE = 20
"""Blocks of one statement."""

_DIGEST = re.compile("sha256:[0-9a-f]{64}").fullmatch
ABSENT = "absent"
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
_LISTS = ("tool_calls", "retrieved")
_TEXTS = frozenset({"hop", "output", "served_by", "model"})
_USUAL: Mapping[str, Any] = {
    "side": "candidate",
    "trial": 0,
    "hop": "",
    "confirmation": False,
    "outcome": "response",
    "output": "",
    "served_by": "",
    "model": "",
}
"""Fields of a call that are left out; the numbers are unknown then."""


class _Content(msgspec.Struct):
    """A block's document.

    Attributes:
        folder: the suite's.
        line: of each case, as the three columns after it.
        case: which of the block's cases each call asked; the fields of ``_CALL`` are columns like it.
        calls: the fields of ``_CALL``, and ``tool_calls`` and ``retrieved`` as JSON texts.
        scores: per metric, ``ABSENT`` where a call has none.
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
    metrics = {metric for row in rows for metric in row.scores}
    return block_of_columns(
        cases[0].suite,
        cases[0].suite_folder,
        cases={
            "case_id": [row.case_id for row in cases],
            "line": [row.case_line for row in cases],
            "input": [row.input for row in cases],
            "expected": [row.expected for row in cases],
            "outcome": [row.case_outcome for row in cases],
        },
        asked=[number for number, of_case in enumerate(calls) for _ in of_case],
        calls={name: [getattr(row, name) for row in rows] for name in (*_CALL, *_LISTS)},
        scores={name: [row.scores.get(name, ABSENT) for row in rows] for name in metrics},
    )


def block_of_columns(
    suite: str,
    folder: str,
    *,
    cases: Mapping[str, list[Any]],
    asked: list[int],
    calls: Mapping[str, list[Any]],
    scores: Mapping[str, list[Any]],
) -> CaseBlock:
    """The same of columns.

    Args:
        suite: the suite.
        folder: the suite's.
        cases: ``case_id``, ``line``, ``input``, ``expected`` and ``outcome`` of each case.
        asked: the place of the case that each call asked.
        calls: the fields of ``MeasurementRow`` that belong to a call, but its scores; a field that is left
            out is that of a plain answer of the candidate's only trial.
        scores: per metric the value of each call: None where the scorer failed, ``ABSENT`` where it has none.
    """
    columns = {name: _folded(calls[name], text=name in _TEXTS) for name in _CALL if name in calls}
    for name in _LISTS:
        columns[name] = (
            _folded([to_json([_plain(item) for item in held]) for held in calls[name]])
            if name in calls
            else {"all": "[]"}
        )
    content = _Content(
        folder=stored_text(folder),
        line=_folded(cases["line"]),
        input=_folded(cases["input"], text=True),
        expected=_folded(cases["expected"], text=True),
        outcome=_folded(cases["outcome"], text=True),
        case=asked,
        calls={name: columns.get(name, {"all": _USUAL.get(name)}) for name in (*_CALL, *_LISTS)},
        scores={name: _folded(scores[name]) for name in sorted(scores)},
    )
    models = calls.get("model", ())
    said = () if not any(models) else zip(calls["side"], calls["served_by"], models, strict=True)
    return CaseBlock(
        suite=suite,
        cases=len(cases["case_id"]),
        calls=len(asked),
        case_ids=_compressed([stored_text(case_id) for case_id in cases["case_id"]]),
        content=_compressed(content),
        models=tuple(sorted({(side, target, model) for side, target, model in said if model})),
    )


def _plain(item: Any) -> Any:
    return dict(item) if isinstance(item, Mapping) else item


def add(
    connection: Connection, run: int, first_case: int, first_response: int, found: Iterable[CaseBlock]
) -> tuple[int, int]:
    """Write blocks; to be called inside the transaction that writes the run.

    Returns:
        The numbers of the first case and the first response behind them.
    """
    remaining = iter(found)
    while some := list(islice(remaining, _WRITTEN_AT_ONCE)):
        rows = []
        for block in some:
            rows.append(
                {
                    "run": run,
                    "first_case": first_case,
                    "first_response": first_response,
                    "suite": block.suite,
                    "models": [list(model) for model in block.models],
                    "case_ids": block.case_ids,
                    "content": block.content,
                }
            )
            first_case += block.cases
            first_response += block.calls
        connection.execute(insert(case_blocks), rows)
    return first_case, first_response


def add_records(connection: Connection, run: int, suite: str, records: Iterable[CaseRecord]) -> None:
    """Write the cases of a long suite's record; to be called inside the transaction that writes the run."""
    remaining = pack_records(records)
    while some := list(islice(remaining, _WRITTEN_AT_ONCE)):
        connection.execute(
            insert(suite_blocks),
            [{"run": run, "suite": suite, "first": first, "cases": packed} for first, packed in some],
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


def pack_records(records: Iterable[CaseRecord]) -> Iterator[tuple[int, bytes]]:
    """The cases of a long suite's record in blocks, each with the number of its first case."""
    first = 0
    if isinstance(records, RecordBlocks):
        for block in records.blocks(BLOCK):
            yield first, _packed_records(block.ids, block.digests, block.protected)
            first += len(block.ids)
        return
    remaining = iter(records)
    while some := list(islice(remaining, BLOCK)):
        digests = [record.digest for record in some]
        usual = all(map(_DIGEST, digests))
        yield (
            first,
            _packed_records(
                [record.id for record in some],
                bytes.fromhex("".join(digests).replace("sha256:", "")) if usual else digests,
                {number: record for number, record in enumerate(some) if record.protected},
            ),
        )
        first += len(some)


def _packed_records(ids: list[str], digests: bytes | list[str], protected: Mapping[int, CaseRecord]) -> bytes:
    return msgspec.msgpack.encode(
        {
            "ids": _compressed(ids),
            "digests": digests,
            "protected": [
                (number, record.critical, record.regression, record.harmful, record.content)
                for number, record in sorted(protected.items())
            ],
        }
    )


def unpack_records(packed: bytes) -> Iterator[CaseRecord]:
    """The records of one block of ``pack_records``."""
    held = msgspec.msgpack.decode(packed)
    ids, digests = case_ids(held["ids"]), held["digests"]
    if isinstance(digests, bytes):
        digests = [f"sha256:{digests[at : at + 32].hex()}" for at in range(0, len(digests), 32)]
    protected = {number: rest for number, *rest in held.get("protected", ())}
    for number in {*held.get("critical", ()), *held.get("regression", ())}:  # as schema 0004 wrote them
        protected[number] = [number in held["critical"], number in held["regression"]]
    for number, (case_id, digest) in enumerate(zip(ids, digests, strict=True)):
        yield CaseRecord(case_id, digest, *protected.get(number, ()))


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
            scores={name: value for name, value in zip(names, found, strict=True) if value != ABSENT},
            case_outcome=outcome,
            input=given,
            expected=wanted,
            case_line=line,
            suite_folder=content.folder,
        )


def _folded(values: list[Any], *, text: bool = False) -> Column:
    if text:
        joined = "".join(values)
        values = values if joined.isascii() and "\0" not in joined else list(map(stored_text, values))
    return {"all": values[0]} if values.count(values[0]) == len(values) else values


def _unfolded(column: Column, count: int) -> list[Any]:
    return [column["all"]] * count if isinstance(column, dict) else column


def _compressed(value: Any) -> bytes:
    return zlib.compress(msgspec.json.encode(value), _FAST)
