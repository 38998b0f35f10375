"""Recorded answers and scores: the JSON lines of an eval runner or of an earlier run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.response import Failure, Response
from relgate.files.jsonl import MOST_PROBLEMS, Row, is_long, read_lines, read_row
from relgate.files.reading import shown, tidy
from relgate.files.recording_rows import RecordingRow, decode_row, is_sound, outcome_of

Recording = Mapping[tuple[str, int], Response | Failure]

_NUMBERS = ("latency_ms", "first_token_ms", "tokens", "cost_usd")


def load_recording(path: Path) -> Recording:
    """Read a recording: the outcome of each (case id, trial); a long one is parsed as it is asked for.

    Raises:
        InputError: with every problem, at most 50.
    """
    if not is_long(path):
        return _read(path)
    from relgate.files.long import recording_file  # numpy, which a worker of xdist must not wait for

    return recording_file.scanned(path) or _read(path)


def _read(path: Path) -> Recording:
    name = shown(path)
    recording: dict[tuple[str, int], Response | Failure] = {}
    lines: dict[tuple[str, int], int] = {}
    problems: list[Problem] = []
    wrong = named = 0
    for number, line in read_lines(path):
        try:
            row = decode_row(line)
            sound = is_sound(row)
        except (msgspec.MsgspecError, RecursionError):
            sound = False
        if not sound:
            read = read_row(name, number, line)
            wrong += 1
            named += isinstance(read, Row) and "case_id" in read.value
            problems += _explain(read, name, number)
            continue
        key = (row.case_id, row.trial)
        first = lines.setdefault(key, number)
        if first != number:
            what = f"case {row.case_id!r} trial {row.trial} again"
            remedy = f"the first is on line {first}; give each repetition its own trial"
            problems.append(Problem(Place(name, number, 1), what, remedy=remedy))
            continue
        recording[key] = outcome_of(row)
    if len(problems) > MOST_PROBLEMS and not recording and not named:
        what = f"is no recording: none of its {wrong} lines is an object with 'case_id'"
        remedy = 'write {"case_id": ..., "output": ...} per line'
        raise InputError([Problem(Place(name, 1, 1), what, remedy=remedy)])
    if problems:
        raise InputError(tidy(problems, limit=MOST_PROBLEMS))
    if not recording:
        raise InputError([Problem(Place(name, 1, 1), "is empty", remedy="write one JSON object per line")])
    return recording


def _explain(row: Row | Problem, name: str, number: int) -> list[Problem]:
    """Why a line was refused: the slow way, with places."""
    if isinstance(row, Problem):
        return [row]
    problems = row.unknown_keys(RecordingRow.__struct_fields__)
    case_id, trial = row.value.get("case_id"), row.value.get("trial", 0)
    if "case_id" not in row.value:
        problems.append(row.missing("case_id"))
    elif not isinstance(case_id, str) or not case_id:
        problems.append(row.problem("case_id", "'case_id' should be text that is not empty"))
    if not isinstance(trial, int) or isinstance(trial, bool) or trial < 0:
        problems.append(row.problem("trial", "'trial' should be a whole number from 0"))
    for key in ("output", "served_by", "error"):
        if not isinstance(row.value.get(key), str | None):
            problems.append(row.problem(key, f"{key!r} should be text"))
    for key in _NUMBERS:
        value = row.value.get(key)
        if value is not None and not _is_number(value, whole=key == "tokens"):
            kind = "a whole number" if key == "tokens" else "a number"
            problems.append(row.problem(key, f"{key!r} should be {kind} from 0"))
    problems += _explain_lists(row)
    if not problems:
        problems.append(Problem(Place(name, number, 1), "cannot be read as a recorded response"))
    return problems


def _explain_lists(row: Row) -> list[Problem]:
    problems = []
    calls, scores = row.value.get("tool_calls"), row.value.get("scores")
    for key in ("retrieved", "evidence"):
        texts = row.value.get(key)
        if texts is not None and not (isinstance(texts, list) and all(isinstance(i, str) for i in texts)):
            problems.append(row.problem(key, f"{key!r} should be a list of texts"))
    if calls is not None and not (isinstance(calls, list) and all(map(_is_call, calls))):
        problems.append(row.problem("tool_calls", "'tool_calls' should be a list of {name, arguments}"))
    if scores is not None and not isinstance(scores, dict):
        problems.append(row.problem("scores", "'scores' should be an object", "write {name: number}"))
    elif scores:
        problems += [
            row.problem("scores", f"score {key!r} should be a number, true, false or null")
            for key, value in scores.items()
            if not isinstance(value, int | float | None)
        ]
    return problems


def _is_call(call: Any) -> bool:
    if (
        not isinstance(call, dict)
        or set(call) - {"name", "arguments"}
        or not isinstance(call.get("name"), str)
    ):
        return False
    return isinstance(call.get("arguments", {}), dict)


def _is_number(value: Any, *, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
