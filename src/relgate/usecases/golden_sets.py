"""Where the golden sets lie and where a case stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relgate.domain.errors import InputError
from relgate.files.jsonl import Row, read_rows
from relgate.files.paths import is_file, resolved
from relgate.store.location import ini_value, project_root

CASES = "cases.jsonl"
REGRESSIONS = "regressions.jsonl"


@dataclass(frozen=True, slots=True)
class CasePlace:
    """The file that holds a case, as a pytest argument, and its line there, None when it is not there."""

    path: str
    row: Row | None


def golden_sets_folder(option: str | None, environment: Mapping[str, str], start: Path) -> Path:
    """The golden-set folder: an option, a variable, the ini file, else ``golden_sets`` in the project."""
    given = option or environment.get("RELGATE_GOLDEN_SETS")
    if given:
        return start / given
    root = project_root(start)
    return root / (ini_value(root, "relgate_golden_sets") or "golden_sets")


def case_place(folder: Path, case_id: str) -> CasePlace:
    """Where a case stands in a suite's folder; cases.jsonl is answered for a case that is gone."""
    for name in (CASES, REGRESSIONS):
        for row in rows_of(folder / name):
            if row.value.get("id") == case_id:
                return CasePlace(relative(folder / name), row)
    return CasePlace(relative(folder / CASES), None)


def rows_of(path: Path) -> list[Row]:
    """The readable lines of a file of cases; none where there is no such file."""
    try:
        return [row for row in read_rows(path) if isinstance(row, Row)] if is_file(path) else []
    except InputError:
        return []


def ids_in(folder: Path) -> set[Any]:
    """Every case id of a suite, regressions included."""
    return {row.value.get("id") for name in (CASES, REGRESSIONS) for row in rows_of(folder / name)}


def relative(path: Path) -> str:
    """The path from the current folder, as a user would write it; as it is when it lies elsewhere."""
    try:
        return resolved(path).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
