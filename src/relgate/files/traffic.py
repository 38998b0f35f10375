"""The file that ``unchanged`` names: a random sample of redacted production inputs, one per line."""

from __future__ import annotations

from pathlib import Path

from relgate.domain.case import Case
from relgate.domain.digest import digest_json
from relgate.domain.errors import InputError, Problem
from relgate.files.cases import id_problems, input_of, is_input
from relgate.files.jsonl import Row, read_rows
from relgate.files.paths import is_file
from relgate.files.yamldoc import YamlDocument

_KEYS = ("id", "input")


def read_traffic(document: YamlDocument, folder: Path) -> tuple[tuple[Case, ...], list[Problem]]:
    """The sampled inputs of a suite and everything that is wrong with them; no key holds none.

    Args:
        document: suite.yaml.
        folder: what its paths are relative to.
    """
    named = document.value.get("unchanged")
    if not isinstance(named, str) or not named:
        return (), []
    path = folder / named
    if not is_file(path):
        what = f"there is no file {named[:60]!r}"
        return (), [Problem(document.place(("unchanged",)), what, remedy="name a file of {id, input} lines")]
    cases: list[Case] = []
    problems: list[Problem] = []
    first: dict[str, int] = {}
    try:
        for row in read_rows(path):
            if isinstance(row, Problem):
                problems.append(row)
                continue
            wrong = _problems(row)
            case_id = row.value.get("id")
            if isinstance(case_id, str) and first.setdefault(case_id, row.line) != row.line:
                where = f"the first is on line {first[case_id]}"
                wrong.append(row.problem("id", f"duplicate id {case_id[:60]!r}", where))
            problems += wrong
            if not wrong:
                given = row.value["input"]
                cases.append(Case(row.value["id"], input_of(given), line=row.line, digest=digest_json(given)))
    except InputError as error:
        problems += error.problems
    if not cases and not problems:
        place = document.place(("unchanged",))
        problems.append(
            Problem(place, f"{named[:60]!r} has no lines", remedy="write one {id, input} per line")
        )
    return tuple(cases), problems


def _problems(row: Row) -> list[Problem]:
    problems = row.unknown_keys(_KEYS)
    problems += [row.missing(key) for key in _KEYS if key not in row.value]
    if "id" in row.value:
        problems += id_problems(row, row.value["id"])
    if "input" in row.value and (row.value["input"] in (None, "") or not is_input(row.value["input"])):
        problems.append(row.problem("input", "'input' should be text or a list of {role, content}"))
    return problems
