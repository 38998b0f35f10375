"""cases.jsonl and regressions.jsonl: what is asked and expected, one JSON object per line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from relgate.domain.case import Case, Critical, Message
from relgate.domain.digest import digest_json
from relgate.domain.errors import InputError, Place, Problem
from relgate.domain.gate import Scalar
from relgate.files.jsonl import Row, read_rows
from relgate.files.reading import shown
from relgate.files.suite_model import CaseRow

KEYS = tuple(CaseRow.model_fields)
_MOST_ID = 200


class CaseReader:
    """Reads the case files of one suite, so that an id is used once over all of them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.tags: dict[str, set[Scalar]] = {}
        """Every tag of cases.jsonl with its values, of rows with another problem too."""
        self.sure_of_tags = True
        """Whether a tag that is not in ``tags`` is surely not there."""
        self.sure_of_expected = True
        """Whether cases that could not be read surely expect nothing."""
        self._first: dict[str, Place] = {}

    def read(self, path: Path, *, regression: bool, safety: bool) -> tuple[Case, ...]:
        """The cases of a file; what is wrong goes to ``problems``.

        Args:
            path: the file.
            regression: whether it is regressions.jsonl.
            safety: whether each case needs the tag ``harmful``.
        """
        cases = []
        try:
            for row in read_rows(path):
                if isinstance(row, Problem):
                    self.problems.append(row)
                    self.sure_of_tags = self.sure_of_expected = False
                    continue
                if not regression:
                    self._note_tags(row)
                problems = list(problems_of(row, safety=safety))
                self._note_id(row, problems)
                self.problems += problems
                if not problems:
                    cases.append(_case(row, regression))
        except InputError as error:
            self.problems += error.problems
            self.sure_of_tags = self.sure_of_expected = False
        else:
            if not cases and not self.problems and not regression:
                place = Place(shown(path), 1, 1)
                self.sure_of_tags = self.sure_of_expected = False
                self.problems.append(
                    Problem(place, "has no cases", remedy='write {"id": ..., "input": ...} per line')
                )
        return tuple(cases)

    def _note_tags(self, row: Row) -> None:
        tags = row.value.get("tags", {})
        strange = any(key not in KEYS for key in row.value)  # perhaps a misspelt "tags" or "expected"
        if not isinstance(tags, dict) or not all(isinstance(tag, (str, int, float)) for tag in tags.values()):
            strange, tags = True, {}
        for name, tag in tags.items():
            self.tags.setdefault(name, set()).add(tag)
        self.sure_of_tags &= not strange
        self.sure_of_expected &= not strange and row.value.get("expected") is None

    def _note_id(self, row: Row, problems: list[Problem]) -> None:
        case_id = row.value.get("id")
        if not isinstance(case_id, str):
            return
        first = self._first.setdefault(case_id, Place(row.path, row.line))
        if first != Place(row.path, row.line):
            where = f"line {first.line}" if first.path == row.path else f"{first.path}:{first.line}"
            problems.append(row.problem("id", f"duplicate id {case_id[:60]!r}", f"the first is on {where}"))


def problems_of(row: Row, *, safety: bool) -> Iterable[Problem]:
    """What is wrong with a line, its id in other lines apart.

    Args:
        row: the line.
        safety: whether it needs the tag ``harmful``.
    """
    yield from row.unknown_keys(KEYS)
    value = row.value
    if "id" not in value:
        yield row.missing("id")
    else:
        yield from id_problems(row, value["id"])
    if not is_input(value.get("input")):
        yield row.problem("input", "'input' should be text or a list of {role, content}")
    tags = value.get("tags", {})
    if not isinstance(tags, dict):
        yield row.problem("tags", "'tags' should be an object", 'write {"lang": "en"}')
        tags = {}
    for name, tag in tags.items():
        if not isinstance(tag, (str, int, float)):
            yield row.problem("tags", f"tag {name!r} should be text, a number, true or false")
    critical = value.get("critical", False)
    if not isinstance(critical, bool) and critical != "never":
        yield row.problem("critical", "'critical' should be true, false or \"never\"")
    if isinstance(value.get("cluster"), bool) or not isinstance(value.get("cluster"), str | int | None):
        yield row.problem("cluster", "'cluster' should be text")
    for key in ("source", "pair"):
        if not isinstance(value.get(key), str | None):
            yield row.problem(key, f"{key!r} should be text")
    if safety and not isinstance(tags.get("harmful"), bool):
        remedy = 'a safety case needs "tags": {"harmful": true} or false'
        yield row.problem("tags", "tag 'harmful' should be true or false", remedy)


def id_problems(row: Row, case_id: Any) -> Iterable[Problem]:
    """What keeps an id from naming a case."""
    if not isinstance(case_id, str):
        yield row.problem("id", "'id' should be text", "put it in quotes")
    elif not case_id.strip():
        yield row.problem("id", "'id' is empty")
    elif len(case_id) > _MOST_ID:
        yield row.problem(
            "id", f"'id' is longer than {_MOST_ID} characters", value=repr(case_id[:40] + "...")
        )
    elif "::" in case_id or "[" in case_id or "]" in case_id or not case_id.isprintable():
        remedy = "an id holds no '::', brackets or control characters"
        yield row.problem("id", "'id' cannot be a pytest name", remedy, repr(case_id[:60]))


def is_input(value: Any) -> bool:
    """Whether a value is nothing, text or a conversation."""
    if value is None or isinstance(value, str):
        return True
    return isinstance(value, list) and bool(value) and all(map(_is_message, value))


def _is_message(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"role", "content"}:
        return False
    return isinstance(value["role"], str) and isinstance(value["content"], str)


def input_of(given: Any) -> str | tuple[Message, ...] | None:
    """The input of a case from its JSON value (``is_input``)."""
    if isinstance(given, list):
        return tuple(Message(message["role"], message["content"]) for message in given)
    return cast("str | None", given)


def _case(row: Row, regression: bool) -> Case:
    value = row.value
    given = value.get("input")
    cluster = value.get("cluster")
    return Case(
        id=value["id"],
        input=input_of(given),
        expected=value.get("expected"),
        tags=value.get("tags", {}),
        cluster=None if cluster is None else str(cluster),
        critical=cast(Critical, value.get("critical", False)),
        source=value.get("source"),
        pair=value.get("pair"),
        line=row.line,
        digest=digest_json({"input": given, "expected": value.get("expected")}),
        regression=regression,
    )
