"""labels.jsonl: what people say of answers, one JSON object per line."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from relgate.domain.case import Label
from relgate.domain.errors import InputError, Problem
from relgate.files.jsonl import Row, read_rows
from relgate.files.wire import did_you_mean

_REQUIRED = ("case_id", "side", "score", "by")
_KEYS = (*_REQUIRED, "answer")
_DIGEST = re.compile("[0-9a-f]{16}")


def read_labels(path: Path, cases: Collection[str]) -> tuple[tuple[Label, ...], list[Problem]]:
    """The labels of a suite and everything that is wrong with them; a missing file holds none.

    Args:
        path: labels.jsonl.
        cases: ids of the suite's cases.
    """
    labels: list[Label] = []
    problems: list[Problem] = []
    if not path.exists():
        return (), []
    lines: dict[tuple[str, ...], int] = {}
    try:
        for row in read_rows(path):
            if isinstance(row, Problem):
                problems.append(row)
                continue
            wrong = _problems(row, cases)
            problems += wrong
            if wrong:
                continue
            value = row.value
            answer = value.get("answer", "")
            # The same answer on either side is one answer; without its digest the side is all there is.
            key = (value["case_id"], answer or value["side"], value["by"])
            first = lines.setdefault(key, row.line)
            if first != row.line:
                what = f"{value['by']!r} labels this answer again"
                problems.append(row.problem("by", what, f"the first label is on line {first}"))
                continue
            score = float(value["score"])
            labels.append(Label(value["case_id"], value["side"], score, value["by"], answer))
    except InputError as error:
        problems += error.problems
    return tuple(labels), problems


def _problems(row: Row, cases: Collection[str]) -> list[Problem]:
    value = row.value
    problems = row.unknown_keys(_KEYS)
    problems += [row.missing(key) for key in _REQUIRED if key not in value]
    case_id, side, by = value.get("case_id"), value.get("side"), value.get("by")
    if "case_id" in value and (not isinstance(case_id, str) or case_id not in cases):
        remedy = did_you_mean(str(case_id), cases, none="the suite has no cases")
        problems.append(row.problem("case_id", f"there is no case {case_id!r}", remedy))
    if "side" in value and side not in ("candidate", "baseline"):
        problems.append(row.problem("side", "'side' should be candidate or baseline", value=repr(side)))
    if "score" in value and not is_score(value["score"]):
        problems.append(row.problem("score", "'score' should be a number from 0 to 1"))
    if "by" in value and (not isinstance(by, str) or not by.strip()):
        problems.append(row.problem("by", "'by' should say who labelled"))
    if "answer" in value and not (isinstance(value["answer"], str) and _DIGEST.fullmatch(value["answer"])):
        remedy = "leave it as `relgate judge sample` wrote it, or leave it out"
        problems.append(row.problem("answer", "'answer' should be the digest of the answer", remedy))
    return problems


def is_score(value: Any) -> bool:
    """Whether a value of a label line is a score: true, false, or a number from 0 to 1."""
    if isinstance(value, bool):
        return True
    return isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= 1
